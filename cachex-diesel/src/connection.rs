//! A connection whose writes invalidate what they touched.

use std::fmt;

use diesel::connection::{Connection, TransactionManager, TransactionManagerStatus};

use crate::analyses::Script;
use crate::backend::CacheBackend;
use crate::handle::DieselCache;
use crate::lex::Writes;
use crate::registry::canonical;
use crate::state::{Depth, State};

/// A connection of Diesel whose writes invalidate what they touched: what is written in a transaction when that is committed, and before the commit returns;
/// nothing, if it is rolled back.
///
/// It is used as the connection within: everything that takes a `Connection` takes it. See [`DieselCache::wrap`].
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "sqlite")] {
/// use cachex::{Cache, EntryOptions, Key};
/// use cachex_diesel::DieselCache;
/// use diesel::prelude::*;
///
/// diesel::table! {
///     users {
///         id -> Integer,
///         name -> Text,
///     }
/// }
///
/// let db = DieselCache::builder(Cache::builder().build()?).build();
/// let mut connection = db.wrap(SqliteConnection::establish(":memory:")?);
/// diesel::sql_query("CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL)").execute(&mut connection)?;
///
/// let key = Key::new("how many");
/// db.cache().blocking().set(&key, 0, &EntryOptions::new().tag(db.tag("users")))?;
/// connection.transaction(|connection| {
///     diesel::insert_into(users::table).values(users::name.eq("Ada")).execute(connection)?;
///     assert!(db.cache().blocking().exists(&key));
///     diesel::QueryResult::Ok(())
/// })?;
/// assert!(!db.cache().blocking().exists(&key));
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct CachingConnection<C> {
    pub(crate) inner: C,
    pub(crate) state: State,
    /// Has a pool not give the connection within to anybody else.
    spoil: fn(&mut C),
}

impl<C> Drop for CachingConnection<C> {
    fn drop(&mut self) {
        // If it was lent, whoever has it next knows nothing of what was done with it.
        // Break this (leave it out) and what was begun by hand is committed by somebody who does not tell it.
        if self.state.is_unfit() {
            (self.spoil)(&mut self.inner);
        }
    }
}

impl DieselCache {
    /// Wraps a connection.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "sqlite")] {
    /// use cachex::Cache;
    /// use cachex_diesel::DieselCache;
    /// use diesel::prelude::*;
    ///
    /// let db = DieselCache::builder(Cache::builder().build()?).build();
    /// let mut connection = db.wrap(SqliteConnection::establish(":memory:")?);
    /// assert_eq!(diesel::select(1.into_sql::<diesel::sql_types::Integer>()).get_result(&mut connection), Ok(1));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn wrap<C>(&self, connection: C) -> CachingConnection<C>
    where
        C: Connection,
        C::Backend: CacheBackend,
    {
        CachingConnection::new(connection, Some(self.clone()))
    }
}

impl<C> CachingConnection<C>
where
    C: Connection,
    C::Backend: CacheBackend,
{
    pub(crate) fn new(inner: C, db: Option<DieselCache>) -> Self {
        let spoil = |inner: &mut C| C::TransactionManager::transaction_manager_status_mut(inner).set_in_error();
        Self { inner, state: State::new(<C::Backend as crate::backend::sealed::Known>::DIALECT, db), spoil }
    }

    /// Gives the connection a cache: that of a pool is made without one.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "sqlite")] {
    /// use cachex::Cache;
    /// use cachex_diesel::{CachingConnection, DieselCache};
    /// use diesel::connection::SimpleConnection;
    /// use diesel::prelude::*;
    ///
    /// let mut connection = CachingConnection::<SqliteConnection>::establish(":memory:")?;
    /// assert!(connection.batch_execute("CREATE TABLE a (b INT)").is_err());
    /// connection.attach(&DieselCache::builder(Cache::builder().build()?).build());
    /// assert!(connection.batch_execute("CREATE TABLE a (b INT)").is_ok());
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn attach(&mut self, db: &DieselCache) {
        self.state.attach(db.clone());
    }

    /// Says whose rows the connection sees from now on: a tenant whose schema is in the search path, or a user whom the server lets see some rows only. Queries that are cached in a
    /// scope answer in no other. It has to be said again whenever the session is changed: until then, nothing cached is asked. `None` is the scope that all connections begin with.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "sqlite")] {
    /// use cachex::Cache;
    /// use cachex_diesel::DieselCache;
    /// use diesel::prelude::*;
    ///
    /// let db = DieselCache::builder(Cache::builder().build()?).build();
    /// let mut connection = db.wrap(SqliteConnection::establish(":memory:")?);
    /// diesel::sql_query("ATTACH ':memory:' AS tenant").execute(&mut connection)?;
    /// connection.set_cache_scope(Some("tenant"));
    /// assert_eq!(connection.cache_scope(), Some("tenant"));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn set_cache_scope(&mut self, scope: Option<&str>) {
        self.state.set_scope(scope);
    }

    /// Returns the scope.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "sqlite")] {
    /// use cachex::Cache;
    /// use cachex_diesel::DieselCache;
    /// use diesel::prelude::*;
    ///
    /// let db = DieselCache::builder(Cache::builder().build()?).build();
    /// assert_eq!(db.wrap(SqliteConnection::establish(":memory:")?).cache_scope(), None);
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn cache_scope(&self) -> Option<&str> {
        self.state.scope()
    }

    /// Calls back once the transaction is committed and what it wrote is invalidated; at once, outside of one; never, if it is rolled back, or the savepoint is within which this was
    /// said, or if it is not known what became of the commit.
    ///
    /// # Panics
    ///
    /// If a callback panics, the call that commits does so, once it is done and all other callbacks were called.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "sqlite")] {
    /// use std::sync::atomic::{AtomicBool, Ordering};
    ///
    /// use cachex::Cache;
    /// use cachex_diesel::DieselCache;
    /// use diesel::prelude::*;
    ///
    /// static IS_CALLED: AtomicBool = AtomicBool::new(false);
    /// let db = DieselCache::builder(Cache::builder().build()?).build();
    /// let mut connection = db.wrap(SqliteConnection::establish(":memory:")?);
    /// connection.transaction(|connection| {
    ///     connection.after_commit(|| IS_CALLED.store(true, Ordering::Relaxed));
    ///     assert!(!IS_CALLED.load(Ordering::Relaxed));
    ///     diesel::QueryResult::Ok(())
    /// })?;
    /// assert!(IS_CALLED.load(Ordering::Relaxed));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn after_commit(&mut self, callback: impl FnOnce() + Send + 'static) {
        self.state.after_commit(Box::new(callback));
    }

    /// Invalidates what depends on tables, as a write of them in this place would: when the transaction is committed.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "sqlite")] {
    /// use cachex::{Cache, EntryOptions, Key};
    /// use cachex_diesel::DieselCache;
    /// use diesel::prelude::*;
    ///
    /// let db = DieselCache::builder(Cache::builder().build()?).build();
    /// let mut connection = db.wrap(SqliteConnection::establish(":memory:")?);
    /// let key = Key::new("a");
    /// db.cache().blocking().set(&key, 1, &EntryOptions::new().tag("users"))?;
    /// connection.invalidate(["users"]);
    /// assert!(!db.cache().blocking().exists(&key));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn invalidate<'a>(&mut self, tables: impl IntoIterator<Item = &'a str>) {
        self.state.write(Writes::Tables(tables.into_iter().map(canonical).collect())).wait();
    }

    /// Does something with the connection within, which writes these tables; none is one that is only read. What is done there is not seen: neither transactions may be begun or ended by it, nor
    /// other tables be written. It is never refused, whatever [`OnCacheError`](crate::OnCacheError) says.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "sqlite")] {
    /// use cachex::Cache;
    /// use cachex_diesel::DieselCache;
    /// use diesel::prelude::*;
    ///
    /// let db = DieselCache::builder(Cache::builder().build()?).build();
    /// let mut connection = db.wrap(SqliteConnection::establish(":memory:")?);
    /// let bytes = connection.with_inner([], |connection| connection.serialize_database_to_buffer().to_vec());
    /// assert!(bytes.starts_with(b"SQLite format 3") || bytes.is_empty());
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn with_inner<'a, R>(
        &mut self,
        tables: impl IntoIterator<Item = &'a str>,
        work: impl FnOnce(&mut C) -> R,
    ) -> R {
        let script = Script::of_writes(Writes::Tables(tables.into_iter().map(canonical).collect()));
        let depth = self.depth();
        let Self { inner, state, .. } = self;
        state.before_within(&script, depth).wait();
        // Also if it panics: what it has written stays written.
        let _within = Within { state, script };
        work(inner)
    }

    /// Returns the connection within. What is written by it is not seen.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "sqlite")] {
    /// use cachex::Cache;
    /// use cachex_diesel::DieselCache;
    /// use diesel::prelude::*;
    ///
    /// let db = DieselCache::builder(Cache::builder().build()?).build();
    /// let mut connection = db.wrap(SqliteConnection::establish(":memory:")?);
    /// assert!(connection.inner_mut().register_collation("none", |_, _| std::cmp::Ordering::Equal).is_ok());
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn inner_mut(&mut self) -> &mut C {
        &mut self.inner
    }

    /// Returns how deep the transaction manager is, if it knows.
    pub(crate) fn depth(&mut self) -> Depth {
        depth_of(C::TransactionManager::transaction_manager_status_mut(&mut self.inner))
    }
}

/// Returns how deep a transaction manager is.
pub(crate) fn depth_of(status: &TransactionManagerStatus) -> Depth {
    match status {
        TransactionManagerStatus::Valid(status) => {
            Depth::Known(status.transaction_depth().map(std::num::NonZeroU32::get))
        }
        TransactionManagerStatus::InError => Depth::Lost,
    }
}

/// Tells what was written within when it is dropped.
struct Within<'a> {
    state: &'a mut State,
    script: Script,
}

impl Drop for Within<'_> {
    fn drop(&mut self) {
        self.state.after_within(&self.script).wait();
    }
}

impl<C> fmt::Debug for CachingConnection<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CachingConnection").field("state", &self.state).finish_non_exhaustive()
    }
}

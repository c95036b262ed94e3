//! Queries whose rows are kept.

use std::ops::DerefMut;
use std::sync::atomic::Ordering;
use std::time::Duration;

use cachex::{CacheValue, Tag};
use diesel::QueryResult;
use diesel::connection::{AnsiTransactionManager, Connection};
use diesel::query_builder::{AsQuery, Query, QueryFragment, QueryId};
use diesel::query_dsl::RunQueryDsl;
use diesel::query_dsl::methods::{LimitDsl, LoadQuery};
use diesel::result::{DatabaseErrorKind, Error};

use crate::backend::CacheBackend;
use crate::connection::CachingConnection;
use crate::handle::DieselCache;
use crate::plan::{Plan, kept_without_connection, plan};
use crate::row;
use crate::state::State;
use crate::stats::Reason;

/// A query whose rows are kept, and answer until one of the tables that it reads is written. See [`CachedExt::cached`].
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use cachex_diesel::CachedExt;
///
/// diesel::table! {
///     users {
///         id -> Integer,
///     }
/// }
///
/// let query = users::table.cached(Duration::from_secs(60)).tag("people");
/// assert!(format!("{query:?}").contains("people"));
/// ```
#[derive(Clone, Debug)]
#[must_use = "a query does nothing until it is loaded"]
pub struct Cached<Q> {
    query: Q,
    options: Options,
}

#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) ttl: Duration,
    pub(crate) tags: Vec<Tag>,
    pub(crate) is_forced: bool,
}

/// Has a query kept.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use cachex_diesel::CachedExt;
///
/// diesel::table! {
///     users {
///         id -> Integer,
///     }
/// }
///
/// let query = users::table.cached(Duration::from_secs(60));
/// assert!(format!("{query:?}").contains("60s"));
/// ```
pub trait CachedExt: AsQuery + Sized {
    /// Keeps the rows of this query for at most so long. They answer the same query, with the same binds and into the same type, on each connection of the
    /// [`DieselCache`], until a table that it reads is written; many who ask at once ask the database once.
    ///
    /// The database is asked, and nothing kept, where that could be wrong: within a transaction; of a query that locks, writes, or gives another result each time
    /// (see [`Cached::force`]); of one that reads something that is not [registered](crate::DieselCacheBuilder::table); after the session was changed, until
    /// [`CachingConnection::set_cache_scope`].
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "sqlite")] {
    /// use std::time::Duration;
    ///
    /// use cachex::Cache;
    /// use cachex_diesel::{CachedExt, DieselCache};
    /// use diesel::prelude::*;
    ///
    /// diesel::table! {
    ///     users {
    ///         id -> Integer,
    ///         name -> Text,
    ///     }
    /// }
    ///
    /// const MINUTE: Duration = Duration::from_secs(60);
    /// let db = DieselCache::builder(Cache::builder().build()?).table("users", |table| table).build();
    /// let mut connection = db.wrap(SqliteConnection::establish(":memory:")?);
    /// diesel::sql_query("CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL)").execute(&mut connection)?;
    ///
    /// let names = users::table.select(users::name);
    /// assert!(names.cached(MINUTE).load::<String>(&mut connection)?.is_empty());
    /// diesel::insert_into(users::table).values(users::name.eq("Ada")).execute(&mut connection)?;
    /// assert_eq!(names.cached(MINUTE).load::<String>(&mut connection)?, ["Ada"]);
    /// assert_eq!(names.cached(MINUTE).load::<String>(&mut connection)?, ["Ada"]);
    /// assert_eq!((db.stats().cached, db.stats().loads), (3, 2));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    fn cached(self, ttl: Duration) -> Cached<Self::Query> {
        Cached { query: self.as_query(), options: Options { ttl, tags: Vec::new(), is_forced: false } }
    }
}

impl<Q: AsQuery> CachedExt for Q {}

impl<Q> Cached<Q> {
    /// Invalidates it also with this tag.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use cachex_diesel::CachedExt;
    ///
    /// diesel::table! {
    ///     users {
    ///         id -> Integer,
    ///     }
    /// }
    ///
    /// let query = users::table.cached(Duration::from_secs(60)).tag("reports");
    /// assert!(format!("{query:?}").contains("reports"));
    /// ```
    pub fn tag(mut self, tag: impl Into<Tag>) -> Self {
        self.options.tags.push(tag.into());
        self
    }

    /// Keeps it although it may give another result each time, as with `now()` in it.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use cachex_diesel::CachedExt;
    ///
    /// diesel::table! {
    ///     users {
    ///         id -> Integer,
    ///     }
    /// }
    ///
    /// let query = users::table.cached(Duration::from_secs(60)).force();
    /// assert!(format!("{query:?}").contains("is_forced: true"));
    /// ```
    pub fn force(mut self) -> Self {
        self.options.is_forced = true;
        self
    }

    /// Loads it over a connection that is made, or taken from a pool, only if it has to be asked for: where the cache answers, it is not. It answers as on a connection in no
    /// [scope](CachingConnection::set_cache_scope).
    ///
    /// # Errors
    ///
    /// Those of the query; that there is no connection, as [`DatabaseErrorKind::UnableToSendCommand`].
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(all(feature = "sqlite", feature = "r2d2"))] {
    /// use std::time::Duration;
    ///
    /// use cachex::Cache;
    /// use cachex_diesel::{CachedExt, CachingConnection, DieselCache};
    /// use diesel::prelude::*;
    /// use diesel::r2d2::{ConnectionManager, Pool};
    ///
    /// let db = DieselCache::builder(Cache::builder().build()?).build();
    /// let manager = ConnectionManager::<CachingConnection<SqliteConnection>>::new(":memory:");
    /// let pool = Pool::builder().max_size(1).connection_customizer(Box::new(db.customizer())).build(manager)?;
    ///
    /// let one = || diesel::select(1.into_sql::<diesel::sql_types::Integer>()).cached(Duration::from_secs(60)).tag("one");
    /// assert_eq!(one().load_by::<i32, _, _>(&db, || pool.get())?, [1]);
    /// let _taken = pool.get()?; // the only one
    /// assert_eq!(one().load_by::<i32, _, _>(&db, || pool.get())?, [1]);
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn load_by<'query, U, C, E>(
        self,
        db: &DieselCache,
        connect: impl FnOnce() -> Result<C, E>,
    ) -> QueryResult<Vec<U>>
    where
        C: CacheAware,
        Q: QueryFragment<C::Server> + QueryId + LoadQuery<'query, C, U>,
        U: CacheValue,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let kept = kept_without_connection::<C::Server, Q, U>(db, &self.query, self.options.clone())?;
        if let Some(Plan { db, key, .. }) = kept
            && let Ok(Some(rows)) = db.0.cache.blocking().get::<Vec<U>>(&key)
        {
            db.0.counters.hit();
            return Ok(rows);
        }
        self.internal_load(&mut connect().map_err(unconnected)?)?.collect()
    }

    #[cfg(feature = "async")]
    pub(crate) fn into_parts(self) -> (Q, Options) {
        (self.query, self.options)
    }

    #[cfg(feature = "async")]
    pub(crate) fn of_parts(query: Q, options: Options) -> Self {
        Self { query, options }
    }
}

/// A connection that knows of a cache: a [`CachingConnection`], or what leads to one, as that of a pool.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "sqlite")] {
/// use cachex_diesel::{CacheAware, CachingConnection};
///
/// fn is_aware<C: CacheAware>() -> bool {
///     true
/// }
///
/// assert!(is_aware::<CachingConnection<diesel::SqliteConnection>>());
/// # }
/// ```
pub trait CacheAware {
    /// The server.
    type Server: CacheBackend;

    #[doc(hidden)]
    fn state(&mut self) -> Seen<'_>;
}

/// What is known of a connection.
#[doc(hidden)]
#[derive(Debug)]
pub struct Seen<'a>(pub(crate) &'a mut State);

impl<C> CacheAware for CachingConnection<C>
where
    C: Connection<TransactionManager = AnsiTransactionManager>,
    C::Backend: CacheBackend,
{
    type Server = C::Backend;

    fn state(&mut self) -> Seen<'_> {
        Seen(&mut self.state)
    }
}

impl<P> CacheAware for P
where
    P: DerefMut,
    P::Target: CacheAware,
{
    type Server = <P::Target as CacheAware>::Server;

    fn state(&mut self) -> Seen<'_> {
        self.deref_mut().state()
    }
}

impl<Q: Query> Query for Cached<Q> {
    type SqlType = Q::SqlType;
}

impl<Q: LimitDsl> LimitDsl for Cached<Q> {
    type Output = Cached<Q::Output>;

    fn limit(self, limit: i64) -> Self::Output {
        Cached { query: self.query.limit(limit), options: self.options }
    }
}

impl<Q, C: CacheAware> RunQueryDsl<C> for Cached<Q> {}

impl<'query, Q, C, U> LoadQuery<'query, C, U> for Cached<Q>
where
    C: CacheAware,
    Q: QueryFragment<C::Server> + QueryId + LoadQuery<'query, C, U>,
    U: CacheValue,
{
    type RowIter<'conn>
        = std::iter::Map<std::vec::IntoIter<U>, fn(U) -> QueryResult<U>>
    where
        C: 'conn;

    fn internal_load(self, connection: &mut C) -> QueryResult<Self::RowIter<'_>> {
        let Self { query, options } = self;
        let plan = plan::<C::Server, Q, U>(connection.state().0, &query, options)?;
        let load = |connection: &mut C| query.internal_load(connection)?.collect::<QueryResult<Vec<U>>>();
        let rows = match plan {
            None => load(connection)?,
            Some(Plan { db, key, is_kept: false, .. }) => match db.0.cache.blocking().get::<Vec<U>>(&key) {
                Ok(Some(rows)) => {
                    db.0.counters.hits.fetch_add(1, Ordering::Relaxed);
                    rows
                }
                _ => {
                    db.0.counters.bypass(Reason::InTransaction);
                    load(connection)?
                }
            },
            Some(Plan { db, key, options, .. }) => {
                let mut is_hit = true;
                let tags = row::depend_on_table::<U>;
                let rows = db.0.cache.blocking().get_or_load_tagged(&key, &options, tags, || {
                    is_hit = false;
                    db.0.counters.loads.fetch_add(1, Ordering::Relaxed);
                    load(connection)
                })?;
                db.0.counters.hits.fetch_add(u64::from(is_hit), Ordering::Relaxed);
                rows
            }
        };
        Ok(rows.into_iter().map(Ok))
    }
}

/// Returns the error of a query for which there was no connection.
pub(crate) fn unconnected<E: Into<Box<dyn std::error::Error + Send + Sync>>>(error: E) -> Error {
    let why = error.into().to_string();
    Error::DatabaseError(DatabaseErrorKind::UnableToSendCommand, Box::new(why))
}

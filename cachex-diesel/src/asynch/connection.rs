//! An async connection whose writes invalidate what they touched.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use diesel::connection::{CacheSize, Instrumentation};
use diesel::query_builder::{AsQuery, QueryFragment, QueryId};
use diesel::{ConnectionResult, QueryResult};
use diesel_async::{AsyncConnection, AsyncConnectionCore, SimpleAsyncConnection, TransactionManager};

use super::flight::Flight;
use super::futures::{Execute, Load, Rows};
use super::transaction::CachingTransactionManager;
use crate::backend::CacheBackend;
use crate::backend::sealed::Known;
use crate::connection::depth_of;
use crate::handle::DieselCache;
use crate::lex::Writes;
use crate::registry::canonical;
use crate::state::{Depth, State};

/// As [`CachingConnection`](crate::CachingConnection), for connections of `diesel-async`: those of PostgreSQL and MySQL, `SyncConnectionWrapper<SqliteConnection>`, and what a pool lends
/// of them.
///
/// Invalidations are awaited before the future of what wrote ends. A statement whose future is dropped may be done all the same, and later: what it may write is invalidated at once, not kept
/// until the server has answered what is sent next over the connection, and invalidated again then. If the connection goes first, that is done after
/// [`DieselCacheBuilder::lease`](crate::DieselCacheBuilder::lease).
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "async-sqlite")] {
/// use cachex::{Cache, EntryOptions, Key};
/// use cachex_diesel::DieselCache;
/// use diesel::prelude::*;
/// use diesel_async::sync_connection_wrapper::SyncConnectionWrapper;
/// use diesel_async::{AsyncConnection, RunQueryDsl};
///
/// diesel::table! {
///     users {
///         id -> Integer,
///         name -> Text,
///     }
/// }
///
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let db = DieselCache::builder(Cache::builder().build()?).build();
/// let connection = SyncConnectionWrapper::<SqliteConnection>::establish(":memory:").await?;
/// let mut connection = db.wrap_async(connection);
/// diesel::sql_query("CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL)").execute(&mut connection).await?;
///
/// let key = Key::new("how many");
/// db.cache().set(&key, 0, &EntryOptions::new().tag(db.tag("users"))).await?;
/// connection
///     .transaction(async |connection| {
///         diesel::insert_into(users::table).values(users::name.eq("Ada")).execute(connection).await?;
///         assert!(db.cache().exists(&key).await);
///         diesel::QueryResult::Ok(())
///     })
///     .await?;
/// assert!(!db.cache().exists(&key).await);
/// # Ok(())
/// # }
/// # }
/// # #[cfg(not(feature = "async-sqlite"))]
/// # fn main() {}
/// ```
pub struct AsyncCachingConnection<C> {
    pub(crate) inner: C,
    pub(crate) state: State,
    /// Has a pool not give the connection within to anybody else.
    spoil: fn(&mut C),
}

impl DieselCache {
    /// Wraps an async connection, or what a pool lends. One that was lent, and whose session was changed, for which `set_cache_scope` was called, or on which a transaction was left open, is marked as
    /// broken when it is given back, for nobody would know of that; pools whose connections are wrapped by themselves remember it.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "async-sqlite")] {
    /// use cachex::Cache;
    /// use cachex_diesel::DieselCache;
    /// use diesel::prelude::*;
    /// use diesel_async::sync_connection_wrapper::SyncConnectionWrapper;
    /// use diesel_async::{AsyncConnection, RunQueryDsl};
    ///
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let db = DieselCache::builder(Cache::builder().build()?).build();
    /// let mut connection = db.wrap_async(SyncConnectionWrapper::<SqliteConnection>::establish(":memory:").await?);
    /// let one = diesel::select(1.into_sql::<diesel::sql_types::Integer>());
    /// assert_eq!(one.get_result::<i32>(&mut connection).await, Ok(1));
    /// # Ok(())
    /// # }
    /// # }
    /// # #[cfg(not(feature = "async-sqlite"))]
    /// # fn main() {}
    /// ```
    pub fn wrap_async<C>(&self, connection: C) -> AsyncCachingConnection<C>
    where
        C: AsyncConnection,
        C::Backend: CacheBackend,
    {
        AsyncCachingConnection::new(connection, Some(self.clone()))
    }
}

impl<C> AsyncCachingConnection<C>
where
    C: AsyncConnection,
    C::Backend: CacheBackend,
{
    fn new(inner: C, db: Option<DieselCache>) -> Self {
        let spoil = |inner: &mut C| {
            let status =
                AssertUnwindSafe(|| C::TransactionManager::transaction_manager_status_mut(inner).set_in_error());
            // One that panics is not given to anybody either.
            let _spoilt = catch_unwind(status);
        };
        Self { inner, state: State::new(<C::Backend as Known>::DIALECT, db), spoil }
    }

    /// As [`CachingConnection::attach`](crate::CachingConnection::attach).
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "async-sqlite")]
    /// # type Sqlite = diesel_async::sync_connection_wrapper::SyncConnectionWrapper<diesel::SqliteConnection>;
    /// # #[cfg(feature = "async-sqlite")]
    /// # async fn run(db: cachex_diesel::DieselCache, connection: &mut cachex_diesel::AsyncCachingConnection<Sqlite>) {
    /// connection.attach(&db);
    /// assert_eq!(connection.cache_scope(), None);
    /// # }
    /// ```
    pub fn attach(&mut self, db: &DieselCache) {
        self.state.attach(db.clone());
    }

    /// As [`CachingConnection::set_cache_scope`](crate::CachingConnection::set_cache_scope).
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "async-sqlite")]
    /// # type Sqlite = diesel_async::sync_connection_wrapper::SyncConnectionWrapper<diesel::SqliteConnection>;
    /// # #[cfg(feature = "async-sqlite")]
    /// # async fn run(db: cachex_diesel::DieselCache, connection: &mut cachex_diesel::AsyncCachingConnection<Sqlite>) {
    /// connection.set_cache_scope(Some("tenant"));
    /// assert_eq!(connection.cache_scope(), Some("tenant"));
    /// # }
    /// ```
    pub fn set_cache_scope(&mut self, scope: Option<&str>) {
        self.state.set_scope(scope);
    }

    /// As [`CachingConnection::cache_scope`](crate::CachingConnection::cache_scope).
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "async-sqlite")]
    /// # type Sqlite = diesel_async::sync_connection_wrapper::SyncConnectionWrapper<diesel::SqliteConnection>;
    /// # #[cfg(feature = "async-sqlite")]
    /// # async fn run(db: cachex_diesel::DieselCache, connection: &mut cachex_diesel::AsyncCachingConnection<Sqlite>) {
    /// assert_eq!(connection.cache_scope(), None);
    /// # }
    /// ```
    pub fn cache_scope(&self) -> Option<&str> {
        self.state.scope()
    }

    /// As [`CachingConnection::after_commit`](crate::CachingConnection::after_commit). A callback of a commit whose future is dropped is not called.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "async-sqlite")]
    /// # type Sqlite = diesel_async::sync_connection_wrapper::SyncConnectionWrapper<diesel::SqliteConnection>;
    /// # #[cfg(feature = "async-sqlite")]
    /// # async fn run(db: cachex_diesel::DieselCache, connection: &mut cachex_diesel::AsyncCachingConnection<Sqlite>) {
    /// connection.after_commit(|| println!("it is committed"));
    /// # assert_eq!(connection.cache_scope(), None);
    /// # }
    /// ```
    pub fn after_commit(&mut self, callback: impl FnOnce() + Send + 'static) {
        self.state.after_commit(Box::new(callback));
    }

    /// As [`CachingConnection::invalidate`](crate::CachingConnection::invalidate).
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "async-sqlite")]
    /// # type Sqlite = diesel_async::sync_connection_wrapper::SyncConnectionWrapper<diesel::SqliteConnection>;
    /// # #[cfg(feature = "async-sqlite")]
    /// # async fn run(db: cachex_diesel::DieselCache, connection: &mut cachex_diesel::AsyncCachingConnection<Sqlite>) {
    /// let before = db.stats().invalidations;
    /// connection.invalidate(["users"]).await;
    /// assert_eq!(db.stats().invalidations, before + 1);
    /// # }
    /// ```
    pub async fn invalidate<'a>(&mut self, tables: impl IntoIterator<Item = &'a str>) {
        let mut told = self.state.write(Writes::Tables(tables.into_iter().map(canonical).collect()));
        std::future::poll_fn(|context| told.poll(context)).await;
    }

    /// As [`CachingConnection::with_inner`](crate::CachingConnection::with_inner). What it writes is told also if the future is dropped; a statement that is given up
    /// within, and that the server does later, is not seen.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "async-sqlite")]
    /// # type Sqlite = diesel_async::sync_connection_wrapper::SyncConnectionWrapper<diesel::SqliteConnection>;
    /// # #[cfg(feature = "async-sqlite")]
    /// # async fn run(db: cachex_diesel::DieselCache, connection: &mut cachex_diesel::AsyncCachingConnection<Sqlite>) {
    /// use diesel_async::SimpleAsyncConnection;
    ///
    /// let done = connection.with_inner(["users"], async |inner| inner.batch_execute("DELETE FROM users").await).await;
    /// assert_eq!(done, Ok(()));
    /// # }
    /// ```
    pub async fn with_inner<'a, R>(
        &mut self,
        tables: impl IntoIterator<Item = &'a str>,
        work: impl AsyncFnOnce(&mut C) -> R,
    ) -> R {
        let depth = self.depth();
        let script = crate::analyses::Script::of_writes(Writes::Tables(tables.into_iter().map(canonical).collect()));
        let Self { inner, state, .. } = self;
        let flight = Flight::within(state, script.into(), depth);
        let result = work(inner).await;
        flight.ended_within().await;
        result
    }

    /// As [`CachingConnection::inner_mut`](crate::CachingConnection::inner_mut).
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "async-sqlite")]
    /// # type Sqlite = diesel_async::sync_connection_wrapper::SyncConnectionWrapper<diesel::SqliteConnection>;
    /// # #[cfg(feature = "async-sqlite")]
    /// # async fn run(db: cachex_diesel::DieselCache, connection: &mut cachex_diesel::AsyncCachingConnection<Sqlite>) {
    /// let answer = connection.inner_mut().spawn_blocking(|sqlite| Ok(sqlite.serialize_database_to_buffer().len())).await;
    /// assert!(answer.is_ok());
    /// # }
    /// ```
    pub fn inner_mut(&mut self) -> &mut C {
        &mut self.inner
    }

    /// Returns how deep the transaction manager is, if it knows.
    pub(crate) fn depth(&mut self) -> Depth {
        asked(&mut self.inner)
    }
}

/// Returns how deep the transaction manager is. That of SQLite panics if something has panicked on its thread, until the next statement is sent.
fn asked<C: AsyncConnection>(inner: &mut C) -> Depth {
    let status = AssertUnwindSafe(|| depth_of(C::TransactionManager::transaction_manager_status_mut(inner)));
    catch_unwind(status).unwrap_or(Depth::Lost)
}

impl<C> Drop for AsyncCachingConnection<C> {
    fn drop(&mut self) {
        // If it was lent, whoever has it next knows nothing of what was done with it.
        if self.state.is_unfit() {
            (self.spoil)(&mut self.inner);
        }
    }
}

impl<C> SimpleAsyncConnection for AsyncCachingConnection<C>
where
    C: AsyncConnection,
    C::Backend: CacheBackend,
{
    async fn batch_execute(&mut self, query: &str) -> QueryResult<()> {
        let script = self.state.script_of_text(query, <C::Backend as Known>::DIALECT)?;
        let depth = self.depth();
        let Self { inner, state, .. } = self;
        let flight = Flight::begin(state, script, depth)?;
        let done = inner.batch_execute(query).await;
        flight.ended(done).await
    }
}

impl<C> AsyncConnectionCore for AsyncCachingConnection<C>
where
    C: AsyncConnection,
    C::Backend: CacheBackend,
    for<'conn, 'query> C::Row<'conn, 'query>: Send,
{
    type ExecuteFuture<'conn, 'query> = Execute<'conn, C::ExecuteFuture<'conn, 'query>>;
    type LoadFuture<'conn, 'query> = Load<'conn, C::LoadFuture<'conn, 'query>>;
    type Stream<'conn, 'query> = Rows<'conn, C::LoadFuture<'conn, 'query>>;
    type Row<'conn, 'query> = C::Row<'conn, 'query>;
    type Backend = C::Backend;

    fn load<'conn, 'query, T>(&'conn mut self, source: T) -> Self::LoadFuture<'conn, 'query>
    where
        T: AsQuery + 'query,
        T::Query: QueryFragment<Self::Backend> + QueryId + 'query,
    {
        let query = source.as_query();
        let script = self.state.script::<C::Backend, T::Query>(&query);
        let depth = self.depth();
        let Self { inner, state, .. } = self;
        // It begins before the query does: that of SQLite runs at once.
        Load::new(
            script.and_then(|script| Flight::begin(state, script, depth)).map(|flight| (flight, inner.load(query))),
        )
    }

    fn execute_returning_count<'conn, 'query, T>(&'conn mut self, source: T) -> Self::ExecuteFuture<'conn, 'query>
    where
        T: QueryFragment<Self::Backend> + QueryId + 'query,
    {
        let script = self.state.script::<C::Backend, T>(&source);
        let depth = self.depth();
        let Self { inner, state, .. } = self;
        let begun = script.and_then(|script| Flight::begin(state, script, depth));
        Execute::new(begun.map(|flight| (flight, inner.execute_returning_count(source))))
    }
}

impl<C> AsyncConnection for AsyncCachingConnection<C>
where
    C: AsyncConnection,
    C::Backend: CacheBackend,
    for<'conn, 'query> C::Row<'conn, 'query>: Send,
{
    type TransactionManager = CachingTransactionManager<C::TransactionManager>;

    async fn establish(url: &str) -> ConnectionResult<Self> {
        Ok(Self::new(C::establish(url).await?, DieselCache::installed()))
    }

    async fn begin_test_transaction(&mut self) -> QueryResult<()> {
        self.inner.begin_test_transaction().await?;
        self.state.begin_test();
        Ok(())
    }

    fn transaction_state(
        &mut self,
    ) -> &mut <Self::TransactionManager as TransactionManager<Self>>::TransactionStateData {
        self.inner.transaction_state()
    }

    fn instrumentation(&mut self) -> &mut dyn Instrumentation {
        self.inner.instrumentation()
    }

    fn set_instrumentation(&mut self, instrumentation: impl Instrumentation) {
        self.inner.set_instrumentation(instrumentation);
    }

    fn set_prepared_statement_cache_size(&mut self, size: CacheSize) {
        self.inner.set_prepared_statement_cache_size(size);
    }
}

impl<C> fmt::Debug for AsyncCachingConnection<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsyncCachingConnection").field("state", &self.state).finish_non_exhaustive()
    }
}

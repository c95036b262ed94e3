//! Connections that a pool has lent, wrapped outside of it.

use std::fmt;
use std::ops::DerefMut;

use diesel::connection::{
    AnsiTransactionManager, CacheSize, Connection, ConnectionSealed, Instrumentation, LoadConnection, SimpleConnection,
    WithMetadataLookup,
};
use diesel::expression::QueryMetadata;
#[cfg(feature = "migrations")]
use diesel::migration::MigrationConnection;
use diesel::query_builder::{Query, QueryFragment, QueryId};
use diesel::result::ConnectionError;
use diesel::sql_types::TypeMetadata;
use diesel::{ConnectionResult, QueryResult};

use crate::backend::CacheBackend;
use crate::connection::CachingConnection;
use crate::handle::DieselCache;

/// What leads to a connection, as what a pool lends, as a connection itself; see [`DieselCache::wrap_lent`].
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "sqlite")] {
/// fn is_connection<C: diesel::Connection>() -> bool {
///     true
/// }
///
/// assert!(is_connection::<cachex_diesel::Lent<Box<diesel::SqliteConnection>>>());
/// # }
/// ```
pub struct Lent<P>(P);

impl DieselCache {
    /// Wraps what leads to a connection: what a pool lends that knows nothing of caches. It is used as any [`CachingConnection`]. A pool whose connections are to be wrapped by itself has a
    /// [`customizer`](Self::customizer), which is better where sessions are changed: of a connection that is wrapped here, nobody remembers it once it is given back. So one whose session was changed, for
    /// which [`set_cache_scope`](CachingConnection::set_cache_scope) was called, or on which a transaction was left open, is marked as broken, and the pool makes another one.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(all(feature = "sqlite", feature = "r2d2"))] {
    /// use cachex::Cache;
    /// use cachex_diesel::DieselCache;
    /// use diesel::connection::SimpleConnection;
    /// use diesel::prelude::*;
    /// use diesel::r2d2::{ConnectionManager, Pool};
    ///
    /// let db = DieselCache::builder(Cache::builder().build()?).build();
    /// let pool = Pool::new(ConnectionManager::<SqliteConnection>::new(":memory:"))?;
    /// let mut connection = db.wrap_lent(pool.get()?);
    /// connection.batch_execute("CREATE TABLE a (b INT)")?;
    /// assert_eq!(db.stats().operations, 1);
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn wrap_lent<P>(&self, lent: P) -> CachingConnection<Lent<P>>
    where
        P: DerefMut<Target: Connection<Backend: CacheBackend, TransactionManager = AnsiTransactionManager>> + Send,
    {
        self.wrap(Lent(lent))
    }
}

impl<P: DerefMut<Target: SimpleConnection>> SimpleConnection for Lent<P> {
    fn batch_execute(&mut self, query: &str) -> QueryResult<()> {
        self.0.batch_execute(query)
    }
}

impl<P> ConnectionSealed for Lent<P> {}

impl<P> Connection for Lent<P>
where
    P: DerefMut<Target: Connection<TransactionManager = AnsiTransactionManager>> + Send,
{
    type Backend = <P::Target as Connection>::Backend;
    type TransactionManager = AnsiTransactionManager;

    fn establish(_url: &str) -> ConnectionResult<Self> {
        Err(ConnectionError::BadConnection("what a pool lends is not made by itself: ask the pool".to_owned()))
    }

    fn execute_returning_count<T>(&mut self, source: &T) -> QueryResult<usize>
    where
        T: QueryFragment<Self::Backend> + QueryId,
    {
        self.0.execute_returning_count(source)
    }

    fn transaction_state(&mut self) -> &mut AnsiTransactionManager {
        self.0.transaction_state()
    }

    fn begin_test_transaction(&mut self) -> QueryResult<()> {
        self.0.begin_test_transaction()
    }

    fn instrumentation(&mut self) -> &mut dyn Instrumentation {
        self.0.instrumentation()
    }

    fn set_instrumentation(&mut self, instrumentation: impl Instrumentation) {
        self.0.set_instrumentation(instrumentation);
    }

    fn set_prepared_statement_cache_size(&mut self, size: CacheSize) {
        self.0.set_prepared_statement_cache_size(size);
    }
}

impl<B, P> LoadConnection<B> for Lent<P>
where
    P: DerefMut<Target: Connection<TransactionManager = AnsiTransactionManager> + LoadConnection<B>> + Send,
{
    type Cursor<'conn, 'query>
        = <P::Target as LoadConnection<B>>::Cursor<'conn, 'query>
    where
        Self: 'conn;
    type Row<'conn, 'query>
        = <P::Target as LoadConnection<B>>::Row<'conn, 'query>
    where
        Self: 'conn;

    fn load<'conn, 'query, T>(&'conn mut self, source: T) -> QueryResult<Self::Cursor<'conn, 'query>>
    where
        T: Query + QueryFragment<Self::Backend> + QueryId + 'query,
        Self::Backend: QueryMetadata<T::SqlType>,
    {
        LoadConnection::<B>::load(&mut *self.0, source)
    }
}

impl<P> WithMetadataLookup for Lent<P>
where
    P: DerefMut<Target: Connection<TransactionManager = AnsiTransactionManager> + WithMetadataLookup> + Send,
{
    fn metadata_lookup(&mut self) -> &mut <Self::Backend as TypeMetadata>::MetadataLookup {
        self.0.metadata_lookup()
    }
}

#[cfg(feature = "migrations")]
impl<P> MigrationConnection for Lent<P>
where
    P: DerefMut<Target: Connection<TransactionManager = AnsiTransactionManager> + MigrationConnection> + Send,
{
    fn setup(&mut self) -> QueryResult<usize> {
        self.0.setup()
    }
}

#[cfg(feature = "postgres")]
impl<P: DerefMut<Target: diesel::pg::GetPgMetadataCache>> diesel::pg::GetPgMetadataCache for Lent<P> {
    fn get_metadata_cache(&mut self) -> &mut diesel::pg::PgMetadataCache {
        self.0.get_metadata_cache()
    }
}

impl<P> fmt::Debug for Lent<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Lent").finish_non_exhaustive()
    }
}

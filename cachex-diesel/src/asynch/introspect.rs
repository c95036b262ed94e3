//! What a server says of its tables, over async connections.

use diesel::QueryResult;

use super::connection::AsyncCachingConnection;
use crate::handle::DieselCache;
use crate::introspect::{Catalog, Introspection};

/// An async connection whose server can be asked; see [`DieselCache::introspect_async`].
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "async-sqlite")] {
/// use cachex_diesel::{AsyncCachingConnection, AsyncIntrospect};
/// use diesel_async::sync_connection_wrapper::SyncConnectionWrapper;
///
/// fn is_known<C: AsyncIntrospect>() -> bool {
///     true
/// }
///
/// assert!(is_known::<AsyncCachingConnection<SyncConnectionWrapper<diesel::SqliteConnection>>>());
/// # }
/// ```
pub trait AsyncIntrospect {
    #[doc(hidden)]
    fn catalog(&mut self) -> impl Future<Output = QueryResult<Catalog>> + Send;
}

impl DieselCache {
    /// As [`introspect`](Self::introspect), over an async connection.
    ///
    /// # Errors
    ///
    /// The server can't be asked. Then nothing is registered.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "async-sqlite")] {
    /// use cachex::Cache;
    /// use cachex_diesel::DieselCache;
    /// use diesel::SqliteConnection;
    /// use diesel_async::sync_connection_wrapper::SyncConnectionWrapper;
    /// use diesel_async::{AsyncConnection, SimpleAsyncConnection};
    ///
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let db = DieselCache::builder(Cache::builder().build()?).build();
    /// let connection = SyncConnectionWrapper::<SqliteConnection>::establish(":memory:").await?;
    /// let mut connection = db.wrap_async(connection);
    /// connection.batch_execute("CREATE TABLE users (id INTEGER); CREATE VIEW names AS SELECT id FROM users").await?;
    /// let found = db.introspect_async(&mut connection).await?;
    /// assert_eq!((found.tables, found.views), (1, 1));
    /// # Ok(())
    /// # }
    /// # }
    /// # #[cfg(not(feature = "async-sqlite"))]
    /// # fn main() {}
    /// ```
    pub async fn introspect_async<C: AsyncIntrospect>(&self, connection: &mut C) -> QueryResult<Introspection> {
        Ok(self.register(connection.catalog().await?))
    }
}

impl<C: AsyncIntrospect + Send> AsyncIntrospect for AsyncCachingConnection<C> {
    async fn catalog(&mut self) -> QueryResult<Catalog> {
        self.inner.catalog().await
    }
}

#[cfg(feature = "async-sqlite")]
impl AsyncIntrospect for diesel_async::sync_connection_wrapper::SyncConnectionWrapper<diesel::SqliteConnection> {
    async fn catalog(&mut self) -> QueryResult<Catalog> {
        self.spawn_blocking(crate::introspect::Introspect::catalog).await
    }
}

#[cfg(feature = "async-postgres")]
impl AsyncIntrospect for diesel_async::AsyncPgConnection {
    async fn catalog(&mut self) -> QueryResult<Catalog> {
        use diesel_async::RunQueryDsl;
        Ok(crate::introspect::postgres::found!(self, await).read())
    }
}

#[cfg(feature = "async-mysql")]
impl AsyncIntrospect for diesel_async::AsyncMysqlConnection {
    async fn catalog(&mut self) -> QueryResult<Catalog> {
        use diesel_async::RunQueryDsl;

        use crate::introspect::mysql;
        Ok(mysql::read(diesel::sql_query(mysql::THINGS).load(self).await?))
    }
}

//! Pools of async connections.

use diesel_async::pooled_connection::{ManagerConfig, PoolableConnection};
use diesel_async::{AsyncConnection, TransactionManager};

use super::connection::AsyncCachingConnection;
use crate::backend::CacheBackend;
use crate::handle::DieselCache;

impl DieselCache {
    /// Returns what gives the connections of a pool of bb8, deadpool or mobc this cache; see
    /// [`AsyncDieselConnectionManager::new_with_config`](diesel_async::pooled_connection::AsyncDieselConnectionManager::new_with_config).
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(all(feature = "async-sqlite", feature = "bb8"))] {
    /// use cachex::Cache;
    /// use cachex_diesel::{AsyncCachingConnection, DieselCache};
    /// use diesel::prelude::*;
    /// use diesel_async::RunQueryDsl;
    /// use diesel_async::pooled_connection::AsyncDieselConnectionManager;
    /// use diesel_async::pooled_connection::bb8::Pool;
    /// use diesel_async::sync_connection_wrapper::SyncConnectionWrapper;
    ///
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let db = DieselCache::builder(Cache::builder().build()?).build();
    /// let config = db.manager_config::<SyncConnectionWrapper<SqliteConnection>>();
    /// let pool = Pool::builder().build(AsyncDieselConnectionManager::new_with_config(":memory:", config)).await?;
    /// let one = diesel::select(1.into_sql::<diesel::sql_types::Integer>());
    /// assert_eq!(one.get_result::<i32>(&mut pool.get().await?).await?, 1);
    /// # Ok(())
    /// # }
    /// # }
    /// # #[cfg(not(all(feature = "async-sqlite", feature = "bb8")))]
    /// # fn main() {}
    /// ```
    #[must_use]
    pub fn manager_config<C>(&self) -> ManagerConfig<AsyncCachingConnection<C>>
    where
        C: AsyncConnection + 'static,
        C::Backend: CacheBackend,
        AsyncCachingConnection<C>: AsyncConnection,
    {
        let db = self.clone();
        let mut config = ManagerConfig::default();
        config.custom_setup = Box::new(move |url| {
            let db = db.clone();
            // The address is of the manager, and the future of the pool.
            Box::pin(async move { C::establish(url).await.map(|connection| db.wrap_async(connection)) })
        });
        config
    }
}

impl<C> PoolableConnection for AsyncCachingConnection<C>
where
    C: PoolableConnection,
    C::Backend: CacheBackend,
    Self: AsyncConnection,
{
    fn is_broken(&mut self) -> bool {
        self.inner.is_broken() || <Self as AsyncConnection>::TransactionManager::is_broken_transaction_manager(self)
    }
}

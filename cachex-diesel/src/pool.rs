//! Pools of r2d2.

use diesel::connection::Connection;
use diesel::r2d2::{CustomizeConnection, Error};

use crate::backend::CacheBackend;
use crate::connection::CachingConnection;
use crate::handle::DieselCache;

/// Gives the connections of a pool their cache; see [`DieselCache::customizer`].
///
/// # Examples
///
/// ```
/// use cachex::Cache;
/// use cachex_diesel::DieselCache;
///
/// let db = DieselCache::builder(Cache::builder().build()?).build();
/// assert!(format!("{:?}", db.customizer()).contains("DieselCache"));
/// # Ok::<(), cachex::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Customizer(DieselCache);

impl DieselCache {
    /// Returns what gives the connections of a pool this cache.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "sqlite")] {
    /// use cachex::Cache;
    /// use cachex_diesel::{CachingConnection, DieselCache};
    /// use diesel::SqliteConnection;
    /// use diesel::r2d2::{ConnectionManager, Pool};
    ///
    /// let db = DieselCache::builder(Cache::builder().build()?).build();
    /// let manager = ConnectionManager::<CachingConnection<SqliteConnection>>::new(":memory:");
    /// let pool = Pool::builder().max_size(1).connection_customizer(Box::new(db.customizer())).build(manager)?;
    /// assert_eq!(pool.get()?.cache_scope(), None);
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn customizer(&self) -> Customizer {
        Customizer(self.clone())
    }
}

impl<C> CustomizeConnection<CachingConnection<C>, Error> for Customizer
where
    C: Connection + 'static,
    C::Backend: CacheBackend,
{
    fn on_acquire(&self, connection: &mut CachingConnection<C>) -> Result<(), Error> {
        connection.attach(&self.0);
        Ok(())
    }
}

//! Whether all is as it should be.

use std::pin::pin;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use crate::handle::DieselCache;
use crate::stats::DieselStats;

/// Whether all is as it should be; see [`DieselCache::health`].
///
/// # Examples
///
/// ```
/// use cachex::Cache;
/// use cachex_diesel::DieselCache;
///
/// let db = DieselCache::builder(Cache::builder().build()?).table("users", |table| table).build();
/// assert!(db.health().is_well());
/// # Ok::<(), cachex::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DieselHealth {
    /// The tables and views that are registered: queries of others are never kept.
    pub registered: Vec<String>,
    /// Whether the server was asked what views, foreign keys and triggers do ([`DieselCache::introspect`]).
    pub is_introspected: bool,
    /// Whether all that the cache is set to use can be reached. What is invalidated while a second tier can't is delivered later.
    pub is_connected: bool,
    /// What happened so far.
    pub stats: DieselStats,
}

impl DieselHealth {
    /// Whether nothing has to be done: something is registered, and what the cache uses can be reached.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::Cache;
    /// use cachex_diesel::DieselCache;
    ///
    /// let db = DieselCache::builder(Cache::builder().build()?).build();
    /// assert!(!db.health().is_well()); // no query can ever be kept
    /// # Ok::<(), cachex::Error>(())
    /// ```
    #[must_use]
    pub fn is_well(&self) -> bool {
        !self.registered.is_empty() && self.is_connected
    }
}

impl DieselCache {
    /// Returns whether all is as it should be.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::Cache;
    /// use cachex_diesel::DieselCache;
    ///
    /// let db = DieselCache::builder(Cache::builder().build()?).table("users", |table| table).view("names", ["users"]).build();
    /// let health = db.health();
    /// assert_eq!(health.registered, ["names", "users"]);
    /// assert!(!health.is_introspected);
    /// # Ok::<(), cachex::Error>(())
    /// ```
    #[must_use]
    pub fn health(&self) -> DieselHealth {
        DieselHealth {
            registered: self.registry().registered().map(|name| name.to_string()).collect(),
            is_introspected: self.0.is_introspected.load(Ordering::Relaxed),
            is_connected: self.is_connected(),
            stats: self.stats(),
        }
    }

    fn is_connected(&self) -> bool {
        // It is ready at once, or not connected.
        let connected = pin!(self.cache().connected(Duration::ZERO));
        matches!(connected.poll(&mut Context::from_waker(Waker::noop())), Poll::Ready(Ok(())))
    }
}

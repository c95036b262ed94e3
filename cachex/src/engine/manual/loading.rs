//! Loads that happen outside of the cache, stored by the same check as all others.

use crate::engine::Landing;
use crate::engine::cache::Cache;
use crate::engine::flight::Ticket;
use crate::entry::Stamp;
use crate::error::Error;
use crate::key::Key;
use crate::method::keep::CacheValue;

use super::EntryOptions;

/// A load of one key that the caller runs itself: made before it begins, it knows whether the value may be kept.
///
/// # Examples
///
/// ```
/// use cachex::{Cache, EntryOptions, Key};
///
/// let cache = Cache::builder().build()?;
/// let options = EntryOptions::new().tag("users");
///
/// let loading = cache.begin_load(&Key::new("a"));
/// let value = 1; // read from the database …
/// cache.invalidate_tags(["users"]); // … which somebody changes meanwhile
/// assert!(!loading.store(value, &options)?);
/// # Ok::<(), cachex::Error>(())
/// ```
#[derive(Debug)]
#[must_use = "a load that is not stored is for nothing"]
pub struct Loading {
    cache: Cache,
    ticket: Ticket<Landing>,
}

impl Cache {
    /// Says that a load of `key` begins now. It is joined by nobody, and joins no other.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::{Cache, EntryOptions, Key};
    ///
    /// let cache = Cache::builder().build()?;
    /// let loading = cache.begin_load(&Key::new("a"));
    /// assert!(loading.store(1, &EntryOptions::new())?);
    /// assert_eq!(cache.blocking().get::<i32>(&Key::new("a"))?, Some(1));
    /// # Ok::<(), cachex::Error>(())
    /// ```
    pub fn begin_load(&self, key: &Key) -> Loading {
        let engine = self.engine();
        Loading { cache: self.clone(), ticket: engine.alone(key.at()) }
    }
}

impl Loading {
    /// Returns the cache's logical clock from before the load.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::{Cache, Key};
    ///
    /// let cache = Cache::builder().build()?;
    /// let loading = cache.begin_load(&Key::new("a"));
    /// cache.invalidate_tags(["users"]);
    /// assert!(loading.stamp() < cache.stamp());
    /// # Ok::<(), cachex::Error>(())
    /// ```
    #[must_use]
    pub fn stamp(&self) -> Stamp {
        self.ticket.stamp()
    }

    /// Keeps the value, unless something it depends on was invalidated since the load began. Returns whether it is kept.
    ///
    /// # Errors
    ///
    /// Never, in memory.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::{Cache, EntryOptions, Key};
    ///
    /// let cache = Cache::builder().build()?;
    /// let loading = cache.begin_load(&Key::new("a"));
    /// cache.blocking().set(&Key::new("a"), 2, &EntryOptions::new())?;
    /// assert!(!loading.store(1, &EntryOptions::new())?); // older than what was set
    /// assert_eq!(cache.blocking().get::<i32>(&Key::new("a"))?, Some(2));
    /// # Ok::<(), cachex::Error>(())
    /// ```
    pub fn store<T: CacheValue>(self, value: T, options: &EntryOptions) -> Result<bool, Error> {
        let engine = self.cache.engine();
        let at = self.ticket.at();
        let method = engine.method(at.region);
        let policy = options.policy(&method.policy());
        let Some(entry) = engine.manual_entry(at, value, &policy, &options.tags, self.ticket.stamp()) else {
            return Ok(false);
        };
        Ok(engine.store_loaded(method, &entry, &self.ticket, engine.now()))
    }
}

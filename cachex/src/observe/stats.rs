//! Counters, read and added up.

use std::time::Duration;

use super::counters::Counters;

/// What was counted for a method or a cache since it was made.
///
/// # Examples
///
/// ```
/// use cachex::{Cache, EntryOptions, Key};
///
/// let cache = Cache::builder().build()?;
/// cache.blocking().set(&Key::new("a"), 1, &EntryOptions::new())?;
/// cache.blocking().get::<i32>(&Key::new("a"))?;
/// cache.blocking().get::<i32>(&Key::new("b"))?;
///
/// let stats = cache.stats();
/// assert_eq!((stats.hits, stats.misses, stats.stores, stats.entries), (1, 1, 1, 1));
/// # Ok::<(), cachex::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Calls answered by a fresh entry.
    pub hits: u64,
    /// Calls answered by a stale entry.
    pub stale_hits: u64,
    /// Calls that found nothing to answer with.
    pub misses: u64,
    /// Calls that did not use the cache: `when` was false, or the method is disabled.
    pub bypasses: u64,
    /// Loads begun and ended, in the call or in the background.
    pub loads: u64,
    /// Loads that returned an error or panicked.
    pub load_errors: u64,
    /// Calls that waited for the load of another.
    pub followers: u64,
    /// Calls answered by an expired entry within its grace.
    pub fallbacks: u64,
    /// Calls that gave up waiting for a load.
    pub timeouts: u64,
    /// Loads begun to replace a stale entry, in the background or in one caller.
    pub refreshes: u64,
    /// Values that became entries.
    pub stores: u64,
    /// Loaded values that were not kept, because of an invalidation during the load.
    pub rejected_stores: u64,
    /// Values that were not kept, because each weighs more than the whole cache may.
    pub too_heavy: u64,
    /// Entries dropped for room.
    pub evicted: u64,
    /// Entries that went because of their age, also where a new one took their place.
    pub expired: u64,
    /// Entries that went because of an invalidation of a tag, a method or everything, also where a new one took their
    /// place.
    pub invalidated: u64,
    /// Entries removed by their key.
    pub removed: u64,
    /// Entries there are now.
    pub entries: u64,
    /// What these entries weigh, in bytes; what values hold elsewhere (on the heap) only counts in a cache that is
    /// bounded by bytes.
    pub weight: u64,
    timed_loads: u64,
    total_load_time: Duration,
    sampled_gets: u64,
    sampled_get_time: Duration,
}

impl Stats {
    pub(crate) fn read(counters: &Counters) -> Self {
        Self {
            hits: counters.hits(),
            stale_hits: counters.stale_hits(),
            misses: counters.misses(),
            bypasses: counters.bypasses.get(),
            loads: counters.loads(),
            load_errors: counters.load_errors.get(),
            followers: counters.followers.get(),
            fallbacks: counters.fallbacks.get(),
            timeouts: counters.timeouts.get(),
            refreshes: counters.refreshes.get(),
            stores: counters.stores(),
            rejected_stores: counters.rejected_stores.get(),
            too_heavy: counters.too_heavy.get(),
            evicted: counters.evicted(),
            expired: counters.expired.get(),
            invalidated: counters.invalidated.get(),
            removed: counters.removed.get(),
            entries: 0,
            weight: 0,
            timed_loads: counters.timed_loads(),
            total_load_time: counters.load_time(),
            sampled_gets: counters.sampled_gets.get(),
            sampled_get_time: Duration::from_nanos(counters.sampled_nanos.get()),
        }
    }

    /// Adds another's numbers to these.
    pub(crate) fn add(&mut self, other: &Self) {
        let Self {
            hits,
            stale_hits,
            misses,
            bypasses,
            loads,
            load_errors,
            followers,
            fallbacks,
            timeouts,
            refreshes,
            stores,
            rejected_stores,
            too_heavy,
            evicted,
            expired,
            invalidated,
            removed,
            entries,
            weight,
            timed_loads,
            total_load_time,
            sampled_gets,
            sampled_get_time,
        } = other;
        self.hits += hits;
        self.stale_hits += stale_hits;
        self.misses += misses;
        self.bypasses += bypasses;
        self.loads += loads;
        self.load_errors += load_errors;
        self.followers += followers;
        self.fallbacks += fallbacks;
        self.timeouts += timeouts;
        self.refreshes += refreshes;
        self.stores += stores;
        self.rejected_stores += rejected_stores;
        self.too_heavy += too_heavy;
        self.evicted += evicted;
        self.expired += expired;
        self.invalidated += invalidated;
        self.removed += removed;
        self.entries += entries;
        self.weight += weight;
        self.timed_loads += timed_loads;
        self.total_load_time += *total_load_time;
        self.sampled_gets += sampled_gets;
        self.sampled_get_time += *sampled_get_time;
    }

    /// Returns the calls that asked the cache: hits, stale hits and misses.
    ///
    /// # Examples
    ///
    /// ```
    /// let mut stats = cachex::Stats::default();
    /// (stats.hits, stats.stale_hits, stats.misses, stats.bypasses) = (5, 1, 2, 9);
    /// assert_eq!(stats.lookups(), 8);
    /// ```
    #[must_use]
    pub fn lookups(&self) -> u64 {
        self.hits + self.stale_hits + self.misses
    }

    /// Returns the share of look-ups that were answered by an entry, 0.0 to 1.0; 0.0 before the first.
    ///
    /// # Examples
    ///
    /// ```
    /// let mut stats = cachex::Stats::default();
    /// assert_eq!(stats.hit_rate(), 0.0);
    /// (stats.hits, stats.misses) = (3, 1);
    /// assert_eq!(stats.hit_rate(), 0.75);
    /// ```
    #[must_use]
    pub fn hit_rate(&self) -> f64 {
        match self.lookups() {
            0 => 0.0,
            all => (self.hits + self.stale_hits) as f64 / all as f64,
        }
    }

    /// Returns how long a load takes on average, failed ones included; zero before the first. Where loads take less than 10 µs,
    /// one in 16 is timed.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use cachex::{Cache, EntryOptions, Key};
    ///
    /// let cache = Cache::builder().build()?;
    /// assert_eq!(cache.stats().mean_load_time(), Duration::ZERO);
    ///
    /// let load = || Ok::<_, cachex::Error>((1..=1_000_u64).map(|n| n * n).sum::<u64>());
    /// cache.blocking().get_or_load(&Key::new("squares"), &EntryOptions::new(), load)?;
    /// assert!(cache.stats().mean_load_time() > Duration::ZERO);
    /// # Ok::<(), cachex::Error>(())
    /// ```
    #[must_use]
    pub fn mean_load_time(&self) -> Duration {
        mean(self.total_load_time, self.timed_loads)
    }

    /// Returns how long a look-up takes on average, by a sample of about one in 256; zero before the first.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::{Cache, CacheScope, cached};
    ///
    /// #[derive(CacheScope)]
    /// struct Numbers {
    ///     #[scope(cache)]
    ///     cache: Cache,
    /// }
    ///
    /// impl Numbers {
    ///     #[cached]
    ///     fn double(&self, x: u64) -> u64 {
    ///         2 * x
    ///     }
    /// }
    ///
    /// let numbers = Numbers { cache: Cache::builder().build()? };
    /// assert_eq!((0..1_000).map(|_| numbers.double(4)).max(), Some(8));
    /// assert!(!numbers.cache.stats().mean_get_time().is_zero());
    /// # Ok::<(), cachex::Error>(())
    /// ```
    #[must_use]
    pub fn mean_get_time(&self) -> Duration {
        mean(self.sampled_get_time, self.sampled_gets)
    }
}

fn mean(total: Duration, count: u64) -> Duration {
    match count {
        0 => Duration::ZERO,
        _ => Duration::from_nanos(u64::try_from(total.as_nanos() / u128::from(count)).unwrap_or(u64::MAX)),
    }
}

//! Gives back the memory of what is of no use any more, without being asked for it again.

use std::sync::Arc;
use std::time::Duration;

use super::Engine;
use super::cache::Cache;
use crate::observe::event::Event;
use crate::runtime;

impl Cache {
    /// Drops every entry that is dead by age or was invalidated, and forgets the tags that no entry carries. Returns the number
    /// of entries dropped.
    ///
    /// A cache does this by itself about once a second, and a little of it at each store; see
    /// [`Builder::reclaim_interval`](crate::Builder::reclaim_interval).
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use cachex::time::ManualClock;
    /// use cachex::{Cache, EntryOptions, Key};
    ///
    /// let clock = ManualClock::new();
    /// let cache = Cache::builder().clock(clock.clone()).build()?;
    /// let options = EntryOptions::new().ttl(Duration::from_secs(1));
    /// cache.blocking().set(&Key::new("a"), 1, &options)?;
    /// clock.advance(Duration::from_secs(2));
    /// cache.reclaim();
    /// assert_eq!(cache.stats().entries, 0);
    /// # Ok::<(), cachex::Error>(())
    /// ```
    pub fn reclaim(&self) -> u64 {
        self.engine().reclaim()
    }
}

impl Engine {
    pub(crate) fn reclaim(&self) -> u64 {
        self.expire_fences();
        let now = self.now();
        let reclaimed = self.tier.reclaim(now, &|key, entry| self.is_unaltered(self.method(key.region()), entry), true);
        let count = reclaimed.expired.len() + reclaimed.invalidated.len();
        for (key, _) in &reclaimed.expired {
            self.method(key.region()).counters.expired.one();
            self.tell(|| Event::Expired(key.clone()));
        }
        for (key, _) in &reclaimed.invalidated {
            self.method(key.region()).counters.invalidated.one();
            self.tell(|| Event::Invalidated(key.clone()));
        }
        drop(reclaimed);
        self.tags.sweep();
        count as u64
    }
}

/// Reclaims at each interval, as long as the cache lives.
pub(crate) fn keep_reclaiming(engine: &Arc<Engine>, interval: Duration) {
    let engine = Arc::downgrade(engine);
    runtime::spawn_own(async move {
        loop {
            runtime::sleep(interval).await;
            let Some(engine) = engine.upgrade() else { return };
            // A value whose drop panics must not end the reclaiming.
            let work = std::panic::AssertUnwindSafe(|| engine.reclaim());
            let _caught = std::panic::catch_unwind(work);
        }
    });
}

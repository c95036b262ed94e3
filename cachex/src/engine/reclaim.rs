//! Gives back the memory of what is of no use any more, without being asked for it again.

use std::sync::Arc;
use std::time::Duration;

use super::Engine;
use super::cache::Cache;
use crate::caught::caught;
use crate::entry::Entry;
use crate::key::Key;
use crate::observe::event::Event;
use crate::runtime;
use crate::tier::Reclaimed;
use crate::time::Timestamp;

impl Cache {
    /// Drops every entry that is dead by age or was invalidated, and forgets the tags that no entry carries. Returns the number
    /// of entries dropped.
    ///
    /// A cache does this by itself about once a second, a part of it at a time if it is large; see
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

/// How often a reclaim that was asked for looks for values that somebody still reads.
const MOST_LOOKS: usize = 1000;
/// How many looks at a few slots each a background reclaim takes at least …
const LEAST_LOOKS: u64 = 64;
/// … and at most a look for so many entries, so that a large tier is gone through once in some ten reclaims.
const ENTRIES_A_LOOK: u64 = 160;

impl Engine {
    /// Drops all that is dead by age, and all that was invalidated.
    pub(crate) fn reclaim(&self) -> u64 {
        self.structures.reclaim(self.now());
        self.reclaim_by(MOST_LOOKS, |engine, now| vec![engine.tier.reclaim(now, &|entry| engine.is_kept(entry), true)])
    }

    /// Drops all that is dead by age, and what was invalidated among a part of the entries, another one each time.
    fn reclaim_some(&self) -> u64 {
        self.structures.reclaim_some(self.now());
        self.reclaim_by(1, |engine, now| {
            let looks = LEAST_LOOKS.max(engine.tier.len() / ENTRIES_A_LOOK);
            let look = |_| engine.tier.reclaim(now, &|entry| engine.is_kept(entry), false);
            (0..looks).map(look).collect()
        })
    }

    fn is_kept(&self, entry: &Entry) -> bool {
        self.is_unaltered(self.method_of(entry), entry)
    }

    fn reclaim_by(&self, looks: usize, reclaim: impl FnOnce(&Self, Timestamp) -> Vec<Reclaimed>) -> u64 {
        self.expire_fences();
        self.trim();
        let count = reclaim(self, self.now()).into_iter().map(|reclaimed| self.note_reclaimed(&reclaimed)).sum();
        // First what left: it holds clocks of tags.
        self.tier.flush(looks);
        self.tags.sweep(self.horizon());
        count
    }

    /// Counts and tells what was dropped.
    fn note_reclaimed(&self, reclaimed: &Reclaimed) -> u64 {
        let count = reclaimed.expired.len() + reclaimed.invalidated.len();
        for entry in &reclaimed.expired {
            let method = self.method_of(entry);
            method.counters.expired.one();
            self.tell(|| Event::Expired(Key::from_parts(method.region, entry.bytes())));
        }
        for entry in &reclaimed.invalidated {
            let method = self.method_of(entry);
            method.counters.invalidated.one();
            self.tell(|| Event::Invalidated(Key::from_parts(method.region, entry.bytes())));
        }
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
            let _caught = caught(|| engine.reclaim_some());
        }
    });
}

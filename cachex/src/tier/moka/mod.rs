//! Who leaves for room, decided by the crate moka: hashes of keys go in as entries come, go and are looked up; entries that are to leave
//! come out.
//!
//! Entries stay in our own table, and moka knows no more of one than the hash of its key and what it costs. So no value is
//! ever dropped under a lock of moka's, ages are those of the cache's clock, and whether a hit is right does not depend on
//! what moka knows, which may be late: see [`Moka::agree`].
//!
//! Reading order: this file, [`costs`] (two bounds made one).

mod costs;

use std::fmt;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

use ::moka::notification::RemovalCause;
use ::moka::policy::EvictionPolicy;
use ::moka::sync::Cache;

use super::memory::{Eviction, Inserted, Left, Limits, MemoryTier};
use crate::raw::grace::pinned;
use costs::Costs;

/// One part in so many of a bound may be exceeded before moka is made to apply it …
const SLACK_PART: u64 = 64;
/// … and no more than this many entries.
const MOST_SLACK: u64 = 64;
/// How often moka is made to apply the bounds before that is left to the next insert. Once is enough, unless others insert.
const MOST_RUNS: usize = 4;

/// The crate moka as the one that decides which entries leave for room.
pub(crate) struct Moka {
    /// What may stay: of each key its hash, which stands for the key, with the cost of the entry. Two keys of one hash are one.
    kept: Cache<u64, u32, BuildHasherDefault<SameHash>>,
    given_up: Arc<GivenUp>,
    costs: Costs,
    /// From here on moka is made to apply the bounds.
    most: Limits,
}

/// The hashes of what moka gave up, of which entries may still be in the table.
#[derive(Default)]
struct GivenUp(Mutex<Vec<u64>>);

impl Moka {
    /// Makes one that knows of no entry. Every policy but LRU is TinyLFU.
    pub(crate) fn new(limits: Limits, eviction: Eviction) -> Self {
        let given_up = Arc::new(GivenUp::default());
        let costs = Costs::new(limits);
        let policy = match eviction {
            Eviction::Lru => EvictionPolicy::lru(),
            _ => EvictionPolicy::tiny_lfu(),
        };
        let listener = given_up.clone();
        // Runs under locks of moka's, on the thread of any caller: it takes note, and no more.
        let listen = move |hash: Arc<u64>, _, cause| {
            if cause == RemovalCause::Size {
                listener.add(*hash);
            }
        };
        let builder = Cache::builder().max_capacity(costs.capacity()).eviction_policy(policy).eviction_listener(listen);
        let builder = if limits.max_bytes.is_some() { builder.weigher(|_, cost| *cost) } else { builder };
        let most = Limits {
            max_entries: limits.max_entries + (limits.max_entries / SLACK_PART).min(MOST_SLACK),
            max_bytes: limits.max_bytes.map(|most| most + most / SLACK_PART),
        };
        Self { kept: builder.build_with_hasher(BuildHasherDefault::default()), given_up, costs, most }
    }

    /// Notes a look-up, whether it found an entry or not.
    #[inline(never)]
    pub(crate) fn note(&self, hash: u64) {
        let _cost = self.kept.get(&hash);
    }

    /// Takes note of what an insert did, and takes out what is to leave for it.
    pub(crate) fn inserted(&self, table: &MemoryTier, hash: u64, mut inserted: Inserted) -> Inserted {
        match &mut inserted {
            Inserted::Rejected(_) | Inserted::TooHeavy { removed: None, .. } => {}
            Inserted::TooHeavy { removed: Some(_), .. } => self.agree(table, hash),
            Inserted::Stored { evicted, .. } => {
                // These were in the way of the new one, in a place for too few keys.
                evicted.iter().for_each(|gone| self.agree(table, table.hash_of(gone)));
                self.agree(table, hash);
                self.sweep(table, evicted);
                if self.most.is_exceeded_by(table.len(), table.weight()) {
                    self.trim(table, evicted);
                }
            }
        }
        inserted
    }

    /// Lets moka know of a key what the table knows of it. To be called after each change in the table that moka did not ask for.
    ///
    /// Others may change the table at the same time, and tell moka in another order. So what was told is compared with the table
    /// afterwards: of all who tell moka of a key, the last one has seen that the table agrees.
    pub(crate) fn agree(&self, table: &MemoryTier, hash: u64) {
        // What is found under a pin, the table's own hold of it outlives the pin: so nothing is dropped here, where a write may hold
        // the order of invalidations.
        pinned(|_| {
            let mut told = table.any_of(hash);
            loop {
                match &told {
                    Some(entry) => self.kept.insert(hash, self.costs.of(entry.weight())),
                    None => self.kept.invalidate(&hash),
                }
                let found = table.any_of(hash);
                let is_agreed = match (&told, &found) {
                    (Some(told), Some(found)) => told.is_same(found),
                    (told, found) => told.is_none() && found.is_none(),
                };
                if is_agreed {
                    return;
                }
                told = found;
            }
        });
    }

    /// Makes moka apply the bounds, and takes out what is to leave.
    pub(crate) fn trim(&self, table: &MemoryTier, evicted: &mut Left) {
        for _ in 0..MOST_RUNS {
            self.kept.run_pending_tasks();
            self.sweep(table, evicted);
            if !self.most.is_exceeded_by(table.len(), table.weight()) {
                return;
            }
        }
    }

    /// Takes out what moka gave up.
    fn sweep(&self, table: &MemoryTier, evicted: &mut Left) {
        // As in `agree`.
        pinned(|_| {
            for hash in self.given_up.take() {
                // It may have been stored anew, and be kept.
                if self.kept.contains_key(&hash) {
                    continue;
                }
                while let Some(entry) = table.any_of(hash) {
                    if table.remove_same(&entry) {
                        evicted.push(entry);
                    }
                }
                // What was taken out may have been stored only now.
                self.agree(table, hash);
            }
        });
    }

    /// Panics unless what moka keeps and what the table holds agree, apart from what it gave up, and is within the bounds.
    #[cfg(test)]
    pub(crate) fn check_invariants(&self, table: &MemoryTier) {
        self.kept.run_pending_tasks();
        let given_up = self.given_up.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut held, mut cost) = (Vec::new(), 0);
        table.for_each(&mut |entry| {
            let hash = table.hash_of(entry);
            if self.kept.contains_key(&hash) || !given_up.contains(&hash) {
                held.push(hash);
                cost += u64::from(self.costs.of(entry.weight()));
            }
        });
        held.sort_unstable();
        let mut kept: Vec<u64> = self.kept.iter().map(|(hash, _)| *hash).collect();
        kept.sort_unstable();
        assert_eq!(kept, held, "moka keeps what the table holds");
        assert!(cost <= self.costs.capacity(), "{cost} of {}", self.costs.capacity());
    }
}

impl GivenUp {
    fn add(&self, hash: u64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(hash);
    }

    fn take(&self) -> Vec<u64> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Debug for Moka {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Moka").field("costs", &self.costs).finish_non_exhaustive()
    }
}

/// The hash of a hash: itself.
#[derive(Default)]
struct SameHash(u64);

impl Hasher for SameHash {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    fn write(&mut self, bytes: &[u8]) {
        // Of hashes only: they are written by `write_u64`.
        bytes.iter().for_each(|byte| self.0 = self.0 << 8 | u64::from(*byte));
    }
}

//! L1: typed values in memory. Keys and entries go in; entries come out, and whatever leaves is handed to the caller, so
//! that no value is ever dropped under a lock.
//!
//! Reading order: this file (the tier, looking up, removing), [`insert`] (bounds), [`reclaim`] (what died), [`visit`]
//! (walks); [`shard`] and [`slots`] (one lock's worth of it), [`eviction`] and [`policy`] (who leaves for room).

mod eviction;
mod insert;
mod policy;
mod reclaim;
mod shard;
mod slots;
#[cfg(test)]
mod tests;
mod visit;

use std::fmt;
use std::hash::{BuildHasher, Hasher};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use foldhash::SharedSeed;
use foldhash::quality::SeedableRandomState;

pub use eviction::Eviction;
pub(crate) use insert::Inserted;
pub(crate) use reclaim::Reclaimed;
use shard::{Gone, Shard};

use crate::entry::Entry;
use crate::key::{Key, KeyRef};
use crate::method::Region;
use crate::time::Timestamp;

const MOST_SHARDS: u64 = 64;
/// A tier is divided only so far that each shard has its part of this many entries …
const ENTRIES_A_SHARD: u64 = 512;
/// … and of this many bytes: policies see one shard, and need enough of the whole to choose well.
const BYTES_A_SHARD: u64 = 1 << 20;

/// Entries that left the tier, with their keys: for the caller to account for, and to drop outside of any lock.
pub(crate) type Left = Vec<(Key, Arc<Entry>)>;

/// The bounds of a memory tier; none is 0.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) max_entries: u64,
    /// Bound of the sum of [`weight`](crate::entry::Meta::weight).
    pub(crate) max_bytes: Option<u64>,
}

/// The memory tier.
///
/// Keys are spread over shards, each under a lock of its own; a small tier has one shard. The bounds are of the whole
/// tier. With one shard they hold at any moment; with several, inserts that are under way may exceed them by what they
/// insert, until they return.
pub(crate) struct MemoryTier {
    limits: Limits,
    hasher: SeedableRandomState,
    shards: Box<[RwLock<Shard>]>,
    eviction: Eviction,
    seed: u64,
    /// Entries in all shards: changed under the lock of the shard that changes.
    len: AtomicU64,
    /// The sum of their weights: likewise.
    weight: AtomicU64,
    /// Not later than the first deadline in any shard, in nanoseconds.
    due_at: AtomicU64,
    /// Counts the inserts for which other shards had to give, so that it is not always the same ones.
    give_turn: AtomicUsize,
    /// Counts the scans of a few slots, so that each looks at others.
    scan_turn: AtomicUsize,
}

impl MemoryTier {
    /// Makes an empty tier. `seed` decides where keys go and what [`Eviction::Random`] chooses.
    pub(crate) fn new(limits: Limits, eviction: Eviction, seed: u64) -> Self {
        let shards = shard_count(limits);
        let shard = |index: u64| RwLock::new(Shard::new(eviction, seed.wrapping_add(index)));
        Self {
            limits,
            hasher: SeedableRandomState::with_seed(seed, SharedSeed::global_random()),
            shards: (0..shards).map(shard).collect(),
            eviction,
            seed,
            len: AtomicU64::new(0),
            weight: AtomicU64::new(0),
            due_at: AtomicU64::new(Timestamp::NEVER.as_nanos()),
            give_turn: AtomicUsize::new(0),
            scan_turn: AtomicUsize::new(0),
        }
    }

    /// Returns the key by which this tier is asked: with its hash, which is good for this tier only.
    #[inline]
    pub(crate) fn key_ref<'a>(&self, region: &'static Region, bytes: &'a [u8]) -> KeyRef<'a> {
        let mut hasher = self.hasher.build_hasher();
        hasher.write_u32(region.id());
        hasher.write(bytes);
        KeyRef { region, bytes, hash: hasher.finish() }
    }

    /// Returns the entry of a key, whatever its age and validity, and notes the use for the policy.
    #[inline]
    pub(crate) fn get(&self, at: KeyRef<'_>) -> Option<Arc<Entry>> {
        let shard = read(self.shard(at.hash));
        let slot = shard.find(at)?;
        shard.note_use(slot);
        Some(shard.entry(slot).clone())
    }

    /// Returns the entry of a key, whatever its age and validity, without noting a use.
    pub(crate) fn peek(&self, at: KeyRef<'_>) -> Option<Arc<Entry>> {
        let shard = read(self.shard(at.hash));
        shard.find(at).map(|slot| shard.entry(slot).clone())
    }

    /// Removes the entry of a key.
    ///
    /// After this returned, an [`insert`](Self::insert) of the key stores nothing unless its check, run after this, held.
    pub(crate) fn remove(&self, at: KeyRef<'_>) -> Option<Arc<Entry>> {
        let mut shard = write(self.shard(at.hash));
        let slot = shard.find(at)?;
        Some(self.take(&mut shard, slot).entry)
    }

    /// Removes the entry of a key if it is still this very one; returns whether it was.
    pub(crate) fn remove_same(&self, at: KeyRef<'_>, entry: &Arc<Entry>) -> bool {
        let mut shard = write(self.shard(at.hash));
        let same = shard.find(at).filter(|slot| Arc::ptr_eq(shard.entry(*slot), entry));
        // The caller holds the entry, so what is taken here is not the last of it.
        same.map(|slot| self.take(&mut shard, slot)).is_some()
    }

    /// Returns the number of entries, also of those that are of no use any more.
    pub(crate) fn len(&self) -> u64 {
        self.len.load(Ordering::Relaxed)
    }

    /// Returns the sum of the entries' weights, in bytes.
    pub(crate) fn weight(&self) -> u64 {
        self.weight.load(Ordering::Relaxed)
    }

    fn take(&self, shard: &mut Shard, slot: policy::SlotId) -> Gone {
        let gone = shard.take(slot);
        self.count_out(&gone.entry);
        gone
    }

    fn count_out(&self, entry: &Entry) {
        self.len.fetch_sub(1, Ordering::Relaxed);
        self.weight.fetch_sub(entry.meta.weight, Ordering::Relaxed);
    }

    fn shard(&self, hash: u64) -> &RwLock<Shard> {
        &self.shards[self.shard_index(hash)]
    }

    fn shard_index(&self, hash: u64) -> usize {
        // Neither the lowest bits nor the highest: the tables within the shards use those.
        (hash >> 40) as usize & (self.shards.len() - 1)
    }

    /// Panics unless everything the tier counts agrees with what it holds.
    #[cfg(test)]
    pub(crate) fn check_invariants(&self) {
        let (mut len, mut weight, mut due_at) = (0, 0, Timestamp::NEVER);
        for (index, shard) in self.shards.iter().enumerate() {
            let shard = read(shard);
            shard.check_invariants();
            due_at = due_at.min(shard.next_deadline().unwrap_or(Timestamp::NEVER));
            for slot in (0..shard.slots().numbers()).filter_map(|slot| shard.slots().get(slot as policy::SlotId)) {
                assert_eq!(self.shard_index(slot.hash), index, "a key is in its shard");
                len += 1;
                weight += slot.entry.meta.weight;
            }
        }
        assert_eq!((self.len(), self.weight()), (len, weight));
        assert!(len <= self.limits.max_entries, "{len} entries");
        assert!(self.limits.max_bytes.is_none_or(|most| weight <= most), "{weight} bytes");
        assert!(self.due_at.load(Ordering::Relaxed) <= due_at.as_nanos());
    }
}

impl fmt::Debug for MemoryTier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryTier")
            .field("limits", &self.limits)
            .field("eviction", &self.eviction)
            .field("len", &self.len())
            .field("weight", &self.weight())
            .finish_non_exhaustive()
    }
}

/// Returns the number of shards, a power of two.
fn shard_count(limits: Limits) -> u64 {
    let by_bytes = limits.max_bytes.map_or(MOST_SHARDS, |bytes| bytes / BYTES_A_SHARD);
    let most = (limits.max_entries / ENTRIES_A_SHARD).min(by_bytes).clamp(1, MOST_SHARDS);
    1 << most.ilog2()
}

/// Locks for reading, also after a panic elsewhere: no code of others runs while a shard is half changed.
fn read(shard: &RwLock<Shard>) -> RwLockReadGuard<'_, Shard> {
    shard.read().unwrap_or_else(PoisonError::into_inner)
}

/// Locks for writing; see [`read`].
fn write(shard: &RwLock<Shard>) -> RwLockWriteGuard<'_, Shard> {
    shard.write().unwrap_or_else(PoisonError::into_inner)
}

fn key_ref_of(key: &Key, hash: u64) -> KeyRef<'_> {
    KeyRef { region: key.region(), bytes: key.bytes(), hash }
}

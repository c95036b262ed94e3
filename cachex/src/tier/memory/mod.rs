//! L1: typed values in memory. Keys and entries go in; entries come out, and whatever leaves is handed to the caller, so
//! that no value is ever dropped under a lock.
//!
//! Reading order: this file (the tier, looking up, removing), [`insert`] (bounds), [`reclaim`] (what died), [`visit`]
//! (walks); [`shard`], [`slots`] and [`deadlines`] (one lock's worth of it), [`uses`] (what readers leave behind),
//! [`eviction`] and [`policy`] (who leaves for room); `flood` (a tier by itself, for benches). What is read without a lock is in [`crate::raw`].

mod deadlines;
mod eviction;
#[cfg(any(test, feature = "flood"))]
pub(crate) mod flood;
mod hasher;
mod insert;
mod policy;
mod reclaim;
mod shard;
mod slots;
#[cfg(test)]
mod tests;
mod uses;
mod visit;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

pub use eviction::Eviction;
use hasher::KeyHasher;
pub(crate) use insert::Inserted;
pub(crate) use reclaim::{Reclaimed, Walk};
use shard::{Shard, ShardOwner};
use smallvec::SmallVec;
use uses::Uses;

use crate::entry::{Entry, EntryParts};
use crate::key::KeyRef;
use crate::raw::grace::Pin;
#[cfg(any(test, feature = "moka"))]
use crate::raw::grace::pinned;
use crate::raw::node::Lent;
use crate::raw::table::{Sought, Table};
use crate::time::Timestamp;

const MOST_SHARDS: u64 = 64;
/// A tier is divided only so far that each shard has its part of this many entries …
const ENTRIES_A_SHARD: u64 = 128;
/// … and of this many bytes: policies see one shard, and need enough of the whole to choose well.
const BYTES_A_SHARD: u64 = 1 << 20;

/// Values of this weight, or of one part in so many of the bound, may wait to be dropped besides those of a batch.
const MOST_DEAD_BYTES: u64 = 1 << 20;
const MOST_DEAD_PART: u64 = 64;

/// Entries that left the tier: for the caller to account for, under no lock.
///
/// A value is dropped once its entry has left and nobody reads it any more: with the next batch of those that leave, or by
/// [`flush`](MemoryTier::flush).
pub(crate) type Left = SmallVec<[Entry; 2]>;

/// An entry that the tier holds, found under a pin.
pub(crate) type FoundEntry<'a> = Lent<'a, EntryParts>;

impl Sought<EntryParts> for KeyRef<'_> {
    #[inline(always)]
    fn hash(&self) -> u64 {
        self.hash
    }

    #[inline(always)]
    fn is(&self, entry: &Entry) -> bool {
        entry.is_at(self.label, self.bytes)
    }
}

/// Asks for any entry whose key has the hash.
#[cfg(feature = "moka")]
#[derive(Clone, Copy)]
struct AnyOf<'a> {
    hash: u64,
    hasher: &'a KeyHasher,
}

#[cfg(feature = "moka")]
impl Sought<EntryParts> for AnyOf<'_> {
    fn hash(&self) -> u64 {
        self.hash
    }

    fn is(&self, entry: &Entry) -> bool {
        self.hasher.hash_of(entry) == self.hash
    }
}

/// The bounds of a memory tier; none is 0.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) max_entries: u64,
    /// Bound of the sum of [`weight`](crate::entry::Meta::weight).
    pub(crate) max_bytes: Option<u64>,
}

impl Limits {
    pub(crate) fn is_exceeded_by(&self, entries: u64, bytes: u64) -> bool {
        entries > self.max_entries || self.max_bytes.is_some_and(|most| bytes > most)
    }
}

/// The memory tier.
///
/// Keys are spread over shards: each is changed under a lock of its own, and read under none. A small tier has one shard. The
/// bounds are of the whole tier. With one shard they hold at any moment; with several, inserts that are under way may exceed
/// them by what they insert, until they return.
pub(crate) struct MemoryTier {
    table: Table<EntryParts, Shard>,
    hasher: KeyHasher,
    uses: Box<[Arc<Uses>]>,
    limits: Limits,
    /// What it makes room for by itself.
    room: Limits,
    eviction: Eviction,
    /// At entries with less, readers have something to note.
    most_trace: u32,
    seed: u64,
    /// Entries in all shards: changed under the lock of the shard that changes.
    len: AtomicU64,
    /// The sum of their weights: likewise.
    weight: AtomicU64,
    /// Not later than the first deadline in any shard, in nanoseconds.
    due_at: AtomicU64,
    /// Counts the inserts for which other shards had to give, so that it is not always the same ones.
    give_turn: AtomicUsize,
}

impl MemoryTier {
    /// Makes an empty tier. `seed` decides what [`Eviction::Random`] chooses.
    pub(crate) fn new(limits: Limits, eviction: Eviction, seed: u64) -> Self {
        Self::with_hasher(limits, eviction, seed, KeyHasher::default())
    }

    /// Makes an empty tier that evicts nothing for room: whoever asked for it removes what does not stay.
    ///
    /// An entry heavier than `limits` allow is still refused.
    #[cfg(feature = "moka")]
    pub(crate) fn without_eviction(limits: Limits, seed: u64) -> Self {
        let room = Limits { max_entries: u64::MAX, max_bytes: None };
        Self { room, ..Self::new(limits, Eviction::Fifo, seed) }
    }

    fn with_hasher(limits: Limits, eviction: Eviction, seed: u64, hasher: KeyHasher) -> Self {
        let shards = shard_count(limits);
        let uses: Box<[_]> = (0..shards).map(|_| Arc::new(Uses::new(eviction.trace()))).collect();
        let shard = |index: usize| {
            Shard::new(eviction.policy(seed.wrapping_add(index as u64)), hasher.clone(), uses[index].clone())
        };
        let most_dead = limits.max_bytes.map_or(MOST_DEAD_BYTES, |most| (most / MOST_DEAD_PART).min(MOST_DEAD_BYTES));
        Self {
            table: Table::new(shards as usize, most_dead, shard),
            hasher,
            uses,
            limits,
            room: limits,
            eviction,
            most_trace: eviction.trace().most(),
            seed,
            len: AtomicU64::new(0),
            weight: AtomicU64::new(0),
            due_at: AtomicU64::new(Timestamp::NEVER.as_nanos()),
            give_turn: AtomicUsize::new(0),
        }
    }

    /// Returns a key by which this tier is asked.
    #[cfg(test)]
    pub(crate) fn key_ref<'a>(&self, bytes: &'a [u8]) -> KeyRef<'a> {
        let region = crate::method::Region::manual();
        KeyRef::new(region, bytes, self.hasher.hash(region.id(), bytes))
    }

    /// Finds the entry of a key, whatever its age and validity, and notes the use for the policy.
    ///
    /// Takes no lock. What the tier gives up meanwhile, on whatever thread, is not dropped before the pin is: have it for a
    /// short time only.
    #[inline(always)]
    pub(crate) fn find<'a>(&'a self, pin: &'a Pin, sought: impl Sought<EntryParts>) -> Option<FoundEntry<'a>> {
        let entry = self.table.find(pin, sought)?;
        if entry.trace() < self.most_trace {
            self.note_use(sought.hash(), &entry);
        }
        Some(entry)
    }

    #[inline(never)]
    fn note_use(&self, hash: u64, entry: &Entry) {
        self.uses[self.table.shard_of(hash)].note(entry);
    }

    /// Finds the entry of a key, whatever its age and validity, without noting a use.
    pub(crate) fn peek_pinned<'a>(&'a self, pin: &'a Pin, at: KeyRef<'_>) -> Option<FoundEntry<'a>> {
        self.table.find(pin, at)
    }

    /// As [`peek_pinned`](Self::peek_pinned), for what may be kept.
    #[cfg(test)]
    pub(crate) fn peek(&self, at: KeyRef<'_>) -> Option<Entry> {
        pinned(|pin| self.peek_pinned(pin, at).map(|entry| Entry::clone(&entry)))
    }

    /// Returns an entry whose key has the hash, if there is one.
    #[cfg(feature = "moka")]
    pub(crate) fn any_of(&self, hash: u64) -> Option<Entry> {
        pinned(|pin| {
            let entry = self.table.find(pin, AnyOf { hash, hasher: &self.hasher });
            entry.map(|entry| Entry::clone(&entry))
        })
    }

    /// Returns the hash of the key of an entry.
    #[cfg(feature = "moka")]
    pub(crate) fn hash_of(&self, entry: &Entry) -> u64 {
        self.hasher.hash_of(entry)
    }

    /// Removes the entry of a key.
    ///
    /// After this returned, an [`insert`](Self::insert) of the key stores nothing unless its check, run after this, held.
    pub(crate) fn remove(&self, at: KeyRef<'_>) -> Option<Entry> {
        let mut shard = self.own(at.hash);
        let entry = shard.entry_at(at)?;
        Some(self.take(&mut shard, &entry))
    }

    /// Removes the entry if it is still in the tier; returns whether it was.
    pub(crate) fn remove_same(&self, entry: &Entry) -> bool {
        let hash = self.hasher.hash_of(entry);
        let mut shard = self.own(hash);
        let is_there = shard.has(entry);
        if is_there {
            self.take(&mut shard, entry);
        }
        is_there
    }

    /// Drops the values of entries that have left and that nobody reads any more, if a batch of them has gathered. To be called after
    /// entries have left, under no lock.
    #[inline]
    pub(crate) fn tend(&self) {
        self.table.tend(|| self.len() as usize);
    }

    /// Drops the values of entries that have left and that nobody reads any more, also where they are too few for a batch. Looks
    /// up to `looks` times for those that somebody reads; returns how many are left.
    pub(crate) fn flush(&self, looks: usize) -> usize {
        self.table.flush(looks)
    }

    /// Returns the number of entries, also of those that are of no use any more.
    pub(crate) fn len(&self) -> u64 {
        self.len.load(Ordering::Relaxed)
    }

    /// Returns the sum of the entries' weights, in bytes.
    pub(crate) fn weight(&self) -> u64 {
        self.weight.load(Ordering::Relaxed)
    }

    fn take(&self, shard: &mut ShardOwner<'_>, entry: &Entry) -> Entry {
        self.count_out(entry);
        shard.take(entry)
    }

    fn count_out(&self, entry: &Entry) {
        self.len.fetch_sub(1, Ordering::Relaxed);
        self.weight.fetch_sub(entry.weight(), Ordering::Relaxed);
    }

    fn own(&self, hash: u64) -> ShardOwner<'_> {
        self.table.own(self.table.shard_of(hash))
    }

    /// Panics unless everything the tier counts agrees with what it holds.
    #[cfg(test)]
    pub(crate) fn check_invariants(&self) {
        let (mut len, mut weight, mut due_at) = (0, 0, Timestamp::NEVER);
        for index in 0..self.table.shards() {
            let shard = self.table.own(index);
            shard.check_invariants();
            due_at = due_at.min(shard.state().next_deadline());
            for entry in shard.all() {
                let hash = self.hasher.hash_of(&entry);
                assert_eq!(self.table.shard_of(hash), index, "a key is in its shard");
                len += 1;
                weight += entry.weight();
            }
        }
        assert_eq!((self.len(), self.weight()), (len, weight));
        assert!(len <= self.room.max_entries, "{len} entries");
        assert!(self.room.max_bytes.is_none_or(|most| weight <= most), "{weight} bytes");
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

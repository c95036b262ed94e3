//! Where entries are kept: keys and entries go in; entries come out, and whatever leaves is handed to the caller.
//!
//! Reading order: this file (L1 as the engine sees it), [`memory_engine`] (who may decide which entries leave for room), [`memory`]
//! (the tier itself), [`moka`] (the crate of this name as the one that decides).

pub(crate) mod memory;
mod memory_engine;
#[cfg(feature = "moka")]
mod moka;
#[cfg(feature = "remote")]
pub(crate) mod remote;

pub(crate) use memory::{FoundEntry, Inserted, Left, Limits, Reclaimed, Walk};
pub use memory_engine::MemoryEngine;

use memory::{Eviction, MemoryTier};

use crate::entry::{Entry, EntryParts};
use crate::key::KeyRef;
use crate::raw::grace::Pin;
#[cfg(test)]
use crate::raw::grace::pinned;
use crate::raw::table::Sought;
use crate::time::Timestamp;

/// The first tier: entries in memory, and who decides which of them leave for room.
///
/// Whoever decides, entries are in the same table. So what makes a hit right, and what an insert and a removal promise
/// each other, does not depend on it.
#[derive(Debug)]
pub(crate) struct L1 {
    memory: MemoryTier,
    /// Who decides, unless the tier does.
    #[cfg(feature = "moka")]
    moka: Option<Box<moka::Moka>>,
}

impl L1 {
    /// Makes an empty tier. `seed` decides what [`Eviction::Random`] chooses.
    pub(crate) fn new(engine: MemoryEngine, limits: Limits, eviction: Eviction, seed: u64) -> Self {
        match engine {
            #[cfg(feature = "moka")]
            MemoryEngine::Moka => Self {
                memory: MemoryTier::without_eviction(limits, seed),
                moka: Some(Box::new(moka::Moka::new(limits, eviction))),
            },
            // Without its feature, moka was refused with the other settings that make no sense.
            _ => Self {
                memory: MemoryTier::new(limits, eviction, seed),
                #[cfg(feature = "moka")]
                moka: None,
            },
        }
    }

    /// As [`MemoryTier::key_ref`].
    #[cfg(test)]
    pub(crate) fn key_ref<'a>(&self, bytes: &'a [u8]) -> KeyRef<'a> {
        self.memory.key_ref(bytes)
    }

    /// Finds the entry of a key, as [`MemoryTier::find`] does; the use is noted, and so is that there is no entry.
    #[inline(always)]
    pub(crate) fn find<'a>(&'a self, pin: &'a Pin, sought: impl Sought<EntryParts>) -> Option<FoundEntry<'a>> {
        self.note(sought.hash());
        self.memory.find(pin, sought)
    }

    /// As [`find`](Self::find), for what may be kept.
    #[cfg(test)]
    pub(crate) fn get(&self, at: KeyRef<'_>) -> Option<Entry> {
        pinned(|pin| self.find(pin, at).map(|entry| Entry::clone(&entry)))
    }

    /// As [`find`](Self::find), of a key that the caller has looked for before: that there still is no entry is not noted anew, for
    /// one call is one use.
    pub(crate) fn find_again<'a>(&'a self, pin: &'a Pin, at: KeyRef<'_>) -> Option<FoundEntry<'a>> {
        let entry = self.memory.find(pin, at)?;
        self.note(at.hash);
        Some(entry)
    }

    /// As [`MemoryTier::peek_pinned`].
    pub(crate) fn peek_pinned<'a>(&'a self, pin: &'a Pin, at: KeyRef<'_>) -> Option<FoundEntry<'a>> {
        self.memory.peek_pinned(pin, at)
    }

    /// As [`MemoryTier::peek`].
    #[cfg(test)]
    pub(crate) fn peek(&self, at: KeyRef<'_>) -> Option<Entry> {
        self.memory.peek(at)
    }

    /// Stores an entry if `is_valid` says so, as [`MemoryTier::insert`] does: the check and the store are one step for a removal of
    /// the key, and `account` is shown what leaves for room. What left may be the new entry.
    pub(crate) fn insert(
        &self,
        at: KeyRef<'_>,
        entry: Entry,
        now: Timestamp,
        is_valid: impl FnOnce() -> bool,
        account: impl Fn(&Entry) -> bool,
    ) -> Inserted {
        let inserted = self.memory.insert(at, entry, now, is_valid, account);
        #[cfg(feature = "moka")]
        if let Some(moka) = &self.moka {
            return moka.inserted(&self.memory, at.hash, inserted);
        }
        inserted
    }

    /// Removes the entry of a key, as [`MemoryTier::remove`] does.
    pub(crate) fn remove(&self, at: KeyRef<'_>) -> Option<Entry> {
        let removed = self.memory.remove(at);
        self.tell_left(removed.as_slice());
        removed
    }

    /// As [`MemoryTier::retain`].
    pub(crate) fn retain(&self, keep: &mut dyn FnMut(&Entry) -> bool) -> Left {
        let removed = self.memory.retain(keep);
        self.tell_left(&removed);
        removed
    }

    /// As [`MemoryTier::for_each`].
    pub(crate) fn for_each(&self, f: &mut dyn FnMut(&Entry)) {
        self.memory.for_each(f);
    }

    /// Removes everything and returns it.
    pub(crate) fn clear(&self) -> Left {
        let removed = self.memory.clear();
        self.tell_left(&removed);
        removed
    }

    /// Takes out what is of no use any more, as [`MemoryTier::reclaim`] does.
    pub(crate) fn reclaim(
        &self,
        now: Timestamp,
        is_current: &dyn Fn(&Entry) -> bool,
        walk: &mut Walk,
        slots: usize,
    ) -> Reclaimed {
        let reclaimed = self.memory.reclaim(now, is_current, walk, slots);
        self.tell_left(&reclaimed.expired);
        self.tell_left(&reclaimed.invalidated);
        reclaimed
    }

    /// As [`MemoryTier::slots`].
    pub(crate) fn slots(&self) -> usize {
        self.memory.slots()
    }

    /// As [`MemoryTier::has_ended`].
    pub(crate) fn has_ended(&self, walk: &Walk) -> bool {
        self.memory.has_ended(walk)
    }

    /// Brings the tier within its bounds where that was put off, and returns what left for room since an insert, or this, last
    /// returned such entries.
    pub(crate) fn trim(&self) -> Left {
        #[cfg(feature = "moka")]
        if let Some(moka) = &self.moka {
            let mut evicted = Left::new();
            moka.trim(&self.memory, &mut evicted);
            return evicted;
        }
        Left::new()
    }

    /// As [`MemoryTier::expire_at`].
    pub(crate) fn expire_at(&self, at: KeyRef<'_>, entry: &Entry, end: Timestamp) {
        self.memory.expire_at(at, entry, end);
    }

    /// As [`MemoryTier::tend`].
    #[inline]
    pub(crate) fn tend(&self) {
        self.memory.tend();
    }

    /// As [`MemoryTier::flush`].
    pub(crate) fn flush(&self, looks: usize) -> usize {
        self.memory.flush(looks)
    }

    /// Returns the number of entries, also of those that are of no use any more.
    pub(crate) fn len(&self) -> u64 {
        self.memory.len()
    }

    /// Returns the sum of the entries' weights, in bytes.
    pub(crate) fn weight(&self) -> u64 {
        self.memory.weight()
    }

    /// Panics unless everything the tier counts agrees with what it holds, and who decides agrees as well.
    #[cfg(test)]
    pub(crate) fn check_invariants(&self) {
        self.memory.check_invariants();
        #[cfg(feature = "moka")]
        if let Some(moka) = &self.moka {
            moka.check_invariants(&self.memory);
        }
    }

    /// Tells who decides, if it is not the tier, that a key was looked for.
    #[inline(always)]
    fn note(&self, hash: u64) {
        #[cfg(feature = "moka")]
        if let Some(moka) = &self.moka {
            moka.note(hash);
        }
        #[cfg(not(feature = "moka"))]
        let _: u64 = hash;
    }

    /// Tells who decides, if it is not the tier, that entries have left for another reason than room.
    fn tell_left(&self, left: &[Entry]) {
        #[cfg(feature = "moka")]
        if let Some(moka) = &self.moka {
            left.iter().for_each(|entry| moka.agree(&self.memory, self.memory.hash_of(entry)));
        }
        #[cfg(not(feature = "moka"))]
        let _: &[Entry] = left;
    }
}

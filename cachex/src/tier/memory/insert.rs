//! Storing: checked, and within the bounds.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::policy::SlotId;
use super::shard::Shard;
use super::{Left, MemoryTier, write};
use crate::entry::Entry;
use crate::key::KeyRef;
use crate::time::Timestamp;

/// How many entries leave one shard under one hold of its lock, and before another shard has to give.
const BATCH: usize = 8;

/// What became of an entry that was to be stored.
#[derive(Debug)]
pub(crate) enum Inserted {
    /// Its check failed: nothing changed, and here it is back.
    Rejected(Arc<Entry>),
    /// It is heavier than the whole tier may be: it is not stored, and what its key had is removed, being older.
    TooHeavy { entry: Arc<Entry>, removed: Option<Arc<Entry>> },
    /// It is stored. What left for room may have been dead by age already: [`Life::dead_at`](crate::entry::Life::dead_at)
    /// tells. An entry that itself gave way to the new one of the same key is in `replaced`.
    Stored { replaced: Option<Arc<Entry>>, evicted: Left },
}

impl MemoryTier {
    /// Stores an entry if `is_valid` says so.
    ///
    /// `is_valid` runs under the very lock that a [`remove`](Self::remove) of the key takes: whoever first makes the check
    /// fail and then removes the key can be sure that the entry is not there afterwards. It must not call the tier.
    pub(crate) fn insert(&self, at: KeyRef<'_>, entry: Arc<Entry>, is_valid: impl FnOnce() -> bool) -> Inserted {
        let weight = entry.meta.weight;
        let is_too_heavy = self.limits.max_bytes.is_some_and(|most| weight > most);
        let index = self.shard_index(at.hash);
        let mut shard = write(&self.shards[index]);
        // The one check of a store: outside of the lock, a removal could come between it and the store.
        if !is_valid() {
            return Inserted::Rejected(entry);
        }
        if is_too_heavy {
            let found = shard.find(at);
            let removed = found.map(|slot| self.take(&mut shard, slot).entry);
            return Inserted::TooHeavy { entry, removed };
        }
        let now = entry.meta.life.created_at;
        let mut evicted = Vec::new();
        let replaced = self.store(&mut shard, at, entry, &mut evicted);
        drop(shard);
        self.settle(index, now, &mut evicted);
        Inserted::Stored { replaced, evicted }
    }

    /// Makes room in the key's own shard, as far as it can give, and stores.
    fn store(&self, shard: &mut Shard, at: KeyRef<'_>, entry: Arc<Entry>, evicted: &mut Left) -> Option<Arc<Entry>> {
        let (now, weight, dead_at) = (entry.meta.life.created_at, entry.meta.weight, entry.meta.life.dead_at());
        let mut found = shard.find(at);
        let mut given_way = None;
        while self.lacks_room(shard, found, weight) && self.can_give(shard, evicted.len()) {
            let Some(gone) = shard.evict(now) else { break };
            self.count_out(&gone.entry);
            if found == Some(gone.slot) {
                found = None;
                given_way = Some(gone.entry);
            } else {
                evicted.push(gone.into_pair());
            }
        }
        self.weight.fetch_add(weight, Ordering::Relaxed);
        let replaced = found.map(|slot| (slot, shard.entry(slot).meta.weight));
        let replaced = match replaced {
            Some((slot, lost)) => {
                self.weight.fetch_sub(lost, Ordering::Relaxed);
                Some(shard.replace(slot, entry))
            }
            None => {
                self.len.fetch_add(1, Ordering::Relaxed);
                shard.add(at, entry);
                given_way
            }
        };
        self.note_deadline(dead_at);
        replaced
    }

    /// Whether an entry of this weight, in the place of `found`, would exceed a bound.
    fn lacks_room(&self, shard: &Shard, found: Option<SlotId>, weight: u64) -> bool {
        if found.is_none() && self.len() >= self.limits.max_entries {
            return true;
        }
        let lost = found.map_or(0, |slot| shard.entry(slot).meta.weight);
        self.limits.max_bytes.is_some_and(|most| self.weight().saturating_sub(lost).saturating_add(weight) > most)
    }

    /// Whether a shard is to give one more entry for room: the only one is; of several, one with at least half of its
    /// share.
    fn can_give(&self, shard: &Shard, given: usize) -> bool {
        let shards = self.shards.len() as u64;
        shards == 1 || (given < BATCH && shard.len() as u64 * shards * 2 >= self.len())
    }

    fn is_over(&self) -> bool {
        self.len() > self.limits.max_entries || self.limits.max_bytes.is_some_and(|most| self.weight() > most)
    }

    /// Evicts from the other shards, a few entries from each in turn, until the bounds hold; from the shard `own` last.
    ///
    /// The bounds hold once no insert is under way: the last one to count itself in leaves only when they do.
    fn settle(&self, own: usize, now: Timestamp, evicted: &mut Left) {
        if !self.is_over() {
            return;
        }
        let others = self.shards.len() - 1;
        let mut index = self.give_turn.fetch_add(1, Ordering::Relaxed);
        let mut idle = 0;
        while self.is_over() && idle <= others {
            let next = if idle == others { own } else { self.other(own, index) };
            index = index.wrapping_add(1);
            let before = evicted.len();
            self.give(next, now, evicted);
            idle = if evicted.len() > before { 0 } else { idle + 1 };
        }
    }

    /// Returns one of the shards but `own`, a different one for each of as many `index`es in a row as there are.
    fn other(&self, own: usize, index: usize) -> usize {
        let shards = self.shards.len();
        (own + 1 + index % (shards - 1)) % shards
    }

    fn give(&self, index: usize, now: Timestamp, evicted: &mut Left) {
        let mut shard = write(&self.shards[index]);
        for _ in 0..BATCH {
            if !self.is_over() {
                return;
            }
            let Some(gone) = shard.evict(now) else { return };
            self.count_out(&gone.entry);
            evicted.push(gone.into_pair());
        }
    }
}

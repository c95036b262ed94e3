//! Storing: checked, and within the bounds.

use std::sync::atomic::Ordering;

use super::shard::ShardOwner;
use super::{Left, MemoryTier};
use crate::entry::Entry;
use crate::key::KeyRef;
use crate::time::Timestamp;

/// How many entries leave one shard under one hold of its lock, and before another shard has to give; more where a new entry needs the
/// room of many.
const BATCH: usize = 8;

/// What became of an entry that was to be stored.
#[derive(Debug)]
pub(crate) enum Inserted {
    /// Its check failed: nothing changed, and here it is back.
    Rejected(Entry),
    /// It is heavier than the whole tier may be: it is not stored, and what its key had is removed, being older.
    TooHeavy { entry: Entry, removed: Option<Entry> },
    /// It is stored. What left for room, and was not accounted for when it left, may have been dead by age already:
    /// [`Entry::dead_at`] tells. An entry that itself gave way to the new one of the same key is in `replaced`.
    Stored { replaced: Option<Entry>, evicted: Left },
}

/// What an insert changes in what the tier counts. Told once: most inserts take out as much as they put in, and then write
/// nothing that all shards share.
#[derive(Debug, Default)]
struct Change {
    len: i64,
    weight: i64,
}

impl Change {
    fn enters(&mut self, entry: &Entry) {
        self.len += 1;
        self.weight = self.weight.wrapping_add_unsigned(entry.weight());
    }

    fn leaves(&mut self, entry: &Entry) {
        self.len -= 1;
        self.weight = self.weight.wrapping_sub_unsigned(entry.weight());
    }
}

/// What leaves for room: accounted for as it does, or kept for that.
struct Leaving<'a, A> {
    account: &'a A,
    evicted: &'a mut Left,
    count: usize,
}

impl<A: Fn(&Entry) -> bool> Leaving<'_, A> {
    fn leaves(&mut self, entry: &Entry) {
        self.count += 1;
        if !(self.account)(entry) {
            self.evicted.push(entry.clone());
        }
    }
}

impl MemoryTier {
    /// Stores an entry if `is_valid` says so. `now` tells which others are dead by age. What leaves for room is shown to `account` before
    /// it does: what that has done with is not returned, and takes no hold. It runs under a lock, and must not call the tier.
    ///
    /// `is_valid` runs under the very lock that a [`remove`](Self::remove) of the key takes: whoever first makes the check
    /// fail and then removes the key can be sure that the entry is not there afterwards. It must not call the tier.
    pub(crate) fn insert(
        &self,
        at: KeyRef<'_>,
        entry: Entry,
        now: Timestamp,
        is_valid: impl FnOnce() -> bool,
        account: impl Fn(&Entry) -> bool,
    ) -> Inserted {
        let is_too_heavy = self.limits.max_bytes.is_some_and(|most| entry.weight() > most);
        let index = self.table.shard_of(at.hash);
        let mut shard = self.table.own(index);
        // The one check of a store: outside of the lock, a removal could come between it and the store.
        if !is_valid() {
            return Inserted::Rejected(entry);
        }
        if is_too_heavy {
            let found = shard.entry_at(at);
            let removed = found.map(|found| self.take(&mut shard, &found));
            return Inserted::TooHeavy { entry, removed };
        }
        let mut evicted = Left::new();
        let mut leaving = Leaving { account: &account, evicted: &mut evicted, count: 0 };
        let replaced = self.store(&mut shard, at, entry, now, &mut leaving);
        drop(shard);
        self.settle(index, now, &mut leaving);
        Inserted::Stored { replaced, evicted }
    }

    /// Makes room in the key's own shard, as far as it can give, and stores.
    fn store(
        &self,
        shard: &mut ShardOwner<'_>,
        at: KeyRef<'_>,
        entry: Entry,
        now: Timestamp,
        leaving: &mut Leaving<'_, impl Fn(&Entry) -> bool>,
    ) -> Option<Entry> {
        let (weight, dead_at) = (entry.weight(), entry.dead_at());
        let mut found = shard.entry_at(at);
        let mut given_way = None;
        let mut change = Change::default();
        let mut weight_left = shard.state().weight().saturating_sub(self.part_for(shard, found.as_ref(), weight));
        while self.lacks_room(found.as_ref(), weight, &change)
            && (self.can_give(shard, leaving.count) || shard.state().weight() > weight_left)
        {
            let was_other = shard.evict(now, |gone| {
                change.leaves(gone);
                let is_other = found.as_ref().is_none_or(|found| !found.is_same(gone));
                if is_other {
                    leaving.leaves(gone);
                }
                is_other
            });
            match was_other {
                Some(true) => {}
                Some(false) => {
                    // It was not counted as something that the shard gives.
                    // Break this (leave it out) and what is missing is taken where the new entry may be the one that leaves.
                    weight_left = weight_left.saturating_sub(found.as_ref().map_or(0, Entry::weight));
                    given_way = found.take();
                }
                None => break,
            }
        }
        change.enters(&entry);
        let replaced = match found {
            Some(found) => {
                change.leaves(&found);
                Some(shard.put(&found, entry))
            }
            None => {
                let evicted = &mut *leaving.evicted;
                let before = evicted.len();
                shard.add(at, entry, evicted);
                evicted[before..].iter().for_each(|gone| change.leaves(gone));
                given_way
            }
        };
        self.count(&change);
        self.note_deadline(dead_at);
        replaced
    }

    /// Whether an entry of this weight, in the place of `found`, would exceed a bound.
    fn lacks_room(&self, found: Option<&Entry>, weight: u64, change: &Change) -> bool {
        if found.is_none() && self.len().wrapping_add_signed(change.len) >= self.room.max_entries {
            return true;
        }
        let lost = found.map_or(0, Entry::weight);
        self.room.max_bytes.is_some_and(|most| {
            let present = self.weight().wrapping_add_signed(change.weight);
            present.saturating_sub(lost).saturating_add(weight) > most
        })
    }

    /// Returns how much weight a shard has to give before an entry is stored that needs much room: its part. Otherwise the others would
    /// have to give more than theirs, and what is missing then would be taken where the new entry may be the one that leaves.
    fn part_for(&self, shard: &ShardOwner<'_>, found: Option<&Entry>, weight: u64) -> u64 {
        let Some(most) = self.room.max_bytes else { return 0 };
        let (own, all) = (shard.state().weight(), self.weight());
        let needed = all.saturating_sub(found.map_or(0, Entry::weight)).saturating_add(weight).saturating_sub(most);
        // Where little is needed, the others give it by turns, under short holds of their locks.
        let is_much = needed.saturating_mul(self.table.shards() as u64) >= all || needed > all.saturating_sub(own);
        let part = (u128::from(needed) * u128::from(own)).div_ceil(u128::from(all.max(1)));
        if is_much { u64::try_from(part).unwrap_or(u64::MAX) } else { 0 }
    }

    /// Counts what was changed under the lock of a shard.
    fn count(&self, change: &Change) {
        if change.len != 0 {
            self.len.fetch_add(change.len as u64, Ordering::Relaxed);
        }
        if change.weight != 0 {
            self.weight.fetch_add(change.weight as u64, Ordering::Relaxed);
        }
    }

    /// Whether a shard is to give one more entry for room: the only one is; of several, one with at least half of its
    /// share.
    fn can_give(&self, shard: &ShardOwner<'_>, given: usize) -> bool {
        let shards = self.table.shards() as u64;
        shards == 1 || (given < BATCH && shard.len() as u64 * shards * 2 >= self.len())
    }

    fn is_over(&self) -> bool {
        self.room.is_exceeded_by(self.len(), self.weight())
    }

    /// Evicts from the other shards, a few entries from each in turn, until the bounds hold; from the shard `own` last.
    ///
    /// The bounds hold once no insert is under way: the last one to count itself in leaves only when they do.
    #[inline]
    fn settle(&self, own: usize, now: Timestamp, leaving: &mut Leaving<'_, impl Fn(&Entry) -> bool>) {
        if self.is_over() {
            self.make_others_give(own, now, leaving);
        }
    }

    #[inline(never)]
    fn make_others_give(&self, own: usize, now: Timestamp, leaving: &mut Leaving<'_, impl Fn(&Entry) -> bool>) {
        let others = self.table.shards() - 1;
        let mut index = self.give_turn.fetch_add(1, Ordering::Relaxed);
        let mut idle = 0;
        while self.is_over() && idle <= others {
            let next = if idle == others { own } else { self.other(own, index) };
            index = index.wrapping_add(1);
            let before = leaving.count;
            self.give(next, now, leaving);
            idle = if leaving.count > before { 0 } else { idle + 1 };
        }
    }

    /// Returns one of the shards but `own`, a different one for each of as many `index`es in a row as there are.
    fn other(&self, own: usize, index: usize) -> usize {
        let shards = self.table.shards();
        (own + 1 + index % (shards - 1)) % shards
    }

    fn give(&self, index: usize, now: Timestamp, leaving: &mut Leaving<'_, impl Fn(&Entry) -> bool>) {
        let mut shard = self.table.own(index);
        for _ in 0..BATCH {
            if !self.is_over() {
                return;
            }
            let gone = shard.evict(now, |gone| {
                self.count_out(gone);
                leaving.leaves(gone);
            });
            if gone.is_none() {
                return;
            }
        }
    }
}

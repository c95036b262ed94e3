//! A part of the tier under one lock: keys go in, slots and what leaves them come out.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use hashbrown::HashTable;

use super::eviction::Eviction;
use super::policy::{Policy, SlotId, Trace};
use super::slots::{Slot, Slots};
use crate::entry::Entry;
use crate::key::{Key, KeyRef};
use crate::time::Timestamp;

/// A table from keys to slots, the policy over the slots, and the queue of their deadlines.
#[derive(Debug)]
pub(crate) struct Shard {
    table: HashTable<SlotId>,
    slots: Slots,
    policy: Box<dyn Policy>,
    trace: Trace,
    /// Each slot whose entry dies by age, at a time not later than its true deadline: an access moves the deadline of
    /// an entry with a TTI, and the queue learns of it when the slot comes up.
    deadlines: BTreeSet<(Timestamp, SlotId)>,
}

impl Shard {
    pub(crate) fn new(eviction: Eviction, seed: u64) -> Self {
        Self {
            table: HashTable::new(),
            slots: Slots::default(),
            policy: eviction.policy(seed),
            trace: eviction.trace(),
            deadlines: BTreeSet::new(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.slots.filled()
    }

    pub(crate) fn slots(&self) -> &Slots {
        &self.slots
    }

    pub(crate) fn find(&self, at: KeyRef<'_>) -> Option<SlotId> {
        let is_same = |slot: &SlotId| {
            let key = &self.slots.filled_at(*slot).key;
            key.region().id() == at.region.id() && key.bytes() == at.bytes
        };
        self.table.find(at.hash, is_same).copied()
    }

    pub(crate) fn entry(&self, slot: SlotId) -> &Arc<Entry> {
        &self.slots.filled_at(slot).entry
    }

    /// Notes a use for the policy. Needs no exclusive access: readers call this at the same time.
    pub(crate) fn note_use(&self, slot: SlotId) {
        self.slots.note_use(slot, self.trace);
    }

    /// Stores the entry of a key that is not there.
    pub(crate) fn add(&mut self, at: KeyRef<'_>, entry: Arc<Entry>) {
        entry.meta.uses.store(0, Ordering::Relaxed);
        let slot = self.slots.fill(at, entry);
        let slots = &self.slots;
        self.table.insert_unique(at.hash, slot, |slot| slots.filled_at(*slot).hash);
        self.policy.enter(slot, &self.slots);
        self.queue(slot);
    }

    /// Stores another entry in a filled slot and returns the one that was there. Counts as a use.
    pub(crate) fn replace(&mut self, slot: SlotId, entry: Arc<Entry>) -> Arc<Entry> {
        self.unqueue(slot);
        let known = &mut self.slots.filled_at_mut(slot).entry;
        entry.meta.uses.store(known.meta.uses.load(Ordering::Relaxed), Ordering::Relaxed);
        let replaced = std::mem::replace(known, entry);
        self.note_use(slot);
        self.policy.renew(slot);
        self.queue(slot);
        replaced
    }

    /// Empties a slot for another reason than room.
    pub(crate) fn take(&mut self, slot: SlotId) -> Gone {
        self.policy.forget(slot);
        self.empty(slot)
    }

    /// Empties a slot for room: one whose entry is dead at `now` if there is one, else the one the policy chooses.
    pub(crate) fn evict(&mut self, now: Timestamp) -> Option<Gone> {
        if let Some(dead) = self.next_dead(now) {
            return Some(self.take(dead));
        }
        let victim = self.policy.evict(&self.slots)?;
        Some(self.empty(victim))
    }

    /// Returns a slot whose entry is dead at `now`.
    pub(crate) fn next_dead(&mut self, now: Timestamp) -> Option<SlotId> {
        loop {
            let (due_at, slot) = *self.deadlines.first()?;
            if due_at > now {
                return None;
            }
            if self.entry(slot).meta.life.dead_at() <= now {
                return Some(slot);
            }
            self.unqueue(slot);
            self.queue(slot);
        }
    }

    /// Queues a slot anew, whose deadline was moved.
    pub(crate) fn requeue(&mut self, slot: SlotId) {
        self.unqueue(slot);
        self.queue(slot);
    }

    /// Returns a time not later than the first deadline of all.
    pub(crate) fn next_deadline(&self) -> Option<Timestamp> {
        self.deadlines.first().map(|(due_at, _)| *due_at)
    }

    fn empty(&mut self, slot: SlotId) -> Gone {
        self.unqueue(slot);
        let taken = self.slots.empty(slot);
        if let Ok(found) = self.table.find_entry(taken.hash, |known| *known == slot) {
            found.remove();
        }
        Gone { slot, key: taken.key, entry: taken.entry }
    }

    fn queue(&mut self, slot: SlotId) {
        let filled = self.slots.filled_at_mut(slot);
        let due_at = filled.entry.meta.life.dead_at();
        // An access only moves a deadline on, so one that is out of reach stays so until it is queued anew.
        if due_at != Timestamp::NEVER {
            filled.due_at = due_at;
            self.deadlines.insert((due_at, slot));
        }
    }

    fn unqueue(&mut self, slot: SlotId) {
        let filled = self.slots.filled_at_mut(slot);
        let due_at = std::mem::replace(&mut filled.due_at, Timestamp::NEVER);
        if due_at != Timestamp::NEVER {
            self.deadlines.remove(&(due_at, slot));
        }
    }

    pub(crate) fn into_slots(self) -> impl Iterator<Item = Slot> {
        self.slots.into_filled()
    }

    /// Panics unless table, slots, policy and deadlines agree.
    #[cfg(test)]
    pub(crate) fn check_invariants(&self) {
        let numbers = 0..self.slots.numbers() as SlotId;
        let filled: Vec<SlotId> = numbers.filter(|slot| self.slots.get(*slot).is_some()).collect();
        assert_eq!(filled.len(), self.slots.filled());
        let mut in_table: Vec<SlotId> = self.table.iter().copied().collect();
        in_table.sort_unstable();
        assert_eq!(in_table, filled, "table");
        let mut in_policy = self.policy.members();
        in_policy.sort_unstable();
        assert_eq!(in_policy, filled, "policy");
        let mut due: Vec<(Timestamp, SlotId)> = Vec::new();
        for slot in filled {
            let Slot { key, hash, entry, due_at, .. } = self.slots.filled_at(slot);
            let at = KeyRef { region: key.region(), bytes: key.bytes(), hash: *hash };
            assert_eq!(self.find(at), Some(slot), "a key leads to its slot");
            assert!(*due_at <= entry.meta.life.dead_at(), "a slot is queued by its deadline");
            if *due_at != Timestamp::NEVER {
                due.push((*due_at, slot));
            }
        }
        due.sort_unstable();
        assert_eq!(self.deadlines.iter().copied().collect::<Vec<_>>(), due, "deadlines");
    }
}

/// What left a slot.
#[derive(Debug)]
pub(crate) struct Gone {
    pub(crate) slot: SlotId,
    pub(crate) key: Key,
    pub(crate) entry: Arc<Entry>,
}

impl Gone {
    pub(crate) fn into_pair(self) -> (Key, Arc<Entry>) {
        (self.key, self.entry)
    }
}

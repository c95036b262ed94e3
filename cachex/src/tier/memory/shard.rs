//! A part of the tier under one lock: its entries, who of them leaves for room, and who falls due.

use super::Left;
use super::deadlines::Deadlines;
use super::policy::{Chosen, Policy, SlotId};
use super::slots::Slots;
use crate::entry::{Entry, EntryParts};
use crate::key::KeyRef;
use crate::raw::table::{Crowded, Owner};
use crate::time::Timestamp;

/// The one that may change a shard: its part of the index, and what is kept beside it.
pub(crate) type ShardOwner<'a> = Owner<'a, EntryParts, Shard>;

/// What is kept beside the index.
#[derive(Debug)]
pub(crate) struct Shard {
    slots: Slots,
    policy: Chosen,
    /// Numbers of slots that may be used anew.
    empty: Vec<SlotId>,
    /// Not later than the entries of slots die by age: an access moves the deadline of an entry with a TTI, which is noticed when
    /// the slot comes up.
    deadlines: Deadlines,
}

impl Shard {
    pub(crate) fn new(policy: Chosen, slots: Slots) -> Self {
        Self { slots, policy, empty: Vec::new(), deadlines: Deadlines::default() }
    }

    pub(crate) fn len(&self) -> usize {
        self.slots.filled()
    }

    pub(crate) fn slots(&self) -> &Slots {
        &self.slots
    }

    /// Returns a time not later than the first deadline of all.
    pub(crate) fn next_deadline(&self) -> Timestamp {
        self.deadlines.first()
    }

    /// Returns a slot whose entry is dead at `now`.
    #[inline]
    pub(crate) fn next_dead(&mut self, now: Timestamp) -> Option<SlotId> {
        if self.deadlines.first() > now { None } else { self.look_for_dead(now) }
    }

    #[inline(never)]
    fn look_for_dead(&mut self, now: Timestamp) -> Option<SlotId> {
        // What never dies does not die at the end of time either.
        let now = now.min(Timestamp::from_nanos(Timestamp::NEVER.as_nanos() - 1));
        while let Some(block) = self.deadlines.due(now) {
            let mut first = Timestamp::NEVER;
            for slot in block.slots() {
                let Some(entry) = self.slots.get(slot) else { continue };
                let dead_at = entry.dead_at();
                if dead_at <= now {
                    // There may be others: the block stays due.
                    return Some(slot);
                }
                first = first.min(dead_at);
            }
            self.deadlines.set(block, first);
        }
        None
    }

    /// Queues a slot by the deadline its entry has now.
    #[inline]
    pub(crate) fn queue(&mut self, slot: SlotId, dead_at: Timestamp) {
        self.deadlines.put(slot, dead_at);
    }

    fn forget(&mut self, slot: SlotId) {
        self.policy.forget(slot, &mut self.empty);
    }

    /// Empties all slots.
    pub(crate) fn drain(&mut self, policy: Chosen) -> impl Iterator<Item = Entry> + use<> {
        self.policy = policy;
        self.empty.clear();
        self.deadlines = Deadlines::default();
        self.slots.drain()
    }
}

impl ShardOwner<'_> {
    #[inline]
    pub(crate) fn entry_at(&self, at: KeyRef<'_>) -> Option<Entry> {
        self.find(at).map(|entry| Entry::clone(&entry))
    }

    /// Stores the entry of a key that is not there. What stands in its way, because too many keys have its hash, leaves.
    pub(crate) fn add(&mut self, at: KeyRef<'_>, entry: Entry, gone: &mut Left) {
        let dead_at = entry.dead_at();
        let mut node = entry.clone();
        while let Err(crowded) = self.put_in(at.hash, node) {
            gone.push(self.take(&crowded.other));
            node = crowded.node;
        }
        let shard = self.state_mut();
        let slot = shard.slots.fill(shard.empty.pop(), entry);
        shard.policy.enter(slot, at.hash, &shard.slots);
        shard.queue(slot, dead_at);
    }

    /// Stores the entry of a key in the place of the one that is there, and returns that.
    pub(crate) fn put(&mut self, at: KeyRef<'_>, known: &Entry, entry: Entry) -> Entry {
        let (slot, dead_at) = (known.number(), entry.dead_at());
        self.replace(at.hash, known, entry.clone(), known.weight());
        let shard = self.state_mut();
        let replaced = shard.slots.replace(slot, entry);
        shard.policy.renew(slot);
        shard.queue(slot, dead_at);
        replaced
    }

    fn put_in(&mut self, hash: u64, entry: Entry) -> Result<(), Crowded<EntryParts>> {
        self.insert(hash, entry, |shard, entry| shard.slots.hash(entry))
    }

    /// Empties the slot of an entry for another reason than room.
    pub(crate) fn take(&mut self, entry: &Entry) -> Entry {
        self.state_mut().forget(entry.number());
        self.empty(entry.number()).0
    }

    /// Empties a slot for room: one whose entry is dead at `now` if there is one, else the one the policy chooses.
    pub(crate) fn evict(&mut self, now: Timestamp) -> Option<Entry> {
        let shard = self.state_mut();
        if let Some(dead) = shard.next_dead(now) {
            shard.forget(dead);
            return Some(self.empty(dead).0);
        }
        let victim = shard.policy.evict(&shard.slots, &mut shard.empty)?;
        shard.empty.push(victim);
        let (entry, hash) = self.empty(victim);
        self.state_mut().policy.note_victim(hash);
        Some(entry)
    }

    /// Empties a slot; returns its entry and the hash of its key.
    fn empty(&mut self, slot: SlotId) -> (Entry, u64) {
        let shard = self.state_mut();
        let entry = shard.slots.empty(slot);
        let hash = shard.slots.hash(&entry);
        self.remove(hash, &entry, entry.weight());
        (entry, hash)
    }

    /// Panics unless index, slots, policy and deadlines agree.
    #[cfg(test)]
    pub(crate) fn check_invariants(&self) {
        let Shard { slots, policy, empty, deadlines } = self.state();
        let numbers = 0..slots.numbers() as SlotId;
        let filled: Vec<SlotId> = numbers.filter(|slot| slots.get(*slot).is_some()).collect();
        assert_eq!(filled.len(), slots.filled());
        assert!(empty.iter().all(|slot| slots.get(*slot).is_none()), "what is used anew is empty");
        let mut in_index: Vec<SlotId> = self.all().iter().map(Entry::number).collect();
        in_index.sort_unstable();
        assert_eq!(in_index, filled, "index");
        let mut in_policy = policy.members();
        in_policy.sort_unstable();
        assert_eq!(in_policy, filled, "policy");
        for slot in filled {
            let entry = slots.entry(slot);
            assert!(self.has(slots.hash(entry), entry) && entry.number() == slot, "a key leads to its slot");
            deadlines.check(slot, entry.dead_at());
        }
    }
}

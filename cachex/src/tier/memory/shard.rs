//! A part of the tier under one lock: its entries, who of them leaves for room, and who falls due.

use std::sync::Arc;

use super::Left;
use super::deadlines::Deadlines;
use super::hasher::KeyHasher;
use super::policy::{Chosen, MOST_SLOTS, Policy, SlotId, Traces};
use super::slots::Slots;
use super::uses::Uses;
use crate::entry::{Entry, EntryParts};
use crate::key::KeyRef;
use crate::raw::table::{Nodes, Owner};
use crate::time::Timestamp;

/// The one that may change a shard: its part of the index, and what is kept beside it.
pub(crate) type ShardOwner<'a> = Owner<'a, EntryParts, Shard>;

/// What is kept beside the index.
#[derive(Debug)]
pub(crate) struct Shard {
    hasher: KeyHasher,
    uses: Arc<Uses>,
    policy: Chosen,
    /// Numbers of slots that may be used anew.
    empty: Vec<SlotId>,
    /// Numbers below are of slots, or may be used anew, or will be.
    next: SlotId,
    /// Not later than the entries of slots die by age: an access moves the deadline of an entry with a TTI, which is noticed when
    /// the slot comes up.
    deadlines: Deadlines,
    /// The sum of the entries' weights.
    weight: u64,
}

impl Shard {
    pub(crate) fn new(policy: Chosen, hasher: KeyHasher, uses: Arc<Uses>) -> Self {
        Self { hasher, uses, policy, empty: Vec::new(), next: 0, deadlines: Deadlines::default(), weight: 0 }
    }

    /// Returns a time not later than the first deadline of all.
    pub(crate) fn next_deadline(&self) -> Timestamp {
        self.deadlines.first()
    }

    /// Returns the sum of the entries' weights.
    pub(crate) fn weight(&self) -> u64 {
        self.weight
    }

    #[inline(never)]
    fn look_for_dead(&mut self, nodes: &Nodes<'_, EntryParts>, now: Timestamp) -> Option<SlotId> {
        // What never dies does not die at the end of time either.
        let now = now.min(Timestamp::from_nanos(Timestamp::NEVER.as_nanos() - 1));
        while let Some(block) = self.deadlines.due(now) {
            let mut first = Timestamp::NEVER;
            for slot in block.slots() {
                let Some(entry) = nodes.get(slot) else { continue };
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

    /// Returns a number that no slot has.
    fn take_number(&mut self) -> SlotId {
        if let Some(number) = self.empty.pop() {
            return number;
        }
        assert!(self.next < MOST_SLOTS, "a shard holds fewer than 2^30 entries, each of some hundred bytes");
        self.next += 1;
        self.next - 1
    }
}

impl ShardOwner<'_> {
    #[inline]
    pub(crate) fn entry_at(&self, at: KeyRef<'_>) -> Option<Entry> {
        self.find(at).map(|entry| Entry::clone(&entry))
    }

    /// Returns a slot whose entry is dead at `now`.
    #[inline]
    pub(crate) fn next_dead(&mut self, now: Timestamp) -> Option<SlotId> {
        if self.state().next_deadline() > now {
            return None;
        }
        let (shard, nodes) = self.split();
        shard.look_for_dead(&nodes, now)
    }

    /// Stores the entry of a key that is not there. What stands in its way, because too many keys have its hash, leaves.
    pub(crate) fn add(&mut self, at: KeyRef<'_>, entry: Entry, gone: &mut Left) {
        let dead_at = entry.dead_at();
        self.state_mut().weight += entry.weight();
        self.state().uses.begin(&entry);
        let slot = self.state_mut().take_number();
        let mut node = entry;
        while let Err(crowded) = self.insert(at.hash, slot, node, |shard, entry| shard.hasher.hash_of(entry)) {
            gone.push(self.take(&crowded.other));
            node = crowded.node;
        }
        let (Shard { hasher, uses, policy, .. }, nodes) = self.split();
        policy.enter(slot, at.hash, &Slots { nodes, hasher, uses });
        self.state_mut().queue(slot, dead_at);
    }

    /// Stores the entry of a key in the place of the one that is there, and returns that. Counts as a use of the same.
    pub(crate) fn put(&mut self, known: &Entry, entry: Entry) -> Entry {
        let (slot, dead_at) = (known.number(), entry.dead_at());
        self.state_mut().weight += entry.weight();
        self.state_mut().weight -= known.weight();
        entry.set_trace(known.trace());
        self.state().uses.note(&entry);
        let replaced = self.replace(slot, entry, known.weight());
        let shard = self.state_mut();
        shard.policy.renew(slot);
        shard.queue(slot, dead_at);
        replaced
    }

    /// Empties the slot of an entry for another reason than room.
    pub(crate) fn take(&mut self, entry: &Entry) -> Entry {
        let slot = entry.number();
        self.state_mut().weight -= entry.weight();
        self.state_mut().forget(slot);
        self.remove(slot, Entry::weight)
    }

    /// Empties a slot for room: one whose entry is dead at `now` if there is one, else the one the policy chooses. `see` is shown
    /// the entry.
    pub(crate) fn evict<T>(&mut self, now: Timestamp, see: impl FnOnce(&Entry) -> T) -> Option<T> {
        if let Some(dead) = self.next_dead(now) {
            self.state_mut().forget(dead);
            return Some(self.empty(dead, see));
        }
        let (Shard { hasher, uses, policy, empty, .. }, nodes) = self.split();
        let slots = Slots { nodes, hasher, uses };
        let victim = policy.evict(&slots, empty)?;
        empty.push(victim);
        policy.note_victim(slots.hash(victim));
        Some(self.empty(victim, see))
    }

    fn empty<T>(&mut self, slot: SlotId, see: impl FnOnce(&Entry) -> T) -> T {
        let (seen, weight) = self.take_out(slot, |entry| ((see(entry), entry.weight()), entry.weight()));
        self.state_mut().weight -= weight;
        seen
    }

    /// Empties all slots.
    pub(crate) fn drain(&mut self, policy: Chosen) -> Vec<Entry> {
        let shard = self.state_mut();
        shard.policy = policy;
        shard.empty.clear();
        shard.next = 0;
        shard.deadlines = Deadlines::default();
        shard.weight = 0;
        self.clear(Entry::weight)
    }

    /// Panics unless index, slots, policy and deadlines agree.
    #[cfg(test)]
    pub(crate) fn check_invariants(&self) {
        let (Shard { policy, empty, next, deadlines, .. }, nodes) = (self.state(), self.nodes());
        let numbers = 0..nodes.numbers() as SlotId;
        let filled: Vec<SlotId> = numbers.filter(|slot| nodes.get(*slot).is_some()).collect();
        assert_eq!(filled.len(), self.len());
        assert_eq!(self.all().iter().map(Entry::weight).sum::<u64>(), self.state().weight());
        assert!(empty.iter().all(|slot| slot < next && nodes.get(*slot).is_none()), "what is used anew is empty");
        let mut in_index: Vec<SlotId> = self.all().iter().map(Entry::number).collect();
        in_index.sort_unstable();
        assert_eq!(in_index, filled, "index");
        let mut in_policy = policy.members();
        in_policy.sort_unstable();
        assert_eq!(in_policy, filled, "policy");
        for slot in filled {
            let entry = nodes.node(slot);
            assert!(self.has(&entry) && entry.number() == slot && slot < *next, "an entry knows its slot");
            deadlines.check(slot, entry.dead_at());
        }
    }
}

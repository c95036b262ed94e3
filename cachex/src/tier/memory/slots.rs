//! The slots of a shard: its entries by number, for what is chosen and walked through by number.

use std::sync::Arc;

use super::hasher::KeyHasher;
use super::policy::{MOST_SLOTS, SlotId, Traces};
use super::uses::Uses;
use crate::entry::Entry;

/// One part in so many of a list may be room that is not used …
const SPARE_PART: usize = 16;
/// … or so many places.
const LEAST_SPARE: usize = 15;

/// Slots by number. An entry knows its number.
#[derive(Debug)]
pub(crate) struct Slots {
    all: Vec<Option<Entry>>,
    filled: usize,
    hasher: KeyHasher,
    uses: Arc<Uses>,
}

impl Slots {
    pub(crate) fn new(hasher: KeyHasher, uses: Arc<Uses>) -> Self {
        Self { all: Vec::new(), filled: 0, hasher, uses }
    }

    /// Returns the number of filled slots.
    pub(crate) fn filled(&self) -> usize {
        self.filled
    }

    /// Returns how many slot numbers there are: filled ones and empty ones.
    pub(crate) fn numbers(&self) -> usize {
        self.all.len()
    }

    pub(crate) fn get(&self, slot: SlotId) -> Option<&Entry> {
        self.all.get(slot as usize)?.as_ref()
    }

    /// Returns the entry of a slot that is known to be filled.
    pub(crate) fn entry(&self, slot: SlotId) -> &Entry {
        self.get(slot).expect("policy and deadlines name filled slots only")
    }

    /// Puts an entry into the slot of a number that is used anew, or into a new one. It has not been used yet.
    pub(crate) fn fill(&mut self, empty: Option<SlotId>, entry: Entry) -> SlotId {
        self.uses.begin(&entry);
        self.filled += 1;
        if let Some(number) = empty {
            entry.set_number(number);
            self.all[number as usize] = Some(entry);
            return number;
        }
        let number = SlotId::try_from(self.all.len()).ok().filter(|number| *number < MOST_SLOTS);
        let number = number.expect("a shard holds fewer than 2^30 entries, each of some hundred bytes");
        entry.set_number(number);
        make_room(&mut self.all, number as usize);
        self.all.push(Some(entry));
        number
    }

    /// Puts another entry into a filled slot, and returns the former one. Counts as a use of the same.
    pub(crate) fn replace(&mut self, slot: SlotId, entry: Entry) -> Entry {
        entry.set_number(slot);
        entry.set_trace(self.entry(slot).trace());
        self.uses.note(&entry);
        self.all[slot as usize].replace(entry).expect("only filled slots are replaced")
    }

    pub(crate) fn empty(&mut self, slot: SlotId) -> Entry {
        let taken = self.all[slot as usize].take().expect("policy and deadlines name filled slots only");
        self.filled -= 1;
        taken
    }

    pub(crate) fn hash(&self, entry: &Entry) -> u64 {
        self.hasher.hash_of(entry)
    }

    #[cfg(test)]
    pub(crate) fn for_each(&self, f: impl FnMut(&Entry)) {
        self.all.iter().flatten().for_each(f);
    }

    /// Empties all slots.
    pub(crate) fn drain(&mut self) -> impl Iterator<Item = Entry> + use<> {
        self.filled = 0;
        std::mem::take(&mut self.all).into_iter().flatten()
    }
}

/// Makes room for the element at an index that is about to be added. There are many such lists, of many elements: they grow by a
/// little, for what is not used of them is lost.
pub(crate) fn make_room<T>(list: &mut Vec<T>, index: usize) {
    if index >= list.capacity() {
        list.reserve_exact(index + 1 - list.len() + (list.len() / SPARE_PART).max(LEAST_SPARE));
    }
}

impl Traces for Slots {
    fn uses(&self, slot: SlotId) -> u8 {
        u8::try_from(self.entry(slot).trace()).unwrap_or(u8::MAX)
    }

    fn set_uses(&self, slot: SlotId, uses: u8) {
        self.entry(slot).set_trace(u32::from(uses));
    }

    fn used_at(&self, slot: SlotId) -> u64 {
        self.uses.used_at(self.entry(slot))
    }

    fn hash(&self, slot: SlotId) -> u64 {
        self.hash(self.entry(slot))
    }
}

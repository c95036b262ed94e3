//! Random choice.

use super::{Policy, SlotId, Traces};
use crate::raw::room::make_room;

/// Evicts any entry, each with the same chance.
#[derive(Debug)]
pub(crate) struct Random {
    slots: Vec<SlotId>,
    /// The place of each slot in `slots`; meaningless for slots not held.
    places: Vec<u32>,
    state: u64,
}

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self { slots: Vec::new(), places: Vec::new(), state: seed }
    }

    /// SplitMix64: Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
    fn draw(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.state;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    fn take(&mut self, slot: SlotId) {
        let place = self.places[slot as usize];
        self.slots.swap_remove(place as usize);
        if let Some(moved) = self.slots.get(place as usize) {
            self.places[*moved as usize] = place;
        }
    }
}

impl Policy for Random {
    fn enter(&mut self, slot: SlotId, _hash: u64, _traces: &impl Traces) {
        let index = slot as usize;
        if self.places.len() <= index {
            make_room(&mut self.places, index);
            self.places.resize(index + 1, 0);
        }
        self.places[index] = self.slots.len() as u32;
        let count = self.slots.len();
        make_room(&mut self.slots, count);
        self.slots.push(slot);
    }

    fn forget(&mut self, slot: SlotId, empty: &mut Vec<SlotId>) {
        self.take(slot);
        empty.push(slot);
    }
    fn evict(&mut self, _traces: &impl Traces, _empty: &mut Vec<SlotId>) -> Option<SlotId> {
        if self.slots.is_empty() {
            return None;
        }
        // The remainder favours small places by less than 2^-32: a shard has fewer than 2^32 slots.
        let place = self.draw() % self.slots.len() as u64;
        let victim = self.slots[place as usize];
        self.take(victim);
        Some(victim)
    }

    #[cfg(test)]
    fn members(&self) -> Vec<SlotId> {
        self.slots.clone()
    }
}

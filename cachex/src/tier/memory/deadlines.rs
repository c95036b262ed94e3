//! Which slots fall due, in the order in which they do.

use super::policy::SlotId;
use crate::time::Timestamp;

const NONE: u32 = u32::MAX;

/// A binary heap of slots by their times, with the place of each slot in it.
///
/// A slot that falls due later than all others, as most that are queued do, is queued with one comparison.
#[derive(Debug, Default)]
pub(crate) struct Deadlines {
    due: Vec<Timestamp>,
    slots: Vec<SlotId>,
    /// The place of each slot in the heap, or [`NONE`].
    places: Vec<u32>,
}

impl Deadlines {
    /// Returns the slot that falls due first, and when.
    pub(crate) fn first(&self) -> Option<(Timestamp, SlotId)> {
        self.due.first().copied().zip(self.slots.first().copied())
    }

    /// Queues a slot, or queues it anew.
    pub(crate) fn put(&mut self, slot: SlotId, due_at: Timestamp) {
        self.remove(slot);
        let index = slot as usize;
        if self.places.len() <= index {
            self.places.resize(index + 1, NONE);
        }
        let last = self.slots.len();
        self.due.push(due_at);
        self.slots.push(slot);
        self.places[index] = last as u32;
        self.rise(last);
    }

    /// Takes a slot out, if it is queued.
    pub(crate) fn remove(&mut self, slot: SlotId) {
        let Some(place) = self.places.get_mut(slot as usize).filter(|place| **place != NONE) else { return };
        let place = std::mem::replace(place, NONE) as usize;
        self.due.swap_remove(place);
        self.slots.swap_remove(place);
        if let Some(moved) = self.slots.get(place) {
            self.places[*moved as usize] = place as u32;
            self.sink(place);
            self.rise(place);
        }
    }

    /// Moves a slot up while it falls due before the one above it.
    fn rise(&mut self, mut place: usize) {
        while let Some(above) = place.checked_sub(1).map(|below| below / 2)
            && self.due[place] < self.due[above]
        {
            self.swap(place, above);
            place = above;
        }
    }

    /// Moves a slot down while one below it falls due before it.
    fn sink(&mut self, mut place: usize) {
        loop {
            let below = [2 * place + 1, 2 * place + 2].into_iter().filter(|below| *below < self.due.len());
            let Some(first) = below.min_by_key(|below| self.due[*below]) else { return };
            if self.due[place] <= self.due[first] {
                return;
            }
            self.swap(place, first);
            place = first;
        }
    }

    fn swap(&mut self, one: usize, other: usize) {
        self.due.swap(one, other);
        self.slots.swap(one, other);
        self.places[self.slots[one] as usize] = one as u32;
        self.places[self.slots[other] as usize] = other as u32;
    }

    /// Returns all that is queued, for checks.
    #[cfg(test)]
    pub(crate) fn all(&self) -> Vec<(Timestamp, SlotId)> {
        self.due.iter().copied().zip(self.slots.iter().copied()).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn deadlines_agree_with_a_map(steps in proptest::collection::vec((0_u8..3, 0_u32..20, 0_u64..30), 0..200)) {
            let mut deadlines = Deadlines::default();
            let mut model = BTreeMap::new();
            for (step, slot, due_at) in steps {
                let due_at = Timestamp::from_nanos(due_at);
                if step == 0 {
                    deadlines.remove(slot);
                    model.remove(&slot);
                } else {
                    deadlines.put(slot, due_at);
                    model.insert(slot, due_at);
                }
                prop_assert_eq!(deadlines.first().map(|(due_at, _)| due_at), model.values().min().copied());
                let mut all = deadlines.all();
                all.sort_unstable();
                let mut expected: Vec<_> = model.iter().map(|(slot, due_at)| (*due_at, *slot)).collect();
                expected.sort_unstable();
                prop_assert_eq!(all, expected);
            }
        }
    }
}

//! Queues of slots, oldest first, with four bytes for each slot: singly linked, and with holes.

use super::SlotId;
#[cfg(test)]
use super::link::known;
use super::link::{LAST_PLACE, Link, NONE};
use crate::raw::room::make_room;

/// `N` queues that share their links, each to the slot that came right after; a slot is in one of them at a time.
///
/// Slots leave at the front. One that is taken out elsewhere leaves a hole: its number must not be used anew before the hole comes
/// to the front, or before there are so many that all are taken out at once.
#[derive(Debug)]
pub(crate) struct Queues<const N: usize> {
    links: Vec<Link>,
    ends: [Ends; N],
    holes: usize,
}

/// One in so many may be a hole, and [`FEW_HOLES`] more.
const HOLES_PART: usize = 8;
const FEW_HOLES: usize = 16;

/// The place of a hole; those of slots are the numbers of their queues.
const HOLE: usize = LAST_PLACE;

#[derive(Clone, Copy, Debug)]
struct Ends {
    newest: SlotId,
    oldest: SlotId,
    /// Of slots, not of holes.
    len: usize,
}

impl<const N: usize> Default for Queues<N> {
    fn default() -> Self {
        const { assert!(N <= HOLE, "the number of a queue is none of a hole") }
        Self { links: Vec::new(), ends: [Ends { newest: NONE, oldest: NONE, len: 0 }; N], holes: 0 }
    }
}

impl<const N: usize> Queues<N> {
    pub(crate) fn len(&self, queue: usize) -> usize {
        self.ends[queue].len
    }

    /// Adds a slot that is in no queue.
    pub(crate) fn push(&mut self, queue: usize, slot: SlotId) {
        let index = slot as usize;
        if self.links.len() <= index {
            make_room(&mut self.links, index);
            self.links.resize(index + 1, Link::new(NONE, queue));
        }
        self.append(queue, slot);
        self.ends[queue].len += 1;
    }

    /// Returns the oldest slot of a queue. The holes before it are gone: their numbers are added to `empty`.
    pub(crate) fn oldest(&mut self, queue: usize, empty: &mut Vec<SlotId>) -> Option<SlotId> {
        loop {
            let oldest = self.ends[queue].oldest;
            if oldest == NONE {
                return None;
            }
            if self.links[oldest as usize].place() != HOLE {
                return Some(oldest);
            }
            self.detach_oldest(queue);
            self.holes -= 1;
            empty.push(oldest);
        }
    }

    /// Takes out the slot that is the oldest of a queue.
    pub(crate) fn remove_oldest(&mut self, queue: usize) {
        self.detach_oldest(queue);
        self.ends[queue].len -= 1;
    }

    /// Makes the slot that is the oldest of a queue the newest of one.
    pub(crate) fn move_oldest(&mut self, queue: usize, to: usize) {
        let slot = self.ends[queue].oldest;
        self.remove_oldest(queue);
        self.append(to, slot);
        self.ends[to].len += 1;
    }

    /// Takes out a slot, wherever it is. Numbers that may be used anew are added to `empty`: this one, sooner or later.
    pub(crate) fn remove(&mut self, slot: SlotId, empty: &mut Vec<SlotId>) {
        let link = &mut self.links[slot as usize];
        self.ends[link.place()].len -= 1;
        *link = Link::new(link.next(), HOLE);
        self.holes += 1;
        let held: usize = self.ends.iter().map(|ends| ends.len).sum();
        if self.holes > FEW_HOLES + held / HOLES_PART {
            self.close_holes(empty);
        }
    }

    fn append(&mut self, queue: usize, slot: SlotId) {
        self.links[slot as usize] = Link::new(NONE, queue);
        let newest = std::mem::replace(&mut self.ends[queue].newest, slot);
        if newest == NONE {
            self.ends[queue].oldest = slot;
        } else {
            let link = &mut self.links[newest as usize];
            *link = link.to(slot);
        }
    }

    fn detach_oldest(&mut self, queue: usize) {
        let ends = &mut self.ends[queue];
        ends.oldest = self.links[ends.oldest as usize].next();
        if ends.oldest == NONE {
            ends.newest = NONE;
        }
    }

    /// Takes all holes out.
    #[cold]
    fn close_holes(&mut self, empty: &mut Vec<SlotId>) {
        for queue in 0..N {
            let mut slot = self.ends[queue].oldest;
            (self.ends[queue].oldest, self.ends[queue].newest) = (NONE, NONE);
            while slot != NONE {
                let link = self.links[slot as usize];
                if link.place() == HOLE {
                    empty.push(slot)
                } else {
                    self.append(queue, slot)
                }
                slot = link.next();
            }
        }
        self.holes = 0;
    }

    /// Returns the slots of a queue, oldest first.
    #[cfg(test)]
    pub(crate) fn oldest_first(&self, queue: usize) -> Vec<SlotId> {
        let next = |slot: &SlotId| known(self.links[*slot as usize].next());
        let all = std::iter::successors(known(self.ends[queue].oldest), next);
        all.filter(|slot| self.links[*slot as usize].place() != HOLE).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn queues_agree_with_vectors(steps in proptest::collection::vec((0_u8..5, 0_usize..2, 0_usize..40), 0..400)) {
            let mut queues = Queues::<2>::default();
            let mut model = [Vec::new(), Vec::new()];
            let (mut empty, mut numbers) = (Vec::new(), 0);
            for (step, queue, at) in steps {
                let oldest = queues.oldest(queue, &mut empty);
                prop_assert_eq!(oldest, model[queue].first().copied());
                match (step, oldest) {
                    (0, Some(_)) => {
                        queues.remove_oldest(queue);
                        empty.push(model[queue].remove(0));
                    }
                    (1, Some(_)) => {
                        queues.move_oldest(queue, at % 2);
                        let moved = model[queue].remove(0);
                        model[at % 2].push(moved);
                    }
                    (2, Some(_)) => {
                        let taken = model[queue].remove(at % model[queue].len());
                        queues.remove(taken, &mut empty);
                    }
                    _ => {
                        let slot = empty.pop().unwrap_or_else(|| { numbers += 1; numbers - 1 });
                        queues.push(queue, slot);
                        model[queue].push(slot);
                    }
                }
                for (queue, expected) in model.iter().enumerate() {
                    prop_assert_eq!(&queues.oldest_first(queue), expected);
                    prop_assert_eq!(queues.len(queue), expected.len());
                }
            }
            for queue in 0..2 {
                while let Some(slot) = queues.oldest(queue, &mut empty) {
                    queues.remove_oldest(queue);
                    empty.push(slot);
                }
            }
            empty.sort_unstable();
            prop_assert_eq!(empty, (0..numbers).collect::<Vec<_>>(), "each number comes back once");
        }
    }

    #[test]
    fn holes_are_few_where_no_slot_leaves_at_the_front() {
        let mut queues = Queues::<2>::default();
        let mut empty = Vec::new();
        (0..1000).for_each(|slot| queues.push(slot as usize % 2, slot));
        for slot in 2..1000 {
            queues.remove(slot, &mut empty);
            let held = queues.len(0) + queues.len(1);
            assert!(1000 - held - empty.len() <= FEW_HOLES + held / HOLES_PART);
        }
        assert_eq!([0, 1].map(|queue| queues.oldest_first(queue)), [[0], [1]]);
    }
}

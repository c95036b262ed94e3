//! Doubly linked lists over slot numbers, from newest to oldest; a slot is in one list at a time.

use super::SlotId;
use super::link::{LAST_PLACE, Link, NONE, known};
use crate::raw::room::make_room;

/// The place of a slot that is in no list; the places of others are the numbers of their lists.
const OUTSIDE: usize = LAST_PLACE;

/// `N` lists that share their links.
#[derive(Debug)]
pub(crate) struct Lists<const N: usize> {
    links: Vec<Links>,
    ends: [Ends; N],
}

#[derive(Clone, Copy, Debug)]
struct Links {
    newer: Link,
    older: SlotId,
}

#[derive(Clone, Copy, Debug)]
struct Ends {
    newest: SlotId,
    oldest: SlotId,
    len: usize,
}

impl<const N: usize> Default for Lists<N> {
    fn default() -> Self {
        const { assert!(N <= OUTSIDE, "each list has a place") }
        Self { links: Vec::new(), ends: [Ends { newest: NONE, oldest: NONE, len: 0 }; N] }
    }
}

impl<const N: usize> Lists<N> {
    pub(crate) fn len(&self, list: usize) -> usize {
        self.ends[list].len
    }

    pub(crate) fn oldest(&self, list: usize) -> Option<SlotId> {
        known(self.ends[list].oldest)
    }

    /// Returns the slot that came into the same list right after `slot`.
    pub(crate) fn newer(&self, slot: SlotId) -> Option<SlotId> {
        known(self.links[slot as usize].newer.next())
    }

    /// Adds a slot that is in no list.
    pub(crate) fn push(&mut self, list: usize, slot: SlotId) {
        let index = slot as usize;
        if self.links.len() <= index {
            make_room(&mut self.links, index);
            self.links.resize(index + 1, Links { newer: Link::new(NONE, OUTSIDE), older: NONE });
        }
        debug_assert_eq!(self.links[index].newer.place(), OUTSIDE, "slot {slot} is in a list already");
        let ends = &mut self.ends[list];
        self.links[index] = Links { newer: Link::new(NONE, list), older: ends.newest };
        match known(ends.newest) {
            Some(second) => {
                let newer = &mut self.links[second as usize].newer;
                *newer = newer.to(slot);
            }
            None => ends.oldest = slot,
        }
        ends.newest = slot;
        ends.len += 1;
    }

    /// Takes a slot out of the list it is in.
    pub(crate) fn remove(&mut self, slot: SlotId) {
        let Links { newer, older } = self.links[slot as usize];
        let (newer, list) = (newer.next(), newer.place());
        debug_assert_ne!(list, OUTSIDE, "slot {slot} is in no list");
        let ends = &mut self.ends[list];
        match known(newer) {
            Some(newer) => self.links[newer as usize].older = older,
            None => ends.newest = older,
        }
        match known(older) {
            Some(older) => {
                let link = &mut self.links[older as usize].newer;
                *link = link.to(newer);
            }
            None => ends.oldest = newer,
        }
        ends.len -= 1;
        self.links[slot as usize].newer = Link::new(NONE, OUTSIDE);
    }

    /// Makes a slot the newest of `list`, wherever it was.
    pub(crate) fn move_to(&mut self, list: usize, slot: SlotId) {
        self.remove(slot);
        self.push(list, slot);
    }

    /// Returns the slots of `list`, oldest first.
    #[cfg(test)]
    pub(crate) fn oldest_first(&self, list: usize) -> Vec<SlotId> {
        std::iter::successors(self.oldest(list), |slot| self.newer(*slot)).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn lists_agree_with_vectors(steps in proptest::collection::vec((0_u8..3, 0_usize..2, 0_u32..12), 0..200)) {
            let mut lists = Lists::<2>::default();
            let mut model = [Vec::new(), Vec::new()];
            for (step, list, slot) in steps {
                let home = model.iter().position(|slots| slots.contains(&slot));
                match (step, home) {
                    (0, None) => {
                        lists.push(list, slot);
                        model[list].push(slot);
                    }
                    (1, Some(home)) => {
                        lists.remove(slot);
                        model[home].retain(|known| *known != slot);
                    }
                    (2, Some(home)) => {
                        lists.move_to(list, slot);
                        model[home].retain(|known| *known != slot);
                        model[list].push(slot);
                    }
                    _ => {}
                }
                for (list, expected) in model.iter().enumerate() {
                    prop_assert_eq!(&lists.oldest_first(list), expected);
                    prop_assert_eq!(lists.len(list), expected.len());
                }
            }
        }
    }
}

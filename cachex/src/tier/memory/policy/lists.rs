//! Doubly linked lists over slot numbers, from newest to oldest; a slot is in one list at a time.

use super::SlotId;

const NONE: SlotId = SlotId::MAX;
const OUTSIDE: u8 = u8::MAX;

/// `N` lists that share their links.
#[derive(Debug)]
pub(crate) struct Lists<const N: usize> {
    links: Vec<Link>,
    ends: [Ends; N],
}

#[derive(Clone, Copy, Debug)]
struct Link {
    newer: SlotId,
    older: SlotId,
    list: u8,
}

#[derive(Clone, Copy, Debug)]
struct Ends {
    newest: SlotId,
    oldest: SlotId,
    len: usize,
}

impl<const N: usize> Default for Lists<N> {
    fn default() -> Self {
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
        known(self.links[slot as usize].newer)
    }

    /// Adds a slot that is in no list.
    pub(crate) fn push(&mut self, list: usize, slot: SlotId) {
        let index = slot as usize;
        if self.links.len() <= index {
            self.links.resize(index + 1, Link { newer: NONE, older: NONE, list: OUTSIDE });
        }
        debug_assert_eq!(self.links[index].list, OUTSIDE, "slot {slot} is in a list already");
        let ends = &mut self.ends[list];
        self.links[index] = Link { newer: NONE, older: ends.newest, list: list as u8 };
        match known(ends.newest) {
            Some(second) => self.links[second as usize].newer = slot,
            None => ends.oldest = slot,
        }
        ends.newest = slot;
        ends.len += 1;
    }

    /// Takes a slot out of the list it is in.
    pub(crate) fn remove(&mut self, slot: SlotId) {
        let Link { newer, older, list } = self.links[slot as usize];
        debug_assert_ne!(list, OUTSIDE, "slot {slot} is in no list");
        let ends = &mut self.ends[usize::from(list)];
        match known(newer) {
            Some(newer) => self.links[newer as usize].older = older,
            None => ends.newest = older,
        }
        match known(older) {
            Some(older) => self.links[older as usize].newer = newer,
            None => ends.oldest = newer,
        }
        ends.len -= 1;
        self.links[slot as usize].list = OUTSIDE;
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

fn known(slot: SlotId) -> Option<SlotId> {
    (slot != NONE).then_some(slot)
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

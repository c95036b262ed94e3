//! When slots fall due: bounds for blocks of them, and no more.

use std::ops::Range;

use super::policy::SlotId;
use crate::raw::room::make_room;
use crate::time::Timestamp;

/// Slots in a block.
const BLOCK: usize = 16;
/// Blocks in a group.
const GROUP: usize = 64;

/// Of each block of slots a time not later than the first of their deadlines.
///
/// A deadline that is later than what is known of its block is queued with one comparison, and one that is gone, or put off, is not
/// taken out: the block is looked at when its time comes, and only then its time is made right. What such a look costs was saved when
/// the slot was queued. Nothing is kept where no slot was ever queued.
///
/// Source: a tournament tree, in Knuth, "The Art of Computer Programming", volume 3, section 5.4.1; of two levels, and lazy.
#[derive(Debug)]
pub(crate) struct Deadlines {
    blocks: Vec<Timestamp>,
    /// Not later than any block of a group.
    groups: Vec<Timestamp>,
    /// Not later than any group.
    first: Timestamp,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self { blocks: Vec::new(), groups: Vec::new(), first: Timestamp::NEVER }
    }
}

impl Deadlines {
    /// Returns a time not later than any slot falls due.
    #[inline]
    pub(crate) fn first(&self) -> Timestamp {
        self.first
    }

    /// Queues a slot.
    #[inline]
    pub(crate) fn put(&mut self, slot: SlotId, due_at: Timestamp) {
        let block = slot as usize / BLOCK;
        let known = self.blocks.get(block).copied().unwrap_or(Timestamp::NEVER);
        if due_at < known {
            self.lower(block, due_at);
        }
    }

    #[inline(never)]
    fn lower(&mut self, block: usize, due_at: Timestamp) {
        let group = block / GROUP;
        if self.blocks.len() <= block {
            make_room(&mut self.blocks, block);
            self.blocks.resize(block + 1, Timestamp::NEVER);
            self.groups.resize(block / GROUP + 1, Timestamp::NEVER);
        }
        self.blocks[block] = due_at;
        self.groups[group] = self.groups[group].min(due_at);
        self.first = self.first.min(due_at);
    }

    /// Returns a block that may have a slot that is due at `now`, which is not [`NEVER`](Timestamp::NEVER); none if there is no
    /// such slot.
    pub(crate) fn due(&mut self, now: Timestamp) -> Option<Block> {
        while self.first <= now {
            let Some(group) = self.groups.iter().position(|due_at| *due_at <= now) else {
                self.first = earliest(&self.groups);
                continue;
            };
            let start = group * GROUP;
            let blocks = &self.blocks[start..self.blocks.len().min(start + GROUP)];
            match blocks.iter().position(|due_at| *due_at <= now) {
                Some(place) => return Some(Block(start + place)),
                None => self.groups[group] = earliest(blocks),
            }
        }
        None
    }

    /// Notes when the first slot of a block falls due, which may be later than was known.
    pub(crate) fn set(&mut self, block: Block, due_at: Timestamp) {
        self.blocks[block.0] = due_at;
    }

    /// Panics unless the bounds are bounds, also of this deadline of a slot.
    #[cfg(test)]
    pub(crate) fn check(&self, slot: SlotId, due_at: Timestamp) {
        let block = slot as usize / BLOCK;
        let known = self.blocks.get(block).copied().unwrap_or(Timestamp::NEVER);
        assert!(known <= due_at, "slot {slot} falls due at {due_at:?}, its block at {known:?}");
        assert!(self.groups.iter().all(|due_at| self.first <= *due_at), "of groups");
        let is_bound = |(block, due_at): (usize, &Timestamp)| self.groups[block / GROUP] <= *due_at;
        assert!(self.blocks.iter().enumerate().all(is_bound), "of blocks");
    }
}

/// Slots that are next to each other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Block(usize);

impl Block {
    pub(crate) fn slots(self) -> Range<SlotId> {
        let start = (self.0 * BLOCK) as SlotId;
        start..start + BLOCK as SlotId
    }
}

fn earliest(times: &[Timestamp]) -> Timestamp {
    times.iter().copied().min().unwrap_or(Timestamp::NEVER)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    /// Takes out all that is due, as a shard does.
    fn take_due(deadlines: &mut Deadlines, held: &mut BTreeMap<SlotId, Timestamp>, now: Timestamp) -> Vec<SlotId> {
        let mut taken = Vec::new();
        while let Some(block) = deadlines.due(now) {
            let due = held.range(block.slots()).filter(|(_, due_at)| **due_at <= now);
            let due: Vec<_> = due.map(|(slot, _)| *slot).collect();
            due.iter().for_each(|slot| _ = held.remove(slot));
            taken.extend(due);
            let left = held.range(block.slots()).map(|(_, due_at)| *due_at).min();
            deadlines.set(block, left.unwrap_or(Timestamp::NEVER));
        }
        taken
    }

    proptest! {
        #[test]
        fn what_is_due_comes_up_and_nothing_else(
            steps in proptest::collection::vec((0_u8..4, 0_u32..3000, 0_u64..30), 0..200),
        ) {
            let mut deadlines = Deadlines::default();
            let mut held = BTreeMap::new();
            for (step, slot, time) in steps {
                let time = Timestamp::from_nanos(time);
                match step {
                    0 => _ = held.remove(&slot),
                    1 => {
                        let mut due: Vec<_> = held.iter().filter(|(_, due_at)| **due_at <= time).collect();
                        due.sort_unstable();
                        let due: Vec<_> = due.into_iter().map(|(slot, _)| *slot).collect();
                        let mut taken = take_due(&mut deadlines, &mut held, time);
                        taken.sort_unstable();
                        prop_assert_eq!(taken, due);
                        prop_assert!(deadlines.first() > time, "the next look has nothing to look for");
                    }
                    _ => {
                        held.insert(slot, time);
                        deadlines.put(slot, time);
                    }
                }
                held.iter().for_each(|(slot, due_at)| deadlines.check(*slot, *due_at));
            }
        }
    }

    #[test]
    fn what_never_falls_due_takes_no_memory() {
        let mut deadlines = Deadlines::default();
        (0..1000).for_each(|slot| deadlines.put(slot, Timestamp::NEVER));
        assert_eq!((deadlines.blocks.capacity(), deadlines.groups.capacity()), (0, 0));
        assert_eq!(deadlines.first(), Timestamp::NEVER);
    }
}

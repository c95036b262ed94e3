//! S3-FIFO: Yang et al., "FIFO queues are all you need for cache eviction", SOSP 2023.
//!
//! Three deviations, each measured to help: one use in the small queue is enough to move to the main queue (the paper
//! asks for two); until the first eviction new entries go straight to the main queue; queue sizes are shares of what is
//! held now, so that a bound in bytes works as well as one in entries.

use super::ghost::Ghost;
use super::queues::Queues;
use super::{Patience, Policy, SlotId, Traces};

/// Uses beyond this do not count.
pub(crate) const MOST_USES: u8 = 3;

const SMALL: usize = 0;
const MAIN: usize = 1;
/// The small queue is one part in this many of all slots.
const SMALL_PART: usize = 10;

/// Evicts what was never used from a small queue of new entries, else what is no longer used from the main queue.
#[derive(Debug, Default)]
pub(crate) struct S3Fifo {
    queues: Queues<2>,
    ghost: Ghost,
    has_evicted: bool,
    /// Whether the slot chosen last was in the small queue.
    was_small: bool,
}

impl S3Fifo {
    fn len(&self) -> usize {
        self.queues.len(SMALL) + self.queues.len(MAIN)
    }

    fn is_small_full(&self) -> bool {
        self.queues.len(SMALL) * SMALL_PART >= self.len()
    }
}

impl Policy for S3Fifo {
    fn enter(&mut self, slot: SlotId, hash: u64, _traces: &impl Traces) {
        let is_known = self.ghost.recall(hash);
        let list = if is_known || !self.has_evicted { MAIN } else { SMALL };
        self.queues.push(list, slot);
    }

    fn forget(&mut self, slot: SlotId, empty: &mut Vec<SlotId>) {
        self.queues.remove(slot, empty);
    }

    fn evict(&mut self, traces: &impl Traces, empty: &mut Vec<SlotId>) -> Option<SlotId> {
        // Each slot has uses for so many rounds of the main queue, and one more if it comes there from the small one.
        let mut patience = Patience::of(self.len(), usize::from(MOST_USES) + 1);
        loop {
            if self.is_small_full()
                && let Some(slot) = self.queues.oldest(SMALL, empty)
            {
                if traces.uses(slot) > 0 && patience.lasts() {
                    traces.set_uses(slot, 0);
                    self.queues.move_oldest(SMALL, MAIN);
                    continue;
                }
                self.queues.remove_oldest(SMALL);
                (self.has_evicted, self.was_small) = (true, true);
                return Some(slot);
            }
            let slot = self.queues.oldest(MAIN, empty)?;
            let uses = traces.uses(slot);
            if uses == 0 || !patience.lasts() {
                self.queues.remove_oldest(MAIN);
                (self.has_evicted, self.was_small) = (true, false);
                return Some(slot);
            }
            traces.set_uses(slot, uses - 1);
            self.queues.move_oldest(MAIN, MAIN);
        }
    }

    fn note_victim(&mut self, hash: u64) {
        if self.was_small {
            // As many as the main queue holds: of all slots with the victim's, which has left.
            let all = self.len() + 1;
            self.ghost.remember(hash, all - all / SMALL_PART);
        }
    }

    #[cfg(test)]
    fn members(&self) -> Vec<SlotId> {
        [self.queues.oldest_first(SMALL), self.queues.oldest_first(MAIN)].concat()
    }
}

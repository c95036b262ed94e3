//! SIEVE: Zhang et al., "SIEVE is simpler than LRU: an efficient turn-key eviction algorithm for web caches", NSDI 2024.

use super::lists::Lists;
use super::{Patience, Policy, SlotId, Traces};

const ALL: usize = 0;

/// Evicts the first entry, from the hand towards newer ones, that was not used since the hand last passed it.
#[derive(Debug, Default)]
pub(crate) struct Sieve {
    lists: Lists<1>,
    /// Where the search goes on; `None`: at the oldest.
    hand: Option<SlotId>,
}

impl Policy for Sieve {
    fn enter(&mut self, slot: SlotId, _hash: u64, _traces: &impl Traces) {
        self.lists.push(ALL, slot);
    }

    fn forget(&mut self, slot: SlotId, empty: &mut Vec<SlotId>) {
        if self.hand == Some(slot) {
            self.hand = self.lists.newer(slot);
        }
        self.lists.remove(slot);
        empty.push(slot);
    }

    fn evict(&mut self, traces: &impl Traces, _empty: &mut Vec<SlotId>) -> Option<SlotId> {
        let mut patience = Patience::of(self.lists.len(ALL), 1);
        let mut at = self.hand.or(self.lists.oldest(ALL))?;
        while traces.uses(at) > 0 && patience.lasts() {
            traces.set_uses(at, 0);
            at = self.lists.newer(at).or(self.lists.oldest(ALL))?;
        }
        self.hand = self.lists.newer(at);
        self.lists.remove(at);
        Some(at)
    }

    #[cfg(test)]
    fn members(&self) -> Vec<SlotId> {
        self.lists.oldest_first(ALL)
    }
}

//! Least recently used.

use std::collections::BTreeSet;

use super::{Patience, Policy, SlotId, Traces};
use crate::raw::room::make_room;

/// Evicts the entry that was used longest ago.
///
/// Readers only leave the tick of their use at the slot; the queue learns of it when the slot comes up. A tick the queue
/// knows is never later than the true one, so a slot that comes up first with its true tick is the least recently used:
/// the order is exact, though readers never touch the queue.
#[derive(Debug, Default)]
pub(crate) struct Lru {
    queue: BTreeSet<(u64, SlotId)>,
    /// The tick under which each slot is queued; meaningless for slots not held.
    queued: Vec<u64>,
}

impl Lru {
    fn put(&mut self, slot: SlotId, used_at: u64) {
        self.queued[slot as usize] = used_at;
        self.queue.insert((used_at, slot));
    }
}

impl Policy for Lru {
    fn enter(&mut self, slot: SlotId, _hash: u64, traces: &impl Traces) {
        let index = slot as usize;
        if self.queued.len() <= index {
            make_room(&mut self.queued, index);
            self.queued.resize(index + 1, 0);
        }
        self.put(slot, traces.used_at(slot));
    }

    fn forget(&mut self, slot: SlotId, empty: &mut Vec<SlotId>) {
        self.queue.remove(&(self.queued[slot as usize], slot));
        empty.push(slot);
    }

    fn evict(&mut self, traces: &impl Traces, _empty: &mut Vec<SlotId>) -> Option<SlotId> {
        let mut patience = Patience::of(self.queue.len(), 1);
        loop {
            let (known, slot) = self.queue.pop_first()?;
            let used_at = traces.used_at(slot);
            if used_at == known || !patience.lasts() {
                return Some(slot);
            }
            self.put(slot, used_at);
        }
    }

    #[cfg(test)]
    fn members(&self) -> Vec<SlotId> {
        self.queue.iter().map(|(_, slot)| *slot).collect()
    }
}

//! First in, first out.

use super::lists::Lists;
use super::{Policy, SlotId, Traces};

const ALL: usize = 0;

/// Evicts the entry that was stored longest ago.
#[derive(Debug, Default)]
pub(crate) struct Fifo(Lists<1>);

impl Policy for Fifo {
    fn enter(&mut self, slot: SlotId, _hash: u64, _traces: &impl Traces) {
        self.0.push(ALL, slot);
    }

    fn renew(&mut self, slot: SlotId) {
        self.0.move_to(ALL, slot);
    }

    fn forget(&mut self, slot: SlotId, empty: &mut Vec<SlotId>) {
        self.0.remove(slot);
        empty.push(slot);
    }

    fn evict(&mut self, _traces: &impl Traces, _empty: &mut Vec<SlotId>) -> Option<SlotId> {
        let victim = self.0.oldest(ALL)?;
        self.0.remove(victim);
        Some(victim)
    }

    #[cfg(test)]
    fn members(&self) -> Vec<SlotId> {
        self.0.oldest_first(ALL)
    }
}

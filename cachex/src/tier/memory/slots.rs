//! The slots of a shard: its entries by number, as a policy sees them.

use super::hasher::KeyHasher;
use super::policy::{SlotId, Traces};
use super::uses::Uses;
use crate::entry::EntryParts;
use crate::raw::table::Nodes;

/// Slots by number: an entry knows its own.
pub(crate) struct Slots<'a> {
    pub(crate) nodes: Nodes<'a, EntryParts>,
    pub(crate) hasher: &'a KeyHasher,
    pub(crate) uses: &'a Uses,
}

impl Traces for Slots<'_> {
    fn uses(&self, slot: SlotId) -> u8 {
        u8::try_from(self.nodes.node(slot).trace()).unwrap_or(u8::MAX)
    }

    fn set_uses(&self, slot: SlotId, uses: u8) {
        self.nodes.node(slot).set_trace(u32::from(uses));
    }

    fn used_at(&self, slot: SlotId) -> u64 {
        self.uses.used_at(&self.nodes.node(slot))
    }

    fn hash(&self, slot: SlotId) -> u64 {
        self.hasher.hash_of(&self.nodes.node(slot))
    }
}

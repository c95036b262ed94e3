//! A slot number and a place of two bits, in four bytes.

use super::SlotId;

/// No slot: there are fewer in a shard.
pub(super) const NONE: SlotId = super::MOST_SLOTS;
/// The greatest place.
pub(super) const LAST_PLACE: usize = (SlotId::MAX >> NONE.trailing_ones()) as usize;

/// The next slot, and where the slot is to which the link belongs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Link(u32);

impl Link {
    pub(super) fn new(next: SlotId, place: usize) -> Self {
        Self(next | (place as u32) << NONE.trailing_ones())
    }

    pub(super) fn next(self) -> SlotId {
        self.0 & NONE
    }

    pub(super) fn place(self) -> usize {
        (self.0 >> NONE.trailing_ones()) as usize
    }

    /// Returns the same place with another next slot.
    pub(super) fn to(self, next: SlotId) -> Self {
        Self::new(next, self.place())
    }
}

/// Returns the slot, if it is one.
pub(super) fn known(slot: SlotId) -> Option<SlotId> {
    (slot != NONE).then_some(slot)
}

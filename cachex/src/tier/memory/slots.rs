//! The slots of a shard: where its entries lie, by number.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::policy::{SlotId, Trace, Traces};
use crate::entry::Entry;
use crate::key::{Key, KeyRef};
use crate::time::Timestamp;

/// A filled slot.
#[derive(Debug)]
pub(crate) struct Slot {
    pub(crate) key: Key,
    pub(crate) hash: u64,
    pub(crate) entry: Arc<Entry>,
    /// When the deadline queue will look at the slot; [`Timestamp::NEVER`] if it is not queued.
    pub(crate) due_at: Timestamp,
    /// The tick of the last use.
    used_at: AtomicU64,
}

/// Slots by number; numbers of emptied slots are used again.
#[derive(Debug, Default)]
pub(crate) struct Slots {
    all: Vec<Option<Slot>>,
    empty: Vec<SlotId>,
    /// The tick of the latest use of any slot.
    tick: AtomicU64,
}

impl Slots {
    /// Returns the number of filled slots.
    pub(crate) fn filled(&self) -> usize {
        self.all.len() - self.empty.len()
    }

    /// Returns how many slot numbers there are: filled ones and empty ones.
    pub(crate) fn numbers(&self) -> usize {
        self.all.len()
    }

    pub(crate) fn get(&self, slot: SlotId) -> Option<&Slot> {
        self.all.get(slot as usize)?.as_ref()
    }

    /// Returns a slot that is known to be filled.
    pub(crate) fn filled_at(&self, slot: SlotId) -> &Slot {
        self.get(slot).expect("table, policy and deadlines name filled slots only")
    }

    pub(crate) fn filled_at_mut(&mut self, slot: SlotId) -> &mut Slot {
        let found = self.all.get_mut(slot as usize).and_then(Option::as_mut);
        found.expect("table, policy and deadlines name filled slots only")
    }

    pub(crate) fn fill(&mut self, at: KeyRef<'_>, entry: Arc<Entry>) -> SlotId {
        let used_at = AtomicU64::new(self.next_tick());
        let slot = Slot { key: at.to_key(), hash: at.hash, entry, due_at: Timestamp::NEVER, used_at };
        if let Some(number) = self.empty.pop() {
            self.all[number as usize] = Some(slot);
            return number;
        }
        let number = SlotId::try_from(self.all.len()).ok().filter(|number| *number != SlotId::MAX);
        let number = number.expect("a shard holds fewer than 2^32 - 1 entries");
        self.all.push(Some(slot));
        number
    }

    pub(crate) fn empty(&mut self, slot: SlotId) -> Slot {
        let taken = self.all[slot as usize].take().expect("table, policy and deadlines name filled slots only");
        self.empty.push(slot);
        taken
    }

    /// Notes a use of a slot. Readers call this at the same time.
    pub(crate) fn note_use(&self, slot: SlotId, trace: Trace) {
        match trace {
            Trace::Nothing => {}
            Trace::Count { most } => self.filled_at(slot).entry.meta.note_use(most),
            Trace::Order => {
                let used_at = &self.filled_at(slot).used_at;
                // What was used last of all already need not be noted again.
                if used_at.load(Ordering::Relaxed) != self.tick.load(Ordering::Relaxed) {
                    used_at.fetch_max(self.next_tick(), Ordering::Relaxed);
                }
            }
        }
    }

    pub(crate) fn for_each_filled(&self, f: impl FnMut(&Slot)) {
        self.all.iter().flatten().for_each(f);
    }

    pub(crate) fn into_filled(self) -> impl Iterator<Item = Slot> {
        self.all.into_iter().flatten()
    }

    fn next_tick(&self) -> u64 {
        self.tick.fetch_add(1, Ordering::Relaxed) + 1
    }
}

impl Traces for Slots {
    fn uses(&self, slot: SlotId) -> u8 {
        self.filled_at(slot).entry.meta.uses.load(Ordering::Relaxed)
    }

    fn set_uses(&self, slot: SlotId, uses: u8) {
        self.filled_at(slot).entry.meta.uses.store(uses, Ordering::Relaxed);
    }

    fn used_at(&self, slot: SlotId) -> u64 {
        self.filled_at(slot).used_at.load(Ordering::Relaxed)
    }

    fn hash(&self, slot: SlotId) -> u64 {
        self.filled_at(slot).hash
    }
}

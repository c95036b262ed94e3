//! What readers leave behind at the entries for the policy, without a lock.

use std::sync::atomic::{AtomicU64, Ordering};

use super::policy::Trace;
use crate::entry::Entry;

/// How uses are noted in one shard.
#[derive(Debug)]
#[repr(align(64))]
pub(crate) struct Uses {
    trace: Trace,
    /// The tick of the latest use, where their order is noted.
    tick: AtomicU64,
}

impl Uses {
    pub(crate) fn new(trace: Trace) -> Self {
        Self { trace, tick: AtomicU64::new(0) }
    }

    /// Notes that an entry came in.
    pub(crate) fn begin(&self, entry: &Entry) {
        match self.trace {
            Trace::Nothing | Trace::Count { .. } => entry.set_trace(0),
            Trace::Order => entry.set_trace(self.next_tick()),
        }
    }

    /// Notes a use.
    #[inline]
    pub(crate) fn note(&self, entry: &Entry) {
        match self.trace {
            Trace::Nothing => {}
            Trace::Count { most } => entry.count_use(most),
            Trace::Order => self.note_order(entry),
        }
    }

    // What was used last of all already need not be noted again: the one write of a hit that other threads see.
    fn note_order(&self, entry: &Entry) {
        if entry.trace() != self.tick.load(Ordering::Relaxed) as u32 {
            entry.set_trace(self.next_tick());
        }
    }

    /// Returns the tick of the last use of an entry.
    ///
    /// An entry keeps the low half of it, which tells the last 2^32 uses in a shard apart; what was used longer ago seems to
    /// have been used later than it was.
    pub(crate) fn used_at(&self, entry: &Entry) -> u64 {
        let now = self.tick.load(Ordering::Relaxed);
        now - u64::from((now as u32).wrapping_sub(entry.trace()))
    }

    fn next_tick(&self) -> u32 {
        (self.tick.fetch_add(1, Ordering::Relaxed) + 1) as u32
    }
}

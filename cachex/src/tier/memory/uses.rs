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
    /// An entry keeps the low half of it, which tells the last 2^31 uses in a shard apart; what was used longer ago seems to
    /// have been used later than it was.
    pub(crate) fn used_at(&self, entry: &Entry) -> u64 {
        let now = self.tick.load(Ordering::Relaxed);
        whole(now, entry.trace())
    }

    fn next_tick(&self) -> u32 {
        loop {
            let tick = (self.tick.fetch_add(1, Ordering::Relaxed) + 1) as u32;
            // At an entry with the greatest trace there would be nothing to note.
            if tick != Trace::Order.most() {
                return tick;
            }
        }
    }
}

/// Returns the tick with the low half `low` that is nearest to `now`. A use may be noted between the look at `now` and the one at the
/// entry: then it is a little later than `now`, and not long ago.
fn whole(now: u64, low: u32) -> u64 {
    now.saturating_add_signed(i64::from(low.wrapping_sub(now as u32) as i32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_use_that_is_noted_while_the_clock_is_read_is_a_late_one() {
        // What the tick was when it was read, what the entry has, and when its last use was.
        for (now, trace, used_at) in [
            (10, 7, 7),
            (10, 10, 10),
            // Noted in between.
            (10, 12, 12),
            ((1 << 32) + 5, 3, (1 << 32) + 3),
            ((1 << 32) + 5, u32::MAX - 1, (1 << 32) - 2),
            (u64::from(u32::MAX), 1, (1 << 32) + 1),
            (0, 0, 0),
        ] {
            assert_eq!(whole(now, trace), used_at, "{now}, {trace}");
        }
    }
}

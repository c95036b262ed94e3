//! Lanes: where threads count without disturbing each other.
//!
//! A few threads own a lane each, and count there with plain loads and stores. Where there are more, they share lanes, and
//! count with atomic additions.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

pub(crate) const LANES: usize = 16;

const OWNED: usize = LANES;
const NONE: usize = usize::MAX;

static TAKEN: [AtomicBool; LANES] = [const { AtomicBool::new(false) }; LANES];

thread_local! {
    // Without a destructor, so that reading it is one load; `LEAVING` has it.
    static LANE: Cell<usize> = const { Cell::new(NONE) };
    static LEAVING: Leaving = const { Leaving };
}

/// A lane and whether it is the thread's own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lane(usize);

impl Lane {
    /// Returns the lane of this thread.
    #[inline(always)]
    pub(crate) fn of_thread() -> Self {
        match LANE.get() {
            NONE => take(),
            lane => Self(lane),
        }
    }

    /// Returns its number, less than [`LANES`].
    #[inline]
    pub(crate) fn index(self) -> usize {
        self.0 % LANES
    }

    /// Whether no other thread has this lane as its own.
    #[inline]
    pub(crate) fn is_owned(self) -> bool {
        self.0 & OWNED != 0
    }
}

#[cold]
fn take() -> Lane {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    // Acquire: the counts go on from where the former owner left them.
    let is_free =
        |taken: &AtomicBool| taken.compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed).is_ok();
    // A thread that is ending counts in a shared lane: nobody would give its own back.
    let may_own = LEAVING.try_with(|_| ()).is_ok();
    let own = if may_own { TAKEN.iter().position(is_free) } else { None };
    let lane = own.map_or_else(|| NEXT.fetch_add(1, Ordering::Relaxed) % LANES, |index| index | OWNED);
    LANE.set(lane);
    Lane(lane)
}

/// Gives the lane back when the thread ends.
struct Leaving;

impl Drop for Leaving {
    fn drop(&mut self) {
        let lane = Lane(LANE.replace(NONE));
        if lane.0 != NONE && lane.is_owned() {
            // Release: see `take`.
            TAKEN[lane.index()].store(false, Ordering::Release);
        }
    }
}

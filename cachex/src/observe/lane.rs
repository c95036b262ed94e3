//! Lanes: where threads count without disturbing each other.
//!
//! A few threads own a lane each, and count there with plain loads and stores. Where there are more, they share the other lanes,
//! and count there with atomic additions.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

pub(crate) const LANES: usize = 32;

/// Lanes of one thread each; the others are shared.
const OWNED: usize = 16;
const NONE: usize = usize::MAX;

static TAKEN: [AtomicBool; OWNED] = [const { AtomicBool::new(false) }; OWNED];

thread_local! {
    // Without a destructor, so that reading it is one load; `LEAVING` has it.
    static LANE: Cell<usize> = const { Cell::new(NONE) };
    static LEAVING: Leaving = const { Leaving };
}

/// The number of a lane.
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
        // Changes nothing, and shows that it is less.
        self.0 % LANES
    }

    /// Whether no other thread has this lane as its own.
    #[inline]
    pub(crate) fn is_owned(self) -> bool {
        self.0 < OWNED
    }
}

#[cold]
#[inline(never)]
fn take() -> Lane {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    // Acquire: the counts go on from where the former owner left them.
    let is_free =
        |taken: &AtomicBool| taken.compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed).is_ok();
    // A thread that is ending counts in a shared lane: nobody would give its own back.
    let may_own = LEAVING.try_with(|_| ()).is_ok();
    let own = if may_own { TAKEN.iter().position(is_free) } else { None };
    let shared = || OWNED + NEXT.fetch_add(1, Ordering::Relaxed) % (LANES - OWNED);
    let lane = own.unwrap_or_else(shared);
    LANE.set(lane);
    Lane(lane)
}

/// Gives the lane back when the thread ends.
struct Leaving;

impl Drop for Leaving {
    fn drop(&mut self) {
        let lane = Lane(LANE.replace(NONE));
        if lane.is_owned() {
            // Release: see `take`.
            TAKEN[lane.index()].store(false, Ordering::Release);
        }
    }
}

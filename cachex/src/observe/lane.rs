//! Lanes: where threads count without disturbing each other.
//!
//! A few threads own a lane each, and count there with plain loads and stores. Where there are more, they share the other lanes,
//! and count there with atomic additions.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

pub(crate) const LANES: usize = 32;

/// Lanes of one thread each; the others are shared.
const OWNED: usize = 24;
/// Out of range: then one is taken.
const NONE: usize = usize::MAX;

static TAKEN: [AtomicBool; OWNED] = [const { AtomicBool::new(false) }; OWNED];

thread_local! {
    // Without a destructor, so that reading it is one load; `LEAVING` has it.
    static LANE: Cell<usize> = const { Cell::new(NONE) };
    static LEAVING: Leaving = const { Leaving };
}

/// Whether this thread has a lane of its own: no other one counts there.
pub(crate) fn is_owned() -> bool {
    LANE.get() < OWNED
}

/// Returns the one of these in which this thread counts, if it is its own.
#[inline(always)]
pub(crate) fn own<T>(lanes: &[T; LANES]) -> Option<&T> {
    let lane = LANE.get();
    if lane < OWNED { lanes.get(lane) } else { None }
}

/// Returns the one of these in which this thread counts.
pub(crate) fn of_thread<T>(lanes: &[T; LANES]) -> &T {
    match lanes.get(LANE.get()) {
        Some(lane) => lane,
        None => &lanes[take()],
    }
}

fn take() -> usize {
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
    lane
}

/// Gives the lane back when the thread ends.
struct Leaving;

impl Drop for Leaving {
    fn drop(&mut self) {
        if let Some(taken) = TAKEN.get(LANE.replace(NONE)) {
            // Release: see `take`.
            taken.store(false, Ordering::Release);
        }
    }
}

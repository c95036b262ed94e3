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

static OWNERS: Owners = Owners([const { AtomicBool::new(false) }; OWNED]);

/// Which of the lanes of one thread each have a thread.
struct Owners([AtomicBool; OWNED]);

impl Owners {
    /// Returns the number of a lane that was free, if there is one.
    fn take(&self) -> Option<usize> {
        // Acquire: the counts go on from where the former owner left them.
        let is_free =
            |taken: &AtomicBool| taken.compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed).is_ok();
        self.0.iter().position(is_free)
    }

    /// Makes a lane free, if it is one of a thread.
    fn give_back(&self, lane: usize) {
        if let Some(taken) = self.0.get(lane) {
            // Release: see `take`.
            taken.store(false, Ordering::Release);
        }
    }
}

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
    // A thread that is ending counts in a shared lane: nobody would give its own back.
    let may_own = LEAVING.try_with(|_| ()).is_ok();
    let own = if may_own { OWNERS.take() } else { None };
    let lane = own.unwrap_or_else(|| OWNED + NEXT.fetch_add(1, Ordering::Relaxed) % (LANES - OWNED));
    LANE.set(lane);
    lane
}

/// Gives the lane back when the thread ends.
struct Leaving;

impl Drop for Leaving {
    fn drop(&mut self) {
        OWNERS.give_back(LANE.replace(NONE));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_lane_of_one_thread_has_one_owner_and_is_handed_on() {
        let owners = Owners([const { AtomicBool::new(false) }; OWNED]);
        let taken: Vec<_> = (0..OWNED).map(|_| owners.take()).collect();
        assert_eq!(taken, (0..OWNED).map(Some).collect::<Vec<_>>());
        assert_eq!(owners.take(), None);
        owners.give_back(OWNED);
        assert_eq!(owners.take(), None);
        owners.give_back(3);
        assert_eq!((owners.take(), owners.take()), (Some(3), None));
    }

    #[test]
    fn a_thread_that_is_ending_owns_no_lane() {
        struct CountsLast;
        impl Drop for CountsLast {
            fn drop(&mut self) {
                of_thread(&[(); LANES]);
                assert!(!is_owned() || LEAVING.try_with(|_| ()).is_ok(), "nobody would give it back");
            }
        }
        thread_local! {
            static LAST: CountsLast = const { CountsLast };
        }
        for is_first in [true, false] {
            let thread = std::thread::spawn(move || {
                if is_first {
                    LAST.with(|_| ());
                }
                of_thread(&[(); LANES]);
                LAST.with(|_| ());
            });
            assert!(thread.join().is_ok());
        }
    }
}

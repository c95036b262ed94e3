//! A clock that a test moves by hand.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Poll, Waker};
use std::time::Duration;

use super::{Clock, Sleep, Timestamp};

/// A clock that stands still until it is told to [`advance`](Self::advance).
///
/// Clones share the time.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use cachex::time::{Clock, ManualClock};
///
/// let clock = ManualClock::new();
/// let before = clock.now();
/// clock.advance(Duration::from_secs(60));
/// assert_eq!(clock.now().since(before), Duration::from_secs(60));
/// ```
#[derive(Clone, Debug, Default)]
pub struct ManualClock {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    now: Timestamp,
    sleepers: Vec<(Timestamp, Waker)>,
}

impl ManualClock {
    /// Makes a clock that shows its origin.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Moves the time on and wakes every sleeper whose time has come.
    pub fn advance(&self, span: Duration) {
        let due = {
            let mut state = self.lock();
            let now = state.now.after(span);
            state.now = now;
            let (due, rest): (Vec<_>, Vec<_>) =
                std::mem::take(&mut state.sleepers).into_iter().partition(|s| s.0 <= now);
            state.sleepers = rest;
            due
        };
        for (_, waker) in due {
            waker.wake();
        }
    }

    /// Returns how many sleeps wait for the time to move: what a test waits for before it advances the clock.
    #[must_use]
    pub fn sleepers(&self) -> usize {
        self.lock().sleepers.len()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        self.lock().now
    }

    fn sleep(&self, until: Timestamp) -> Sleep {
        let clock = self.clone();
        Box::pin(poll_fn(move |cx| {
            let mut state = clock.lock();
            if state.now >= until {
                return Poll::Ready(());
            }
            let waker = cx.waker();
            if !state.sleepers.iter().any(|(at, known)| *at == until && known.will_wake(waker)) {
                state.sleepers.push((until, waker.clone()));
            }
            Poll::Pending
        }))
    }

    fn seed(&self) -> u64 {
        0
    }
}

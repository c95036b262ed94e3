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
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::time::{Clock, ManualClock, Timestamp};
    ///
    /// assert_eq!(ManualClock::new().now(), Timestamp::from_nanos(0));
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Moves the time on and wakes every sleeper whose time has come.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use cachex::time::ManualClock;
    /// use cachex::{Cache, EntryOptions, Key};
    ///
    /// let clock = ManualClock::new();
    /// let cache = Cache::builder().clock(clock.clone()).build()?;
    /// cache.blocking().set(&Key::new("a"), 1, &EntryOptions::new().ttl(Duration::from_secs(60)))?;
    /// clock.advance(Duration::from_secs(60));
    /// assert!(!cache.blocking().exists(&Key::new("a")));
    /// # Ok::<(), cachex::Error>(())
    /// ```
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

    /// Returns how many sleeps wait for the time to move: what a test waits for before it advances the clock. A sleep
    /// counts from when it is first polled until its time has come, also if it is dropped before.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use cachex::time::{Clock, ManualClock};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let clock = ManualClock::new();
    /// let sleep = tokio::spawn(clock.sleep(clock.now().after(Duration::from_secs(1))));
    /// while clock.sleepers() == 0 {
    ///     tokio::task::yield_now().await;
    /// }
    /// clock.advance(Duration::from_secs(1));
    /// assert_eq!(clock.sleepers(), 0);
    /// sleep.await.expect("it does not panic");
    /// # }
    /// ```
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

//! Time passes for all who wait for an answer, by one timer.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use tokio::sync::Notify;

use crate::runtime;
use crate::time::stopwatch::Deadline;

/// A timeout is so many ticks.
const TICKS: u32 = 8;

/// What tells those who wait for an answer that time passes: a timer for each would have to be set in the runtime of another thread, which
/// takes longer than all else.
pub(super) struct Ticks {
    span: Duration,
    /// Those who wait.
    waiting: AtomicUsize,
    begun: Notify,
    ticked: Notify,
}

/// Counts one who waits.
struct Counted<'a>(&'a Ticks);

impl Ticks {
    /// Makes those for answers that may take so long.
    pub(super) fn new(timeout: Duration) -> Self {
        Self { span: timeout / TICKS, waiting: AtomicUsize::new(0), begun: Notify::new(), ticked: Notify::new() }
    }

    /// Waits for a future until the deadline, or a tick less.
    // Pinned by the caller: else the room for it would be there twice.
    pub(super) async fn bounded<F: Future>(&self, deadline: Deadline, mut future: Pin<&mut F>) -> Option<F::Output> {
        // Most of it is done by the first look: what is sent.
        let _counted = Counted::new(self);
        loop {
            let mut ticked = pin!(self.ticked.notified());
            let either = poll_fn(|cx| {
                if let Poll::Ready(output) = future.as_mut().poll(cx) {
                    return Poll::Ready(Some(output));
                }
                ticked.as_mut().poll(cx).map(|()| None)
            });
            match either.await {
                Some(output) => return Some(output),
                // The next tick would come too late.
                // Break this (wait until the deadline has passed) and a call waits for longer than its timeout.
                None if deadline.left() < self.span => return None,
                None => {}
            }
        }
    }
}

impl<'a> Counted<'a> {
    fn new(ticks: &'a Ticks) -> Self {
        if ticks.waiting.fetch_add(1, Ordering::AcqRel) == 0 {
            ticks.begun.notify_one();
        }
        Self(ticks)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Ticks as long as somebody waits.
pub(super) async fn keep_ticking(ticks: Arc<Ticks>) {
    loop {
        ticks.begun.notified().await;
        // Until nobody has waited for a while: else each command would wake this task.
        let mut idle = 0;
        while idle < TICKS * 4 {
            runtime::pause(ticks.span).await;
            idle = if ticks.waiting.load(Ordering::Acquire) == 0 { idle + 1 } else { 0 };
            ticks.ticked.notify_waiters();
        }
    }
}

//! Time passes for all who wait for an answer, by one timer.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use tokio::sync::Notify;

use crate::runtime;
use crate::time::stopwatch::Stopwatch;

/// A timeout is so many ticks.
pub(super) const TICKS: u32 = 4;

/// What tells those who wait for an answer that time passes: a timer for each would have to be set in the runtime of another thread, which
/// takes longer than all else.
#[derive(Default)]
pub(super) struct Ticks {
    /// Those who wait.
    waiting: AtomicUsize,
    begun: Notify,
    ticked: Notify,
}

/// Counts one who waits.
struct Counted<'a>(&'a Ticks);

impl Ticks {
    /// Waits for a future, no longer than `limit` and a tick.
    pub(super) async fn bounded<F: Future>(&self, limit: Duration, future: F) -> Option<F::Output> {
        let mut future = pin!(future);
        // Most of it is done by the first look: what is sent.
        let _counted = Counted::new(self);
        let started_at = Stopwatch::start();
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
                None if started_at.elapsed() >= limit => return None,
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
pub(super) async fn keep_ticking(ticks: Arc<Ticks>, span: Duration) {
    loop {
        ticks.begun.notified().await;
        // Until nobody has waited for a while: else each command would wake this task.
        let mut idle = 0;
        while idle < TICKS * 4 {
            runtime::pause(span).await;
            idle = if ticks.waiting.load(Ordering::Acquire) == 0 { idle + 1 } else { 0 };
            ticks.ticked.notify_waiters();
        }
    }
}

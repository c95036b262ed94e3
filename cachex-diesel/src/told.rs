//! What a write has set off: to be waited for, and what is done then.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
#[cfg(feature = "async")]
use std::pin::Pin;
#[cfg(feature = "async")]
use std::task::{Context, Poll};

use cachex::{Delivery, Fence};

/// What is called after a commit.
pub(crate) type Callback = Box<dyn FnOnce() + Send>;

/// Invalidations that have happened in this process and may be on their way to others. Dropped, they go their way all the same; what was to be called then is not.
#[derive(Default)]
#[must_use = "the writer waits for it"]
pub(crate) struct Told {
    deliveries: Vec<Delivery>,
    /// What was hidden until this is told.
    fences: Vec<Fence>,
    callbacks: Vec<Callback>,
}

impl Told {
    pub(crate) fn of(delivery: Delivery) -> Self {
        let deliveries = if delivery.is_done() { Vec::new() } else { vec![delivery] };
        Self { deliveries, fences: Vec::new(), callbacks: Vec::new() }
    }

    /// Adds what is to be waited for as well.
    pub(crate) fn add(&mut self, mut other: Self) {
        self.deliveries.append(&mut other.deliveries);
        self.fences.append(&mut other.fences);
        self.callbacks.append(&mut other.callbacks);
    }

    /// Shows again what was hidden until now.
    pub(crate) fn lift(&mut self, fence: Option<Fence>) {
        self.fences.extend(fence);
    }

    pub(crate) fn call(&mut self, callbacks: impl Iterator<Item = Callback>) {
        self.callbacks.extend(callbacks);
    }

    /// Blocks the thread until all is told, and calls what was to be called then.
    pub(crate) fn wait(mut self) {
        self.deliveries.drain(..).for_each(Delivery::wait);
        self.end();
    }

    /// As [`wait`](Self::wait), for who can't block.
    #[cfg(feature = "async")]
    pub(crate) fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        while let Some(delivery) = self.deliveries.last_mut() {
            std::task::ready!(Future::poll(Pin::new(delivery), context));
            self.deliveries.pop();
        }
        self.end();
        Poll::Ready(())
    }

    fn end(&mut self) {
        // In this order: what is called finds nothing from before, and nothing hidden.
        // Break this (call first) and it does.
        self.fences.drain(..).for_each(Fence::cancel);
        // Each of them, though others panic.
        // Break this (call them one after the other) and those after one that panics never are.
        let called = std::mem::take(&mut self.callbacks).into_iter();
        let thrown: Vec<_> = called.filter_map(|callback| catch_unwind(AssertUnwindSafe(callback)).err()).collect();
        if let Some(thrown) = thrown.into_iter().next().filter(|_| !std::thread::panicking()) {
            resume_unwind(thrown);
        }
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        // They are told in this process already.
        self.fences.drain(..).for_each(Fence::cancel);
    }
}

impl fmt::Debug for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Told").field("deliveries", &self.deliveries).finish_non_exhaustive()
    }
}

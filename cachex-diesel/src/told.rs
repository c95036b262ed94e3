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
///
/// Of most statements it is nothing.
#[derive(Default)]
#[must_use = "the writer waits for it"]
pub(crate) struct Told(Option<Box<Parts>>);

#[derive(Default)]
struct Parts {
    deliveries: Vec<Delivery>,
    /// What was hidden until this is told.
    fences: Vec<Fence>,
    callbacks: Vec<Callback>,
}

impl Told {
    pub(crate) fn of(delivery: Delivery) -> Self {
        let mut told = Self::default();
        if !delivery.is_done() {
            told.parts().deliveries.push(delivery);
        }
        told
    }

    fn parts(&mut self) -> &mut Parts {
        self.0.get_or_insert_default()
    }

    /// Adds what is to be waited for as well.
    pub(crate) fn add(&mut self, mut other: Self) {
        let Some(other) = &mut other.0 else { return };
        let parts = self.parts();
        parts.deliveries.append(&mut other.deliveries);
        parts.fences.append(&mut other.fences);
        parts.callbacks.append(&mut other.callbacks);
    }

    /// Shows again what was hidden until now.
    pub(crate) fn lift(&mut self, fence: Option<Fence>) {
        if let Some(fence) = fence {
            self.parts().fences.push(fence);
        }
    }

    pub(crate) fn call(&mut self, mut callbacks: impl Iterator<Item = Callback>) {
        if let Some(first) = callbacks.next() {
            let all = &mut self.parts().callbacks;
            all.push(first);
            all.extend(callbacks);
        }
    }

    /// Blocks the thread until all is told, and calls what was to be called then.
    pub(crate) fn wait(mut self) {
        if let Some(parts) = &mut self.0 {
            parts.deliveries.drain(..).for_each(Delivery::wait);
            parts.end();
        }
    }

    /// As [`wait`](Self::wait), for who can't block.
    #[cfg(feature = "async")]
    pub(crate) fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if let Some(parts) = &mut self.0 {
            while let Some(delivery) = parts.deliveries.last_mut() {
                std::task::ready!(Future::poll(Pin::new(delivery), context));
                parts.deliveries.pop();
            }
            parts.end();
        }
        Poll::Ready(())
    }
}

impl Parts {
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

impl Drop for Parts {
    fn drop(&mut self) {
        // They are told in this process already.
        self.fences.drain(..).for_each(Fence::cancel);
    }
}

impl fmt::Debug for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let deliveries = self.0.as_ref().map(|parts| &parts.deliveries);
        f.debug_struct("Told").field("deliveries", &deliveries).finish_non_exhaustive()
    }
}

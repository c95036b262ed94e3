//! Measures spans in real time.

use std::time::{Duration, Instant};

/// Measures how long something takes, in real time: for statistics, and for waits for another process, which lives in it; never for a decision
/// about an entry.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    #[expect(
        clippy::disallowed_methods,
        reason = "not a decision about an entry: the injected clock is too coarse for statistics, and no other process has it"
    )]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

/// Until when something is to be done, in however many steps, in real time.
#[cfg(feature = "remote")]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    begun: Stopwatch,
    pub(crate) span: Duration,
}

#[cfg(feature = "remote")]
impl Deadline {
    /// Begins now.
    pub(crate) fn after(span: Duration) -> Self {
        Self { begun: Stopwatch::start(), span }
    }

    pub(crate) fn left(self) -> Duration {
        self.span.saturating_sub(self.begun.elapsed())
    }
}

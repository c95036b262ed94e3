//! Measures spans for statistics.

use std::time::{Duration, Instant};

/// Measures how long something takes, in real time: for statistics, never for a decision.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    #[expect(
        clippy::disallowed_methods,
        reason = "a statistic, not a decision: the injected clock is too coarse for it"
    )]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

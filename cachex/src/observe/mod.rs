//! What a cache tells about itself: counters for statistics, events for an observer.

pub(crate) mod counters;
pub(crate) mod event;
mod lane;
pub(crate) mod stats;

pub use event::{Event, Observer};
pub use stats::Stats;

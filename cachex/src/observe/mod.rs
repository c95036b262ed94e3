//! What a cache tells about itself: counters for statistics, events for an observer.

pub(crate) mod counters;
pub(crate) mod event;
mod lane;
#[cfg(feature = "remote")]
pub(crate) mod remote;
pub(crate) mod stats;

pub use event::{Event, Observer};
#[cfg(feature = "remote")]
pub use remote::RemoteStats;
pub use stats::Stats;

//! Where the time comes from: a [`Clock`] goes in, [`Timestamp`]s come out.

mod manual;
pub(crate) mod stopwatch;
mod system;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

pub use manual::ManualClock;
pub use system::SystemClock;

/// A point in time: nanoseconds since the origin of the [`Clock`] that gave it.
///
/// Good for about 584 years. Timestamps of different clocks can't be compared.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The end of time: what never expires.
    pub const NEVER: Self = Self(u64::MAX);

    /// Makes a timestamp of nanoseconds since the clock's origin.
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Returns the nanoseconds since the clock's origin.
    #[must_use]
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Returns the time `span` later; what would overflow is [`NEVER`](Self::NEVER).
    #[must_use]
    pub fn after(self, span: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)))
    }

    /// Returns how long `earlier` lies back; zero if it does not.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::NEVER { f.write_str("never") } else { write!(f, "{:?}", Duration::from_nanos(self.0)) }
    }
}

/// Wakes a waiting load when its time is up; see [`Clock::sleep`].
pub type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Tells the time and wakes who waits for it.
///
/// The default is [`SystemClock`]; tests use [`ManualClock`].
pub trait Clock: Send + Sync + fmt::Debug + 'static {
    /// Returns the time now. Never goes back.
    fn now(&self) -> Timestamp;

    /// Returns a future that ends once `now() >= until`.
    fn sleep(&self, until: Timestamp) -> Sleep;

    /// Returns the seed of jitter and random eviction.
    ///
    /// Default: random per process. A test clock returns a fixed one, so that a run can be repeated.
    fn seed(&self) -> u64 {
        use std::hash::{BuildHasher, RandomState};
        RandomState::new().hash_one(0_u8)
    }
}

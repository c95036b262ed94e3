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
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use cachex::time::Timestamp;
///
/// let noon = Timestamp::from_nanos(1_000);
/// assert!(noon < noon.after(Duration::from_nanos(1)));
/// assert!(noon < Timestamp::NEVER);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The end of time: what never expires.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use cachex::time::Timestamp;
    ///
    /// assert_eq!(Timestamp::NEVER.after(Duration::from_secs(1)), Timestamp::NEVER);
    /// ```
    pub const NEVER: Self = Self(u64::MAX);

    /// Makes a timestamp of nanoseconds since the clock's origin.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use cachex::time::Timestamp;
    ///
    /// assert_eq!(Timestamp::from_nanos(1_000), Timestamp::default().after(Duration::from_micros(1)));
    /// ```
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Returns the nanoseconds since the clock's origin.
    ///
    /// # Examples
    ///
    /// ```
    /// assert_eq!(cachex::time::Timestamp::from_nanos(7).as_nanos(), 7);
    /// ```
    #[must_use]
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Returns the time `span` later; what would overflow is [`NEVER`](Self::NEVER).
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use cachex::time::Timestamp;
    ///
    /// let start = Timestamp::from_nanos(5);
    /// assert_eq!(start.after(Duration::from_nanos(2)), Timestamp::from_nanos(7));
    /// assert_eq!(start.after(Duration::MAX), Timestamp::NEVER);
    /// ```
    #[must_use]
    pub fn after(self, span: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)))
    }

    /// Returns how long `earlier` lies back; zero if it does not.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use cachex::time::Timestamp;
    ///
    /// let (earlier, later) = (Timestamp::from_nanos(5), Timestamp::from_nanos(7));
    /// assert_eq!(later.since(earlier), Duration::from_nanos(2));
    /// assert_eq!(earlier.since(later), Duration::ZERO);
    /// ```
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
///
/// # Examples
///
/// ```
/// use cachex::time::{Clock, ManualClock, Sleep};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let clock = ManualClock::new();
/// let over: Sleep = clock.sleep(clock.now());
/// assert_eq!(over.await, ());
/// # }
/// ```
pub type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Tells the time and wakes who waits for it.
///
/// The default is [`SystemClock`]; tests use [`ManualClock`].
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use cachex::time::{Clock, Sleep, SystemClock, Timestamp};
///
/// /// The system's clock, a day ahead.
/// #[derive(Debug)]
/// struct Tomorrow;
///
/// impl Clock for Tomorrow {
///     fn now(&self) -> Timestamp {
///         SystemClock.now().after(Duration::from_secs(86_400))
///     }
///
///     fn sleep(&self, until: Timestamp) -> Sleep {
///         SystemClock.sleep(SystemClock.now().after(until.since(self.now())))
///     }
/// }
///
/// assert!(Tomorrow.now() > SystemClock.now());
/// assert!(cachex::Cache::builder().clock(Tomorrow).build().is_ok());
/// ```
pub trait Clock: Send + Sync + fmt::Debug + 'static {
    /// Returns the time now. Never goes back.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::time::{Clock, SystemClock};
    ///
    /// let earlier = SystemClock.now();
    /// assert!(SystemClock.now() >= earlier);
    /// ```
    fn now(&self) -> Timestamp;

    /// Returns a future that ends once [`now`](Self::now) has reached `until`; at once if it has already.
    ///
    /// # Cancellation
    ///
    /// Dropping the future leaves nothing behind that would do harm.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use cachex::time::{Clock, SystemClock};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let until = SystemClock.now().after(Duration::from_millis(1));
    /// SystemClock.sleep(until).await;
    /// assert!(SystemClock.now() >= until);
    /// # }
    /// ```
    fn sleep(&self, until: Timestamp) -> Sleep;

    /// Returns the seed of jitter and random eviction.
    ///
    /// Asked once, when a cache is made. A test clock returns a fixed one, so that expiries can be repeated. Which keys
    /// share a shard of a large memory tier differs from process to process all the same, so that nobody can foresee
    /// it.
    ///
    /// Default: random, another one at each call.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::time::{Clock, ManualClock};
    ///
    /// assert_eq!(ManualClock::new().seed(), ManualClock::new().seed());
    /// ```
    fn seed(&self) -> u64 {
        use std::hash::{BuildHasher, RandomState};
        RandomState::new().hash_one(0_u8)
    }

    /// Returns the time since 1970, for what is shared with other processes: the ages of values in a second tier, and fencing tokens. Whether a value was
    /// invalidated never depends on it.
    ///
    /// Default: the system's.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::time::{Clock, SystemClock};
    ///
    /// assert!(SystemClock.unix_time().as_secs() > 1_700_000_000);
    /// ```
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    fn unix_time(&self) -> Duration {
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default()
    }
}

//! The clock of the machine.

use std::time::Duration;

use super::{Clock, Sleep, Timestamp};

/// The monotonic clock of the machine.
///
/// On Linux it is the coarse one, which the kernel moves at each tick (1 to 10 ms, usually 4 ms): reading it is no
/// system call, and it needs no thread. Elsewhere it is [`std::time::Instant`].
///
/// # Examples
///
/// ```
/// use cachex::time::{Clock, SystemClock, Timestamp};
///
/// let now = SystemClock.now();
/// assert!(now < Timestamp::NEVER);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[cfg(target_os = "linux")]
    #[inline]
    fn now(&self) -> Timestamp {
        let now = rustix::time::clock_gettime(rustix::time::ClockId::MonotonicCoarse);
        Timestamp::from_nanos((now.tv_sec as u64).wrapping_mul(1_000_000_000).wrapping_add(now.tv_nsec as u64))
    }

    #[cfg(not(target_os = "linux"))]
    #[expect(clippy::disallowed_methods, reason = "this is the clock of the machine")]
    fn now(&self) -> Timestamp {
        use std::sync::OnceLock;
        use std::time::Instant;
        static ORIGIN: OnceLock<Instant> = OnceLock::new();
        Timestamp::default().after(ORIGIN.get_or_init(Instant::now).elapsed())
    }

    fn sleep(&self, until: Timestamp) -> Sleep {
        let clock = *self;
        Box::pin(async move {
            loop {
                let left = until.since(clock.now());
                if left == Duration::ZERO {
                    return;
                }
                crate::runtime::sleep(left).await;
            }
        })
    }
}

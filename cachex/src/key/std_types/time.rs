//! Spans and points in time.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::key::{CacheKey, KeyWriter, kind};

impl CacheKey for Duration {
    #[inline]
    fn encode(&self, out: &mut KeyWriter<'_>) {
        out.put_seconds(kind::DURATION, self.as_secs().to_be_bytes(), self.subsec_nanos());
    }
}

impl CacheKey for SystemTime {
    fn encode(&self, out: &mut KeyWriter<'_>) {
        // Rounded down to a second, so that the nanoseconds are counted forwards before 1970 as well. No arithmetic here
        // can meet two times in one result: a system counts its seconds in 64 bits, signed or not.
        let (seconds, nanos) = match self.duration_since(UNIX_EPOCH) {
            Ok(after) => (after.as_secs(), after.subsec_nanos()),
            Err(error) => {
                let before = error.duration();
                match before.subsec_nanos() {
                    0 => (before.as_secs().wrapping_neg(), 0),
                    nanos => (before.as_secs().wrapping_neg().wrapping_sub(1), 1_000_000_000 - nanos),
                }
            }
        };
        out.put_seconds(kind::INSTANT, seconds.to_be_bytes(), nanos);
    }
}

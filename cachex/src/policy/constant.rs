//! The checks that the compiler does: for annotations whose durations are constant expressions.

use std::time::Duration;

use super::Policy;
use super::check::LONGEST;

impl Policy {
    /// Returns the policy if its durations fit together, as [`check`](Policy::check) would: the attribute calls it in a
    /// constant, where a panic is a compile error.
    #[doc(hidden)]
    #[must_use]
    #[track_caller]
    pub const fn checked(self) -> Self {
        let spans = [
            self.ttl,
            self.tti,
            self.soft_ttl,
            self.refresh_ahead,
            self.negative_ttl,
            self.timeout,
            self.soft_timeout,
            self.grace,
        ];
        let mut at = 0;
        while at < spans.len() {
            assert!(
                !matches!(spans[at], Some(Duration::ZERO)),
                "a duration must be longer than zero; write a longer one"
            );
            assert!(
                !reaches(spans[at], Some(LONGEST.saturating_add(NANOSECOND))),
                "a duration is longer than 100 years; shorten it"
            );
            at += 1;
        }
        assert!(
            !reaches(self.soft_ttl, self.ttl),
            "`soft_ttl` must be shorter than `ttl`; lower it, or remove it to disable staleness"
        );
        assert!(
            !reaches(self.refresh_ahead, self.ttl),
            "`refresh_ahead` must be shorter than `ttl`; lower it, or remove it to disable refreshing"
        );
        assert!(
            !reaches(self.soft_timeout, self.timeout),
            "`soft_timeout` must be shorter than `timeout`; lower it, or remove it"
        );
        self
    }
}

const NANOSECOND: Duration = Duration::from_nanos(1);

const fn reaches(short: Option<Duration>, long: Option<Duration>) -> bool {
    match (short, long) {
        (Some(short), Some(long)) => short.as_nanos() >= long.as_nanos(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn a_policy_that_fits_together_is_constant() {
        const POLICY: Policy = Policy::new().ttl(MINUTE).soft_ttl(Duration::from_secs(30)).checked();
        assert_eq!(POLICY.check().map_err(|error| error.to_string()), Ok(()));
    }

    #[test]
    #[should_panic(expected = "`soft_ttl` must be shorter than `ttl`")]
    fn a_soft_ttl_that_reaches_the_ttl_is_refused() {
        let _ = Policy::new().ttl(MINUTE).soft_ttl(MINUTE).checked();
    }

    #[test]
    #[should_panic(expected = "longer than 100 years")]
    fn a_span_beyond_the_end_of_time_is_refused() {
        let _ = Policy::new().ttl(Duration::MAX).checked();
    }
}

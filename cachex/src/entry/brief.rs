//! Times in few bytes, for what is kept a million times and asked for rarely.

use std::time::Duration;

use crate::time::Timestamp;

const STEP: u64 = 8_000_000;

/// A time, to within 8 ms, counted anew after 397 days.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment(u32);

impl Moment {
    pub(super) fn of(at: Timestamp) -> Self {
        Self((at.as_nanos() / STEP) as u32)
    }

    /// Returns how long ago it was.
    pub(super) fn age(self, now: Timestamp) -> Duration {
        Duration::from_nanos(u64::from(Self::of(now).0.wrapping_sub(self.0)) * STEP)
    }
}

const FRACTION_BITS: u32 = 10;

/// Returns a span in 16 bits: its ten highest bits, rounded down, and how many follow.
pub(super) fn short_span(span: Duration) -> u16 {
    let nanos = u64::try_from(span.as_nanos()).unwrap_or(u64::MAX);
    let follow = (u64::BITS - nanos.leading_zeros()).saturating_sub(FRACTION_BITS);
    (follow << FRACTION_BITS) as u16 | (nanos >> follow) as u16
}

/// In place of a span that is not known: more would follow than there is of any.
pub(super) const NO_SPAN: u16 = u16::MAX;

/// Returns the span that was made short.
pub(super) fn long_span(short: u16) -> Duration {
    let (follow, fraction) = (short >> FRACTION_BITS, short & ((1 << FRACTION_BITS) - 1));
    Duration::from_nanos(u64::from(fraction) << follow)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_short_span_is_a_little_less(nanos in any::<u64>(), shift in 0_u32..64) {
            let nanos = nanos >> shift;
            let known = long_span(short_span(Duration::from_nanos(nanos))).as_nanos() as u64;
            prop_assert!(known <= nanos && nanos - known <= nanos / 512, "{nanos} became {known}");
        }

        #[test]
        fn an_age_is_known_to_within_a_step(created in 0_u64..1 << 62, age in 0_u64..397 * 24 * 3600 * 1_000_000_000) {
            let moment = Moment::of(Timestamp::from_nanos(created));
            let known = moment.age(Timestamp::from_nanos(created + age)).as_nanos() as u64;
            prop_assert!(known.abs_diff(age) < STEP, "{age} became {known}");
        }
    }

    #[test]
    fn whole_seconds_and_short_spans_are_exact() {
        let at = |seconds| Timestamp::default().after(Duration::from_secs(seconds));
        assert_eq!(Moment::of(at(7)).age(at(17)), Duration::from_secs(10));
        assert_eq!(long_span(short_span(Duration::from_nanos(1023))), Duration::from_nanos(1023));
        assert_eq!(long_span(short_span(Duration::MAX)), Duration::from_nanos(1023 << 54));
    }
}

//! Dates and times of the crate `time`.
//!
//! Two `OffsetDateTime`s are equal if they are the same instant, whatever their offsets; so the instant is written and the
//! offset is not. Name the offset as a part of its own where results depend on it.

use ::time::{Date, Duration, Month, OffsetDateTime, PrimitiveDateTime, Time, UtcOffset, Weekday};

use crate::key::{CacheKey, KeyWriter, kind};

impl CacheKey for OffsetDateTime {
    fn encode(&self, out: &mut KeyWriter<'_>) {
        out.put_seconds(kind::INSTANT, self.unix_timestamp().to_be_bytes(), self.nanosecond());
    }
}

impl CacheKey for Date {
    fn encode(&self, out: &mut KeyWriter<'_>) {
        (self.year(), u8::from(self.month()), self.day()).encode(out);
    }
}

impl CacheKey for Time {
    fn encode(&self, out: &mut KeyWriter<'_>) {
        (self.hour(), self.minute(), self.second(), self.nanosecond()).encode(out);
    }
}

impl CacheKey for PrimitiveDateTime {
    fn encode(&self, out: &mut KeyWriter<'_>) {
        (self.date(), self.time()).encode(out);
    }
}

impl CacheKey for Duration {
    fn encode(&self, out: &mut KeyWriter<'_>) {
        (self.whole_seconds(), self.subsec_nanoseconds()).encode(out);
    }
}

impl CacheKey for UtcOffset {
    fn encode(&self, out: &mut KeyWriter<'_>) {
        out.write_i32(self.whole_seconds());
    }
}

impl CacheKey for Weekday {
    fn encode(&self, out: &mut KeyWriter<'_>) {
        out.write_u8(self.number_from_monday());
    }
}

impl CacheKey for Month {
    fn encode(&self, out: &mut KeyWriter<'_>) {
        out.write_u8(u8::from(*self));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Key;

    #[test]
    fn an_instant_is_one_key_whatever_its_offset() {
        let utc = OffsetDateTime::from_unix_timestamp_nanos(-1_500_000_000).unwrap();
        let half_past = utc.to_offset(UtcOffset::from_hms(5, 30, 15).unwrap());
        assert_eq!(utc, half_past);
        assert_eq!(Key::new("k").part(&utc), Key::new("k").part(&half_past));
        assert_eq!(Key::new("k").part(&utc).text(), "k(@-2.500000000)");
    }

    #[test]
    fn parts_of_a_date_are_readable() {
        let date = Date::from_calendar_date(2024, Month::February, 29).unwrap();
        let at = PrimitiveDateTime::new(date, Time::from_hms(1, 2, 3).unwrap());
        assert_eq!(Key::new("k").part(&at).text(), "k(((2024, 2, 29), (1, 2, 3, 0)))");
        assert_eq!(Key::new("k").part(&Weekday::Monday).part(&Month::May).text(), "k(1, 5)");
    }

    #[test]
    fn a_span_is_told_from_its_negative() {
        let span = Duration::milliseconds(1_500);
        assert_ne!(Key::new("k").part(&span), Key::new("k").part(&-span));
        assert_eq!(Key::new("k").part(&-span).text(), "k((-1, -500000000))");
    }
}

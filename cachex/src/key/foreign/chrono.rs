//! Dates and times of the crate `chrono`.
//!
//! Two `DateTime`s are equal if they are the same instant, whatever their offsets; so the instant is written and the offset
//! is not. Name the offset as a part of its own where results depend on it.

use ::chrono::{
    DateTime, Datelike, FixedOffset, Month, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Timelike, Weekday,
};

use crate::key::{CacheKey, KeyWriter, kind};

impl<Tz: TimeZone> CacheKey for DateTime<Tz> {
    fn encode(&self, out: &mut KeyWriter<'_>) {
        // In a leap second there are more than 10^9 nanoseconds: kept so, because chrono tells it from the next second.
        out.put_seconds(kind::INSTANT, self.timestamp().to_be_bytes(), self.timestamp_subsec_nanos());
    }
}

impl CacheKey for NaiveDate {
    fn encode(&self, out: &mut KeyWriter<'_>) {
        (self.year(), self.month() as u8, self.day() as u8).encode(out);
    }
}

impl CacheKey for NaiveTime {
    fn encode(&self, out: &mut KeyWriter<'_>) {
        (self.hour() as u8, self.minute() as u8, self.second() as u8, self.nanosecond()).encode(out);
    }
}

impl CacheKey for NaiveDateTime {
    fn encode(&self, out: &mut KeyWriter<'_>) {
        (self.date(), self.time()).encode(out);
    }
}

impl CacheKey for TimeDelta {
    fn encode(&self, out: &mut KeyWriter<'_>) {
        (self.num_seconds(), self.subsec_nanos()).encode(out);
    }
}

impl CacheKey for FixedOffset {
    fn encode(&self, out: &mut KeyWriter<'_>) {
        out.write_i32(self.local_minus_utc());
    }
}

impl CacheKey for Weekday {
    fn encode(&self, out: &mut KeyWriter<'_>) {
        out.write_u8(self.number_from_monday() as u8);
    }
}

impl CacheKey for Month {
    fn encode(&self, out: &mut KeyWriter<'_>) {
        out.write_u8(self.number_from_month() as u8);
    }
}

#[cfg(test)]
mod tests {
    use ::chrono::Utc;

    use super::*;
    use crate::Key;

    #[test]
    fn an_instant_is_one_key_whatever_its_offset() {
        let utc = DateTime::<Utc>::from_timestamp(1_700_000_000, 5).unwrap();
        let east = utc.with_timezone(&FixedOffset::east_opt(3_600).unwrap());
        assert_eq!(utc, east);
        assert_eq!(Key::new("k").part(&utc), Key::new("k").part(&east));
        assert_eq!(Key::new("k").part(&utc).text(), "k(@1700000000.000000005)");
    }

    #[test]
    fn a_leap_second_is_not_the_second_after_it() {
        let leap = NaiveTime::from_hms_nano_opt(23, 59, 59, 1_500_000_000).unwrap();
        let date = NaiveDate::from_ymd_opt(2016, 12, 31).unwrap();
        let next = NaiveDate::from_ymd_opt(2017, 1, 1).unwrap().and_hms_nano_opt(0, 0, 0, 500_000_000).unwrap();
        assert_ne!(date.and_time(leap), next);
        assert_ne!(Key::new("k").part(&date.and_time(leap).and_utc()), Key::new("k").part(&next.and_utc()));
        assert_ne!(Key::new("k").part(&date.and_time(leap)), Key::new("k").part(&next));
    }

    #[test]
    fn parts_of_a_date_are_readable() {
        let date = NaiveDate::from_ymd_opt(2024, 2, 29).unwrap();
        assert_eq!(Key::new("k").part(&date.and_hms_opt(1, 2, 3).unwrap()).text(), "k(((2024, 2, 29), (1, 2, 3, 0)))");
        assert_eq!(Key::new("k").part(&Weekday::Mon).part(&Month::May).text(), "k(1, 5)");
    }

    #[test]
    fn a_span_is_told_from_its_negative() {
        let span = TimeDelta::milliseconds(1_500);
        assert_ne!(Key::new("k").part(&span), Key::new("k").part(&-span));
        assert_eq!(Key::new("k").part(&span).text(), "k((1, 500000000))");
    }
}

//! Ranges and bounds.

use std::ops::{Bound, Range, RangeBounds, RangeFrom, RangeFull, RangeInclusive, RangeTo, RangeToInclusive};

use crate::key::{CacheKey, KeyWriter};

impl<T: CacheKey> CacheKey for Bound<T> {
    fn encode(&self, out: &mut KeyWriter<'_>) {
        match self {
            Bound::Included(value) => {
                out.write_variant("Included", 1);
                value.encode(out);
            }
            Bound::Excluded(value) => {
                out.write_variant("Excluded", 1);
                value.encode(out);
            }
            Bound::Unbounded => out.write_variant("Unbounded", 0),
        }
    }
}

impl<T: CacheKey> CacheKey for Range<T> {
    fn encode(&self, out: &mut KeyWriter<'_>) {
        out.write_variant("Range", 2);
        self.start.encode(out);
        self.end.encode(out);
    }
}

impl<T: CacheKey> CacheKey for RangeInclusive<T> {
    fn encode(&self, out: &mut KeyWriter<'_>) {
        // A range that was iterated to its end is not equal to a fresh one; its end bound tells them apart.
        let name = match self.end_bound() {
            Bound::Included(_) => "RangeInclusive",
            _ => "RangeInclusiveDone",
        };
        out.write_variant(name, 2);
        self.start().encode(out);
        self.end().encode(out);
    }
}

impl<T: CacheKey> CacheKey for RangeFrom<T> {
    fn encode(&self, out: &mut KeyWriter<'_>) {
        out.write_variant("RangeFrom", 1);
        self.start.encode(out);
    }
}

impl<T: CacheKey> CacheKey for RangeTo<T> {
    fn encode(&self, out: &mut KeyWriter<'_>) {
        out.write_variant("RangeTo", 1);
        self.end.encode(out);
    }
}

impl<T: CacheKey> CacheKey for RangeToInclusive<T> {
    fn encode(&self, out: &mut KeyWriter<'_>) {
        out.write_variant("RangeToInclusive", 1);
        self.end.encode(out);
    }
}

impl CacheKey for RangeFull {
    fn encode(&self, out: &mut KeyWriter<'_>) {
        out.write_unit();
    }
}

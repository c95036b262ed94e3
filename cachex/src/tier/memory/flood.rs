//! A tier by itself, all of whose keys may have one hash: what chosen keys would do at worst to those who knew the seeds. For the
//! benches of cachex itself; hashes that nobody can foresee can't be made to meet from outside.

use std::time::Duration;

use super::hasher::KeyHasher;
use super::{Eviction, Limits, MemoryTier};
use crate::entry::{Entry, Life, Meta, NO_TAGS, Stamp};
use crate::key::KeyRef;
use crate::method::Region;
use crate::raw::grace::{Pin, Read, pinned, try_pinned};
use crate::time::Timestamp;

/// A memory tier of numbers by number.
#[doc(hidden)]
#[derive(Debug)]
pub struct Flood {
    tier: MemoryTier,
}

impl Flood {
    /// Makes a tier and stores the numbers below `count`, of which as many stay as find a place; if `is_flooded`, all keys have one hash.
    #[doc(hidden)]
    #[must_use]
    pub fn new(count: u64, is_flooded: bool) -> Self {
        let limits = Limits { max_entries: 2 * count.max(1), max_bytes: None };
        let hasher = if is_flooded { KeyHasher::flooded() } else { KeyHasher::default() };
        let flood = Self { tier: MemoryTier::with_hasher(limits, Eviction::default(), 1, hasher) };
        (0..count).for_each(|number| flood.put(number));
        flood
    }

    /// Returns the value of a number, found as a hit finds it.
    #[doc(hidden)]
    #[must_use]
    pub fn get(&self, number: u64) -> Option<u64> {
        let bytes = number.to_be_bytes();
        let look = Look { tier: &self.tier, at: self.at(&bytes) };
        try_pinned(look).unwrap_or_else(|| pinned(|pin| look.read(pin)))
    }

    fn put(&self, number: u64) {
        let bytes = number.to_be_bytes();
        let life = Life {
            created_at: Timestamp::default(),
            accessed_at: Timestamp::default(),
            stale_at: Timestamp::NEVER,
            expires_at: Timestamp::NEVER,
            grace: Duration::ZERO,
            tti: None,
        };
        let meta = Meta {
            key: (Region::manual().id(), &bytes),
            stamp: Stamp::default(),
            tags: NO_TAGS,
            life,
            weight: 1,
            is_negative: false,
            load_time: None,
        };
        let _inserted =
            self.tier.insert(self.at(&bytes), Entry::of(&meta, number), Timestamp::default(), || true, |_| true);
        self.tier.tend();
    }

    fn at<'a>(&self, bytes: &'a [u8]) -> KeyRef<'a> {
        let region = Region::manual();
        KeyRef::new(region, bytes, self.tier.hasher.hash(region.id(), bytes))
    }
}

#[derive(Clone, Copy)]
struct Look<'a> {
    tier: &'a MemoryTier,
    at: KeyRef<'a>,
}

impl Read for Look<'_> {
    type Found = Option<u64>;

    #[inline(always)]
    fn read(self, pin: &Pin) -> Option<u64> {
        let entry = self.tier.find(pin, self.at)?;
        entry.plain::<u64>().map(|plain| *plain.value())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flooded_tier_answers_for_as_many_as_find_a_place() {
        let found = |is_flooded| {
            let flood = Flood::new(1_000, is_flooded);
            (0..1_000).filter(|number| flood.get(*number).inspect(|value| assert_eq!(value, number)).is_some()).count()
        };
        assert_eq!((found(false), found(true)), (1_000, 16 * 7));
    }
}

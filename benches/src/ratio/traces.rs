//! What is asked for.

use crate::random::{Popularity, Random};

/// How many keys there are, and how many calls.
#[derive(Clone, Copy)]
pub(super) struct Sizes {
    pub(super) keys: u32,
    pub(super) calls: usize,
}

/// A way to ask, of a cache with a capacity.
pub(super) struct Trace {
    pub(super) name: &'static str,
    kind: Kind,
    /// The capacity, in thousandths of the keys.
    share: u32,
}

enum Kind {
    /// Some keys are more popular than others, by this exponent.
    Zipf(f64),
    /// The same; after every so many calls, keys are asked for that nobody asks for again.
    Scans,
    /// The same; other keys become the popular ones five times.
    Shifts,
    /// What was asked for a short time ago is asked for again, and after some time never.
    Recency,
    /// So many percent of the capacity, one after the other, again and again.
    Loop(u32),
}

const fn trace(name: &'static str, kind: Kind, share: u32) -> Trace {
    Trace { name, kind, share }
}

/// Every trace there is.
pub(super) const ALL: [Trace; 14] = [
    trace("zipf 0.7, 0.1 %", Kind::Zipf(0.7), 1),
    trace("zipf 0.7, 1 %", Kind::Zipf(0.7), 10),
    trace("zipf 0.7, 10 %", Kind::Zipf(0.7), 100),
    trace("zipf 0.9, 0.1 %", Kind::Zipf(0.9), 1),
    trace("zipf 0.9, 1 %", Kind::Zipf(0.9), 10),
    trace("zipf 0.9, 10 %", Kind::Zipf(0.9), 100),
    trace("zipf 1.1, 0.1 %", Kind::Zipf(1.1), 1),
    trace("zipf 1.1, 1 %", Kind::Zipf(1.1), 10),
    trace("zipf 1.1, 10 %", Kind::Zipf(1.1), 100),
    trace("scans, 10 %", Kind::Scans, 100),
    trace("shifting, 10 %", Kind::Shifts, 100),
    trace("recency, 1 %", Kind::Recency, 10),
    trace("loop 1.1x, 1 %", Kind::Loop(110), 10),
    trace("loop 2x, 1 %", Kind::Loop(200), 10),
];

impl Trace {
    /// Returns how many entries the cache may keep.
    pub(super) fn capacity(&self, keys: u32) -> u32 {
        keys / 1_000 * self.share
    }

    /// Makes the keys of all calls.
    pub(super) fn calls(&self, sizes: Sizes) -> Vec<u32> {
        let capacity = self.capacity(sizes.keys);
        match self.kind {
            Kind::Zipf(exponent) => zipf(exponent, sizes),
            Kind::Scans => scans(capacity, sizes),
            Kind::Shifts => shifts(sizes),
            Kind::Recency => recency(capacity, sizes.calls),
            Kind::Loop(percent) => {
                let length = u64::from(capacity) * u64::from(percent) / 100;
                (0..sizes.calls as u64).map(|call| (call % length) as u32).collect()
            }
        }
    }
}

fn zipf(exponent: f64, sizes: Sizes) -> Vec<u32> {
    let mut random = Random::seeded(1);
    Popularity::zipf(sizes.keys, exponent, &mut random).draws(sizes.calls, &mut random)
}

/// After each twice the capacity of calls by Zipf 0.9, as many keys as the capacity are scanned.
fn scans(capacity: u32, sizes: Sizes) -> Vec<u32> {
    let (mut scanned, mut calls) = (sizes.keys, Vec::with_capacity(sizes.calls));
    for part in zipf(0.9, sizes).chunks(2 * capacity as usize) {
        calls.extend_from_slice(part);
        calls.extend(scanned..scanned + capacity);
        scanned += capacity;
    }
    calls.truncate(sizes.calls);
    calls
}

fn shifts(sizes: Sizes) -> Vec<u32> {
    // Between two phases, each key takes the place of one that is far away.
    let phase = |call| (call * 6 / sizes.calls) as u64;
    let shifted = |(call, key)| ((u64::from(key) + phase(call) * 7_919) % u64::from(sizes.keys)) as u32;
    zipf(0.9, sizes).into_iter().enumerate().map(shifted).collect()
}

/// Each fifth call, on average, asks for a key that is new. The others ask for what was asked for up to four times the
/// capacity of calls ago, a tenth of that ago as often as between that and all of it.
fn recency(capacity: u32, count: usize) -> Vec<u32> {
    let mut random = Random::seeded(1);
    let farthest = f64::from(4 * capacity);
    let (mut calls, mut new): (Vec<u32>, _) = (Vec::with_capacity(count), 0);
    for call in 0..count {
        let ago = farthest.powf(random.unit()) as usize;
        let key = match call.checked_sub(ago) {
            Some(earlier) if random.below(5) > 0 => calls[earlier],
            _ => {
                new += 1;
                new
            }
        };
        calls.push(key);
    }
    calls
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    const SIZES: Sizes = Sizes { keys: 20_000, calls: 60_000 };

    #[test]
    fn a_trace_is_as_long_as_asked_for_and_needs_more_than_its_capacity() {
        for trace in ALL {
            let calls = trace.calls(SIZES);
            assert_eq!(calls.len(), SIZES.calls, "{}", trace.name);
            let keys: HashSet<_> = calls.into_iter().collect();
            assert!(keys.len() > trace.capacity(SIZES.keys) as usize, "{}", trace.name);
        }
    }

    #[test]
    fn what_is_scanned_comes_once() {
        let mut scanned: Vec<_> = scans(2_000, SIZES).into_iter().filter(|key| *key >= SIZES.keys).collect();
        assert_eq!(scanned.len(), 20_000);
        scanned.dedup();
        assert_eq!(scanned.len(), 20_000);
    }

    #[test]
    fn the_popular_keys_are_others_after_a_shift() {
        let calls = shifts(SIZES);
        let popular = |calls: &[u32]| {
            let mut counts = vec![0; SIZES.keys as usize];
            calls.iter().for_each(|key| counts[*key as usize] += 1);
            let most = counts.iter().max().copied();
            counts.iter().position(|count| Some(*count) == most)
        };
        assert_ne!(popular(&calls[..10_000]), popular(&calls[10_000..20_000]));
    }

    #[test]
    fn four_of_five_recent_calls_are_for_a_key_again() {
        let calls = recency(200, SIZES.calls);
        let new = calls.iter().collect::<HashSet<_>>().len() as f64 / SIZES.calls as f64;
        assert!((new - 0.2).abs() < 0.01, "{new}");
    }
}

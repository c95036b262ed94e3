//! Hit ratios: of every policy, beside other caches of the same capacity, for the same calls.
//!
//! One thread asks; what is asked in the first half of the calls warms the caches, the second half counts.

use std::sync::Arc;

use cachex::Eviction;

use crate::args::Arguments;
use crate::peers::{Bounded, Foyer, Moka, Peer, QuickCache};
use crate::program::Suite;
use crate::random::{Popularity, Random};
use crate::row::{Name, Row};
use crate::service::{Payload, Service, Value};

pub(crate) const SUITE: Suite =
    Suite { name: "ratio", summary: "hit ratios of every eviction policy, beside other caches", run };

/// Entries that a cache may keep: a tenth of those that there are, but for the loop.
const CAPACITY: u32 = 5_000;
const KEYS: u32 = 10 * CAPACITY;

const POLICIES: [(&str, Eviction); 6] = [
    ("cachex", Eviction::S3Fifo),
    ("cachex lru", Eviction::Lru),
    ("cachex lfu", Eviction::Lfu),
    ("cachex fifo", Eviction::Fifo),
    ("cachex random", Eviction::Random),
    ("cachex sieve", Eviction::Sieve),
];

fn run(arguments: &Arguments) -> Result<Vec<Row>, String> {
    let calls = if arguments.is_quick { 100_000 } else { 4_000_000 };
    let mut rows = Vec::new();
    for (case, trace) in TRACES {
        let trace = trace(calls);
        let mut row = |subject, value| {
            let (threads, entries) = (1, CAPACITY as usize);
            rows.push(Row {
                suite: SUITE.name.into(),
                case: case.into(),
                subject: Name::Borrowed(subject),
                threads,
                entries,
                value,
                unit: "%".into(),
            });
        };
        for (name, eviction) in POLICIES {
            row(name, annotated(eviction, &trace)?);
        }
        row(NAMES[0], peer::<QuickCache<u64, Arc<Payload>>>(&trace));
        row(NAMES[1], peer::<Moka<u64, Arc<Payload>>>(&trace));
        row(NAMES[2], peer::<Foyer<u64, Arc<Payload>>>(&trace));
    }
    Ok(rows)
}

const NAMES: [&str; 3] = [
    <QuickCache<u64, Arc<Payload>> as Peer<_, _>>::NAME,
    <Moka<u64, Arc<Payload>> as Peer<_, _>>::NAME,
    <Foyer<u64, Arc<Payload>> as Peer<_, _>>::NAME,
];

/// Returns the hit ratio of an annotated method in percent: by the cache's own statistics.
fn annotated(eviction: Eviction, trace: &[u64]) -> Result<f64, String> {
    let service = Service::new(u64::from(CAPACITY), eviction)?;
    let (first, second) = trace.split_at(trace.len() / 2);
    let misses_of = |part: &[u64]| {
        let before = service.cache.stats().misses;
        part.iter().for_each(|key| drop(service.by_number(*key)));
        service.cache.stats().misses - before
    };
    misses_of(first);
    Ok(percent(misses_of(second), second.len()))
}

fn peer<P: Bounded<u64, Arc<Payload>>>(trace: &[u64]) -> f64 {
    let cache = P::bounded(CAPACITY as usize);
    let (first, second) = trace.split_at(trace.len() / 2);
    let misses_of = |part: &[u64]| {
        let mut misses = 0;
        for key in part {
            if cache.get(key).is_none() {
                misses += 1;
                cache.insert(*key, Value::load(*key));
            }
        }
        misses
    };
    misses_of(first);
    percent(misses_of(second), second.len())
}

fn percent(misses: u64, calls: usize) -> f64 {
    100.0 * (1.0 - misses as f64 / calls as f64)
}

/// Makes the keys of as many calls.
type Trace = fn(usize) -> Vec<u64>;

const TRACES: [(&str, Trace); 6] = [
    ("zipf 0.7", |calls| zipf(0.7, calls)),
    ("zipf 0.9", |calls| zipf(0.9, calls)),
    ("zipf 1.1", |calls| zipf(1.1, calls)),
    ("zipf 0.9, scans", scans),
    ("zipf 0.9, shifts", shifts),
    ("loop", |calls| (0..calls as u64).map(|call| call % u64::from(CAPACITY + CAPACITY / 2)).collect()),
];

fn zipf(exponent: f64, calls: usize) -> Vec<u64> {
    let mut random = Random::seeded(1);
    let popularity = Popularity::zipf(KEYS, exponent, &mut random);
    (0..calls).map(|_| u64::from(popularity.draw(&mut random))).collect()
}

/// After each 10 000 calls, 5000 keys are asked for that nobody asks for again.
fn scans(calls: usize) -> Vec<u64> {
    let (mut scanned, mut trace) = (u64::from(KEYS), Vec::with_capacity(calls));
    for part in zipf(0.9, calls * 2 / 3).chunks(2 * CAPACITY as usize) {
        trace.extend_from_slice(part);
        trace.extend(scanned..scanned + u64::from(CAPACITY));
        scanned += u64::from(CAPACITY);
    }
    trace
}

/// Five times, other keys become the popular ones.
fn shifts(calls: usize) -> Vec<u64> {
    let trace = zipf(0.9, calls).into_iter().enumerate();
    trace.map(|(call, key)| (key + (call * 6 / calls) as u64 * 7_919) % u64::from(KEYS)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_is_as_long_as_asked_for() {
        for (case, trace) in TRACES {
            assert_eq!(trace(60_000).len(), 60_000, "{case}");
        }
    }

    #[test]
    fn what_is_scanned_comes_once() {
        let mut scanned: Vec<_> = scans(60_000).into_iter().filter(|key| *key >= u64::from(KEYS)).collect();
        assert_eq!(scanned.len(), 20_000);
        scanned.dedup();
        assert_eq!(scanned.len(), 20_000);
    }

    #[test]
    fn a_method_and_a_peer_count_misses_alike() {
        let trace: Vec<u64> = [(0..100).collect::<Vec<_>>(), (50..150).collect()].concat();
        assert_eq!(annotated(Eviction::S3Fifo, &trace).unwrap(), 50.0);
        assert_eq!(peer::<QuickCache<_, _>>(&trace), 50.0);
    }
}

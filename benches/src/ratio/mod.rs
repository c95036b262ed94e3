//! Hit ratios: of every policy, beside other caches of the same capacity, for the same calls.
//!
//! One thread asks; what is asked in the first half of the calls warms the caches, the second half counts. `entries` is the
//! capacity. Reading order: this file (who is asked), [`traces`] (what is asked for).

mod traces;

use std::sync::Arc;

use cachex::Eviction;

use crate::args::Arguments;
use crate::peers::{Bounded, Foyer, FoyerS3Fifo, Moka, Peer, QuickCache};
use crate::program::Suite;
use crate::row::{Name, Row};
use crate::service::{Payload, Service, Value};
use traces::Sizes;

pub(crate) const SUITE: Suite =
    Suite { name: "ratio", summary: "hit ratios of every eviction policy, beside other caches", run };

const POLICIES: [(&str, Eviction); 6] = [
    ("cachex", Eviction::S3Fifo),
    ("cachex lru", Eviction::Lru),
    ("cachex lfu", Eviction::Lfu),
    ("cachex fifo", Eviction::Fifo),
    ("cachex random", Eviction::Random),
    ("cachex sieve", Eviction::Sieve),
];

fn run(arguments: &Arguments) -> Result<Vec<Row>, String> {
    let sizes = match arguments.is_quick {
        true => Sizes { keys: 10_000, calls: 40_000 },
        false => Sizes { keys: 1_000_000, calls: 4_000_000 },
    };
    let mut rows = Vec::new();
    for trace in traces::ALL {
        let (capacity, calls) = (trace.capacity(sizes.keys), trace.calls(sizes));
        let mut row = |subject, value| {
            rows.push(Row {
                suite: SUITE.name.into(),
                case: trace.name.into(),
                subject: Name::Borrowed(subject),
                threads: 1,
                entries: capacity as usize,
                value,
                unit: "%".into(),
            });
        };
        for (name, eviction) in POLICIES {
            row(name, annotated(eviction, capacity, &calls)?);
        }
        row(NAMES[0], peer::<QuickCache<u64, Arc<Payload>>>(capacity, &calls));
        row(NAMES[1], peer::<Moka<u64, Arc<Payload>>>(capacity, &calls));
        row(NAMES[2], peer::<Foyer<u64, Arc<Payload>>>(capacity, &calls));
        row(NAMES[3], peer::<FoyerS3Fifo<u64, Arc<Payload>>>(capacity, &calls));
    }
    Ok(rows)
}

const NAMES: [&str; 4] = [
    <QuickCache<u64, Arc<Payload>> as Peer<_, _>>::NAME,
    <Moka<u64, Arc<Payload>> as Peer<_, _>>::NAME,
    <Foyer<u64, Arc<Payload>> as Peer<_, _>>::NAME,
    <FoyerS3Fifo<u64, Arc<Payload>> as Peer<_, _>>::NAME,
];

/// Returns the hit ratio of an annotated method in percent: by the cache's own statistics.
fn annotated(eviction: Eviction, capacity: u32, calls: &[u32]) -> Result<f64, String> {
    let service = Service::new(u64::from(capacity), eviction)?;
    let (first, second) = calls.split_at(calls.len() / 2);
    let misses_of = |part: &[u32]| {
        let before = service.cache.stats().misses;
        part.iter().for_each(|key| drop(service.by_number(u64::from(*key))));
        service.cache.stats().misses - before
    };
    misses_of(first);
    Ok(percent(misses_of(second), second.len()))
}

fn peer<P: Bounded<u64, Arc<Payload>>>(capacity: u32, calls: &[u32]) -> f64 {
    let cache = P::bounded(capacity as usize);
    let (first, second) = calls.split_at(calls.len() / 2);
    let misses_of = |part: &[u32]| {
        let mut misses = 0;
        for key in part.iter().map(|key| u64::from(*key)) {
            if cache.get(&key).is_none() {
                misses += 1;
                cache.insert(key, Value::load(key));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_and_a_peer_count_misses_alike() {
        let calls: Vec<u32> = [(0..100).collect::<Vec<_>>(), (50..150).collect()].concat();
        assert_eq!(annotated(Eviction::S3Fifo, 1_000, &calls).unwrap(), 50.0);
        assert_eq!(peer::<QuickCache<_, _>>(1_000, &calls), 50.0);
    }
}

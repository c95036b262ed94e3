//! A miss: the load of an entry that another one must leave for, beside other caches.
//!
//! Each call asks for a key that nobody asked for before, of a cache that is full, so there is one load and one eviction to
//! each. `entries` is the capacity.
//!
//! - `evicting`: two threads ask for different keys. `cachex` and `moka` and `quick_cache` load a key once for all who ask at
//!   the same time (single flight); `foyer`, `cached` and `concurrent_cached` don't. `cachex alone` is the same method with
//!   `single_flight = false`: what it saves is what single flight costs.
//! - `evicting, 1 tag`, `evicting, 3 tags`: the same with tags made from the argument, by one thread: each load brings tags that
//!   nobody had before. In all other cases `cachex` has one constant tag.
//! - `same keys`: two threads ask for the same keys at the same time. One of them loads; the other one waits for that, hits, or
//!   loads as well.
//! - `insert`: all are given the entry without being asked for it first; `cachex` by the companion that primes a method.
//!
//! `uncached` is the load itself.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use cachex::Eviction;

use crate::args::Arguments;
use crate::measure::{Effort, Subject, measure};
use crate::peers::{Bounded, Cached, ConcurrentCached, Foyer, Memoised, Moka, QuickCache};
use crate::program::Suite;
use crate::row::Row;
use crate::service::{CONSTANT, Payload, Service, Value};

pub(crate) const SUITE: Suite =
    Suite { name: "miss", summary: "a load that evicts, with and without contention, beside its peers", run };

/// What the threads of a case ask for.
#[derive(Clone, Copy)]
enum Keys {
    Different,
    Same,
}

/// Makes who is asked, with caches of a capacity.
type Subjects = fn(u32) -> Result<Vec<Subject<'static>>, String>;

const CASES: [(&str, Keys, u32, Subjects); 7] = [
    ("evicting", Keys::Different, 1, loading),
    ("evicting", Keys::Different, 2, loading),
    ("evicting, 1 tag", Keys::Different, 1, tagging::<1>),
    ("evicting, 3 tags", Keys::Different, 1, tagging::<3>),
    ("same keys", Keys::Same, 2, loading),
    ("insert", Keys::Different, 1, inserting),
    ("insert", Keys::Different, 2, inserting),
];

const SMALL: u32 = 1_000;
const LARGE: u32 = 100_000;

fn run(arguments: &Arguments) -> Result<Vec<Row>, String> {
    let (repetitions, calls, capacities): (_, _, &[u32]) = match arguments.is_quick {
        true => (3, 4_000, &[SMALL]),
        false => (21, 50_000, &[SMALL, LARGE]),
    };
    let effort = Effort { repetitions, at_least: Duration::ZERO };
    let mut rows = Vec::new();
    // Also by the caches that live as long as the program.
    let mut unused = 0;
    for (case, keys, threads, subjects) in CASES {
        for &capacity in capacities {
            let subjects = subjects(capacity)?;
            let full: Vec<u32> = (unused..unused + 2 * capacity).collect();
            subjects.iter().for_each(|subject| subject.warm(&full));
            unused += 2 * capacity;
            let first = unused;
            unused += (repetitions as u32 + 1) * threads * calls;
            let work = |repetition| asked(first, repetition as u32, keys, threads, calls);
            let times = measure(&subjects, effort, work)?;
            rows.extend(subjects.iter().zip(times).map(|(subject, value)| Row {
                suite: SUITE.name.into(),
                case: case.into(),
                subject: subject.name.into(),
                threads: threads as usize,
                entries: capacity as usize,
                value,
                unit: "ns".into(),
            }));
        }
    }
    Ok(rows)
}

/// Returns what each thread asks for in a repetition; `first` was not asked for before, and nothing after it.
fn asked(first: u32, repetition: u32, keys: Keys, threads: u32, calls: u32) -> Vec<Vec<u32>> {
    let part = |thread| {
        let part = match keys {
            Keys::Different => repetition * threads + thread,
            Keys::Same => repetition,
        };
        (first + part * calls..first + (part + 1) * calls).collect()
    };
    (0..threads).map(part).collect()
}

fn loading(capacity: u32) -> Result<Vec<Subject<'static>>, String> {
    let service = || Service::new(u64::from(capacity), Eviction::S3Fifo);
    let (joined, alone) = (service()?, service()?);
    Ok(vec![
        calls("cachex", move |id| joined.by_number(id)),
        calls("cachex alone", move |id| alone.alone(id)),
        loads::<QuickCache<u64, Arc<Payload>>>(capacity),
        loads::<Moka<u64, Arc<Payload>>>(capacity),
        loads::<Foyer<u64, Arc<Payload>>>(capacity),
        match capacity {
            SMALL => function::<Cached<1_000>>(),
            _ => function::<Cached<100_000>>(),
        },
        match capacity {
            SMALL => function::<ConcurrentCached<1_000>>(),
            _ => function::<ConcurrentCached<100_000>>(),
        },
        calls("uncached", <Arc<Payload>>::load),
    ])
}

fn tagging<const TAGS: usize>(capacity: u32) -> Result<Vec<Subject<'static>>, String> {
    let service = || Service::new(u64::from(capacity), Eviction::S3Fifo);
    let (tagged, constant) = (service()?, service()?);
    let call = if TAGS == 1 { Service::by_row } else { Service::three_tags_of_row };
    let call_constant = if TAGS == 1 { Service::by_number } else { Service::three_tags };
    Ok(vec![
        calls("cachex", move |id| call(&tagged, id)),
        calls(CONSTANT, move |id| call_constant(&constant, id)),
        loads::<Moka<u64, Arc<Payload>>>(capacity),
    ])
}

fn inserting(capacity: u32) -> Result<Vec<Subject<'static>>, String> {
    let service = Service::new(u64::from(capacity), Eviction::S3Fifo)?;
    Ok(vec![
        calls("cachex", move |id| service.by_number_prime(&id, &Value::load(id))),
        inserts::<QuickCache<u64, Arc<Payload>>>(capacity),
        inserts::<Moka<u64, Arc<Payload>>>(capacity),
        inserts::<Foyer<u64, Arc<Payload>>>(capacity),
    ])
}

fn loads<P: Bounded<u64, Arc<Payload>> + 'static>(capacity: u32) -> Subject<'static> {
    let cache = P::bounded(capacity as usize);
    calls(P::NAME, move |id| cache.get_or_load(id, || Value::load(id)))
}

fn inserts<P: Bounded<u64, Arc<Payload>> + 'static>(capacity: u32) -> Subject<'static> {
    let cache = P::bounded(capacity as usize);
    calls(P::NAME, move |id| cache.insert(id, Value::load(id)))
}

fn function<F: Memoised<u64, Arc<Payload>> + 'static>() -> Subject<'static> {
    calls(F::NAME, F::call)
}

fn calls<V>(name: &'static str, call: impl Fn(u64) -> V + Sync + 'static) -> Subject<'static> {
    Subject::new(name, move |draws| {
        draws.iter().for_each(|draw| drop(black_box(call(u64::from(*draw)))));
        draws.len()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_is_asked_for_twice_unless_threads_ask_for_the_same() {
        let all = |keys| -> Vec<u32> {
            let mut all: Vec<_> = (0..3).flat_map(|repetition| asked(100, repetition, keys, 2, 10)).flatten().collect();
            all.sort_unstable();
            all
        };
        assert_eq!(all(Keys::Different), (100..160).collect::<Vec<_>>());
        let twice: Vec<u32> = (100..130).flat_map(|key| [key, key]).collect();
        assert_eq!(all(Keys::Same), twice);
    }

    #[test]
    fn a_full_cache_of_ours_loads_each_new_key_once() {
        let service = Arc::new(Service::new(u64::from(SMALL), Eviction::S3Fifo).unwrap());
        let asked_of = Arc::clone(&service);
        let subject = calls("cachex", move |id| asked_of.by_number(id));
        subject.warm(&(0..3 * SMALL).collect::<Vec<_>>());
        let stats = service.cache.stats();
        assert_eq!((stats.loads, stats.hits), (3 * u64::from(SMALL), 0));
    }
}

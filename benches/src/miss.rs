//! A miss: the load of an entry that another one must leave for, beside other caches.
//!
//! Each call asks for a key that nobody asked for before, so there is one load and one eviction to each. Of `same keys`
//! this holds for one thread, while the other asks for the same at the same time: it waits for the load, hits, or loads as
//! well. `cachex alone` is the same method with `single_flight = false`.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use cachex::Eviction;

use crate::Suite;
use crate::args::Arguments;
use crate::measure::{Effort, Subject, measure};
use crate::peers::{Bounded, Foyer, LATEST_CAPACITY, Moka, QuickCache, latest};
use crate::report::Row;
use crate::service::{Payload, Service, Value};

pub(crate) const SUITE: Suite =
    Suite { name: "miss", summary: "a load that evicts, with and without contention, beside its peers", run };

/// A case: whether its threads ask for the same keys, and how many threads there are.
const CASES: [(&str, bool, u32); 3] = [("evicting", false, 1), ("evicting", false, 2), ("same keys", true, 2)];

fn run(arguments: &Arguments) -> Result<Vec<Row>, String> {
    let (repetitions, calls) = if arguments.is_quick { (5, 10_000) } else { (31, 50_000) };
    let effort = Effort { repetitions, at_least: Duration::ZERO };
    let mut rows = Vec::new();
    let mut unused = 0;
    for (case, is_same, threads) in CASES {
        let subjects = subjects()?;
        let asked = |repetition: usize, thread: u32| {
            let part = repetition as u32 * threads + if is_same { 0 } else { thread };
            (unused + part * calls..unused + (part + 1) * calls).collect()
        };
        let work = |repetition| (0..threads).map(|thread| asked(repetition, thread)).collect();
        let times = measure(&subjects, effort, work)?;
        // Also by the caches that live as long as the program.
        unused += (repetitions as u32 + 1) * threads * calls;
        rows.extend(subjects.iter().zip(times).map(|(subject, value)| Row {
            suite: SUITE.name,
            case,
            subject: subject.name,
            threads: threads as usize,
            entries: LATEST_CAPACITY,
            value,
            unit: "ns",
        }));
    }
    Ok(rows)
}

fn subjects() -> Result<Vec<Subject<'static>>, String> {
    let service = || Service::new(LATEST_CAPACITY as u64, Eviction::S3Fifo);
    let (joined, alone) = (service()?, service()?);
    Ok(vec![
        calls("cachex", move |id| joined.by_number(id)),
        calls("cachex alone", move |id| alone.alone(id)),
        peer::<QuickCache<u64, Arc<Payload>>>(),
        peer::<Moka<u64, Arc<Payload>>>(),
        peer::<Foyer<u64, Arc<Payload>>>(),
        calls("cached", latest),
        calls("uncached", Value::load),
    ])
}

fn peer<P: Bounded<u64, Arc<Payload>> + 'static>() -> Subject<'static> {
    let cache = P::bounded(LATEST_CAPACITY);
    calls(P::NAME, move |id| cache.get_or_load(id, || Value::load(id)))
}

fn calls(name: &'static str, call: impl Fn(u64) -> Arc<Payload> + Sync + 'static) -> Subject<'static> {
    Subject::new(name, move |draws| {
        draws.iter().for_each(|draw| drop(black_box(call(u64::from(*draw)))));
        draws.len()
    })
}

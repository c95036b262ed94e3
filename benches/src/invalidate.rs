//! The invalidation of a tag, by how many entries it has, and what it costs the calls that follow.
//!
//! There are no peers here: none of them has tags.

use std::hint::black_box;
use std::time::Instant;

use cachex::Eviction;

use crate::args::Arguments;
use crate::program::Suite;
use crate::row::{Row, median};
use crate::service::Service;

pub(crate) const SUITE: Suite =
    Suite { name: "invalidate", summary: "the invalidation of a tag, and the calls after it", run };

/// Calls after an invalidation, where there are as many entries.
const CALLS: u64 = 1_000;

/// What is timed, in this order.
const CASES: [&str; 4] = ["first load", "invalidate", "next call", "call after that"];

fn run(arguments: &Arguments) -> Result<Vec<Row>, String> {
    let (repetitions, sizes): (_, &[u64]) = match arguments.is_quick {
        true => (7, &[1, 1_000, 100_000]),
        false => (31, &[1, 1_000, 100_000, 1_000_000]),
    };
    let mut times = vec![CASES.map(|_| Vec::new()); sizes.len()];
    for _ in 0..repetitions {
        for (entries, times) in sizes.iter().zip(&mut times) {
            let service = Service::new(2 * entries, Eviction::S3Fifo)?;
            for (time, times) in once(&service, *entries)?.into_iter().zip(times) {
                times.push(time);
            }
        }
    }
    let mut rows = Vec::new();
    for (entries, times) in sizes.iter().zip(&times) {
        rows.extend(CASES.iter().zip(times).map(|(case, times)| Row {
            suite: SUITE.name.into(),
            case: (*case).into(),
            subject: "cachex".into(),
            threads: 1,
            entries: *entries as usize,
            value: median(times),
            unit: "ns".into(),
        }));
    }
    Ok(rows)
}

/// Loads entries of one tag, invalidates it, and calls twice for the first of them; returns the times of [`CASES`] in
/// nanoseconds, of calls for one of them.
fn once(service: &Service, entries: u64) -> Result<[f64; CASES.len()], String> {
    let calls = entries.min(CALLS);
    let call = |ids: std::ops::Range<u64>| ids.for_each(|id| drop(black_box(service.by_number(id))));
    let first = timed(|| call(0..entries)) / entries as f64;
    let invalidation = timed(|| service.cache.invalidate_tags(["rows"]));
    let next = timed(|| call(0..calls)) / calls as f64;
    let after = timed(|| call(0..calls)) / calls as f64;
    let loads = service.cache.stats().loads;
    if loads != entries + calls {
        return Err(format!("{entries} entries and {calls} calls after an invalidation took {loads} loads"));
    }
    Ok([first, invalidation, next, after])
}

/// Returns how long something takes, in nanoseconds.
#[expect(clippy::disallowed_methods, reason = "real time is what is measured")]
fn timed(work: impl FnOnce()) -> f64 {
    let started_at = Instant::now();
    work();
    started_at.elapsed().as_secs_f64() * 1e9
}

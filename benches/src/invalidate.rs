//! The invalidation of a tag, by how many entries it has, and what it costs the calls that follow.
//!
//! - `first load`: a call that loads, before there is anything to invalidate.
//! - `invalidate`: the invalidation of the tag, as a whole. However many entries have it, the cache holds the same number in all, the
//!   others with another tag; much other memory was used since they were loaded, and a third tag, which none has, was invalidated
//!   just before.
//! - `other tag`: a hit of an entry that has another tag, before the invalidation; `other tag, after`: one right after it.
//! - `next call`: the first call for an entry after that, which loads again; `call after that` hits.
//!
//! The tag of `cachex` is made from an argument, so each entry carries it; that of `cachex constant` is a constant, which the method has.
//!
//! There are no peers here: none of them has tags. What comes nearest in them is in the suite `scale`.

use std::hint::black_box;
use std::ops::Range;
use std::sync::Arc;

use cachex::Eviction;

use crate::args::Arguments;
use crate::measure::timed;
use crate::program::Suite;
use crate::row::{Row, median};
use crate::service::{CONSTANT, Payload, Service};

pub(crate) const SUITE: Suite =
    Suite { name: "invalidate", summary: "the invalidation of a tag, and the calls after it", run };

/// Calls after an invalidation, where there are as many entries.
const CALLS: u64 = 1_000;

/// More memory than a processor caches, in bytes.
const MUCH: usize = 256 << 20;

/// What is timed, in this order.
const CASES: [&str; 6] = ["first load", "other tag", "invalidate", "other tag, after", "next call", "call after that"];

fn run(arguments: &Arguments) -> Result<Vec<Row>, String> {
    let (repetitions, sizes): (_, &[u64]) = match arguments.is_quick {
        true => (5, &[1, 1_000, 100_000]),
        false => (31, &[1, 1_000, 100_000, 1_000_000]),
    };
    let mut times = vec![CASES.map(|_| Vec::new()); KINDS.len() * sizes.len()];
    let mut other = vec![0_u64; MUCH / size_of::<u64>()];
    let most = sizes.iter().copied().max().unwrap_or_default();
    // The first repetition is not counted.
    for repetition in 0..=repetitions {
        for ((kind, entries), times) in each(sizes).zip(&mut times) {
            let service = Service::new(2 * (most + CALLS), Eviction::S3Fifo)?;
            let once = once(&service, kind, (entries, most), &mut other)?;
            if repetition > 0 {
                once.into_iter().zip(times).for_each(|(time, times)| times.push(time));
            }
        }
    }
    let mut rows = Vec::new();
    for ((kind, entries), times) in each(sizes).zip(&times) {
        rows.extend(CASES.into_iter().zip(times).map(|(case, times)| Row {
            suite: SUITE.name.into(),
            case: case.into(),
            subject: kind.subject.into(),
            threads: 1,
            entries: entries as usize,
            value: median(times),
            unit: "ns".into(),
        }));
    }
    Ok(rows)
}

/// Whose tags they are.
struct Kind {
    subject: &'static str,
    tag: &'static str,
    /// Calls for an entry with the tag.
    tagged: fn(&Service, u64) -> Arc<Payload>,
    /// Calls for one with another tag.
    other: fn(&Service, u64) -> Arc<Payload>,
}

const KINDS: [Kind; 2] = [
    Kind {
        subject: "cachex",
        tag: "group:0",
        tagged: |service, id| service.in_group(0, id),
        other: |service, id| service.in_group(1, id),
    },
    Kind { subject: CONSTANT, tag: "rows", tagged: Service::by_number, other: Service::otherwise_tagged },
];

fn each(sizes: &[u64]) -> impl Iterator<Item = (&'static Kind, u64)> {
    const { &KINDS }.iter().flat_map(|kind| sizes.iter().map(move |entries| (kind, *entries)))
}

/// Loads entries of one tag, and of another one, up to `most` and some in all, uses `memory`, invalidates the first tag, and calls again;
/// returns the times of [`CASES`] in nanoseconds, of calls for one of them.
fn once(
    service: &Service,
    kind: &Kind,
    (entries, most): (u64, u64),
    memory: &mut [u64],
) -> Result<[f64; CASES.len()], String> {
    let calls = entries.min(CALLS);
    let call = |ids: Range<u64>| ids.for_each(|id| drop(black_box((kind.tagged)(service, id))));
    let other = || (0..CALLS).for_each(|id| drop(black_box((kind.other)(service, id))));
    let first = timed(|| call(0..entries)) / entries as f64;
    let rest = most - entries;
    (CALLS..CALLS + rest).for_each(|id| drop(black_box((kind.other)(service, id))));
    // A million loads push the tag out to memory, one load does not: that must not look like the work of an invalidation.
    black_box(memory).iter_mut().for_each(|word| *word = word.wrapping_add(1));
    other();
    let other_before = timed(other) / CALLS as f64;
    // First another one, which no entry has: how long the code takes to arrive from memory is not asked.
    service.cache.invalidate_tags(["columns"]);
    let invalidation = timed(|| service.cache.invalidate_tags([kind.tag]).wait());
    let other_after = timed(other) / CALLS as f64;
    let next = timed(|| call(0..calls)) / calls as f64;
    let after = timed(|| call(0..calls)) / calls as f64;
    let loads = service.cache.stats().loads;
    if loads != most + calls + CALLS {
        return Err(format!("{entries} entries and {calls} calls after an invalidation took {loads} loads"));
    }
    Ok([first, other_before, invalidation, other_after, next, after])
}

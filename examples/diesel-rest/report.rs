//! What is printed.

use std::io::Write;
use std::time::Duration;

use crate::Error;
use crate::database::Place;
use crate::load::{Outcome, POSTS, USERS};

/// Says what is about to be done.
pub(crate) fn beginning(out: &mut impl Write, place: &Place, requests: u64) -> Result<(), Error> {
    let build = if cfg!(debug_assertions) { "not optimized: `cargo run --release …` is faster" } else { "optimized" };
    writeln!(out, "database   {place}")?;
    writeln!(out, "build      {build}")?;
    writeln!(
        out,
        "load       {USERS} users, {requests} requests over HTTP, 1 of 100 writes, {POSTS} posts in the beginning\n"
    )?;
    Ok(())
}

/// Prints what the columns are.
pub(crate) fn header(out: &mut impl Write) -> Result<(), Error> {
    Ok(writeln!(out, "cache   hit rate   database reads   requests/s   read p50   read p99")?)
}

/// Prints what came of one load.
pub(crate) fn row(out: &mut impl Write, cache: &str, outcome: &Outcome) -> Result<(), Error> {
    let Outcome { numbers, duration, tally } = outcome;
    let hit_rate = match numbers.hits + numbers.misses {
        0 => "-".to_owned(),
        _ => format!("{:.1} %", numbers.hit_rate * 100.0),
    };
    let requests = tally.reads.len() as f64 + tally.writes as f64;
    writeln!(
        out,
        "{cache:<5} {hit_rate:>10} {:>16} {:>12.0} {:>10} {:>10}",
        numbers.loads,
        requests / duration.as_secs_f64(),
        part(&tally.reads, 50),
        part(&tally.reads, 99)
    )?;
    Ok(())
}

/// Says whether an answer was older than it may be; if so, that is an error.
pub(crate) fn end(out: &mut impl Write, outcomes: &[Outcome]) -> Result<(), Error> {
    let reads: usize = outcomes.iter().map(|outcome| outcome.tally.reads.len()).sum();
    let mut stale = outcomes.iter().flat_map(|outcome| &outcome.tally.stale);
    let writes: u64 = outcomes.iter().map(|outcome| outcome.tally.writes).sum();
    writeln!(out, "\nchecked    {reads} reads against those of {writes} writes that were answered before they began")?;
    match stale.next() {
        None => Ok(writeln!(out, "stale reads: 0")?),
        Some(first) => Err(format!("{} of {reads} reads are stale; the first: {first}", 1 + stale.count()).into()),
    }
}

/// Returns how long so many of a hundred took at most.
fn part(sorted: &[Duration], part: usize) -> String {
    match sorted.len() {
        0 => "-".to_owned(),
        all => format!("{:.2} ms", sorted[(all - 1) * part / 100].as_secs_f64() * 1e3),
    }
}

//! What is printed.

use std::io::{Result, Write};
use std::time::Duration;

use cachex::{Cache, MethodInfo, Stats};

use crate::database::Database;
use crate::phases::Timing;
use crate::storm::{READING_TASKS, READING_THREADS, Tally, WRITERS};

/// Says what is about to be done.
pub(crate) fn beginning(out: &mut impl Write, database: &Database, duration: Duration) -> Result<()> {
    let build = if cfg!(debug_assertions) { "not optimized: `cargo run --release …` is faster" } else { "optimized" };
    writeln!(out, "database   {} cities in {}", database.cities.len(), database.path.display())?;
    writeln!(out, "build      {build}")?;
    writeln!(
        out,
        "run        cold reads, warm reads, then {} s of {READING_THREADS} threads and {READING_TASKS} tasks reading \
         while {WRITERS} threads write\n",
        duration.as_secs()
    )
}

/// Prints a row for each cached method of the program.
pub(crate) fn methods(out: &mut impl Write, cache: &Cache, timings: &[Timing]) -> Result<()> {
    writeln!(out, "method           calls       hits  hit rate      loads   median hit  median load")?;
    for MethodInfo { name, stats, .. } in cache.methods() {
        let method = name.rsplit("::").next().unwrap_or(&name);
        let Some(timing) = timings.iter().find(|timing| timing.method == method) else {
            continue;
        };
        writeln!(
            out,
            "{method:<12}{:>10} {:>10} {:>8.1}% {:>10} {:>12} {:>12}",
            stats.lookups(),
            stats.hits,
            stats.hit_rate() * 100.0,
            stats.loads,
            time(timing.median_hit),
            time(timing.median_load)
        )?;
    }
    Ok(())
}

/// Prints what the writers did, and whether a read was stale.
pub(crate) fn end(out: &mut impl Write, stats: &Stats, tally: &Tally, compared: u64, stale: u64) -> Result<()> {
    let Tally { reads, renamed, surveyed, removed, .. } = tally;
    writeln!(out, "\nwrites     {renamed} renamed, {surveyed} surveyed, {removed} removed and added again")?;
    writeln!(out, "raced      {} loads not kept, because a write came between", stats.rejected_stores)?;
    writeln!(
        out,
        "checked    {reads} reads during the writes; {compared} cached answers with the database in the end"
    )?;
    writeln!(out, "stale reads: {stale}")
}

/// Writes a time with three digits.
fn time(duration: Duration) -> String {
    let nanos = duration.as_nanos() as f64;
    let (number, unit) = match nanos {
        ..1e3 => (nanos, "ns"),
        ..1e6 => (nanos / 1e3, "µs"),
        _ => (nanos / 1e6, "ms"),
    };
    let digits = if number >= 100.0 || unit == "ns" {
        0
    } else if number >= 10.0 {
        1
    } else {
        2
    };
    format!("{number:.digits$} {unit}")
}

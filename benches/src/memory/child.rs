//! The side that counts.

use std::process::ExitCode;
use std::sync::Arc;

use super::bytes::{Case, Fill};
use super::counted::{
    Counted, Counting, cached_1m, cached_20k, cached_all, concurrent_1m, concurrent_20k, concurrent_all,
};
use super::{allocations, counter};
use crate::peers::{Foyer, Moka, MokaForever, Papaya, Peer, QuickCache, Unlocked};
use crate::row::Row;

/// What one process counts.
pub(super) struct Part {
    pub(super) name: &'static str,
    run: fn(bool) -> Result<Vec<Row>, String>,
}

/// All there is to count.
pub(super) const PARTS: &[Part] = &[
    part("cachex-filled", |is_quick| full("cachex", is_quick).annotated(Counting::tagged)),
    part("cachex-churned", |is_quick| churn("cachex", is_quick).annotated(Counting::tagged)),
    part("plain-filled", |is_quick| full("cachex plain", is_quick).annotated(Counting::plain)),
    part("plain-churned", |is_quick| churn("cachex plain", is_quick).annotated(Counting::plain)),
    part("3-tags-filled", |is_quick| full("cachex 3 tags", is_quick).annotated(Counting::three_tags)),
    part("3-tags-churned", |is_quick| churn("cachex 3 tags", is_quick).annotated(Counting::three_tags)),
    part("hashmap-filled", |is_quick| Ok(full("hashmap", is_quick).map::<Unlocked<u64, Arc<Counted>>>())),
    part("papaya-filled", |is_quick| Ok(full("papaya", is_quick).map::<Papaya<u64, Arc<Counted>>>())),
    part("quick-cache-filled", |is_quick| Ok(full("quick_cache", is_quick).bounded::<QuickCache<_, _>>())),
    part("quick-cache-churned", |is_quick| Ok(churn("quick_cache", is_quick).bounded::<QuickCache<_, _>>())),
    part("moka-filled", |is_quick| Ok(full("moka", is_quick).bounded::<Moka<_, _>>())),
    part("moka-churned", |is_quick| Ok(churn("moka", is_quick).bounded::<Moka<_, _>>())),
    part("moka-forever-filled", |is_quick| Ok(full(FOREVER, is_quick).bounded::<MokaForever<_, _>>())),
    part("moka-forever-churned", |is_quick| Ok(churn(FOREVER, is_quick).bounded::<MokaForever<_, _>>())),
    part("foyer-filled", |is_quick| Ok(full("foyer", is_quick).bounded::<Foyer<_, _>>())),
    part("foyer-churned", |is_quick| Ok(churn("foyer", is_quick).bounded::<Foyer<_, _>>())),
    part("cached-filled", |is_quick| Ok(full("cached", is_quick).function(cached(is_quick)))),
    part("cached-churned", |is_quick| Ok(churn("cached", is_quick).function(cached(is_quick)))),
    part("cached-unbounded-filled", |is_quick| Ok(full("cached unbounded", is_quick).function(cached_all))),
    part("concurrent-filled", |is_quick| Ok(full("concurrent_cached", is_quick).function(concurrent(is_quick)))),
    part("concurrent-churned", |is_quick| Ok(churn("concurrent_cached", is_quick).function(concurrent(is_quick)))),
    part("concurrent-unbounded-filled", |is_quick| {
        Ok(full("concurrent_cached unbounded", is_quick).function(concurrent_all))
    }),
    part("allocations", allocations::rows),
];

const FOREVER: &str = <MokaForever<u64, Arc<Counted>> as Peer<_, _>>::NAME;

fn cached(is_quick: bool) -> fn(u64) -> Arc<Counted> {
    if is_quick { cached_20k } else { cached_1m }
}

fn concurrent(is_quick: bool) -> fn(u64) -> Arc<Counted> {
    if is_quick { concurrent_20k } else { concurrent_1m }
}

const fn part(name: &'static str, run: fn(bool) -> Result<Vec<Row>, String>) -> Part {
    Part { name, run }
}

fn full(subject: &'static str, is_quick: bool) -> Case {
    Case { subject, entries: entries(is_quick), fill: Fill::Full }
}

fn churn(subject: &'static str, is_quick: bool) -> Case {
    Case { subject, entries: entries(is_quick), fill: Fill::Churn }
}

fn entries(is_quick: bool) -> u64 {
    if is_quick { 20_000 } else { 1_000_000 }
}

/// Counts what the command line names, and writes the rows as JSON.
pub fn count() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().unwrap_or_default();
    let outcome = rows(&name, arguments.any(|argument| argument == "--quick"));
    let json = outcome.and_then(|rows| serde_json::to_string(&rows).map_err(|error| error.to_string()));
    match json {
        Ok(json) => {
            println!("{json}");
            ExitCode::SUCCESS
        }
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

fn rows(name: &str, is_quick: bool) -> Result<Vec<Row>, String> {
    counter::check()?;
    let part = PARTS.iter().find(|part| part.name == name);
    let part = part.ok_or_else(|| {
        let names: Vec<_> = PARTS.iter().map(|part| part.name).collect();
        format!("there is no part `{name}`; the parts are: {}", names.join(", "))
    })?;
    (part.run)(is_quick)
}

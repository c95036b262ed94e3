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
    run: fn(u64) -> Result<Vec<Row>, String>,
}

/// What the suite counts.
pub(super) const PARTS: &[Part] = &[
    part("cachex-filled", |entries| full("cachex", entries).annotated(Counting::tagged)),
    part("cachex-churned", |entries| churn("cachex", entries).annotated(Counting::tagged)),
    part("cachex-churned-by-two", |entries| {
        Case { threads: 2, ..churn("cachex", entries) }.annotated(Counting::tagged)
    }),
    part("plain-filled", |entries| full("cachex plain", entries).annotated(Counting::plain)),
    part("plain-churned", |entries| churn("cachex plain", entries).annotated(Counting::plain)),
    part("1-tag-of-row-churned", |entries| {
        churn("cachex, 1 tag of the argument", entries / 10).annotated(Counting::one_of_row)
    }),
    part("3-tags-of-row-churned", |entries| {
        churn("cachex, 3 tags of the argument", entries / 10).annotated(Counting::three_of_row)
    }),
    part("8-tags-of-row-churned", |entries| {
        churn("cachex, 8 tags of the argument", entries / 10).annotated(Counting::eight_of_row)
    }),
    part("hashmap-filled", |entries| Ok(full("hashmap", entries).map::<Unlocked<u64, Arc<Counted>>>())),
    part("papaya-filled", |entries| Ok(full("papaya", entries).map::<Papaya<u64, Arc<Counted>>>())),
    part("quick-cache-filled", |entries| Ok(full("quick_cache", entries).bounded::<QuickCache<_, _>>())),
    part("quick-cache-churned", |entries| Ok(churn("quick_cache", entries).bounded::<QuickCache<_, _>>())),
    part("moka-filled", |entries| Ok(full("moka", entries).bounded::<Moka<_, _>>())),
    part("moka-churned", |entries| Ok(churn("moka", entries).bounded::<Moka<_, _>>())),
    part("moka-forever-filled", |entries| Ok(full(FOREVER, entries).bounded::<MokaForever<_, _>>())),
    part("moka-forever-churned", |entries| Ok(churn(FOREVER, entries).bounded::<MokaForever<_, _>>())),
    part("foyer-filled", |entries| Ok(full("foyer", entries).bounded::<Foyer<_, _>>())),
    part("foyer-churned", |entries| Ok(churn("foyer", entries).bounded::<Foyer<_, _>>())),
    part("cached-filled", |entries| Ok(full("cached", entries).function(cached(entries)))),
    part("cached-churned", |entries| Ok(churn("cached", entries).function(cached(entries)))),
    part("cached-unbounded-filled", |entries| Ok(full("cached unbounded", entries).function(cached_all))),
    part("concurrent-filled", |entries| Ok(full("concurrent_cached", entries).function(concurrent(entries)))),
    part("concurrent-churned", |entries| Ok(churn("concurrent_cached", entries).function(concurrent(entries)))),
    part("concurrent-unbounded-filled", |entries| {
        Ok(full("concurrent_cached unbounded", entries).function(concurrent_all))
    }),
    part("allocations", allocations::rows),
];

/// The same annotated method with more and more tags: constants, and such as each entry has alone.
pub(super) const TAGS: &[Part] = &[
    part("0-tags", |entries| churn("cachex", entries).annotated(Counting::no_tags)),
    part("1-tag", |entries| churn("cachex", entries).annotated(Counting::tagged)),
    part("3-tags", |entries| churn("cachex", entries).annotated(Counting::three_tags)),
    part("8-tags", |entries| churn("cachex", entries).annotated(Counting::eight_tags)),
    part("1-tag-of-row", |entries| churn("cachex", entries).annotated(Counting::one_of_row)),
    part("3-tags-of-row", |entries| churn("cachex", entries).annotated(Counting::three_of_row)),
    part("8-tags-of-row", |entries| churn("cachex", entries).annotated(Counting::eight_of_row)),
];

const FOREVER: &str = <MokaForever<u64, Arc<Counted>> as Peer<_, _>>::NAME;

/// Returns the function whose capacity it is.
fn cached(entries: u64) -> fn(u64) -> Arc<Counted> {
    if entries == super::QUICK { cached_20k } else { cached_1m }
}

fn concurrent(entries: u64) -> fn(u64) -> Arc<Counted> {
    if entries == super::QUICK { concurrent_20k } else { concurrent_1m }
}

const fn part(name: &'static str, run: fn(u64) -> Result<Vec<Row>, String>) -> Part {
    Part { name, run }
}

fn full(subject: &'static str, entries: u64) -> Case {
    Case { subject, entries, fill: Fill::Full, threads: 1 }
}

fn churn(subject: &'static str, entries: u64) -> Case {
    Case { subject, entries, fill: Fill::Churn, threads: 1 }
}

/// Counts what the command line names, with as many entries as it says, and writes the rows as JSON.
pub fn count() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let json = rows(&arguments).and_then(|rows| serde_json::to_string(&rows).map_err(|error| error.to_string()));
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

fn rows(arguments: &[String]) -> Result<Vec<Row>, String> {
    let [name, entries] = arguments else {
        return Err("which part, and how many entries? `cachex-bench memory` says it".to_owned());
    };
    let entries = entries.parse().map_err(|error| format!("`{entries}` is not a number of entries: {error}"))?;
    counter::check()?;
    let part = PARTS.iter().chain(TAGS).find(|part| part.name == name);
    let part = part.ok_or_else(|| {
        let names: Vec<_> = PARTS.iter().chain(TAGS).map(|part| part.name).collect();
        format!("there is no part `{name}`; the parts are: {}", names.join(", "))
    })?;
    (part.run)(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_understood_is_told() {
        let told = |words: &[&str]| rows(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>()).unwrap_err();
        assert!(told(&[]).contains("which part"));
        assert!(told(&["cachex-filled", "many"]).contains("not a number of entries"));
        // Tests have another allocator.
        assert!(told(&["cachex-filled", "10"]).contains("does not count"));
    }
}

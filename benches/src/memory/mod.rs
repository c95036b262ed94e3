//! Memory: bytes for each entry, values that stay alive, and allocations for each call; beside other caches.
//!
//! A program of its own counts ([`count`]), one process for each subject, so that none finds what another one left behind.
//! What is counted are the bytes that are asked for, without what the system's allocator adds.
//!
//! - `bytes filled`: into an empty cache with room for just as many go all `entries`, once. `bytes churned`: four times as
//!   many go into it, by one thread, and of `cachex` once more by two. The bytes of the cache are all that it holds, less the values themselves (48 bytes each: the [`Arc`]
//!   with its payload), divided by the values that are alive: by what is kept, not by what was put in. Maps, and caches
//!   without a capacity, are filled only.
//! - `live values`: how many values are alive after the same churn, beside the capacity (`entries`); `settled`: after the
//!   cache has done what it had put off, where it can be told to.
//! - `hit …`, `miss …`: allocations, and those that grow, for one call. All entries of a hit are resident and were asked for
//!   before. Each miss is of a cache that is full. The load allocates as well: the same number of bare loads is counted in
//!   the same way, and subtracted.
//!
//! `cachex` is an annotated method with one constant tag and a TTL; `cachex plain` has neither. `cachex, 1 tag of the argument` has
//! instead a tag that each entry has alone, 3 or 8 of them: what all these tags take is counted as the entry's (a tenth of the entries;
//! dead values and tags that nobody needs are given back before, by `Cache::reclaim`). How bytes grow with tags and entries is
//! in the suite `scale`, counted in the same way.
//!
//! [`Arc`]: std::sync::Arc

mod allocations;
mod bytes;
mod child;
mod counted;
mod counter;
mod parent;

pub use child::count;
pub(crate) use parent::Program;

use crate::args::Arguments;
use crate::program::Suite;
use crate::row::Row;

/// The entries of a quick run.
const QUICK: u64 = 20_000;
/// The entries of a full run.
const FULL: u64 = 1_000_000;

pub(crate) const SUITE: Suite = Suite {
    name: "memory",
    summary: "bytes per entry, values that stay alive, and allocations per call, beside its peers",
    run,
};

fn run(arguments: &Arguments) -> Result<Vec<Row>, String> {
    let program = Program::build()?;
    let entries = if arguments.is_quick { QUICK } else { FULL };
    let mut rows = Vec::new();
    for part in child::PARTS {
        rows.extend(program.rows(part.name, entries)?);
    }
    rows.sort_by_key(|row| order(&row.case));
    Ok(rows)
}

/// Subjects of one case stand together, cases in the order of their kinds.
fn order(case: &str) -> (usize, String) {
    let kinds = ["bytes", "live", "hit", "async hit", "miss", "async miss"];
    let kind = kinds.iter().position(|kind| case.starts_with(kind)).unwrap_or(kinds.len());
    (kind, case.to_owned())
}

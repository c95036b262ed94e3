//! Memory: bytes for each entry, values that stay alive, and allocations for each call; beside other caches.
//!
//! A program of its own counts ([`count`]), one process for each subject, so that none finds what another one left behind.
//! What is counted are the bytes that are asked for, without what the system's allocator adds.
//!
//! - `bytes filled`: into an empty cache with room for just as many go all `entries`, once. `bytes churned`: four times as
//!   many go into it. The bytes of the cache are all that it holds, less the values themselves (48 bytes each: the [`Arc`]
//!   with its payload), divided by the values that are alive: by what is kept, not by what was put in. Maps, and caches
//!   without a capacity, are filled only.
//! - `live values`: how many values are alive after the same churn, beside the capacity (`entries`); `settled`: after the
//!   cache has done what it had put off, where it can be told to.
//! - `hit …`, `miss …`: allocations, and those that grow, for one call. All entries of a hit are resident and were asked for
//!   before. Each miss is of a cache that is full. The load allocates as well: the same number of bare loads is counted in
//!   the same way, and subtracted.
//!
//! `cachex` is an annotated method with one tag and a TTL; `cachex plain` has neither, `cachex 3 tags` has three and a TTL.
//!
//! [`Arc`]: std::sync::Arc

mod allocations;
mod bytes;
mod child;
mod counted;
mod counter;
mod parent;

pub use child::count;

use crate::program::Suite;

pub(crate) const SUITE: Suite = Suite {
    name: "memory",
    summary: "bytes per entry, values that stay alive, and allocations per call, beside its peers",
    run: parent::run,
};

//! Calls that overlap: loads, invalidations, writes, refreshes, and callers that go in the middle.
//!
//! Reading order: [`invalidation`] (loads overtaken by it), [`between`] (the same within one step of a call), [`writes`],
//! [`flights`] (who loads, who waits), [`dropped`] (futures that end at each await), [`nesting`] (loads that need loads),
//! [`fences`], [`values`] (what user code in values may do), [`readers`] (values that are read when they leave), [`threads`]
//! (the same with real threads).
//!
//! Each test guards a line of the engine, named in its comment: break the line and the test fails.

mod between;
mod dropped;
mod fences;
mod flights;
mod invalidation;
mod nesting;
pub(crate) mod readers;
mod threads;
mod values;
mod writes;

/// Returns for how many seconds a race goes on: as many as `CACHEX_RACE_SECONDS` says, else as is usual for it.
pub(crate) fn seconds(usual: f64) -> f64 {
    let variable = std::env::var("CACHEX_RACE_SECONDS");
    variable.map_or(usual, |seconds| seconds.parse().expect("`CACHEX_RACE_SECONDS` is a number"))
}

//! The integration suite: behaviour across crates, through the public API.

#![expect(clippy::unwrap_used, reason = "a test ends at what it did not expect")]

mod allocations;
mod annotated;
mod bad_input;
mod batches;
mod configuration;
mod derives;
mod documentation;
mod keys;
mod layering;
mod loaders;
mod manual;
mod memory;
mod races;
mod redis;
mod registry;
mod several_caches;
mod source;
mod statistics;
mod stores;
mod structures;
mod time;
mod ui;
mod weights;

use cachex::{Builder, Cache};

/// The memory engine of [`builder`]; `moka.rs` runs a part of the suite with the other one.
const ENGINE: &str = "cachex";

/// Every eviction policy of the engine, by the name that the configuration has for it.
const POLICIES: [&str; 6] = ["s3-fifo", "lru", "lfu", "fifo", "random", "sieve"];

fn builder() -> Builder {
    Cache::builder()
}

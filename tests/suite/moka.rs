//! The part of the suite that keeps entries and takes them out again, with the memory engine `moka`: the same tests must hold.
//!
//! What is not here does not depend on the engine, or is about the choices of ours.

#![expect(clippy::unwrap_used, reason = "a test ends at what it did not expect")]

mod bad_input;
mod manual;
mod memory {
    mod stress;
}
mod races;
mod source;
mod statistics;
mod time;
mod tiny_lfu;
mod weights;

use cachex::{Builder, Cache, MemoryEngine};

/// The memory engine of [`builder`].
const ENGINE: &str = "moka";

/// Every eviction policy of the engine, by the name that the configuration has for it.
const POLICIES: [&str; 2] = ["lfu", "lru"];

fn builder() -> Builder {
    Cache::builder().memory_engine(MemoryEngine::Moka)
}

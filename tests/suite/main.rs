//! The integration suite: behaviour across crates, through the public API.

#![expect(clippy::unwrap_used, reason = "a test ends at what it did not expect")]

mod allocations;
mod annotated;
mod bad_input;
mod configuration;
mod derives;
mod documentation;
mod keys;
mod layering;
mod loaders;
mod manual;
mod memory;
mod races;
mod registry;
mod several_caches;
mod source;
mod statistics;
mod time;
mod ui;
mod weights;

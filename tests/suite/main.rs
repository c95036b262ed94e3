//! The integration suite: behaviour across crates, through the public API.

mod annotated;
mod configuration;
mod derives;
mod keys;
mod layering;
mod memory;
mod races;
mod ui;

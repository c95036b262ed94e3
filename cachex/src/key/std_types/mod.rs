//! `CacheKey` for the types of the standard library.

mod collections;
mod net;
mod numbers;
mod path;
mod pointers;
mod ranges;
mod text;
mod time;
mod tuples;

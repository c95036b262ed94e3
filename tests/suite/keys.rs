//! The encoding of keys: frozen by vectors, canonical and injective by properties.
//!
//! Each of these changes in `cachex/src/key` makes a test here fail: leaving the length out of `write_str` or `write_bytes`
//! (their `push_counted`), the count out of `write_sequence` or `write_variant`, the order out of `append_to` (its `sort_unstable`); giving
//! `NONE` the number of `UNIT`, or `STR` that of `BYTES`; leaving `+ 0.0` or the NaN out of `write_f64`.

mod golden;
mod properties;
mod standard;

use cachex::{CacheKey, KeyWriter};

fn bytes(value: &(impl CacheKey + ?Sized)) -> Vec<u8> {
    let mut out = KeyWriter::new();
    value.encode(&mut out);
    out.as_bytes().to_vec()
}

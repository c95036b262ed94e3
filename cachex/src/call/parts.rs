//! The parts of a key, as the macros spell them: one line each.

use super::Call;
use super::scope::CacheScope;
use crate::key::{CacheKey, KeyWriter};

/// What `self` is asked for.
#[derive(Debug)]
#[doc(hidden)]
pub enum Ask<'r, 'a, 'k> {
    /// The cache that its type names, for a call that has none yet.
    Cache(&'r mut Call<'a>),
    /// Its parts of the key.
    Parts(&'r mut KeyWriter<'k>),
}

/// Asks `self`. (One function for both questions: who does not implement the trait gets one error.)
#[inline(always)]
pub fn scope<'a, S: CacheScope + ?Sized>(scope: &'a S, ask: Ask<'_, 'a, '_>) {
    match ask {
        Ask::Cache(call) => call.fall_back_to(|| scope.cache()),
        Ask::Parts(out) => scope.encode_scope(out),
    }
}

/// Writes one argument.
#[inline(always)]
pub fn part<K: CacheKey + ?Sized>(part: &K, out: &mut KeyWriter<'_>) {
    part.encode(out);
}

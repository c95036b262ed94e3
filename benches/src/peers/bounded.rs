//! What has a capacity.

use super::Peer;

/// A cache with a capacity.
pub(crate) trait Bounded<K, V>: Peer<K, V> + Sized {
    /// Makes an empty cache for as many entries.
    fn bounded(capacity: usize) -> Self;

    fn insert(&self, key: K, value: V);

    /// Returns the value of a key; loads it if there is none, once for all who ask if the peer can do that.
    fn get_or_load(&self, key: K, load: impl FnOnce() -> V) -> V;

    /// Drops all entries.
    fn drop_all(&self);

    /// Does what the peer has put off.
    fn settle(&self) {}

    /// Makes a cache with entries, and with room for as many again.
    fn filled(entries: impl ExactSizeIterator<Item = (K, V)>) -> Self {
        let cache = Self::bounded(2 * entries.len());
        for (key, value) in entries {
            cache.insert(key, value);
        }
        cache.settle();
        cache
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Foyer, FoyerS3Fifo, Moka, MokaForever, QuickCache};
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
        cache.drop_all();
        assert_eq!((cache.get(&7), cache.get(&1_000)), (None, None));
    }

    #[test]
    fn a_cache_with_room_keeps_all_and_loads_what_is_missing() {
        check::<QuickCache<_, _>>();
        check::<Moka<_, _>>();
        check::<MokaForever<_, _>>();
        check::<Foyer<_, _>>();
        check::<FoyerS3Fifo<_, _>>();
    }
}

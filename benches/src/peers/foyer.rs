//! foyer's memory cache, with its default policy.

use foyer_memory::{Cache, CacheBuilder, CacheProperties};

use super::{Bounded, Peer, PeerKey};

pub(crate) struct Foyer<K: PeerKey, V: Send + Sync + 'static>(Cache<K, V>);

impl<K: PeerKey, V: Clone + Send + Sync + 'static> Peer<K, V> for Foyer<K, V> {
    const NAME: &'static str = "foyer";

    fn get(&self, key: &K) -> Option<V> {
        self.0.get(key).map(|entry| entry.value().clone())
    }
}

impl<K: PeerKey, V: Clone + Send + Sync + 'static> Bounded<K, V> for Foyer<K, V> {
    fn bounded(capacity: usize) -> Self {
        Self(CacheBuilder::new(capacity).build::<CacheProperties>())
    }

    fn insert(&self, key: K, value: V) {
        self.0.insert(key, value);
    }

    /// Joins no loads: foyer does that for async callers only.
    fn get_or_load(&self, key: K, load: impl FnOnce() -> V) -> V {
        if let Some(value) = self.get(&key) {
            return value;
        }
        let value = load();
        self.insert(key, value.clone());
        value
    }
}

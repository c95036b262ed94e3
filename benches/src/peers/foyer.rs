//! foyer's memory cache, with its default policy (LRU), and with S3-FIFO.

use foyer_memory::{Cache, CacheBuilder, CacheProperties, S3FifoConfig};

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

    fn drop_all(&self) {
        self.0.clear();
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

/// The same with S3-FIFO.
pub(crate) struct FoyerS3Fifo<K: PeerKey, V: Send + Sync + 'static>(Foyer<K, V>);

impl<K: PeerKey, V: Clone + Send + Sync + 'static> Peer<K, V> for FoyerS3Fifo<K, V> {
    const NAME: &'static str = "foyer s3-fifo";

    fn get(&self, key: &K) -> Option<V> {
        self.0.get(key)
    }
}

impl<K: PeerKey, V: Clone + Send + Sync + 'static> Bounded<K, V> for FoyerS3Fifo<K, V> {
    fn bounded(capacity: usize) -> Self {
        let policy = S3FifoConfig::default();
        Self(Foyer(CacheBuilder::new(capacity).with_eviction_config(policy).build::<CacheProperties>()))
    }

    fn drop_all(&self) {
        self.0.drop_all();
    }

    fn insert(&self, key: K, value: V) {
        self.0.insert(key, value);
    }

    fn get_or_load(&self, key: K, load: impl FnOnce() -> V) -> V {
        self.0.get_or_load(key, load)
    }
}

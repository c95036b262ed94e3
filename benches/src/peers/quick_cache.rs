//! quick_cache: S3-FIFO under sharded locks.

use std::convert::Infallible;

use quick_cache::sync::Cache;

use super::{Bounded, Peer, PeerKey};

pub(crate) struct QuickCache<K, V>(Cache<K, V>);

impl<K: PeerKey, V: Clone + Send + Sync> Peer<K, V> for QuickCache<K, V> {
    const NAME: &'static str = "quick_cache";

    fn get(&self, key: &K) -> Option<V> {
        self.0.get(key)
    }
}

impl<K: PeerKey, V: Clone + Send + Sync> Bounded<K, V> for QuickCache<K, V> {
    fn bounded(capacity: usize) -> Self {
        Self(Cache::new(capacity))
    }

    fn drop_all(&self) {
        self.0.retain(|_, _| false);
    }

    fn insert(&self, key: K, value: V) {
        self.0.insert(key, value);
    }

    fn get_or_load(&self, key: K, load: impl FnOnce() -> V) -> V {
        match self.0.get_or_insert_with(&key, || Ok::<_, Infallible>(load())) {
            Ok(value) => value,
            Err(never) => match never {},
        }
    }
}

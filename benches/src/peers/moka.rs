//! moka: TinyLFU with a journal of accesses; for blocking and for async callers.

use super::{Bounded, Peer, PeerKey, TTL};

pub(crate) struct Moka<K, V>(moka::sync::Cache<K, V>);

impl<K: PeerKey, V: Clone + Send + Sync + 'static> Peer<K, V> for Moka<K, V> {
    const NAME: &'static str = "moka";

    fn get(&self, key: &K) -> Option<V> {
        self.0.get(key)
    }
}

impl<K: PeerKey, V: Clone + Send + Sync + 'static> Bounded<K, V> for Moka<K, V> {
    fn bounded(capacity: usize) -> Self {
        Self(moka::sync::Cache::builder().max_capacity(capacity as u64).time_to_live(TTL).build())
    }

    fn drop_all(&self) {
        self.0.invalidate_all();
    }

    fn insert(&self, key: K, value: V) {
        self.0.insert(key, value);
    }

    fn get_or_load(&self, key: K, load: impl FnOnce() -> V) -> V {
        self.0.get_with(key, load)
    }

    fn settle(&self) {
        self.0.run_pending_tasks();
    }
}

/// The same without a time to live.
pub(crate) struct MokaForever<K, V>(Moka<K, V>);

impl<K: PeerKey, V: Clone + Send + Sync + 'static> Peer<K, V> for MokaForever<K, V> {
    const NAME: &'static str = "moka without TTL";

    fn get(&self, key: &K) -> Option<V> {
        self.0.get(key)
    }
}

impl<K: PeerKey, V: Clone + Send + Sync + 'static> Bounded<K, V> for MokaForever<K, V> {
    fn bounded(capacity: usize) -> Self {
        Self(Moka(moka::sync::Cache::new(capacity as u64)))
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

    fn settle(&self) {
        self.0.settle();
    }
}

pub(crate) struct MokaFuture<K, V>(moka::future::Cache<K, V>);

impl<K: PeerKey, V: Clone + Send + Sync + 'static> MokaFuture<K, V> {
    pub(crate) const NAME: &'static str = "moka";

    /// Makes an empty cache for as many entries.
    pub(crate) fn bounded(capacity: usize) -> Self {
        Self(moka::future::Cache::builder().max_capacity(capacity as u64).time_to_live(TTL).build())
    }

    /// Makes a cache with entries, and with room for as many again.
    pub(crate) async fn filled(entries: impl ExactSizeIterator<Item = (K, V)>) -> Self {
        let Self(cache) = Self::bounded(2 * entries.len());
        for (key, value) in entries {
            cache.insert(key, value).await;
        }
        cache.run_pending_tasks().await;
        Self(cache)
    }

    pub(crate) async fn get_or_load(&self, key: K, load: impl Future<Output = V>) -> V {
        self.0.get_with(key, load).await
    }

    pub(crate) async fn get(&self, key: &K) -> Option<V> {
        self.0.get(key).await
    }
}

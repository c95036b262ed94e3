//! The standard map, which only one may change: the limit.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::{Peer, PeerKey};

pub(crate) struct Unlocked<K, V>(HashMap<K, V, RandomState>);

impl<K: PeerKey, V> FromIterator<(K, V)> for Unlocked<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        Self(entries.into_iter().collect())
    }
}

impl<K: PeerKey, V: Clone + Sync> Peer<K, V> for Unlocked<K, V> {
    const NAME: &'static str = "hashmap";

    fn get(&self, key: &K) -> Option<V> {
        self.0.get(key).cloned()
    }
}

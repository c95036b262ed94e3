//! A map that is read without locks.

use foldhash::fast::RandomState;
use papaya::HashMap;

use super::{Peer, PeerKey};

pub(crate) struct Papaya<K, V>(HashMap<K, V, RandomState>);

impl<K: PeerKey, V> FromIterator<(K, V)> for Papaya<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        Self(entries.into_iter().collect())
    }
}

impl<K: PeerKey, V: Clone + Send + Sync> Peer<K, V> for Papaya<K, V> {
    const NAME: &'static str = "papaya";

    fn get(&self, key: &K) -> Option<V> {
        self.0.pin().get(key).cloned()
    }
}

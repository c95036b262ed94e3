//! Slices and collections.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, LinkedList, VecDeque};

use crate::key::{CacheKey, KeyWriter};

impl<T: CacheKey> CacheKey for [T] {
    #[inline]
    fn encode(&self, out: &mut KeyWriter<'_>) {
        T::encode_slice(self, out);
    }
}

impl<T: CacheKey, const N: usize> CacheKey for [T; N] {
    #[inline]
    fn encode(&self, out: &mut KeyWriter<'_>) {
        T::encode_slice(self, out);
    }
}

impl<T: CacheKey> CacheKey for Vec<T> {
    #[inline]
    fn encode(&self, out: &mut KeyWriter<'_>) {
        T::encode_slice(self, out);
    }
}

impl<T: CacheKey> CacheKey for VecDeque<T> {
    fn encode(&self, out: &mut KeyWriter<'_>) {
        out.write_sequence(self);
    }
}

impl<T: CacheKey> CacheKey for LinkedList<T> {
    fn encode(&self, out: &mut KeyWriter<'_>) {
        out.write_sequence(self);
    }
}

impl<K: CacheKey, V: CacheKey> CacheKey for BTreeMap<K, V> {
    fn encode(&self, out: &mut KeyWriter<'_>) {
        out.write_map(self);
    }
}

impl<K: CacheKey, V: CacheKey, S> CacheKey for HashMap<K, V, S> {
    fn encode(&self, out: &mut KeyWriter<'_>) {
        out.write_map(self);
    }
}

impl<T: CacheKey> CacheKey for BTreeSet<T> {
    fn encode(&self, out: &mut KeyWriter<'_>) {
        out.write_set(self);
    }
}

impl<T: CacheKey, S> CacheKey for HashSet<T, S> {
    fn encode(&self, out: &mut KeyWriter<'_>) {
        out.write_set(self);
    }
}

//! Holding off who is about to load a key, or to write its entry.

use super::{Home, Shard, of_key};
use crate::entry::stamp::Stamp;
use crate::key::KeyRef;
use crate::sync::{MutexGuard, lock};

/// While it lives, no load of a key begins, and none ends.
pub(crate) struct Hold<'a, L> {
    shard: MutexGuard<'a, Shard<L>>,
    at: KeyRef<'a>,
}

impl<'a, L> Hold<'a, L> {
    pub(super) fn new(home: &'a Home<L>, at: KeyRef<'a>) -> Self {
        Self { shard: lock(home), at }
    }

    pub(crate) fn at(&self) -> KeyRef<'_> {
        self.at
    }

    /// Keeps the hold if no load of the key is under way, nor an update.
    pub(crate) fn if_idle(self) -> Option<Self> {
        let is_idle = self.shard.listed.is_empty() || of_key(&self.shard, self.at).next().is_none();
        is_idle.then_some(self)
    }

    /// Makes worthless every load of the key that began before `stamp`.
    pub(crate) fn void(&self, stamp: Stamp) {
        if !self.shard.listed.is_empty() {
            of_key(&self.shard, self.at).for_each(|flight| flight.epoch.raise(stamp));
        }
    }
}

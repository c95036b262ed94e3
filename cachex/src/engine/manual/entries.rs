//! The entries of calls by hand: finding and making them.

use std::sync::Arc;
use std::sync::atomic::AtomicU8;
use std::time::Duration;

use crate::engine::Engine;
use crate::engine::appraise::{lifetime, weight};
use crate::engine::methods::Method;
use crate::entry::stamp::Stamp;
use crate::entry::{Entry, Freshness, Meta};
use crate::key::Key;
use crate::method::keep::{CacheValue, Keep, Portable};
use crate::policy::Policy;
use crate::tag::Tags;

impl Engine {
    /// Finds a current, unexpired entry, and notes the use.
    pub(super) fn usable(&self, method: &Method, key: &Key) -> Option<(Arc<Entry>, Freshness)> {
        let entry = self.tier.get(self.key_ref_of(key))?;
        let freshness = self.freshness(method, &entry);
        matches!(freshness, Freshness::Fresh | Freshness::Stale).then_some((entry, freshness))
    }

    /// Finds an unexpired entry that nothing but a fence may hide.
    pub(super) fn unaltered(&self, key: &Key) -> Option<Arc<Entry>> {
        let entry = self.tier.peek(self.key_ref_of(key))?;
        let is_usable = self.is_unaltered(self.method(key.region()), &entry)
            && matches!(entry.meta.life.freshness(self.now()), Freshness::Fresh | Freshness::Stale);
        is_usable.then_some(entry)
    }

    /// Finds a current, unexpired entry without using it.
    pub(super) fn peek(&self, key: &Key) -> Option<Arc<Entry>> {
        let entry = self.tier.peek(self.key_ref_of(key))?;
        let is_usable = self.is_current(self.method(key.region()), &entry)
            && matches!(entry.meta.life.freshness(self.now()), Freshness::Fresh | Freshness::Stale);
        is_usable.then_some(entry)
    }

    /// Makes the entry of a value that came without an annotation; nothing if it would be dead at once.
    pub(super) fn manual_entry<T: CacheValue>(
        &self,
        key: &Key,
        value: T,
        policy: &Policy,
        tags: &Tags,
        stamp: Stamp,
    ) -> Option<Arc<Entry>> {
        let ttl = lifetime(policy, None, false);
        let size = if self.is_bounded_by_bytes { Portable.size(&value) } else { size_of::<T>() as u64 };
        let meta = Meta {
            stamp,
            tags: self.cells(tags),
            life: self.life(policy, ttl, key, stamp),
            weight: weight(key, size),
            is_negative: false,
            load_time: Duration::ZERO,
            uses: AtomicU8::new(0),
        };
        (ttl != Some(Duration::ZERO)).then(|| Entry::new(meta, value))
    }
}

/// Returns the metadata of another value of the same entry.
pub(super) fn again(meta: &Meta) -> Meta {
    Meta {
        stamp: meta.stamp,
        tags: meta.tags.clone(),
        life: meta.life.again(),
        weight: meta.weight,
        is_negative: meta.is_negative,
        load_time: meta.load_time,
        uses: AtomicU8::new(0),
    }
}

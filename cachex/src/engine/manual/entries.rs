//! The entries of calls by hand: finding and making them.

use std::time::Duration;

use crate::engine::Engine;
use crate::engine::appraise::lifetime;
use crate::engine::methods::Method;
use crate::entry::stamp::Stamp;
use crate::entry::{Entry, Freshness, Meta};
use crate::key::KeyRef;
use crate::method::keep::{CacheValue, Keep, Portable};
use crate::policy::Policy;
use crate::raw::grace::pinned;
use crate::tag::Tags;

impl Engine {
    // These two are called while the order is held: they hold nothing but what they return, so that nothing is dropped here.

    /// Finds a current, unexpired entry, and notes the use.
    pub(super) fn usable(&self, method: &Method, at: KeyRef<'_>) -> Option<(Entry, Freshness)> {
        pinned(|pin| {
            let entry = self.tier.find(pin, at)?;
            let freshness = self.freshness(method, &entry);
            matches!(freshness, Freshness::Fresh | Freshness::Stale).then(|| (Entry::clone(&entry), freshness))
        })
    }

    /// Finds a current, unexpired entry without using it.
    pub(super) fn peek(&self, at: KeyRef<'_>) -> Option<Entry> {
        pinned(|pin| {
            let entry = self.tier.peek_pinned(pin, at)?;
            let is_usable = self.is_current(self.method(at.region), &entry)
                && matches!(entry.freshness(|| self.now()), Freshness::Fresh | Freshness::Stale);
            is_usable.then(|| Entry::clone(&entry))
        })
    }

    /// Makes the entry of a value that came without an annotation; nothing if it would be dead at once.
    pub(super) fn manual_entry<T: CacheValue>(
        &self,
        at: KeyRef<'_>,
        value: T,
        policy: &Policy,
        tags: &Tags,
        stamp: Stamp,
    ) -> Option<Entry> {
        let ttl = lifetime(policy, None, false);
        let size = if self.is_bounded_by_bytes { Portable.size(&value) } else { size_of::<T>() as u64 };
        let meta = Meta {
            key: at.parts(),
            stamp,
            tags: (tags, &self.tag_ids(tags)),
            life: self.life(policy, ttl, at, stamp, self.now()),
            weight: self.weight(at, size),
            is_negative: false,
            load_time: Some(Duration::ZERO),
        };
        (ttl != Some(Duration::ZERO)).then(|| Entry::of(&meta, value))
    }
}

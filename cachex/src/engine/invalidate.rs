//! Invalidations: by tag, by key, by method, of everything. Each is one step of the logical clock.

use std::sync::Arc;

use super::Engine;
use super::checked::Reason;
use super::methods::Method;
use crate::entry::stamp::Stamp;
use crate::key::{Key, KeyRef};
use crate::observe::event::Event;
use crate::sync::{Ordering, fence, lock};
use crate::tag::Tags;

impl Engine {
    /// Invalidates tags and keys in one step.
    pub(crate) fn invalidate(&self, tags: &Tags, keys: &[&Key]) {
        self.at_next(|at| {
            self.raise_tags(tags, at);
            keys.iter().for_each(|key| self.flights.hold(key.at()).void(at));
        });
        for key in keys {
            self.take(key.at());
        }
    }

    /// Makes every entry with one of `tags` wrong, and every load of one that has begun.
    pub(crate) fn invalidate_tags(&self, tags: &Tags) {
        self.at_next(|at| self.raise_tags(tags, at));
    }

    pub(super) fn raise_tags(&self, tags: &Tags, at: Stamp) {
        for tag in tags {
            // Break this (drop the line) and every test of invalidation by tag fails.
            self.tags.cell(tag, || self.horizon()).invalidate(at);
        }
    }

    /// Makes every entry wrong, and every load that has begun. The memory is given back at once.
    pub(crate) fn clear(&self) {
        self.at_next(|at| {
            self.epoch.raise(at);
            // After the epoch: a method that is listed later finds it. (The barrier is one of two, see `Methods::meet`.)
            fence(Ordering::SeqCst);
            self.methods.iter().for_each(|method| method.floor.raise(at));
        });
        for entry in self.tier.clear() {
            let method = self.method_of(&entry);
            method.counters.invalidated.one();
            self.tell(|| Event::Invalidated(Key::from_parts(method.region, entry.bytes())));
        }
        self.tier.flush(1);
        self.tags.sweep(self.horizon());
    }

    /// Makes every entry of a method wrong, and every load of one that has begun.
    pub(crate) fn invalidate_method(&self, method: &Method) {
        self.at_next(|at| {
            method.epoch.raise(at);
            method.floor.raise(at);
        });
    }

    /// Makes plain hits of a method possible again if it was enabled again.
    pub(super) fn reopen(&self, method: &Method) {
        // Nothing is invalidated while the order is held.
        let _order = lock(&self.order);
        method.reopen(self.epoch.get());
    }

    /// Removes one entry, and voids the loads of it that have begun. Returns whether there was an entry.
    pub(crate) fn remove(&self, at: KeyRef<'_>) -> bool {
        // Break this (drop the line) and a load that began before a removal is stored after it.
        self.at_next(|now| self.flights.hold(at).void(now));
        self.take(at)
    }

    /// Takes an entry out of the tier. Returns whether a call could have been answered with it.
    fn take(&self, at: KeyRef<'_>) -> bool {
        let Some(entry) = self.tier.remove(at) else { return false };
        let was_useful = self.note_gone(self.method(at.region), at, &entry, Reason::Removed, self.now());
        drop(entry);
        self.tier.tend();
        was_useful
    }

    /// Removes every entry whose key `matches`, and voids the loads of such keys. Returns how many entries there were.
    pub(crate) fn remove_matching(&self, matches: impl Fn(&Key) -> bool) -> u64 {
        self.at_next(|at| self.flights.void_matching(at, &matches));
        // What has taken the place of an entry that was seen is newer, and stays: an entry is never copied.
        let removed =
            self.tier.retain(&mut |entry| !matches(&Key::from_parts(self.method_of(entry).region, entry.bytes())));
        let now = self.now();
        let count = removed.iter().map(|gone| u64::from(self.note_left(gone, Reason::Removed, now))).sum();
        drop(removed);
        self.tier.tend();
        count
    }

    /// Returns the methods this cache has met under a name: more than one if the method is generic.
    pub(crate) fn methods_named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Arc<Method>> {
        // The manual API has a region, and no name that a method could share.
        self.methods.iter().filter(move |method| method.region.id() != 0 && method.region.name() == name)
    }
}

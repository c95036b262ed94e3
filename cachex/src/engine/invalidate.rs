//! Invalidations: by tag, by key, by method, of everything. Each is one step of the logical clock.

use std::sync::Arc;

use super::Engine;
use super::checked::Reason;
use super::delivery::Delivery;
use super::methods::Method;
use crate::entry::stamp::Stamp;
use crate::key::{Key, KeyRef};
use crate::observe::event::Event;
use crate::sync::{Ordering, fence, lock};
use crate::tag::Tags;

impl Engine {
    /// Invalidates tags and keys in one step, here and then in L2.
    pub(crate) fn invalidate(&self, tags: &Tags, keys: &[&Key]) -> Delivery {
        self.sent(|| self.invalidate_here(tags, keys), || self.send(tags, keys)).1
    }

    /// Invalidates here and sends it.
    ///
    /// With L2 it is done here before and after it is sent. Without the first, a write by hand from before could be given the clock from
    /// after; without the second, what was read from L2 in between would be kept.
    fn sent<T: Default>(&self, here: impl Fn() -> T, send: impl FnOnce() -> Delivery) -> ((T, T), Delivery) {
        let before = if self.has_remote() { here() } else { T::default() };
        let delivery = send();
        ((before, here()), delivery)
    }

    /// Invalidates tags and keys in one step, in this process.
    pub(crate) fn invalidate_here(&self, tags: &Tags, keys: &[&Key]) {
        self.at_next(|at| {
            self.raise_tags(tags, at);
            keys.iter().for_each(|key| self.flights.hold(key.at()).void(at));
        });
        for key in keys {
            self.take(key.at());
        }
    }

    /// Makes every entry with one of `tags` wrong, and every load of one that has begun.
    pub(crate) fn invalidate_tags(&self, tags: &Tags) -> Delivery {
        self.invalidate(tags, &[])
    }

    pub(super) fn raise_tags(&self, tags: &Tags, at: Stamp) {
        for tag in tags {
            // Break this (drop the line) and every test of invalidation by tag fails.
            self.tags.invalidate(self.tags.id(tag), at);
        }
    }

    /// Makes every entry wrong, and every load that has begun, here and then in L2.
    pub(crate) fn clear(&self) -> Delivery {
        self.sent(|| self.clear_here(), || self.send_all()).1
    }

    /// Makes every entry wrong, and every load that has begun, in this process. The memory is given back at once.
    pub(crate) fn clear_here(&self) {
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
    }

    /// Makes every entry of a method wrong, and every load of one that has begun, here and then in L2.
    pub(crate) fn invalidate_method(&self, method: &Method) -> Delivery {
        self.sent(|| self.invalidate_method_here(method), || self.send_method(method)).1
    }

    /// Makes every entry of a method wrong, and every load of one that has begun, in this process.
    pub(crate) fn invalidate_method_here(&self, method: &Method) {
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

    /// Removes one entry, and voids the loads of it that have begun, here and then in L2. Returns whether there was an entry here.
    pub(crate) fn remove(&self, at: KeyRef<'_>) -> Delivery<bool> {
        let ((first, second), delivery) = self.sent(|| self.remove_here(at), || self.send_key(at));
        delivery.returning(first || second)
    }

    pub(super) fn remove_here(&self, at: KeyRef<'_>) -> bool {
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

    /// Removes every entry whose key matches, and voids the loads of such keys. Returns how many entries there were here. In L2 goes
    /// what may match, or everything.
    pub(crate) fn remove_matching(self: &Arc<Self>, pattern: &str) -> Delivery<u64> {
        let ((first, second), delivery) =
            self.sent(|| self.remove_matching_here(pattern), || self.send_matching(pattern));
        delivery.returning(first + second)
    }

    pub(super) fn remove_matching_here(&self, pattern: &str) -> u64 {
        let matches = |key: &Key| key.matches(pattern);
        self.at_next(|at| self.flights.void_matching(at, matches));
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

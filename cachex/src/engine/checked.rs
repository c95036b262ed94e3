//! The only ways a value becomes an entry.
//!
//! A *loaded* value is stored if nothing it depends on was invalidated since its load began. A *written* value voids the
//! loads under way for its key and replaces the entry. Both are decided under the lock that a removal of the key takes, so
//! no removal can fall between the check and the store.

use super::flight::Ticket;
use super::methods::Method;
use super::{Engine, Landing};
use crate::entry::stamp::Stamp;
use crate::entry::{Entry, Freshness};
use crate::key::Key;
use crate::observe::event::Event;
use crate::sync::lock;
use crate::tier::Inserted;
use crate::time::Timestamp;

impl Engine {
    /// Stores a loaded value if it is still current. Returns whether it was.
    pub(crate) fn store_loaded(
        &self,
        method: &Method,
        entry: &Entry,
        ticket: &Ticket<Landing>,
        now: Timestamp,
    ) -> bool {
        // Break this check (`|| true`) and the race suite shows stale entries.
        let is_valid = || ticket.allows(entry.stamp()) && self.is_current(method, entry);
        let inserted = self.tier.insert(ticket.at(), entry.clone(), now, is_valid);
        self.account(method, ticket.key(), inserted, now)
    }

    /// Moves the logical clock on and acts at the new reading, as one step for every other invalidation.
    pub(crate) fn at_next<T>(&self, act: impl FnOnce(Stamp) -> T) -> T {
        let _order = lock(&self.order);
        act(self.sequence.step())
    }

    /// Makes a written value the entry, whatever was there; nothing removes the entry.
    pub(crate) fn write(&self, method: &Method, key: &Key, entry: Option<Entry>) {
        let written: Result<(), std::convert::Infallible> = self.try_write(method, key, |_| Ok((entry, ())));
        match written {
            Ok(()) => {}
            Err(never) => match never {},
        }
    }

    /// As [`write`](Self::write), of what `make` makes of the present state, unless it fails. The order is held throughout:
    /// writes of a key happen one after the other, and each sees the one before. `make` runs no code of users.
    pub(crate) fn try_write<T, E>(
        &self,
        method: &Method,
        key: &Key,
        make: impl FnOnce(Stamp) -> Result<(Option<Entry>, T), E>,
    ) -> Result<T, E> {
        let (value, gone) = self.at_next(|at| {
            let (entry, value) = make(at)?;
            // Break this (drop the line) and a load from before the write replaces what was written.
            self.void(key, at);
            Ok((value, self.put(key, entry, at)))
        })?;
        self.settle(method, key, gone);
        Ok(value)
    }

    /// Makes `entry` the entry, or removes what there is. The order is held, and what was voided at `at` stays void: a
    /// removal that comes later takes the entry away again.
    pub(super) fn put(&self, key: &Key, entry: Option<Entry>, at: Stamp) -> Gone {
        let Some(mut entry) = entry else { return Gone::Removed(self.tier.remove(self.key_ref_of(key))) };
        entry.set_stamp(at);
        Gone::Inserted(self.tier.insert(self.key_ref_of(key), entry, self.now(), || true))
    }

    /// Accounts for a write, once the order is no longer held, and drops what had to go.
    pub(super) fn settle(&self, method: &Method, key: &Key, gone: Gone) {
        match gone {
            Gone::Inserted(inserted) => {
                self.account(method, key, inserted, self.now());
            }
            Gone::Removed(None) => {}
            Gone::Removed(Some(entry)) => {
                self.note_gone(method, key, &entry, Reason::Removed, self.now());
            }
        }
        // Break this (tend where the order is held) and a value that invalidates when it is dropped waits for itself.
        self.tier.tend();
    }

    /// Counts and tells what an insert did; what had to go is dropped here, outside of any lock.
    pub(super) fn account(&self, method: &Method, key: &Key, inserted: Inserted, now: Timestamp) -> bool {
        let is_stored = self.note_insert(method, key, inserted, now);
        self.tier.tend();
        is_stored
    }

    fn note_insert(&self, method: &Method, key: &Key, inserted: Inserted, now: Timestamp) -> bool {
        match inserted {
            Inserted::Rejected(entry) => {
                drop(entry);
                method.counters.rejected_stores.one();
                self.tell(|| Event::StoreRejected(key.clone()));
                false
            }
            Inserted::TooHeavy { entry, removed } => {
                method.counters.too_heavy.one();
                drop(entry);
                self.tell(|| Event::TooHeavy(key.clone()));
                if let Some(removed) = removed {
                    self.note_gone(method, key, &removed, Reason::Removed, now);
                }
                false
            }
            Inserted::Stored { replaced, evicted } => {
                method.counters.tally().store();
                if let Some(replaced) = replaced {
                    self.note_gone(method, key, &replaced, Reason::Replaced, now);
                }
                for entry in &evicted {
                    self.note_left(entry, Reason::Evicted, now);
                }
                true
            }
        }
    }

    /// Brings the tier within its bounds, if that was put off, and accounts for what left for room.
    pub(super) fn trim(&self) {
        for entry in self.tier.trim() {
            self.note_left(&entry, Reason::Evicted, self.now());
        }
        self.tier.tend();
    }

    /// As [`note_gone`](Self::note_gone), of an entry of any key.
    pub(super) fn note_left(&self, entry: &Entry, reason: Reason, now: Timestamp) -> bool {
        let method = self.method_of(entry);
        self.note_end(method, || Key::from_parts(method.region, entry.bytes()), entry, reason, now)
    }

    /// Counts and tells that an entry has gone: for the given reason, unless it was of no use before. Returns whether a call
    /// could have been answered with it.
    pub(super) fn note_gone(&self, method: &Method, key: &Key, entry: &Entry, reason: Reason, now: Timestamp) -> bool {
        self.note_end(method, || key.clone(), entry, reason, now)
    }

    /// As [`note_gone`](Self::note_gone); `key` is asked for where somebody is told of it.
    fn note_end(&self, method: &Method, key: impl Fn() -> Key, entry: &Entry, reason: Reason, now: Timestamp) -> bool {
        let counters = &method.counters;
        let age = entry.freshness(|| now);
        if !self.is_unaltered(method, entry) {
            counters.invalidated.one();
            self.tell(|| Event::Invalidated(key()));
            return false;
        }
        if age == Freshness::Dead {
            counters.expired.one();
            self.tell(|| Event::Expired(key()));
            return false;
        }
        match reason {
            Reason::Replaced => {}
            Reason::Evicted => {
                counters.tally().evict();
                self.tell(|| Event::Evicted(key()));
            }
            Reason::Removed => {
                counters.removed.one();
                self.tell(|| Event::Removed(key()));
            }
        }
        age != Freshness::Expired
    }
}

/// Why an entry has gone that was still of use.
#[derive(Clone, Copy, Debug)]
pub(super) enum Reason {
    Replaced,
    Evicted,
    Removed,
}

/// What a write left over, to be dropped once no lock is held.
pub(super) enum Gone {
    Inserted(Inserted),
    Removed(Option<Entry>),
}

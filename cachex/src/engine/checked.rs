//! The only ways a value becomes an entry.
//!
//! A *loaded* value is stored if nothing it depends on was invalidated since its load began. A *written* value voids the
//! loads under way for its key and replaces the entry. Both are decided under the lock that a removal of the key takes, so
//! no removal can fall between the check and the store.

use super::flight::{Hold, Ticket};
use super::methods::Method;
use super::{Engine, Landing};
use crate::entry::stamp::Stamp;
use crate::entry::{Entry, Freshness};
use crate::key::{Key, KeyRef};
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
        if !method.is_kept_here() {
            return false;
        }
        // Break this check (`|| true`) and the race suite shows stale entries.
        let is_valid = || ticket.allows(entry.stamp()) && self.is_current(method, entry);
        let inserted =
            self.tier.insert(ticket.at(), entry.clone(), now, is_valid, |gone| self.count_evicted(gone, now));
        #[cfg(feature = "remote")]
        self.keep_within_l1(ticket.at(), now);
        self.account(method, ticket.at(), inserted, now)
    }

    /// Moves the logical clock on and acts at the new reading, as one step for every other invalidation.
    pub(crate) fn at_next<T>(&self, act: impl FnOnce(Stamp) -> T) -> T {
        let _order = lock(&self.order);
        act(self.sequence.step())
    }

    /// Makes a written value the entry, whatever was there; nothing removes the entry.
    ///
    /// A write has a place among the invalidations for the sake of the loads under way of its key. Where there are none, the
    /// clock stands still and the order is not held: what is loaded from now on waits for the write, and so do other writes.
    pub(crate) fn write(&self, method: &Method, at: KeyRef<'_>, entry: Option<Entry>, now: Timestamp) {
        let gone = self.write_here(at, entry.filter(|_| method.is_kept_here()), now);
        self.settle(method, at, gone, now);
    }

    /// As [`write`](Self::write); what has gone is to be settled.
    #[inline]
    pub(super) fn write_here(&self, at: KeyRef<'_>, entry: Option<Entry>, now: Timestamp) -> Gone {
        let idle = self.flights.hold(at).if_idle().map(|hold| (hold, self.sequence.now()));
        match idle {
            Some((hold, stamp)) => self.put(&hold, entry, stamp, now),
            None => self.at_next(|stamp| self.put(&self.flights.hold(at), entry, stamp, now)),
        }
    }

    /// As [`write`](Self::write), of what `make` makes of the present state, unless it fails. Writes of a key happen one after
    /// the other, and each sees the one before. `make` runs no code of users.
    pub(crate) fn try_write<T, E>(
        &self,
        method: &Method,
        at: KeyRef<'_>,
        make: impl FnOnce() -> Result<(Option<Entry>, T), E>,
    ) -> Result<T, E> {
        let now = self.now();
        let (value, gone) = self.at_next(|stamp| {
            // Break this (hold after `make`) and an increment takes back what was set since it looked.
            let hold = self.flights.hold(at);
            let (entry, value) = make()?;
            Ok((value, self.put(&hold, entry, stamp, now)))
        })?;
        self.settle(method, at, gone, now);
        Ok(value)
    }

    /// Makes `entry` the entry, or removes what there is, and voids the loads of the key that began before `stamp`: a removal
    /// that comes later takes the entry away again. Values that had to go are returned, to be dropped once nothing is held.
    pub(super) fn put(&self, hold: &Hold<'_, Landing>, entry: Option<Entry>, stamp: Stamp, now: Timestamp) -> Gone {
        // Break this (drop the line) and a load from before the write replaces what was written.
        hold.void(stamp);
        let Some(mut entry) = entry else { return Gone::Removed(self.tier.remove(hold.at())) };
        entry.set_stamp(stamp);
        let inserted = self.tier.insert(hold.at(), entry, now, || true, |gone| self.count_evicted(gone, now));
        // Once it is there: whether notices come is asked later than who empties the tier says that they do not.
        #[cfg(feature = "remote")]
        self.keep_within_l1(hold.at(), now);
        Gone::Inserted(inserted)
    }

    /// Accounts for a write, once nothing is held any more, and drops what had to go.
    pub(super) fn settle(&self, method: &Method, at: KeyRef<'_>, gone: Gone, now: Timestamp) {
        match gone {
            // It tends the tier as well.
            Gone::Inserted(inserted) => {
                self.account(method, at, inserted, now);
            }
            Gone::Removed(removed) => {
                if let Some(entry) = removed {
                    self.note_gone(method, at, &entry, Reason::Removed, now);
                }
                // Break this (tend where the order is held) and a value that invalidates when it is dropped waits for itself.
                self.tier.tend();
            }
        }
    }

    /// Counts and tells what an insert did; what had to go is dropped here, outside of any lock.
    pub(super) fn account(&self, method: &Method, at: KeyRef<'_>, inserted: Inserted, now: Timestamp) -> bool {
        let is_stored = self.note_insert(method, at, inserted, now);
        self.tier.tend();
        is_stored
    }

    fn note_insert(&self, method: &Method, at: KeyRef<'_>, inserted: Inserted, now: Timestamp) -> bool {
        match inserted {
            Inserted::Rejected(entry) => {
                drop(entry);
                method.counters.rejected_stores.one();
                self.tell(|| Event::StoreRejected(at.key()));
                false
            }
            Inserted::TooHeavy { entry, removed } => {
                method.counters.too_heavy.one();
                drop(entry);
                self.tell(|| Event::TooHeavy(at.key()));
                if let Some(removed) = removed {
                    self.note_gone(method, at, &removed, Reason::Removed, now);
                }
                false
            }
            Inserted::Stored { replaced, evicted } => {
                method.counters.tally().store();
                if let Some(replaced) = replaced {
                    self.note_gone(method, at, &replaced, Reason::Replaced, now);
                }
                for entry in &evicted {
                    self.note_left(entry, Reason::Evicted, now);
                }
                true
            }
        }
    }

    /// Counts an entry that leaves for room, unless somebody is to be told of it as well: observers are not called under a lock.
    /// Returns whether it was counted.
    fn count_evicted(&self, entry: &Entry, now: Timestamp) -> bool {
        let is_all = self.observers.is_empty();
        if is_all {
            self.note_left(entry, Reason::Evicted, now);
        }
        is_all
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
    pub(super) fn note_gone(
        &self,
        method: &Method,
        at: KeyRef<'_>,
        entry: &Entry,
        reason: Reason,
        now: Timestamp,
    ) -> bool {
        self.note_end(method, || at.key(), entry, reason, now)
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

//! What a tier keeps: a value, when it was loaded, how long it is good, and what would make it wrong.
//!
//! Reading order: [`stamp`] (the logical clock), [`tags`] (the clocks of tags), this file (the entry).

pub(crate) mod stamp;
pub(crate) mod tags;

use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::Duration;

pub use stamp::Stamp;

use crate::time::Timestamp;
use tags::TagCells;

/// Any value a tier can hold.
pub type AnyValue = dyn Any + Send + Sync;

/// A value with its metadata.
pub struct Entry<V: ?Sized = AnyValue> {
    pub(crate) meta: Meta,
    value: V,
}

/// All that is known of a value apart from the value.
#[derive(Debug)]
pub struct Meta {
    /// The logical clock, read before the load began.
    pub(crate) stamp: Stamp,
    /// The clocks of the entry's tags.
    pub(crate) tags: TagCells,
    pub(crate) life: Life,
    /// What the entry counts against the capacity in bytes.
    pub(crate) weight: u64,
    /// Whether the value is a kept "none" or a kept error.
    pub(crate) is_negative: bool,
    /// How long the load took.
    pub(crate) load_time: Duration,
    /// Uses since the eviction policy last looked, saturating: written by readers, read under the shard's lock.
    pub(crate) uses: AtomicU8,
}

/// When an entry begins and ends to be of use.
#[derive(Debug)]
pub(crate) struct Life {
    pub(crate) created_at: Timestamp,
    /// From here on it is stale.
    pub(crate) stale_at: Timestamp,
    /// From here on it is expired.
    expires_at: AtomicU64,
    /// How long after its expiry it may answer when loading fails.
    pub(crate) grace: Duration,
    /// Time without access after which it is expired.
    pub(crate) tti: Option<Duration>,
    accessed_at: AtomicU64,
}

/// How old an entry is, in the words that matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Freshness {
    /// Answer.
    Fresh,
    /// Answer, and refresh.
    Stale,
    /// Answer only if loading fails.
    Expired,
    /// Of no use.
    Dead,
}

impl<V: Any + Send + Sync> Entry<V> {
    pub(crate) fn new(meta: Meta, value: V) -> Arc<Entry> {
        Arc::new(Self { meta, value })
    }
}

impl Entry {
    /// Returns the value if it is a `V`.
    #[inline]
    pub(crate) fn value<V: Any>(&self) -> Option<&V> {
        self.value.downcast_ref()
    }

    /// Whether no tag of the entry was invalidated since its load began.
    #[inline]
    pub(crate) fn is_current(&self) -> bool {
        self.meta.tags.allow(self.meta.stamp)
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry").field("meta", &self.meta).finish_non_exhaustive()
    }
}

impl Meta {
    /// Counts a use, for the eviction policy. Written only while it changes something: a hot entry is then only read.
    #[inline]
    pub(crate) fn note_use(&self, most: u8) {
        let uses = self.uses.load(Ordering::Relaxed);
        if uses < most {
            self.uses.store(uses + 1, Ordering::Relaxed);
        }
    }
}

impl Life {
    pub(crate) fn new(
        created_at: Timestamp,
        stale_at: Timestamp,
        expires_at: Timestamp,
        grace: Duration,
        tti: Option<Duration>,
    ) -> Self {
        let nanos = |at: Timestamp| AtomicU64::new(at.as_nanos());
        Self { created_at, stale_at, expires_at: nanos(expires_at), grace, tti, accessed_at: nanos(created_at) }
    }

    /// Whether the time matters to this entry at all: if not, the clock need not be read.
    #[inline]
    pub(crate) fn is_timed(&self) -> bool {
        self.stale_at != Timestamp::NEVER || self.expires_at() != Timestamp::NEVER || self.tti.is_some()
    }

    #[inline]
    pub(crate) fn freshness(&self, now: Timestamp) -> Freshness {
        let expires_at = self.deadline();
        if now < expires_at {
            if now < self.stale_at { Freshness::Fresh } else { Freshness::Stale }
        } else if now < expires_at.after(self.grace) {
            Freshness::Expired
        } else {
            Freshness::Dead
        }
    }

    /// Returns the times of another value of the same entry.
    pub(crate) fn again(&self) -> Self {
        let nanos = |at: Timestamp| AtomicU64::new(at.as_nanos());
        let (expires_at, accessed_at) = (nanos(self.expires_at()), nanos(self.accessed_at()));
        Self {
            created_at: self.created_at,
            stale_at: self.stale_at,
            expires_at,
            grace: self.grace,
            tti: self.tti,
            accessed_at,
        }
    }

    /// Returns when the entry expires, as things stand.
    #[inline]
    pub(crate) fn deadline(&self) -> Timestamp {
        match self.tti {
            None => self.expires_at(),
            Some(tti) => self.expires_at().min(self.accessed_at().after(tti)),
        }
    }

    /// Returns how long the entry has until it expires, if it ever does.
    pub(crate) fn time_left(&self, now: Timestamp) -> Option<Duration> {
        let deadline = self.deadline();
        (deadline != Timestamp::NEVER).then(|| deadline.since(now))
    }

    /// Returns when the entry is of no use at all, as things stand.
    pub(crate) fn dead_at(&self) -> Timestamp {
        self.deadline().after(self.grace)
    }

    #[inline]
    fn expires_at(&self) -> Timestamp {
        Timestamp::from_nanos(self.expires_at.load(Ordering::Relaxed))
    }

    /// Gives the entry another end, in place: an entry is never copied, so that whoever removes it has removed it.
    pub(crate) fn expire_at(&self, at: Timestamp) {
        self.expires_at.store(at.as_nanos(), Ordering::Relaxed);
    }

    pub(crate) fn accessed_at(&self) -> Timestamp {
        Timestamp::from_nanos(self.accessed_at.load(Ordering::Relaxed))
    }

    /// Notes an access, which puts off the end of an idle entry.
    #[inline]
    pub(crate) fn note_access(&self, now: Timestamp) {
        if self.tti.is_some() {
            self.accessed_at.fetch_max(now.as_nanos(), Ordering::Relaxed);
        }
    }
}

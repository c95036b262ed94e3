//! When an entry begins and ends to be of use.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::Entry;
use crate::time::Timestamp;

/// The times an entry is made with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Life {
    pub(crate) created_at: Timestamp,
    pub(crate) accessed_at: Timestamp,
    /// From here on it is stale.
    pub(crate) stale_at: Timestamp,
    /// From here on it is expired.
    pub(crate) expires_at: Timestamp,
    /// How long after its expiry it may answer when loading fails.
    pub(crate) grace: Duration,
    /// Time without access after which it is expired.
    pub(crate) tti: Option<Duration>,
}

impl Life {
    /// Whether there is more to it than its beginning and its end.
    pub(super) fn is_rare(&self) -> bool {
        self.stale_at != Timestamp::NEVER || !self.grace.is_zero() || self.tti.is_some()
    }
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

/// What few entries have: more times than an end, or a weight beyond the usual.
#[derive(Debug)]
pub struct Rare {
    stale_at: Timestamp,
    grace: Duration,
    tti: Option<Duration>,
    accessed_at: AtomicU64,
    pub(super) weight: u64,
}

impl Rare {
    pub(super) fn new(life: &Life, weight: u64) -> Self {
        let accessed_at = AtomicU64::new(life.accessed_at.as_nanos());
        Self { stale_at: life.stale_at, grace: life.grace, tti: life.tti, accessed_at, weight }
    }

    fn accessed_at(&self) -> Timestamp {
        Timestamp::from_nanos(self.accessed_at.load(Ordering::Relaxed))
    }
}

impl Entry {
    /// Returns how old the entry is. `now` is asked only if the time matters to it at all.
    pub(crate) fn freshness(&self, now: impl FnOnce() -> Timestamp) -> Freshness {
        if let Some(rare) = self.rare() {
            return self.freshness_by(rare, now());
        }
        let expires_at = self.expires_at();
        if expires_at == Timestamp::NEVER || now() < expires_at { Freshness::Fresh } else { Freshness::Dead }
    }

    fn freshness_by(&self, rare: &Rare, now: Timestamp) -> Freshness {
        let deadline = self.deadline();
        if now < deadline {
            if now < rare.stale_at { Freshness::Fresh } else { Freshness::Stale }
        } else if now < deadline.after(rare.grace) {
            Freshness::Expired
        } else {
            Freshness::Dead
        }
    }

    /// As [`freshness`](Self::freshness), and notes the access, which puts off the end of an idle entry.
    pub(crate) fn access(&self, now: impl FnOnce() -> Timestamp) -> Freshness {
        match self.rare() {
            None => self.freshness(now),
            Some(rare) => self.access_by(rare, now()),
        }
    }

    fn access_by(&self, rare: &Rare, now: Timestamp) -> Freshness {
        let freshness = self.freshness_by(rare, now);
        if rare.tti.is_some() && matches!(freshness, Freshness::Fresh | Freshness::Stale) {
            rare.accessed_at.fetch_max(now.as_nanos(), Ordering::Relaxed);
        }
        freshness
    }

    /// Returns when the entry expires, as things stand.
    pub(crate) fn deadline(&self) -> Timestamp {
        let idle_at = self.rare().and_then(|rare| rare.tti.map(|tti| rare.accessed_at().after(tti)));
        self.expires_at().min(idle_at.unwrap_or(Timestamp::NEVER))
    }

    /// Returns how long the entry has until it expires, if it ever does.
    pub(crate) fn time_left(&self, now: Timestamp) -> Option<Duration> {
        let deadline = self.deadline();
        (deadline != Timestamp::NEVER).then(|| deadline.since(now))
    }

    /// Returns when the entry is of no use at all, as things stand.
    pub(crate) fn dead_at(&self) -> Timestamp {
        let Some(rare) = self.rare() else { return self.expires_at() };
        self.deadline().after(rare.grace)
    }

    /// Returns its times.
    #[cfg(feature = "remote")]
    pub(crate) fn life(&self, now: Timestamp) -> Life {
        let created_at = Timestamp::from_nanos(now.as_nanos().saturating_sub(self.age(now).as_nanos() as u64));
        let expires_at = self.expires_at();
        match self.rare() {
            None => {
                let (accessed_at, stale_at) = (created_at, Timestamp::NEVER);
                Life { created_at, accessed_at, stale_at, expires_at, grace: Duration::ZERO, tti: None }
            }
            Some(rare) => Life {
                created_at,
                accessed_at: rare.accessed_at(),
                stale_at: rare.stale_at,
                expires_at,
                grace: rare.grace,
                tti: rare.tti,
            },
        }
    }

    /// Returns when the entry expires, accesses aside.
    #[inline(always)]
    pub(crate) fn expires_at(&self) -> Timestamp {
        Timestamp::from_nanos(self.head().expires_at.load(Ordering::Relaxed))
    }

    /// Gives the entry another end, in place: an entry is never copied, so that whoever removes it has removed it.
    pub(crate) fn expire_at(&self, at: Timestamp) {
        self.head().expires_at.store(at.as_nanos(), Ordering::Relaxed);
    }
}

//! Decides and acts: looks entries up, loads them once, stores them checked, invalidates them.
//!
//! Reading order: this file (what a cache is made of), [`begin`] (a call), [`lookup`] and [`plan`] (what is found, the verdict),
//! [`answer`] (what is done), [`subject`], [`job`] and [`load`] (the path of a miss),
//! [`attempt`] (one run of a loader), [`batch`] (many keys at once), [`flight`] and [`nesting`] (who loads, who waits), [`appraise`] (what becomes of a value),
//! [`checked`] (the only ways to store), [`invalidate`], [`update`] and [`fence`], [`methods`] and [`registry`] (what is cached), [`reclaim`] and [`horizon`] (what
//! is dropped and forgotten), [`delivery`] (what is on its way to L2), [`structures`] (what is shared as it is), [`cache`] and the rest (the public handle).

pub(crate) mod answer;
pub(crate) mod appraise;
pub(crate) mod attempt;
pub(crate) mod batch;
pub(crate) mod begin;
pub(crate) mod builder;
pub(crate) mod cache;
pub(crate) mod checked;
mod connected;
pub(crate) mod delivery;
pub(crate) mod dynamic;
pub(crate) mod explain;
pub(crate) mod fence;
pub(crate) mod flight;
mod horizon;
pub(crate) mod install;
pub(crate) mod invalidate;
pub(crate) mod job;
pub(crate) mod load;
pub(crate) mod lookup;
pub(crate) mod manual;
pub(crate) mod methods;
pub(crate) mod nesting;
pub(crate) mod plan;
pub(crate) mod reclaim;
pub(crate) mod registry;
#[cfg(feature = "remote")]
pub(crate) mod remote;
pub(crate) mod sample;
mod structures;
pub(crate) mod subject;
#[cfg(all(test, cachex_loom))]
mod tests;
pub(crate) mod update;

use std::sync::Arc;

pub use builder::Builder;
pub use cache::{Cache, KeyParts};
pub use delivery::Delivery;
pub use explain::{Explanation, Tier, Verdict};
pub use fence::Fence;
pub use install::{install, installed};
pub use manual::{Blocking, EntryOptions, Loading, Ttl};
pub use registry::MethodInfo;
#[cfg(feature = "remote")]
pub use remote::explain::RemoteExplanation;
#[cfg(feature = "remote")]
pub use remote::index::listing::{IndexCursor, IndexPage, IndexStats, IndexedKey, IndexedTag, TagIndex};
#[cfg(feature = "remote")]
pub use remote::messages::{InvalidationMessage, InvalidationSubscription};
pub use structures::LockGuard;

#[cfg(feature = "structures")]
use crate::codec::Codec;
use crate::entry::stamp::{Epoch, Sequence};
use crate::entry::tags::{TagClocks, TagIds};
use crate::entry::{AnyValue, Entry};
use crate::key::KeyRef;
use crate::method::Region;
use crate::observe::event::{Event, Observers};
use crate::policy::Policy;
use crate::sync::Mutex;
use crate::tag::Tag;
use crate::tier::L1;
use crate::time::{Clock, SystemClock, Timestamp};
use fence::Fences;
use flight::{Flights, Ticket};
use methods::{Method, Methods};
use reclaim::Passes;
use registry::Rules;

/// What a leader hands to its followers.
#[derive(Clone, Debug)]
pub(crate) enum Landing {
    /// The loaded value, kept or not.
    Value(Entry),
    /// Nothing was loaded: somebody else had stored a fresh entry.
    Found,
    /// The load failed; this expired entry answers.
    FellBack(Entry),
    /// The load failed, and its error is shared.
    Failed(Arc<AnyValue>),
}

/// Everything a cache is made of; [`Cache`] is a handle to it.
#[derive(Debug)]
pub(crate) struct Engine {
    namespace: Box<str>,
    clock: ClockInUse,
    seed: u64,
    /// Moved on by every invalidation; see [`crate::entry::stamp`].
    sequence: Sequence,
    /// Held while the sequence is moved on and epochs are raised, so that an invalidation is one step for all others.
    order: Mutex<()>,
    /// The last invalidation of everything.
    epoch: Epoch,
    tags: TagClocks,
    passes: Passes,
    tier: L1,
    flights: Flights<Landing>,
    methods: Methods,
    rules: Rules,
    fences: Fences,
    loaders: dynamic::Loaders,
    observers: Observers,
    is_bounded_by_bytes: bool,
    /// Counters, lists, sets, hashes and locks; they are in L2 if there is one.
    structures: structures::memory::Shelves,
    /// How what structures hold becomes bytes.
    #[cfg(feature = "structures")]
    codec: Codec,
    stamps: horizon::Stamps,
    /// L2, if there is one.
    #[cfg(feature = "remote")]
    remote: Option<Arc<remote::Remote>>,
}

/// The clock, without an indirection for the usual one.
#[derive(Debug)]
enum ClockInUse {
    System(SystemClock),
    Injected(Box<dyn Clock>),
}

impl Engine {
    #[inline(always)]
    pub(crate) fn now(&self) -> Timestamp {
        match &self.clock {
            ClockInUse::System(clock) => clock.now(),
            ClockInUse::Injected(clock) => clock.now(),
        }
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        match &self.clock {
            ClockInUse::System(clock) => clock,
            ClockInUse::Injected(clock) => &**clock,
        }
    }

    /// Returns what this cache knows of a region.
    #[inline(always)]
    pub(crate) fn method(&self, region: &'static Region) -> &Arc<Method> {
        match self.methods.early(region) {
            Some(method) => method,
            None => self.meet(region),
        }
    }

    #[cold]
    #[inline(never)]
    fn meet(&self, region: &'static Region) -> &Arc<Method> {
        self.methods.meet(region, || self.policy_of(region), || self.tag_ids(region.tags()), || self.epoch.get())
    }

    /// Returns the rules for a region as they are now, and as far as this cache can do what they say.
    pub(crate) fn policy_of(&self, region: &'static Region) -> Policy {
        let policy = match region.id() {
            0 => self.rules.manual(),
            _ => self.rules.policy(region.name(), region.policy()),
        };
        // Nobody to share with.
        if self.has_remote() { policy } else { policy.in_memory() }
    }

    /// Returns the method of an entry: whoever stored it has met it.
    pub(crate) fn method_of(&self, entry: &Entry) -> &Arc<Method> {
        self.methods.known(entry.region_id()).expect("an entry is stored by its method")
    }

    /// Registers a load of a key that nobody joins.
    pub(crate) fn alone(&self, at: KeyRef<'_>) -> Ticket<Landing> {
        self.flights.alone(at, &self.sequence)
    }

    /// Whether nothing that the entry depends on was invalidated since its load began. (Its key is not asked: an entry
    /// whose key was invalidated is gone.)
    #[inline(always)]
    pub(crate) fn is_current(&self, method: &Method, entry: &Entry) -> bool {
        let stamp = entry.stamp();
        self.epoch.allows(stamp)
            && method.epoch.allows(stamp)
            && self.tags.allow(method.constants(), stamp)
            && entry.is_current(&self.tags)
    }

    /// Returns the numbers of tags.
    pub(crate) fn tag_ids<'a>(&self, tags: impl IntoIterator<Item = &'a Tag>) -> TagIds {
        self.tags.ids(tags)
    }

    /// As [`is_current`](Self::is_current), fences aside: a fence hides entries for a while, it does not make them wrong.
    pub(crate) fn is_unaltered(&self, method: &Method, entry: &Entry) -> bool {
        let stamp = entry.stamp();
        self.epoch.allows(stamp)
            && method.epoch.allows(stamp)
            && self.tags.were_current(method.constants(), stamp)
            && entry.was_current(&self.tags)
    }

    pub(crate) fn tell(&self, event: impl Fn() -> Event) {
        self.observers.tell(event);
    }
}

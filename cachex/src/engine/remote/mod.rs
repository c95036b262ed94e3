//! L2 and the other processes, as the engine sees them.
//!
//! Reading order: this file (what there is), [`through`] (a load that asks L2 first), [`batch`] (many at once), [`lookup`] (what is found there), [`permit`] (the right to store
//! there), [`outbox`] and [`delivery`] (invalidations on their way), [`matching`] (those by pattern), [`writing`] and [`updating`] (writes by hand, and of the source), [`telling`] (what others are told), [`inbox`] (what they tell), [`messages`] (the same for users), [`structures`] (what is not a copy of something), [`values`] (entries as bytes), [`explain`] (why a look there hits or misses), [`index`] (which keys have a tag).
//!
//! What must hold, besides what holds of every store ([`crate::store`]):
//!
//! 1. Whatever is invalidated here goes into the outbox, then it is raised here, and then it is sent. Who asks L2 for what is on its way
//!    waits until it has arrived, or does without L2; and who has asked before has a stamp from before, with which nothing is stored here. So nobody here is
//!    answered from L2 with what was invalidated before, and nothing of it is kept.
//! 2. What could not be sent stays on its way; if it becomes too much, everything is invalidated in its place.
//! 3. While notices may be lost, L1 keeps what it is given no longer than another process may be stale anyway; when that begins
//!    and when it ends, L1 is emptied.
//! 4. A process does nothing for its own notices, and never leaves out one of another.

pub(super) mod batch;
mod by_hand;
mod delivery;
pub(super) mod explain;
mod inbox;
pub(super) mod index;
mod lookup;
mod matching;
pub(super) mod messages;
mod outbox;
pub(super) mod permit;
pub(super) mod setup;
mod structures;
mod telling;
pub(super) mod through;
pub(super) mod updating;
pub(super) mod values;
pub(super) mod writing;

use std::fmt;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{Notify, Semaphore};

use super::Engine;
use super::cache::Cache;
use super::methods::Method;
use crate::backplane::gaps::Gaps;
use crate::backplane::notice::{Notice, Subject};
use crate::codec::{Codec, Compression};
use crate::config::Guard;
use crate::entry::Entry;
use crate::key::KeyRef;
use crate::method::Region;
use crate::observe::RemoteStats;
use crate::observe::remote::RemoteCounters;
use crate::raw::grace::pinned;
use crate::runtime;
use crate::store::{Group, Store};
use crate::time::Timestamp;
use index::{IndexRules, Indexing};
use messages::Messages;
use outbox::Outbox;
use permit::Renewals;
use telling::Numbers;
use writing::Writes;

/// Those who wait for the load of another process are woken in so many parts.
const WAITERS: usize = 64;

/// What is to be seen where an index is set for a store of somebody's own.
const NO_INDEX: &str = "`remote.index` is on, and the store keeps no index; use redis for one, or remove the setting";

/// How L2 is used.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RemoteRules {
    /// How long a load may go without a sign of life before another process loads.
    pub(crate) lease: Duration,
    /// How long a call waits for the load of another process.
    pub(crate) patience: Duration,
    /// How long an entry stays in L1 at most.
    pub(crate) l1_ttl: Option<Duration>,
    /// The same while notices may be lost.
    pub(crate) outage_ttl: Duration,
    /// Between two heartbeats.
    pub(crate) heartbeat: Duration,
    pub(crate) codec: Codec,
    pub(crate) compression: Compression,
    pub(crate) compression_level: Option<u64>,
    /// Bytes from which on values are compressed.
    pub(crate) compression_threshold: u64,
    /// How the index is kept, if it is.
    pub(crate) index: Option<IndexRules>,
    /// A guard that is left out.
    #[cfg(feature = "mutants")]
    pub(crate) without: Option<Guard>,
}

/// L2, and what is under way to it and from it.
pub(crate) struct Remote {
    store: Box<dyn Store>,
    rules: RemoteRules,
    /// Tells our notices from those of others.
    origin: u64,
    numbers: Numbers,
    outbox: Outbox,
    writes: Writes,
    /// How many more writes may be on their way at once.
    writing: Semaphore,
    messages: Messages,
    renewals: Renewals,
    index: Option<Indexing>,
    is_listening: AtomicBool,
    gaps: Mutex<Gaps>,
    stored: [Notify; WAITERS],
    changed: Notify,
    /// What failed last.
    trouble: Mutex<Option<String>>,
    engine: OnceLock<Weak<Engine>>,
    pub(crate) counters: RemoteCounters,
}

impl Remote {
    pub(crate) fn new(store: Box<dyn Store>, rules: RemoteRules) -> Arc<Self> {
        let index = rules.index.filter(|_| store.index().is_some()).map(Indexing::new);
        Arc::new(Self {
            index,
            store,
            rules,
            origin: std::hash::RandomState::new().hash_one(std::process::id()),
            numbers: Numbers::default(),
            outbox: Outbox::default(),
            writes: Writes::default(),
            writing: Semaphore::new(delivery::AT_ONCE),
            messages: Messages::default(),
            renewals: Renewals::default(),
            is_listening: AtomicBool::new(false),
            gaps: Mutex::default(),
            stored: [const { Notify::const_new() }; WAITERS],
            changed: Notify::new(),
            trouble: Mutex::default(),
            engine: OnceLock::new(),
            counters: RemoteCounters::default(),
        })
    }

    /// Begins to work for an engine.
    pub(crate) fn start(self: &Arc<Self>, engine: &Arc<Engine>) {
        if self.engine.set(Arc::downgrade(engine)).is_err() {
            return;
        }
        self.store.start(Arc::new(inbox::Inbox::new(self)));
        runtime::spawn_own(delivery::keep_delivering(self.clone()));
        runtime::spawn_own(permit::keep_renewing(Arc::downgrade(self), self.rules.lease));
        runtime::spawn_own(delivery::keep_beating(Arc::downgrade(self), self.rules.heartbeat));
        self.keep_index();
    }

    fn engine(&self) -> Option<Arc<Engine>> {
        self.engine.get().and_then(Weak::upgrade)
    }

    /// Whether notices come, and none was lost since L1 was emptied.
    fn is_listening(&self) -> bool {
        self.is_listening.load(Ordering::Acquire)
    }

    /// Whether all values are found in L2, and notices come.
    fn is_whole(&self) -> bool {
        self.store.is_whole() && (self.is_listening() || !self.store.has_notices())
    }

    /// Whether it takes invalidations, as far as is known.
    pub(super) fn takes_invalidations(&self) -> bool {
        self.store.takes_invalidations()
    }

    /// Returns how long an entry stays in L1 at most.
    fn most_in_l1(&self) -> Option<Duration> {
        let RemoteRules { l1_ttl, outage_ttl, .. } = self.rules;
        if self.is_listening() { l1_ttl } else { Some(l1_ttl.map_or(outage_ttl, |ttl| ttl.min(outage_ttl))) }
    }

    /// Returns a number that nobody else uses in the store.
    fn token(&self) -> u64 {
        self.origin.wrapping_add(super::nesting::next_id())
    }

    fn numbered(&self, subject: Subject, number: u64) -> crate::store::Notice {
        let (head, tail) = Notice { origin: self.origin, number, subject }.parts();
        crate::store::Notice { head, tail }
    }

    /// Returns where those wait who wait for a key.
    fn waiting_for(&self, name: &str) -> &Notify {
        let hash = foldhash::fast::FixedState::with_seed(0).hash_one(name);
        &self.stored[hash as usize % WAITERS]
    }

    /// Whether a guard is left out.
    #[cfg(feature = "mutants")]
    fn is_without(&self, guard: Guard) -> bool {
        self.rules.without == Some(guard)
    }

    #[cfg(not(feature = "mutants"))]
    #[expect(clippy::unused_self, reason = "none can be left out")]
    fn is_without(&self, _: Guard) -> bool {
        false
    }

    fn trouble(&self) -> std::sync::MutexGuard<'_, Option<String>> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn gaps(&self) -> std::sync::MutexGuard<'_, Gaps> {
        self.gaps.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remote").field("store", &self.store).field("rules", &self.rules).finish_non_exhaustive()
    }
}

impl Engine {
    /// Whether a write of a tag of the entry is under way behind a fence.
    fn is_fenced(&self, method: &Method, entry: &Entry) -> bool {
        method.constants().iter().chain(entry.tags()).any(|tag| self.tags.is_fenced(*tag))
    }

    /// Returns until when an entry that is there may stay in L1, if it is to live until `end`: where that is bounded, no longer than it may already.
    // Break this (return `end`) and who renews an entry before each end of its bound answers with it for ever, whatever other processes invalidate.
    pub(crate) fn longest_here(&self, entry: &Entry, end: Timestamp) -> Timestamp {
        let is_bounded = self.remote.as_ref().is_some_and(|remote| remote.most_in_l1().is_some());
        if is_bounded { end.min(entry.expires_at()) } else { end }
    }

    /// Gives the entry of a key no longer in L1 than it may stay there.
    pub(crate) fn keep_within_l1(&self, at: KeyRef<'_>, now: Timestamp) {
        let Some(most) = self.remote.as_ref().and_then(|remote| remote.most_in_l1()) else { return };
        let end = now.after(most);
        pinned(|pin| {
            if let Some(entry) = self.tier.peek_pinned(pin, at)
                && entry.expires_at() > end
            {
                self.tier.expire_at(at, &entry, end);
            }
        });
    }
}

/// Returns the groups that all values of a method belong to.
pub(super) fn groups_of(region: &'static Region) -> Box<[Group]> {
    let own = [Group::all(), Group::method(region.remote_name())];
    let tags = region.tags().iter().map(|tag| Group::tag(tag.as_str()));
    own.into_iter().chain(tags).collect()
}

impl Remote {
    /// Waits until values are found in L2, and notices come.
    pub(super) async fn whole(&self) {
        loop {
            let changed = self.changed.notified();
            if self.is_whole() {
                return;
            }
            changed.await;
        }
    }
}

impl Cache {
    /// Returns what was counted of the second tier; nothing if there is none.
    ///
    /// # Examples
    ///
    /// ```
    /// let cache = cachex::Cache::builder().build()?;
    /// assert_eq!(cache.remote_stats(), None);
    /// # Ok::<(), cachex::Error>(())
    /// ```
    #[must_use]
    pub fn remote_stats(&self) -> Option<RemoteStats> {
        let remote = self.engine().remote.as_ref()?;
        let mut stats = remote.counters.read();
        let lacks_index = remote.rules.index.is_some() && remote.index.is_none();
        stats.warning = remote.store.warning().or(lacks_index.then_some(NO_INDEX)).map(str::to_owned);
        stats.is_up = remote.store.is_up();
        stats.is_listening = remote.is_listening();
        stats.published = remote.numbers.sent();
        stats.undelivered = remote.outbox.len() as u64;
        stats.last_error.clone_from(&remote.trouble());
        Some(stats)
    }
}

//! Single flight: who loads a key, who waits, and which loads an invalidation of the key has made worthless.
//!
//! Reading order: this file (the table), [`mod@lead`] (a place in it, and leading), [`follow`] (waiting).
//!
//! Invariants:
//! 1. Whoever loads a key, or waits for it, has a [`Flight`] of the key in the table; so an invalidation of the key finds it and
//!    raises its epoch, and a load that began before is not stored (its stamp is lower).
//! 2. A stamp is taken under the lock under which the flight comes into the table: an invalidation that does not find it is older
//!    than its stamp.
//! 3. A flight has at most one leader. A leader that goes without landing leaves the flight vacant and wakes all
//!    followers, one of whom takes over: nobody waits for somebody who is gone.

mod follow;
mod lead;

use std::sync::Arc;
use std::task::Waker;

pub(crate) use follow::{Follow, Waited};
use hashbrown::HashTable;
pub(crate) use lead::{Lead, Ticket};

use super::nesting;
use crate::entry::stamp::{Epoch, Sequence, Stamp};
use crate::key::Key;
use crate::sync::{AtomicU64, Mutex, Ordering, lock};

#[cfg(not(cachex_loom))]
const SHARDS: usize = 64;
#[cfg(cachex_loom)]
const SHARDS: usize = 1;

/// In place of a thread: the load was not polled yet, and any thread may be the one.
const UNKNOWN: u64 = 0;
/// In place of a thread: nobody loads.
const NONE: u64 = u64::MAX;

/// All loads under way in a cache. `L` is what a leader hands to its followers.
///
/// Who asks has the hash of the key, always the same one: that of the tier, by which it looks up as well.
#[derive(Debug)]
pub(crate) struct Flights<L> {
    // Each by itself: a load holds its own, and not what all loads of all threads would count.
    shards: Box<[Home<L>]>,
}

type Home<L> = Arc<Mutex<Shard<L>>>;

/// A key has several flights where some of its loads are not to be joined.
type Shard<L> = HashTable<Listed<L>>;

#[derive(Debug)]
struct Listed<L> {
    flight: Arc<Flight<L>>,
    /// Its leader and its followers; it goes with the last.
    users: usize,
}

/// One load, that others may wait for.
#[derive(Debug)]
pub(crate) struct Flight<L> {
    id: u64,
    key: Key,
    hash: u64,
    /// The last invalidation of the key, as far as a load under way could know of it.
    epoch: Epoch,
    /// The stamp of its first leader: whoever takes over has a later one.
    since: Stamp,
    polled_on: AtomicU64,
    state: Mutex<State<L>>,
}

#[derive(Debug)]
struct State<L> {
    phase: Phase<L>,
    followers: usize,
    wakers: Vec<(u64, Waker)>,
    next_waker: u64,
}

#[derive(Debug)]
enum Phase<L> {
    Loading(Stamp),
    /// The leader is gone; whoever comes first takes over.
    Vacant,
    Landed(L),
    /// Nobody waits, and nobody is to join.
    Closed,
}

/// What a caller is to do.
#[derive(Debug)]
pub(crate) enum Joined<L: Clone> {
    Lead(Lead<L>),
    Follow(Follow<L>),
}

impl<L: Clone> Flights<L> {
    pub(crate) fn new() -> Self {
        let shard = |_| Arc::new(Mutex::new(HashTable::new()));
        Self { shards: (0..SHARDS).map(shard).collect() }
    }

    /// Registers a load that nobody joins.
    pub(crate) fn alone(&self, key: &Key, hash: u64, sequence: &Sequence) -> Ticket<L> {
        let home = self.shard(hash);
        list(home, &mut lock(home), key, hash, sequence, NONE, |_| Phase::Closed)
    }

    /// Joins a flight of `key`, or begins one. A flight is joined only if `is_current` accepts the stamp of its load:
    /// who comes after an invalidation must not be answered by a load from before. `thread` is the one that loads.
    pub(crate) fn join(
        &self,
        key: &Key,
        hash: u64,
        sequence: &Sequence,
        thread: u64,
        is_current: impl Fn(Stamp) -> bool,
    ) -> Joined<L> {
        let home = self.shard(hash);
        let mut shard = lock(home);
        let joined = shard.iter_hash_mut(hash).find(|listed| {
            let flight = &listed.flight;
            flight.key == *key && flight.admit(|stamp| flight.epoch.allows(stamp) && is_current(stamp))
        });
        if let Some(listed) = joined {
            listed.users += 1;
            let flight = listed.flight.clone();
            let ticket = Ticket { home: home.clone(), flight, stamp: sequence.now(), has_left: false };
            return Joined::Follow(Follow::new(ticket));
        }
        Joined::Lead(lead(home, &mut shard, key, hash, sequence, thread))
    }

    /// Begins a flight unless there is one already; which thread will load is not known yet.
    pub(crate) fn lead_only(&self, key: &Key, hash: u64, sequence: &Sequence) -> Option<Lead<L>> {
        let home = self.shard(hash);
        let mut shard = lock(home);
        let is_led = of_key(&shard, key, hash).any(|flight| flight.is_open());
        (!is_led).then(|| lead(home, &mut shard, key, hash, sequence, UNKNOWN))
    }

    /// Makes worthless every load of `key` that began before `at`.
    pub(crate) fn void(&self, key: &Key, hash: u64, at: Stamp) {
        of_key(&lock(self.shard(hash)), key, hash).for_each(|flight| flight.epoch.raise(at));
    }

    /// As [`void`](Self::void), for every key that `matches`.
    pub(crate) fn void_matching(&self, at: Stamp, matches: impl Fn(&Key) -> bool) {
        for shard in &self.shards {
            let shard = lock(shard);
            let flights = shard.iter().map(|listed| &listed.flight);
            flights.filter(|flight| matches(&flight.key)).for_each(|flight| flight.epoch.raise(at));
        }
    }

    /// Returns a stamp before which no load under way began, nor any that begins later.
    pub(crate) fn horizon(&self, sequence: &Sequence) -> Stamp {
        // Read first: a load that enters a shard after its turn below has a later stamp than this.
        let now = sequence.now();
        let oldest = |shard: &Home<L>| lock(shard).iter().map(|listed| listed.flight.since).min();
        self.shards.iter().filter_map(oldest).min().map_or(now, |oldest| oldest.min(now))
    }

    /// Returns how many keys are being loaded or waited for.
    pub(crate) fn len(&self) -> usize {
        let keys = |shard: &Home<L>| {
            let shard = lock(shard);
            let is_first = |flight: &Arc<Flight<L>>| {
                of_key(&shard, &flight.key, flight.hash).next().is_some_and(|first| Arc::ptr_eq(first, flight))
            };
            shard.iter().filter(|listed| is_first(&listed.flight)).count()
        };
        self.shards.iter().map(keys).sum()
    }

    fn shard(&self, hash: u64) -> &Home<L> {
        // The table takes the lowest bits and the highest, and in one shard of the tier some others are all alike.
        &self.shards[(hash >> 16) as usize % SHARDS]
    }
}

fn lead<L: Clone>(
    home: &Home<L>,
    shard: &mut Shard<L>,
    key: &Key,
    hash: u64,
    sequence: &Sequence,
    thread: u64,
) -> Lead<L> {
    Lead { ticket: list(home, shard, key, hash, sequence, thread, Phase::Loading), has_landed: false }
}

/// Puts a flight into `shard`, which is that of `home`, locked.
fn list<L: Clone>(
    home: &Home<L>,
    shard: &mut Shard<L>,
    key: &Key,
    hash: u64,
    sequence: &Sequence,
    thread: u64,
    phase: impl FnOnce(Stamp) -> Phase<L>,
) -> Ticket<L> {
    // What other loads of the key know is not forgotten: who is there already may fall back on what it has.
    let voided_at = of_key(shard, key, hash).map(|flight| flight.epoch.get()).max().unwrap_or_default();
    // Invariant 2: the shard is locked.
    let stamp = sequence.now();
    let flight = Arc::new(Flight {
        id: nesting::next_id(),
        key: key.clone(),
        hash,
        epoch: Epoch::at(voided_at),
        since: stamp,
        polled_on: AtomicU64::new(thread),
        state: Mutex::new(State { phase: phase(stamp), followers: 0, wakers: Vec::new(), next_waker: 0 }),
    });
    shard.insert_unique(hash, Listed { flight: flight.clone(), users: 1 }, |listed| listed.flight.hash);
    Ticket { home: home.clone(), flight, stamp, has_left: false }
}

fn of_key<'a, L>(shard: &'a Shard<L>, key: &'a Key, hash: u64) -> impl Iterator<Item = &'a Arc<Flight<L>>> {
    shard.iter_hash(hash).map(|listed| &listed.flight).filter(move |flight| flight.key == *key)
}

impl<L> Flight<L> {
    /// Tells flights apart.
    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    /// Notes the thread that runs the load.
    pub(crate) fn note_thread(&self, thread: u64) {
        self.polled_on.store(thread, Ordering::Relaxed);
    }

    /// Whether the load may need that thread to go on.
    pub(crate) fn may_need(&self, thread: u64) -> bool {
        let polled_on = self.polled_on.load(Ordering::Relaxed);
        polled_on == thread || polled_on == UNKNOWN
    }

    /// Whether somebody loads, or is about to take over, for all who join.
    fn is_open(&self) -> bool {
        matches!(lock(&self.state).phase, Phase::Loading(_) | Phase::Vacant)
    }

    /// Counts a follower in, if the flight can be joined.
    fn admit(&self, is_current: impl FnOnce(Stamp) -> bool) -> bool {
        let mut state = lock(&self.state);
        let is_joinable = match state.phase {
            Phase::Loading(stamp) => is_current(stamp),
            Phase::Vacant => true,
            Phase::Landed(_) | Phase::Closed => false,
        };
        state.followers += usize::from(is_joinable);
        is_joinable
    }

    /// Counts a follower out. Its waker is to be dropped without the lock: with it may go a task, and what that waits for.
    #[must_use = "to be dropped once the lock is released"]
    fn leave(state: &mut State<L>, waker: Option<u64>) -> Option<Waker> {
        state.followers -= 1;
        let index = state.wakers.iter().position(|(id, _)| Some(*id) == waker)?;
        Some(state.wakers.swap_remove(index).1)
    }
}

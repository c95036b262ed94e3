//! Single flight: who loads a key, who waits, and which loads an invalidation of the key has made worthless.
//!
//! Reading order: this file (the table), [`mod@lead`] (a place in it, and leading), [`follow`] (waiting), [`hold`] (holding off).
//!
//! Invariants:
//! 1. Whoever loads a key, or waits for it, has a [`Flight`] of the key in the table; so an invalidation of the key finds it and
//!    raises its epoch, and a load that began before is not stored (its stamp is lower).
//! 2. A stamp is taken under the lock under which the flight comes into the table: an invalidation that does not find it is older
//!    than its stamp.
//! 3. A flight has at most one leader. A leader that goes without landing leaves the flight vacant and wakes all
//!    followers, one of whom takes over: nobody waits for somebody who is gone.
//! 4. Who writes the entry of a key holds its shard meanwhile. So a load whose flight the write has not found begins after it, and
//!    may take its place; and of two writes one is wholly before the other.

mod follow;
mod hold;
mod lead;

use std::sync::Arc;
use std::task::Waker;

pub(crate) use follow::{Follow, Waited};
use hashbrown::HashTable;
pub(crate) use hold::Hold;
pub(crate) use lead::{Lead, Ticket};

use super::nesting;
use crate::entry::stamp::{Epoch, Sequence, Stamp};
use crate::key::{Key, KeyRef};
use crate::sync::{AtomicBool, AtomicU64, Mutex, Ordering, lock};

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

#[derive(Debug)]
struct Shard<L> {
    /// A key has several flights where some of its loads are not to be joined.
    listed: HashTable<Listed<L>>,
    /// A flight that has ended: the next one is made in its place, and takes no allocation.
    spare: Option<Arc<Flight<L>>>,
    /// Flights that have begun.
    begun: u64,
}

#[derive(Debug)]
struct Listed<L> {
    flight: Arc<Flight<L>>,
    /// Its leader and its followers; it goes with the last.
    users: usize,
    was_joined: bool,
}

/// One load, that others may wait for.
#[derive(Debug)]
pub(crate) struct Flight<L> {
    id: u64,
    /// The how manieth of its shard it is: of two flights of a key the later one has the higher number.
    number: u64,
    key: Key,
    /// The last invalidation of the key, as far as a load under way could know of it.
    epoch: Epoch,
    /// The stamp of its first leader: whoever takes over has a later one.
    since: Stamp,
    /// It takes too long: what was invalidated since it began is forgotten, and what it brings is not kept.
    is_given_up: AtomicBool,
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
        let shard = |_| Arc::new(Mutex::new(Shard { listed: HashTable::new(), spare: None, begun: 0 }));
        Self { shards: (0..SHARDS).map(shard).collect() }
    }

    /// Registers a load that nobody joins.
    pub(crate) fn alone(&self, at: KeyRef<'_>, sequence: &Sequence) -> Ticket<L> {
        let home = self.shard(at.hash);
        list(home, &mut lock(home), at, sequence, NONE, |_| Phase::Closed)
    }

    /// Joins a flight of a key, or begins one. A flight is joined only if `is_current` accepts the stamp of its load:
    /// who comes after an invalidation must not be answered by a load from before. `thread` is the one that loads.
    pub(crate) fn join(
        &self,
        at: KeyRef<'_>,
        sequence: &Sequence,
        thread: u64,
        is_current: impl Fn(Stamp) -> bool,
    ) -> Joined<L> {
        let home = self.shard(at.hash);
        let mut shard = lock(home);
        if let Some(flight) = shard.join(at, is_current) {
            let ticket = Ticket { home: home.clone(), flight, stamp: sequence.now(), has_left: false };
            return Joined::Follow(Follow::new(ticket, shard.begun));
        }
        Joined::Lead(lead(home, &mut shard, at, sequence, thread))
    }

    /// Begins a flight unless there is one already; which thread will load is not known yet.
    pub(crate) fn lead_only(&self, at: KeyRef<'_>, sequence: &Sequence) -> Option<Lead<L>> {
        let home = self.shard(at.hash);
        let mut shard = lock(home);
        let is_led = of_key(&shard, at).any(|flight| flight.is_open());
        (!is_led).then(|| lead(home, &mut shard, at, sequence, UNKNOWN))
    }

    /// Holds off whoever is about to load a key, or to write its entry: for a short time only.
    pub(crate) fn hold<'a>(&'a self, at: KeyRef<'a>) -> Hold<'a, L> {
        Hold::new(self.shard(at.hash), at)
    }

    /// As [`Hold::void`], for every key that `matches`.
    pub(crate) fn void_matching(&self, stamp: Stamp, matches: impl Fn(&Key) -> bool) {
        for shard in &self.shards {
            let shard = lock(shard);
            let flights = shard.listed.iter().map(|listed| &listed.flight);
            flights.filter(|flight| matches(&flight.key)).for_each(|flight| flight.epoch.raise(stamp));
        }
    }

    /// Returns a stamp before which no load under way began, nor any that begins later.
    pub(crate) fn horizon(&self, sequence: &Sequence) -> Stamp {
        // Read first: a load that enters a shard after its turn below has a later stamp than this.
        let now = sequence.now();
        let is_waited_for = |flight: &&Arc<Flight<L>>| !flight.is_given_up.load(Ordering::Acquire);
        let since = |shard: &Home<L>| {
            let shard = lock(shard);
            shard.listed.iter().map(|listed| &listed.flight).filter(is_waited_for).map(|flight| flight.since).min()
        };
        self.shards.iter().filter_map(since).min().map_or(now, |oldest| oldest.min(now))
    }

    /// Has nothing be kept of the loads under way that began before `stamp`: the [`horizon`](Self::horizon) is not theirs any more.
    pub(crate) fn give_up_older(&self, stamp: Stamp) {
        for shard in &self.shards {
            let shard = lock(shard);
            let flights = shard.listed.iter().map(|listed| &listed.flight).filter(|flight| flight.since < stamp);
            // Before the pass that takes them for gone: a load that is just being stored is met by it.
            flights.for_each(|flight| flight.is_given_up.store(true, Ordering::Release));
        }
    }

    /// Returns how many keys are being loaded or waited for.
    pub(crate) fn len(&self) -> usize {
        let keys = |shard: &Home<L>| {
            let shard = lock(shard);
            let is_first = |flight: &Arc<Flight<L>>| {
                of_key(&shard, flight.at()).next().is_some_and(|first| Arc::ptr_eq(first, flight))
            };
            shard.listed.iter().filter(|listed| is_first(&listed.flight)).count()
        };
        self.shards.iter().map(keys).sum()
    }

    fn shard(&self, hash: u64) -> &Home<L> {
        // The table takes the lowest bits and the highest, and in one shard of the tier some others are all alike.
        &self.shards[(hash >> 16) as usize % SHARDS]
    }
}

impl<L> Shard<L> {
    /// Joins a flight of a key whose stamp is current.
    fn join(&mut self, at: KeyRef<'_>, is_current: impl Fn(Stamp) -> bool) -> Option<Arc<Flight<L>>> {
        // What most find, and without a look.
        if self.listed.is_empty() {
            return None;
        }
        let listed = self.listed.iter_hash_mut(at.hash).find(|listed| {
            let flight = &listed.flight;
            let is_good = || flight.key.is(at) && !flight.is_given_up.load(Ordering::Acquire);
            is_good() && flight.admit(|stamp| flight.epoch.allows(stamp) && is_current(stamp))
        })?;
        listed.users += 1;
        listed.was_joined = true;
        Some(listed.flight.clone())
    }

    /// Returns the last invalidation of a key that loads under way know of.
    fn voided_at(&self, at: KeyRef<'_>) -> Stamp {
        if self.listed.is_empty() {
            return Stamp::default();
        }
        of_key(self, at).map(|flight| flight.epoch.get()).max().unwrap_or_default()
    }
}

fn lead<L: Clone>(home: &Home<L>, shard: &mut Shard<L>, at: KeyRef<'_>, sequence: &Sequence, thread: u64) -> Lead<L> {
    Lead { ticket: list(home, shard, at, sequence, thread, Phase::Loading), has_landed: false }
}

/// Puts a flight into `shard`, which is that of `home`, locked.
fn list<L: Clone>(
    home: &Home<L>,
    shard: &mut Shard<L>,
    at: KeyRef<'_>,
    sequence: &Sequence,
    thread: u64,
    phase: impl FnOnce(Stamp) -> Phase<L>,
) -> Ticket<L> {
    shard.begun += 1;
    // What other loads of the key know is not forgotten: who is there already may fall back on what it has.
    let voided_at = shard.voided_at(at);
    // Invariant 2: the shard is locked.
    let stamp = sequence.now();
    let flight = Flight {
        id: nesting::next_id(),
        number: shard.begun,
        key: at.key(),
        epoch: Epoch::at(voided_at),
        since: stamp,
        is_given_up: AtomicBool::new(false),
        polled_on: AtomicU64::new(thread),
        state: Mutex::new(State { phase: phase(stamp), followers: 0, wakers: Vec::new(), next_waker: 0 }),
    };
    let flight = in_place_of(shard.spare.take(), flight);
    let listed = Listed { flight: flight.clone(), users: 1, was_joined: false };
    shard.listed.insert_unique(at.hash, listed, |listed| listed.flight.at().hash);
    Ticket { home: home.clone(), flight, stamp, has_left: false }
}

/// Puts a flight where the spare one is, unless somebody is about to let go of that still.
fn in_place_of<L>(spare: Option<Arc<Flight<L>>>, flight: Flight<L>) -> Arc<Flight<L>> {
    let Some(mut place) = spare else { return Arc::new(flight) };
    let Some(free) = Arc::get_mut(&mut place) else { return Arc::new(flight) };
    *free = flight;
    place
}

fn of_key<'a, L>(shard: &'a Shard<L>, at: KeyRef<'a>) -> impl Iterator<Item = &'a Arc<Flight<L>>> {
    shard.listed.iter_hash(at.hash).map(|listed| &listed.flight).filter(move |flight| flight.key.is(at))
}

impl<L> Flight<L> {
    /// Returns the key by which the tier is asked.
    fn at(&self) -> KeyRef<'_> {
        self.key.at()
    }

    /// Tells flights apart.
    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    /// Whether it has begun after a place was taken among those who wait; see [`Follow::joined_at`].
    pub(crate) fn is_after(&self, joined_at: u64) -> bool {
        self.number > joined_at
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

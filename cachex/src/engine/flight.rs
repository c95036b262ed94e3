//! Single flight: who loads a key, who waits, and which loads an invalidation of the key has made worthless.
//!
//! Reading order: this file (the table, leading), [`follow`] (waiting).
//!
//! Invariants:
//! 1. While anybody loads a key, or waits for it, the key has a [`Slot`]; so an invalidation of the key finds it and raises
//!    its epoch, and a load that began before is not stored (its stamp is lower).
//! 2. A stamp is taken after the slot is there: an invalidation that finds no slot is older than every later stamp.
//! 3. A flight has at most one leader. A leader that goes without landing leaves the flight vacant and wakes all
//!    followers, one of whom takes over: nobody waits for somebody who is gone.

mod follow;

use std::hash::BuildHasher;
use std::sync::Arc;
use std::task::Waker;

use foldhash::quality::RandomState;
pub(crate) use follow::{Follow, Waited};
use hashbrown::HashMap;

use crate::entry::stamp::{Epoch, Sequence, Stamp};
use crate::key::Key;
use crate::sync::{AtomicU64, Mutex, MutexGuard, Ordering, lock};

#[cfg(not(cachex_loom))]
const SHARDS: usize = 64;
#[cfg(cachex_loom)]
const SHARDS: usize = 1;

// One for all caches: a load in one may need a load in another, and must not be taken for it.
// Not of `crate::sync`: nothing depends on what a thread sees of the others' steps, and loom has no statics.
static LAST_ID: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);

/// In place of a thread: the load was not polled yet, and any thread may be the one.
const UNKNOWN: u64 = 0;
/// In place of a thread: nobody loads.
const NONE: u64 = u64::MAX;

/// All loads under way in a cache. `L` is what a leader hands to its followers.
#[derive(Debug)]
pub(crate) struct Flights<L> {
    hasher: RandomState,
    shards: Box<[Mutex<Slots<L>>]>,
}

type Slots<L> = HashMap<Key, Slot<L>, RandomState>;

/// What is going on for one key.
#[derive(Debug)]
struct Slot<L> {
    epoch: Arc<Epoch>,
    /// The clock when the slot was made: no load of the key under way began before.
    since: Stamp,
    /// Loads and waits of this key; the slot goes with the last.
    users: usize,
    flight: Option<Arc<Flight<L>>>,
}

/// One load that others may wait for.
#[derive(Debug)]
pub(crate) struct Flight<L> {
    id: u64,
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
}

/// A load's place in the table: keeps the slot, and knows when the key was invalidated.
#[derive(Debug)]
pub(crate) struct Ticket<L: Clone> {
    flights: Arc<Flights<L>>,
    key: Key,
    epoch: Arc<Epoch>,
    stamp: Stamp,
}

/// What a caller is to do.
#[derive(Debug)]
pub(crate) enum Joined<L: Clone> {
    Lead(Lead<L>),
    Follow(Follow<L>),
}

/// The duty to load. Dropped without [`land`](Self::land), it passes to a follower.
#[derive(Debug)]
pub(crate) struct Lead<L: Clone> {
    ticket: Ticket<L>,
    flight: Arc<Flight<L>>,
    has_landed: bool,
}

impl<L: Clone> Flights<L> {
    pub(crate) fn new() -> Self {
        let hasher = RandomState::default();
        let shard = |_| Mutex::new(HashMap::with_hasher(RandomState::clone(&hasher)));
        Self { shards: (0..SHARDS).map(shard).collect(), hasher }
    }

    /// Registers a load that nobody joins.
    pub(crate) fn alone(self: &Arc<Self>, key: &Key, sequence: &Sequence) -> Ticket<L> {
        let mut shard = self.shard(key);
        let epoch = Self::enter(&mut shard, key, sequence);
        // Invariant 2: the slot is there before the stamp is taken.
        Ticket { flights: self.clone(), key: key.clone(), epoch, stamp: sequence.now() }
    }

    /// Joins the flight of `key`, or begins one. A flight is joined only if `is_current` accepts the stamp of its load:
    /// who comes after an invalidation must not be answered by a load from before. `thread` is the one that loads.
    pub(crate) fn join(
        self: &Arc<Self>,
        key: &Key,
        sequence: &Sequence,
        thread: u64,
        is_current: impl FnOnce(Stamp) -> bool,
    ) -> Joined<L> {
        let mut shard = self.shard(key);
        let epoch = Self::enter(&mut shard, key, sequence);
        let ticket = Ticket { flights: self.clone(), key: key.clone(), epoch, stamp: sequence.now() };
        let slot = shard.get_mut(key).expect("the slot was entered above");
        if let Some(flight) = &slot.flight
            && flight.admit(|stamp| ticket.epoch.allows(stamp) && is_current(stamp))
        {
            return Joined::Follow(Follow::new(ticket, flight.clone()));
        }
        Joined::Lead(self.lead(slot, ticket, thread))
    }

    /// Begins a flight unless there is one already; which thread will load is not known yet.
    pub(crate) fn lead_only(self: &Arc<Self>, key: &Key, sequence: &Sequence) -> Option<Lead<L>> {
        let mut shard = self.shard(key);
        if shard.get(key).is_some_and(|slot| slot.flight.is_some()) {
            return None;
        }
        let epoch = Self::enter(&mut shard, key, sequence);
        let ticket = Ticket { flights: self.clone(), key: key.clone(), epoch, stamp: sequence.now() };
        let slot = shard.get_mut(key).expect("the slot was entered above");
        Some(self.lead(slot, ticket, UNKNOWN))
    }

    /// Makes worthless every load of `key` that began before `at`.
    pub(crate) fn void(&self, key: &Key, at: Stamp) {
        if let Some(slot) = self.shard(key).get(key) {
            slot.epoch.raise(at);
        }
    }

    /// As [`void`](Self::void), for every key that `matches`.
    pub(crate) fn void_matching(&self, at: Stamp, matches: impl Fn(&Key) -> bool) {
        for shard in &self.shards {
            let shard = lock(shard);
            shard.iter().filter(|(key, _)| matches(key)).for_each(|(_, slot)| slot.epoch.raise(at));
        }
    }

    /// Returns a stamp before which no load under way began, nor any that begins later.
    pub(crate) fn horizon(&self, sequence: &Sequence) -> Stamp {
        // Read first: a load that enters a shard after its turn below has a later stamp than this.
        let now = sequence.now();
        let oldest = self.shards.iter().filter_map(|shard| lock(shard).values().map(|slot| slot.since).min()).min();
        oldest.map_or(now, |oldest| oldest.min(now))
    }

    /// Returns how many keys are being loaded or waited for.
    pub(crate) fn len(&self) -> usize {
        self.shards.iter().map(|shard| lock(shard).len()).sum()
    }

    fn shard(&self, key: &Key) -> MutexGuard<'_, Slots<L>> {
        lock(&self.shards[self.hasher.hash_one(key) as usize % SHARDS])
    }

    fn enter(shard: &mut Slots<L>, key: &Key, sequence: &Sequence) -> Arc<Epoch> {
        let fresh =
            || Slot { epoch: Arc::new(Epoch::at(Stamp::default())), since: sequence.now(), users: 0, flight: None };
        let slot = shard.entry_ref(key).or_insert_with(fresh);
        slot.users += 1;
        slot.epoch.clone()
    }

    fn lead(&self, slot: &mut Slot<L>, ticket: Ticket<L>, thread: u64) -> Lead<L> {
        let flight = Arc::new(Flight {
            id: LAST_ID.fetch_add(1, Ordering::Relaxed) + 1,
            polled_on: AtomicU64::new(thread),
            state: Mutex::new(State {
                phase: Phase::Loading(ticket.stamp),
                followers: 0,
                wakers: Vec::new(),
                next_waker: 0,
            }),
        });
        slot.flight = Some(flight.clone());
        Lead { ticket, flight, has_landed: false }
    }

    /// Takes `flight` out of the table, if it is still the one there.
    fn detach(slot: &mut Slot<L>, flight: &Arc<Flight<L>>) {
        if slot.flight.as_ref().is_some_and(|current| Arc::ptr_eq(current, flight)) {
            slot.flight = None;
        }
    }
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

    /// Counts a follower in, if the flight can be joined.
    fn admit(&self, is_current: impl FnOnce(Stamp) -> bool) -> bool {
        let mut state = lock(&self.state);
        let is_joinable = match state.phase {
            Phase::Loading(stamp) => is_current(stamp),
            Phase::Vacant => true,
            Phase::Landed(_) => false,
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

impl<L: Clone> Ticket<L> {
    /// Returns the logical clock from before the load.
    pub(crate) fn stamp(&self) -> Stamp {
        self.stamp
    }

    /// Whether the key was not invalidated since `stamp`.
    pub(crate) fn allows(&self, stamp: Stamp) -> bool {
        self.epoch.allows(stamp)
    }

    pub(crate) fn key(&self) -> &Key {
        &self.key
    }
}

impl<L: Clone> Drop for Ticket<L> {
    fn drop(&mut self) {
        let mut shard = self.flights.shard(&self.key);
        let slot = shard.get_mut(&self.key).expect("a slot stays while it has users");
        slot.users -= 1;
        if slot.users == 0 {
            shard.remove(&self.key);
        }
    }
}

impl<L: Clone> Lead<L> {
    pub(crate) fn ticket(&self) -> &Ticket<L> {
        &self.ticket
    }

    pub(crate) fn flight(&self) -> &Arc<Flight<L>> {
        &self.flight
    }

    /// Answers the followers and ends the flight.
    pub(crate) fn land(mut self, landing: L) {
        self.has_landed = true;
        let mut shard = self.ticket.flights.shard(&self.ticket.key);
        let slot = shard.get_mut(&self.ticket.key).expect("a slot stays while it has users");
        Flights::detach(slot, &self.flight);
        drop(shard);
        let wakers = {
            let mut state = lock(&self.flight.state);
            state.phase = Phase::Landed(landing);
            std::mem::take(&mut state.wakers)
        };
        wakers.into_iter().for_each(|(_, waker)| waker.wake());
    }
}

impl<L: Clone> Drop for Lead<L> {
    fn drop(&mut self) {
        if self.has_landed {
            return;
        }
        let wakers = {
            let mut shard = self.ticket.flights.shard(&self.ticket.key);
            let mut state = lock(&self.flight.state);
            state.phase = Phase::Vacant;
            // Who takes over is running: until then no thread is needed.
            self.flight.note_thread(NONE);
            if state.followers == 0 {
                let slot = shard.get_mut(&self.ticket.key).expect("a slot stays while it has users");
                Flights::detach(slot, &self.flight);
            }
            std::mem::take(&mut state.wakers)
        };
        // All are woken: if only one were and it was dropped just then, nobody would take over.
        wakers.into_iter().for_each(|(_, waker)| waker.wake());
    }
}

//! Model checks: every order in which few threads can take the steps of a small case, and every value that a load of an atomic
//! may see. Run by `cargo xtask test loom`.
//!
//! The case of flights has a source, a store and callers as the engine has them, and the same checks; the case of tags asks the
//! clocks themselves. That the models have teeth was seen by breaking each of these, which makes a test here fail: either
//! ordering of `Sequence` (`Relaxed`), `epoch.raise` in `Hold::void`, the question of `Hold::if_idle`, the check of a store, the waking in `Lead::land` and in
//! its drop (nobody, or one only), the floor in `TagClocks::forget_half`, a gate that is told of one mark where there are several, and in `Tagged::reclaim`, which is
//! as `Engine::reclaim`: the horizon, the order, and the wait for readers. The stamp checks of `Flights::join` and of a follower stand in for each other: both must be broken to fail.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};

use loom::future::block_on;
use loom::model::Builder;
use loom::sync::atomic::{AtomicU64, Ordering};
use loom::sync::{Mutex, MutexGuard};
use loom::thread;

use super::flight::{Flights, Joined, Lead, Ticket, Waited};
use crate::entry::stamp::{Sequence, Stamp};
use crate::entry::tags::{TagClocks, TagId};
use crate::key::{Key, KeyRef};
use crate::raw::grace::{GracePeriod, pinned};
use crate::tag::Tag;

/// What the source holds before and after the write.
const OLD: u64 = 0;
const NEW: u64 = 1;

/// That of the one key there is.
const HASH: u64 = 7;

/// A value and the stamp of its load.
type Loaded = (Stamp, u64);

/// One key of a cache, and its source.
struct World {
    flights: Flights<Loaded>,
    sequence: Sequence,
    store: Mutex<Option<Loaded>>,
    source: AtomicU64,
    key: Key,
}

impl World {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            flights: Flights::new(),
            sequence: Sequence::new(),
            store: Mutex::new(None),
            source: AtomicU64::new(OLD),
            key: Key::new("key"),
        })
    }

    fn at(&self) -> KeyRef<'_> {
        KeyRef::new(self.key.region(), self.key.bytes(), HASH)
    }

    fn store(&self) -> MutexGuard<'_, Option<Loaded>> {
        self.store.lock().expect("loom's mutex is not poisoned")
    }

    /// Writes the source, then invalidates the key, as `Engine::remove` does.
    fn write(&self) {
        // Relaxed: that who reads the clock sees the write is the doing of the clock.
        self.source.store(NEW, Ordering::Relaxed);
        let at = self.sequence.step();
        self.flights.hold(self.at()).void(at);
        self.store().take();
    }

    /// Writes the source, then makes what was written the entry, as `Engine::write` does.
    fn prime(&self) {
        self.source.store(NEW, Ordering::Relaxed);
        if let Some(_hold) = self.flights.hold(self.at()).if_idle() {
            *self.store() = Some((self.sequence.now(), NEW));
            return;
        }
        let at = self.sequence.step();
        let hold = self.flights.hold(self.at());
        hold.void(at);
        *self.store() = Some((at, NEW));
    }

    /// Calls, as `Job::run` does.
    fn call(&self) -> u64 {
        if let Some((_, value)) = *self.store() {
            return value;
        }
        match self.join() {
            Joined::Lead(lead) => self.lead(lead),
            Joined::Follow(mut follow) => match block_on(follow.wait(&self.sequence)) {
                Waited::TakeOver(lead) => self.lead(lead),
                Waited::Landed((stamp, value), ticket) if ticket.allows(stamp) => value,
                Waited::Landed(..) => self.load(&self.flights.alone(self.at(), &self.sequence)).1,
            },
        }
    }

    fn lead(&self, lead: Lead<Loaded>) -> u64 {
        let loaded = self.load(lead.ticket());
        lead.land(loaded);
        loaded.1
    }

    /// Loads and stores, as `Engine::store_loaded` does.
    fn load(&self, ticket: &Ticket<Loaded>) -> Loaded {
        let loaded = (ticket.stamp(), self.source.load(Ordering::Relaxed));
        let mut store = self.store();
        if ticket.allows(ticket.stamp()) {
            *store = Some(loaded);
        }
        loaded
    }

    /// Begins to load or to wait, and gives up before the end.
    fn give_up(&self) {
        if let Joined::Follow(mut follow) = self.join() {
            let mut wait = pin!(follow.wait(&self.sequence));
            // Whoever takes over here gives up as well.
            let _polled = wait.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        }
    }

    fn join(&self) -> Joined<Loaded> {
        self.flights.join(self.at(), &self.sequence, 1, |_| true)
    }
}

/// Checks a case with at most `preemptions` forced switches in each run: more find no more here, and take minutes.
fn check(preemptions: usize, case: impl Fn() + Send + Sync + 'static) {
    let mut model = Builder::new();
    model.preemption_bound = Some(preemptions);
    model.check(case);
}

#[test]
fn loom_nothing_old_is_kept_or_seen_after_an_invalidation() {
    check(3, || {
        let world = World::new();
        let callers = [world.clone(), world.clone()].map(|world| thread::spawn(move || world.call()));
        world.write();
        assert_ne!(*world.store(), Some((Stamp::default(), OLD)), "an old value is in the store");
        assert_eq!(world.call(), NEW, "who calls after the invalidation sees the write");
        for caller in callers {
            caller.join().expect("a caller is answered");
        }
        assert!(world.store().is_none_or(|(_, value)| value == NEW), "an old value was stored");
        assert_eq!(world.flights.len(), 0, "flights that are left");
    });
}

#[test]
fn loom_no_older_load_takes_the_place_of_what_was_written() {
    check(3, || {
        let world = World::new();
        let callers = [world.clone(), world.clone()].map(|world| thread::spawn(move || world.call()));
        world.prime();
        assert_eq!(world.call(), NEW, "who calls after the write sees it");
        for caller in callers {
            caller.join().expect("a caller is answered");
        }
        assert!(world.store().is_some_and(|(_, value)| value == NEW), "an old value was stored");
        assert_eq!(world.flights.len(), 0, "flights that are left");
    });
}

#[test]
fn loom_a_leader_that_goes_leaves_nobody_behind() {
    check(3, || {
        let world = World::new();
        let leaver = thread::spawn({
            let world = world.clone();
            move || world.give_up()
        });
        let caller = thread::spawn({
            let world = world.clone();
            move || world.call()
        });
        assert_eq!(world.call(), OLD);
        assert_eq!(caller.join().expect("a caller is answered"), OLD);
        leaver.join().expect("giving up is no panic");
        assert_eq!(*world.store(), Some((Stamp::default(), OLD)));
        assert_eq!(world.flights.len(), 0, "flights that are left");
    });
}

#[test]
fn loom_a_follower_that_goes_leaves_nobody_behind() {
    check(3, || {
        let world = World::new();
        let Joined::Lead(lead) = world.join() else { unreachable!("nobody else is there yet") };
        let leaver = thread::spawn({
            let world = world.clone();
            move || world.give_up()
        });
        let caller = thread::spawn({
            let world = world.clone();
            move || world.call()
        });
        drop(lead);
        assert_eq!(caller.join().expect("a caller is answered"), OLD);
        leaver.join().expect("giving up is no panic");
        assert_eq!(world.flights.len(), 0, "flights that are left");
    });
}

/// An entry of a key with a tag, its source, and who forgets what was invalidated.
struct Tagged {
    world: Arc<World>,
    clocks: TagClocks,
    /// Held as [`Engine::at_next`](super::Engine::at_next) does.
    order: Mutex<()>,
    tag: TagId,
    /// Has the gate of the tag, and is another one.
    other: TagId,
}

impl Tagged {
    fn new() -> Arc<Self> {
        let clocks = TagClocks::new(1);
        let (tag, other) = (clocks.id(&Tag::from("tag")), clocks.id(&Tag::from("other")));
        Arc::new(Self { world: World::new(), clocks, order: Mutex::new(()), tag, other })
    }

    fn order(&self) -> MutexGuard<'_, ()> {
        self.order.lock().expect("loom's mutex is not poisoned")
    }

    fn allows(&self, stamp: Stamp) -> bool {
        self.clocks.allow(&[self.tag], stamp)
    }

    /// Loads and stores, as `Engine::store_loaded` does.
    fn load(&self) {
        let ticket = self.world.flights.alone(self.world.at(), &self.world.sequence);
        let loaded = (ticket.stamp(), self.world.source.load(Ordering::Relaxed));
        if self.allows(ticket.stamp()) {
            // Between the check and the store, which are one step for a removal, a tag may be invalidated: then the entry is not current.
            *self.world.store() = Some(loaded);
        }
    }

    /// Writes the source and invalidates the tag, and another one before.
    fn write(&self) {
        self.invalidate(self.other);
        self.world.source.store(NEW, Ordering::Relaxed);
        self.invalidate(self.tag);
    }

    fn invalidate(&self, tag: TagId) {
        let _order = self.order();
        self.clocks.invalidate(tag, self.world.sequence.step());
    }

    /// Takes out what is not current, and forgets, as `Engine::reclaim` does.
    fn reclaim(&self) {
        let horizon = {
            let _order = self.order();
            self.world.flights.horizon(&self.world.sequence)
        };
        let mut store = self.world.store();
        if store.is_some_and(|(stamp, _)| !self.clocks.were_current(&[self.tag], stamp)) {
            store.take();
        }
        drop(store);
        let mut readers = GracePeriod::begin().expect("fences are the barrier");
        while !readers.has_passed() {
            thread::yield_now();
        }
        self.clocks.forget(horizon);
    }

    /// Looks at what would answer a call.
    fn hit(&self) -> Option<u64> {
        pinned(|_| {
            let (stamp, value) = (*self.world.store())?;
            self.allows(stamp).then_some(value)
        })
    }
}

/// Loads while the tag is invalidated and `meanwhile` happens; then nothing old answers.
fn check_tagged(preemptions: usize, meanwhile: impl Fn(&Tagged) + Copy + Send + Sync + 'static) {
    check(preemptions, move || {
        let tagged = Tagged::new();
        let others = [
            thread::spawn({
                let tagged = tagged.clone();
                move || tagged.load()
            }),
            thread::spawn({
                let tagged = tagged.clone();
                move || meanwhile(&tagged)
            }),
        ];
        tagged.write();
        assert_ne!(tagged.hit(), Some(OLD), "an old value answers after the invalidation");
        others.into_iter().for_each(|other| other.join().expect("it ends"));
        assert_ne!(tagged.hit(), Some(OLD), "an old value answers in the end");
        tagged.reclaim();
        assert_ne!(tagged.hit(), Some(OLD), "an old value answers once all is forgotten");
        assert_eq!(tagged.clocks.len(), 0);
    });
}

#[test]
fn loom_what_is_forgotten_was_looked_for_before() {
    check_tagged(3, Tagged::reclaim);
}

#[test]
fn loom_what_is_too_much_to_remember_counts_as_invalidated() {
    check_tagged(2, |tagged| {
        for name in ["a", "b"] {
            tagged.invalidate(tagged.clocks.id(&Tag::from(name)));
        }
    });
}

#[test]
fn loom_fences_of_one_gate_hide_each_its_own_tag() {
    check(3, || {
        let tagged = Tagged::new();
        tagged.clocks.fence(tagged.tag);
        let other = thread::spawn({
            let tagged = tagged.clone();
            move || {
                tagged.clocks.fence(tagged.other);
                tagged.clocks.release(tagged.other);
            }
        });
        let stamp = tagged.world.sequence.now();
        assert!(!tagged.allows(stamp), "it is fenced");
        tagged.invalidate(tagged.tag);
        tagged.clocks.release(tagged.tag);
        assert!(!tagged.allows(stamp) && tagged.allows(tagged.world.sequence.now()));
        other.join().expect("it ends");
        assert!(tagged.clocks.allow(&[tagged.other], stamp));
    });
}

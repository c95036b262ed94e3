//! Gives back the memory of what is of no use any more, without being asked for it again.

use std::sync::Arc;
use std::time::Duration;

use super::Engine;
use super::cache::Cache;
use crate::caught::caught;
use crate::entry::Entry;
use crate::entry::stamp::Stamp;
use crate::key::Key;
use crate::observe::event::Event;
use crate::raw::grace::GracePeriod;
use crate::runtime;
use crate::sync::{Mutex, lock};
use crate::tier::{Reclaimed, Walk};

impl Cache {
    /// Drops every entry that is dead by age or was invalidated, and forgets the invalidations that matter to nobody any more. Returns
    /// the number of entries dropped.
    ///
    /// A cache does this by itself about once a second, a part of it at a time if it is large; see
    /// [`Builder::reclaim_interval`](crate::Builder::reclaim_interval).
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use cachex::time::ManualClock;
    /// use cachex::{Cache, EntryOptions, Key};
    ///
    /// let clock = ManualClock::new();
    /// let cache = Cache::builder().clock(clock.clone()).build()?;
    /// let options = EntryOptions::new().ttl(Duration::from_secs(1));
    /// cache.blocking().set(&Key::new("a"), 1, &options)?;
    /// clock.advance(Duration::from_secs(2));
    /// cache.reclaim();
    /// assert_eq!(cache.stats().entries, 0);
    /// # Ok::<(), cachex::Error>(())
    /// ```
    pub fn reclaim(&self) -> u64 {
        self.engine().reclaim()
    }
}

/// How often a reclaim that was asked for looks for values that somebody still reads.
const MOST_LOOKS: usize = 1000;
/// How many slots a background reclaim looks at at least …
const LEAST_SLOTS: usize = 1024;
/// … and at most one in so many, so that a large tier is gone through once in some ten reclaims.
const RECLAIMS_A_PASS: usize = 10;

/// The passes of the background: each looks at every entry once, a part at a time.
#[derive(Debug, Default)]
pub(super) struct Passes(Mutex<Turn>);

#[derive(Debug, Default)]
struct Turn {
    pass: Option<Pass>,
    /// What the last pass makes it possible to forget.
    leaving: Option<Leaving>,
    /// The logical clock at the beginning of the last pass that has ended.
    seen: Option<Stamp>,
}

/// A look at every entry there is. After it nothing is there any more that was invalidated up to its horizon: what was there when it began
/// was looked at, and whatever has come since began after the horizon.
#[derive(Debug)]
struct Pass {
    walk: Walk,
    begun_at: Stamp,
    horizon: Stamp,
}

/// What was invalidated up to a horizon and is to be forgotten: once nobody is left who had found an entry before it was taken out, and asks
/// whether it is current.
#[derive(Debug)]
struct Leaving {
    readers: GracePeriod,
    horizon: Stamp,
}

impl Leaving {
    fn begin(horizon: Stamp) -> Option<Self> {
        Some(Self { readers: GracePeriod::begin()?, horizon })
    }
}

impl Engine {
    /// Drops all that is dead by age, and all that was invalidated.
    pub(crate) fn reclaim(&self) -> u64 {
        self.structures.reclaim(self.now());
        self.expire_fences();
        self.trim();
        let mut pass = self.begin_pass(None);
        let reclaimed = self.tier.reclaim(self.now(), &|entry| self.is_kept(entry), &mut pass.walk, usize::MAX);
        let count = self.note_reclaimed(&reclaimed);
        drop(reclaimed);
        let mut leaving = Leaving::begin(pass.horizon);
        self.tier.flush(MOST_LOOKS);
        for _ in 0..MOST_LOOKS {
            leaving = leaving.and_then(|leaving| self.forget_if_unread(leaving));
            if leaving.is_none() {
                break;
            }
            std::thread::yield_now();
        }
        count
    }

    /// Drops all that is dead by age, and what was invalidated among a part of the entries, another one each time.
    fn reclaim_some(&self) {
        self.structures.reclaim_some(self.now());
        self.expire_fences();
        self.trim();
        let reclaimed = self.reclaim_part();
        self.note_reclaimed(&reclaimed);
        drop(reclaimed);
        self.tier.flush(1);
    }

    /// Goes on with the pass, or begins one if something was invalidated since the last one began.
    fn reclaim_part(&self) -> Reclaimed {
        let mut turn = lock(&self.passes.0);
        turn.leaving = turn.leaving.take().and_then(|leaving| self.forget_if_unread(leaving));
        let is_of_use = turn.pass.is_some() || turn.seen != Some(self.sequence.now()) || self.tags.len() != 0;
        let mut pass = is_of_use.then(|| turn.pass.take().unwrap_or_else(|| self.begin_pass(turn.seen)));
        let mut ended = Walk::ended();
        // Where much was invalidated, all at once: it is to be forgotten in time.
        let slots =
            if self.tags.are_many() { usize::MAX } else { LEAST_SLOTS.max(self.tier.slots() / RECLAIMS_A_PASS) };
        let walk = pass.as_mut().map_or(&mut ended, |pass| &mut pass.walk);
        let reclaimed = self.tier.reclaim(self.now(), &|entry| self.is_kept(entry), walk, slots);
        match pass {
            Some(pass) if self.tier.has_ended(&pass.walk) => {
                turn.seen = Some(pass.begun_at);
                turn.leaving = Leaving::begin(pass.horizon);
            }
            unfinished => turn.pass = unfinished,
        }
        reclaimed
    }

    /// Begins a pass. Where much was invalidated, it does not wait for what is under way since before the last one, which began at `last`.
    fn begin_pass(&self, last: Option<Stamp>) -> Pass {
        // Break this (let go of the order) and an invalidation is forgotten that was about to be noted while the pass went by.
        let _order = lock(&self.order);
        if let Some(last) = last.filter(|_| self.tags.are_many()) {
            // Break this (wait) and a load that never ends has more and more be remembered, until all that has tags counts as invalidated.
            self.give_up_older(last);
        }
        Pass { walk: Walk::default(), begun_at: self.sequence.now(), horizon: self.horizon() }
    }

    /// Forgets, or returns what still has to wait.
    fn forget_if_unread(&self, mut leaving: Leaving) -> Option<Leaving> {
        // Break this (don't wait) and who has found an entry after its tag was invalidated, and asks only now, is told that it is current.
        if !leaving.readers.has_passed() {
            return Some(leaving);
        }
        self.tags.forget(leaving.horizon);
        None
    }

    fn is_kept(&self, entry: &Entry) -> bool {
        self.is_unaltered(self.method_of(entry), entry)
    }

    /// Counts and tells what was dropped.
    fn note_reclaimed(&self, reclaimed: &Reclaimed) -> u64 {
        let count = reclaimed.expired.len() + reclaimed.invalidated.len();
        for entry in &reclaimed.expired {
            let method = self.method_of(entry);
            method.counters.expired.one();
            self.tell(|| Event::Expired(Key::from_parts(method.region, entry.bytes())));
        }
        for entry in &reclaimed.invalidated {
            let method = self.method_of(entry);
            method.counters.invalidated.one();
            self.tell(|| Event::Invalidated(Key::from_parts(method.region, entry.bytes())));
        }
        count as u64
    }
}

/// Reclaims at each interval, as long as the cache lives.
pub(crate) fn keep_reclaiming(engine: &Arc<Engine>, interval: Duration) {
    let engine = Arc::downgrade(engine);
    runtime::spawn_own(async move {
        loop {
            runtime::sleep(interval).await;
            let Some(engine) = engine.upgrade() else { return };
            // A value whose drop panics must not end the reclaiming.
            let _caught = caught(|| engine.reclaim_some());
        }
    });
}

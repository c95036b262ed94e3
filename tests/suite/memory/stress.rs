//! Everything at once under each policy, by several threads, on a cache that is far too small: annotated reads, loads, writes that
//! remove, invalidate, replace and clear, expiry and reclaiming. Bounded by the number of operations, some seconds for each policy;
//! `CACHEX_RACE_SECONDS=60` has storm follow upon storm for so long, for each.
//!
//! What must hold: no reader sees a value of another key, or one that is older than an invalidation that had returned before
//! it asked. Whenever nobody is in the middle of a call, no more values live than there is room for, one [`BATCH`], and those in
//! the hands of callers. In the end none is left, and each was dropped once.

mod census;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use cachex::time::ManualClock;
use cachex::{Cache, CacheScope, Settings, cached, invalidates};
use futures_util::FutureExt;
use tokio::runtime::{Builder, Runtime};

use crate::races::readers::HOLDING_UP;
use crate::races::seconds;
use crate::{ENGINE, POLICIES};
use census::{Census, Counted};

const THREADS: usize = 4;
const ROUNDS: usize = 3;
/// What each thread does in a round.
const OPERATIONS: usize = 6_000;
/// The entries of a cache of one part, and of sixteen, which give for one another.
const ONE_PART: usize = 128;
const PARTS: usize = 16 * ONE_PART;
/// Room for the average entry, so that either bound is reached now and then.
const BYTES_OF_ENTRY: u64 = 480;
const GROUPS: usize = 8;
/// How many values each thread has in its hands.
const HELD: usize = 8;
/// What a memory tier of one part may keep beside its entries until it is dropped, and what one of several parts.
const BATCH: usize = 64;
const LARGE_BATCH: usize = 575;
/// A batch waits for readers, also of other tests in this process that are interrupted in the middle of a look-up: the bounds
/// must hold in one of so many turns …
const TURNS: usize = 200;
/// … for so many batches, one after the other.
const BATCHES: usize = 8;

/// What the value of an entry says of it.
fn heft(value: &Arc<Counted>) -> u64 {
    (value.id % 9) as u64 * 64
}

fn group(value: &Arc<Counted>) -> [String; 1] {
    [group_of(value.id)]
}

fn group_of(id: usize) -> String {
    format!("group:{}", id % GROUPS)
}

/// A source with a version of each of its values, and cached reads of it.
#[derive(CacheScope)]
struct Source {
    #[scope(cache)]
    cache: Cache,
    capacity: usize,
    bytes: Option<u64>,
    clock: ManualClock,
    census: Arc<Census>,
    held: Vec<AtomicU64>,
    /// The version of the last write whose invalidation has returned.
    published: Vec<AtomicU64>,
}

impl Source {
    fn new(policy: &str, (capacity, bytes): (usize, Option<u64>)) -> Self {
        let clock = ManualClock::new();
        let memory = format!("[memory]\nengine = \"{ENGINE}\"\nmax_entries = {capacity}\neviction = \"{policy}\"\n");
        let mut settings = Settings::from_toml_str(&memory).unwrap();
        settings.memory.max_bytes = bytes;
        let builder = Cache::builder().settings(settings).clock(clock.clone());
        // What has several parts is also gone through in the background, without a pause.
        let interval = if capacity == ONE_PART { Duration::from_secs(3_600) } else { Duration::from_millis(1) };
        let cache = builder.reclaim_interval(interval).build().unwrap();
        let versions = || (0..2 * capacity).map(|_| AtomicU64::new(0)).collect();
        // One for each operation, two for each of those that bring the cache within its bounds.
        let most = ROUNDS * (THREADS * OPERATIONS * 2 + TURNS * BATCHES * BATCH * 2);
        let census = Census::of(most);
        Self { cache, capacity, bytes, clock, census, held: versions(), published: versions() }
    }

    #[cached(name = "stress.find", ttl = "8s", local, weight = heft, tags = ["id:{id}"], tags_with = group)]
    fn find(&self, id: usize) -> Arc<Counted> {
        self.load(id)
    }

    #[cached(name = "stress.find_async", ttl = "8s", local, weight = heft, tags = ["id:{id}"], tags_with = group)]
    async fn find_async(&self, id: usize) -> Arc<Counted> {
        self.load(id)
    }

    fn load(&self, id: usize) -> Arc<Counted> {
        let version = self.held[id].load(Ordering::SeqCst);
        thread::yield_now();
        self.census.value(id, version)
    }

    #[invalidates(Self::find(id), Self::find_async(id))]
    fn write_by_key(&self, id: usize) {
        self.advance(id);
    }

    #[invalidates(tags = ["id:{id}"])]
    fn write_by_tag(&self, id: usize) {
        self.advance(id);
    }

    /// Returns the new version. Each id is written by one thread only.
    fn advance(&self, id: usize) -> u64 {
        self.held[id].fetch_add(1, Ordering::SeqCst) + 1
    }

    /// Writes the source and makes what was written the entry.
    fn write_and_prime(&self, id: usize) {
        let version = self.advance(id);
        self.find_prime(&id, &self.census.value(id, version));
        self.find_async_prime(&id, &self.census.value(id, version)).now_or_never().unwrap();
    }

    /// Writes in one of several ways, and says so once the invalidation has returned.
    fn write(&self, id: usize, way: u64) {
        // What concerns very many is as much rarer as there are more: else none ever has to leave for room.
        let is_rare = (way / 256).is_multiple_of((self.capacity / ONE_PART) as u64);
        match way % 256 {
            0 if is_rare => {
                self.advance(id);
                self.cache.clear();
            }
            2..=9 if is_rare => {
                self.advance(id);
                self.cache.invalidate_tags([group_of(id)]);
            }
            10..=49 => {
                self.advance(id);
                let _found = self.find_remove(&id);
                let _found = self.find_async_remove(&id).now_or_never();
            }
            1 if is_rare => {
                self.advance(id);
                self.cache.blocking().remove_matching("*");
            }
            50..=99 => self.write_and_prime(id),
            100..=179 => self.write_by_tag(id),
            _ => self.write_by_key(id),
        }
        self.published[id].store(self.held[id].load(Ordering::SeqCst), Ordering::SeqCst);
    }

    /// Brings the cache within its bounds by as many writes as make a batch, and checks that it comes to be.
    fn check_bounds(&self, policy: &str) {
        let batch = if self.capacity > ONE_PART { LARGE_BATCH } else { BATCH };
        let most = self.capacity + batch + THREADS * HELD;
        let _alone = HOLDING_UP.lock().unwrap_or_else(PoisonError::into_inner);
        let is_within = (0..TURNS).any(|_| {
            (0..BATCHES).all(|_| {
                (0..BATCH).for_each(|_| self.write_and_prime(0));
                self.census.living() <= most
            })
        });
        assert!(is_within, "{policy}: {} values live, no more than {most} may", self.census.living());
        let stats = self.cache.stats();
        assert!(stats.entries <= self.capacity as u64, "{policy}: {stats:?}");
        assert!(self.bytes.is_none_or(|bytes| stats.weight <= bytes), "{policy}: {stats:?}");
    }
}

/// What one thread does: reads of all ids, the low ones more often, and writes of its own.
struct Worker<'a> {
    source: &'a Source,
    number: usize,
    random: u64,
    runtime: Runtime,
    /// Values that are still in use, whatever has become of their entries.
    hands: VecDeque<(usize, Arc<Counted>)>,
}

impl<'a> Worker<'a> {
    fn new(source: &'a Source, number: usize) -> Self {
        let runtime = Builder::new_current_thread().build().unwrap();
        Self { source, number, random: number as u64 + 1, runtime, hands: VecDeque::new() }
    }

    fn draw(&mut self) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random
    }

    fn draw_id(&mut self) -> usize {
        let ids = 2 * self.source.capacity;
        let (one, other) = (self.draw() as usize % ids, self.draw() as usize % ids);
        one.min(other)
    }

    fn act(&mut self) {
        let (id, choice) = (self.draw_id(), self.draw());
        match choice % 64 {
            0 => _ = self.source.cache.reclaim(),
            1 | 2 => self.source.clock.advance(Duration::from_secs(1) * ONE_PART as u32 / self.source.capacity as u32),
            3..=10 => self.source.write(id / THREADS * THREADS + self.number, choice / 64),
            kind => self.read(id, kind < 24),
        }
    }

    fn read(&mut self, id: usize, is_async: bool) {
        let source = self.source;
        let published = source.published[id].load(Ordering::SeqCst);
        let value = if is_async { self.runtime.block_on(source.find_async(id)) } else { source.find(id) };
        value.check(id, published);
        if self.hands.len() == HELD
            && let Some((id, value)) = self.hands.pop_front()
        {
            value.check(id, 0);
        }
        self.hands.push_back((id, value));
    }
}

/// Lets the workers act, and checks the bounds whenever nobody is in the middle of a call.
fn storm(source: &Source, policy: &str) {
    let mut workers: Vec<_> = (0..THREADS).map(|number| Worker::new(source, number)).collect();
    for _ in 0..ROUNDS {
        thread::scope(|scope| {
            for worker in &mut workers {
                scope.spawn(|| (0..OPERATIONS).for_each(|_| worker.act()));
            }
        });
        source.check_bounds(policy);
    }
}

/// Lets a storm go over a cache, and checks that nothing is left of it.
fn check_once(policy: &str, bounds: (usize, Option<u64>)) {
    let source = Source::new(policy, bounds);
    storm(&source, policy);
    let _alone = HOLDING_UP.lock().unwrap_or_else(PoisonError::into_inner);
    let is_flushed = (0..TURNS).any(|_| {
        source.cache.reclaim();
        source.census.living() as u64 == source.cache.stats().entries
    });
    let stats = source.cache.stats();
    assert!(is_flushed, "{policy}: {} values live of {} entries", source.census.living(), stats.entries);
    let all = [stats.hits, stats.evicted, stats.expired, stats.invalidated, stats.removed, stats.rejected_stores];
    assert!(all.iter().all(|count| *count > 0), "{policy}: not everything happened: {stats:?}");
    assert_eq!(source.cache.loads_in_flight(), 0, "{policy}");
    // What is counted is what there is.
    assert_eq!(source.cache.blocking().remove_matching("*"), stats.entries, "{policy}");
    let left = source.cache.stats();
    assert_eq!((left.entries, left.weight), (0, 0), "{policy}: of what is counted something was never there");
    let census = source.census.clone();
    drop(source);
    census.check_all_are_dropped();
}

/// Lets storms go over caches, as many as there is time for: so many seconds, if it is not said how long.
#[expect(clippy::disallowed_methods, reason = "how long to go on is asked of real time")]
fn check(policy: &str, bounds: (usize, Option<u64>), usual: f64) {
    let started_at = Instant::now();
    let least = seconds(usual);
    loop {
        check_once(policy, bounds);
        if started_at.elapsed().as_secs_f64() >= least {
            return;
        }
    }
}

#[test]
fn a_storm_leaves_nothing_wrong_behind_whatever_the_policy() {
    for policy in POLICIES {
        check(policy, (ONE_PART, None), 2.0);
    }
}

#[test]
fn a_storm_under_a_bound_by_bytes_leaves_nothing_wrong_behind() {
    for policy in POLICIES {
        check(policy, (ONE_PART, Some(ONE_PART as u64 * BYTES_OF_ENTRY)), 0.0);
    }
}

#[test]
fn a_storm_over_several_parts_leaves_nothing_wrong_behind() {
    for policy in POLICIES {
        check(policy, (PARTS, None), 0.0);
    }
}

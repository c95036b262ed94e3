//! Settings, weights and spans of time that make no sense: an error that says so, or a call that is answered as if there were
//! no cache.
//!
//! Reading order: this file (capacity, weight, time), [`rules`] (rules that panic), [`fragile`] (values that panic).
//! Values that call the cache when they are cloned and dropped are in `races::values`.

mod fragile;
mod rules;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use cachex::time::ManualClock;
use cachex::{Builder, Cache, CacheScope, EntryOptions, Eviction, Key, Ttl, Verdict, cached};

const SECOND: Duration = Duration::from_secs(1);
/// What any longer span is cut to.
const CENTURY: Duration = Duration::from_secs(100 * 31_557_600);

/// Returns every eviction policy of the engine.
fn policies() -> impl Iterator<Item = Eviction> {
    crate::POLICIES.into_iter().map(|name| name.parse().unwrap())
}

/// Returns one of them, where it does not matter which.
fn any_policy() -> Eviction {
    crate::POLICIES[0].parse().unwrap()
}

/// Methods whose rules say what they are told to.
#[derive(Clone, CacheScope)]
struct Told {
    #[scope(cache)]
    cache: Cache,
    loads: Arc<AtomicUsize>,
}

/// A value that says what it weighs, or how many nanoseconds it lives.
type Says = u64;

fn itself(value: &Says) -> u64 {
    *value
}

/// What says another weight each time: 1 000, 0, and so on.
fn changing(_: &Says) -> u64 {
    static CALLS: AtomicU64 = AtomicU64::new(0);
    if CALLS.fetch_add(1, Ordering::SeqCst).is_multiple_of(2) { 1_000 } else { 0 }
}

fn span(value: &Says) -> Duration {
    if *value == Says::MAX { Duration::MAX } else { Duration::from_nanos(*value) }
}

impl Told {
    fn new(builder: Builder) -> Self {
        Self { cache: builder.build().unwrap(), loads: Arc::default() }
    }

    fn load(&self, says: Says) -> Says {
        self.loads.fetch_add(1, Ordering::SeqCst);
        says
    }

    fn loads(&self) -> usize {
        self.loads.load(Ordering::SeqCst)
    }

    #[cached(name = "bad_input.weighed", ttl = "1m", weight = itself)]
    fn weighed(&self, id: u64, says: Says) -> Says {
        let _ = id;
        self.load(says)
    }

    #[cached(name = "bad_input.changing", ttl = "1m", weight = changing)]
    fn changing(&self, id: u64) -> Says {
        self.load(id)
    }

    #[cached(name = "bad_input.timed", ttl = "1m", soft_ttl = "30s", jitter = "10%", ttl_with = span)]
    fn timed(&self, says: Says) -> Says {
        self.load(says)
    }
}

#[track_caller]
fn check_refused(builder: Builder, expected: &str) {
    let error = builder.build().unwrap_err();
    assert!(error.is_configuration());
    assert_eq!(error.to_string(), expected);
}

#[test]
fn a_capacity_of_nothing_or_of_more_than_can_be_counted_is_refused() {
    check_refused(crate::builder().max_entries(0), "`memory.max_entries` is 0; a memory tier keeps at least one entry");
    check_refused(
        crate::builder().max_bytes(0),
        "`memory.max_bytes` is 0; write for example \"256MiB\", or remove it to have no such bound",
    );
    check_refused(
        crate::builder().max_entries(u64::MAX),
        "`memory.max_entries` is too large; a memory tier keeps at most 4294967295 entries",
    );
    check_refused(
        crate::builder().max_bytes(u64::MAX),
        "`memory.max_bytes` is more than 9223372036854775807; lower it, or remove it to have no such bound",
    );
}

#[test]
fn the_largest_capacity_costs_nothing_beforehand() {
    let told = Told::new(crate::builder().max_entries(u64::from(u32::MAX)).max_bytes(i64::MAX as u64));
    assert_eq!((told.weighed(1, 5), told.weighed(1, 5), told.loads()), (5, 5, 1));
}

#[test]
fn the_smallest_capacity_answers_every_call() {
    for eviction in policies() {
        let one = Told::new(crate::builder().max_entries(1).eviction(eviction));
        for id in 0..100 {
            assert_eq!((one.weighed(id, 5), one.weighed(id, 5)), (5, 5), "{eviction}");
        }
        let stats = one.cache.stats();
        assert_eq!(stats.entries, 1, "{eviction}");
        // The other engine may refuse who comes in the place of somebody.
        assert!(crate::ENGINE != "cachex" || (stats.evicted, stats.hits) == (99, 100), "{eviction}");

        let byte = Told::new(crate::builder().max_bytes(1).eviction(eviction));
        for id in 0..100 {
            assert_eq!((byte.weighed(id, 0), byte.weighed(id, 0)), (0, 0), "{eviction}");
        }
        let stats = byte.cache.stats();
        assert_eq!((stats.entries, stats.weight, stats.too_heavy), (0, 0, 200), "{eviction}");
    }
}

#[test]
fn an_entry_that_is_heavier_than_all_room_is_not_kept_and_drives_nobody_out() {
    for eviction in policies() {
        let told = Told::new(crate::builder().max_bytes(10_000).eviction(eviction));
        (0..10).for_each(|id| _ = told.weighed(id, 100));
        for says in [10_000, 1 << 40, u64::MAX] {
            assert_eq!((told.weighed(99, says), told.weighed(99, says)), (says, says), "{eviction}");
        }
        let stats = told.cache.stats();
        assert_eq!((stats.entries, stats.evicted, stats.too_heavy), (10, 0, 6), "{eviction}");
    }
}

#[test]
fn weights_of_nothing_are_bounded_by_the_keys_and_by_the_number_of_entries() {
    let told = Told::new(crate::builder().max_bytes(10_000));
    (0..1_000).for_each(|id| _ = told.weighed(id, 0));
    let stats = told.cache.stats();
    assert!(stats.weight <= 10_000 && (10..100).contains(&stats.entries), "{stats:?}");
    let told = Told::new(crate::builder().max_entries(10));
    (0..1_000).for_each(|id| _ = told.weighed(id, 0));
    assert_eq!((told.cache.stats().entries, told.cache.stats().evicted), (10, 990));
}

#[test]
fn weights_beyond_measure_are_no_matter_without_a_bound_by_bytes() {
    let told = Told::new(crate::builder());
    (0..3).for_each(|id| _ = told.weighed(id, u64::MAX));
    assert_eq!((told.weighed(0, u64::MAX), told.loads()), (u64::MAX, 3));
    assert_eq!(told.cache.stats().entries, 3);
    assert_eq!(told.cache.method_stats("bad_input.weighed").unwrap().weight, 3 * u64::from(u32::MAX));
    assert_eq!(told.cache.stats().weight, 3 * u64::from(u32::MAX));
    told.cache.clear();
    assert_eq!((told.cache.stats().entries, told.cache.stats().weight), (0, 0));
}

#[test]
fn a_weight_that_changes_from_call_to_call_goes_as_it_came() {
    for eviction in policies() {
        let told = Told::new(crate::builder().max_bytes(10_000).eviction(eviction));
        for id in 0..100 {
            assert_eq!(told.changing(id), id);
            assert!(told.cache.stats().weight <= 10_000, "{eviction}");
            // In the place of what was there, or before it was evicted.
            told.changing_prime(&(id / 2), &id);
            let _found = told.changing_remove(&(id / 3));
        }
        let ids = (0..100).filter(|id| told.changing_remove(id)).count();
        assert!(ids > 0, "{eviction}");
        assert_eq!((told.cache.stats().entries, told.cache.stats().weight), (0, 0), "{eviction}");
    }
}

#[test]
fn a_value_that_lives_no_time_is_not_kept_and_one_that_lives_too_long_lives_a_century() {
    let clock = ManualClock::new();
    let told = Told::new(crate::builder().clock(clock.clone()).reclaim_interval(Duration::from_secs(3_600)));
    assert_eq!((told.timed(0), told.timed(0), told.loads()), (0, 0, 2));
    assert_eq!(told.cache.stats().entries, 0);

    assert_eq!((told.timed(u64::MAX), told.timed(u64::MAX), told.loads()), (u64::MAX, u64::MAX, 3));
    let Some(Ttl::Left(left)) = told.cache.blocking().ttl_of(&told.timed_key(&u64::MAX)) else { panic!("it expires") };
    assert!((CENTURY / 10 * 9..=CENTURY).contains(&left), "{left:?}");

    // Shorter than the soft TTL, which then has no effect.
    let short = SECOND.as_nanos() as u64;
    assert_eq!((told.timed(short), told.cache.explain(&told.timed_key(&short)).verdict), (short, Verdict::Fresh));
    clock.advance(SECOND);
    assert_eq!((told.timed(short), told.loads()), (short, 5));

    clock.advance(CENTURY);
    told.cache.reclaim();
    assert_eq!(told.cache.stats().entries, 0);
}

#[test]
fn a_clock_at_the_end_of_time_breaks_no_call() {
    let clock = ManualClock::new();
    let told = Told::new(crate::builder().clock(clock.clone()).reclaim_interval(Duration::from_secs(3_600)));
    told.weighed(1, 5);
    (0..10).for_each(|_| clock.advance(CENTURY));
    assert_eq!((told.weighed(1, 5), told.weighed(2, 5)), (5, 5));
    told.cache.blocking().set(&Key::new("last"), 1, &EntryOptions::new().ttl(SECOND)).unwrap();
    told.cache.reclaim();
    assert!(told.cache.stats().entries <= 3);
}

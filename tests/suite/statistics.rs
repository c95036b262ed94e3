//! What is counted: each thing once, for the cache and for the method.

mod events;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use cachex::time::ManualClock;
use cachex::{Cache, CacheScope, EntryOptions, Key, MethodSettings, Stats, cached};

const SECOND: Duration = Duration::from_secs(1);

#[derive(CacheScope)]
struct Counted {
    #[scope(cache)]
    cache: Cache,
    clock: ManualClock,
    loads: AtomicU64,
}

/// Takes its time.
#[expect(clippy::disallowed_methods, reason = "how long a load takes is measured in real time")]
fn work(span: Duration) {
    let begin = Instant::now();
    while begin.elapsed() < span {
        std::hint::spin_loop();
    }
}

impl Counted {
    fn new() -> Self {
        let clock = ManualClock::new();
        let builder = crate::builder().clock(clock.clone()).reclaim_interval(3_600 * SECOND);
        Self { cache: builder.build().unwrap(), clock, loads: AtomicU64::new(0) }
    }

    #[cached(name = "counted.one", ttl = "10s", tags = ["counted"])]
    fn one(&self, id: u64) -> u64 {
        let _ = id;
        self.loads.fetch_add(1, Ordering::SeqCst)
    }

    #[cached(name = "counted.other", ttl = "10s")]
    fn other(&self, id: u64) -> Result<u64, String> {
        if id == 0 { Err("zero".to_owned()) } else { Ok(id) }
    }

    #[cached(name = "counted.slow", ttl = "10s")]
    fn slow(&self, span: Duration) -> u64 {
        work(span);
        1
    }

    fn stats(&self, method: &str) -> Stats {
        self.cache.method_stats(method).unwrap()
    }
}

#[test]
fn what_a_reload_replaces_is_counted_as_what_it_was() {
    let counted = Counted::new();
    for _ in 0..5 {
        counted.one(1);
        counted.clock.advance(10 * SECOND);
    }
    for _ in 0..5 {
        counted.one(1);
        counted.cache.invalidate_tags(["counted"]);
    }
    counted.one(1);
    counted.cache.reclaim();
    let stats = counted.stats("counted.one");
    assert_eq!((stats.expired, stats.invalidated, stats.stores, stats.entries), (5, 5, 11, 1));
    assert_eq!((stats.evicted, stats.removed), (0, 0));
}

#[test]
fn what_is_replaced_while_it_is_of_use_is_counted_as_nothing() {
    let counted = Counted::new();
    for value in 0..3 {
        counted.cache.blocking().set(&Key::new("counted"), value, &EntryOptions::new()).unwrap();
    }
    let stats = counted.cache.stats();
    assert_eq!((stats.stores, stats.expired, stats.invalidated, stats.removed, stats.evicted), (3, 0, 0, 0, 0));
}

#[test]
fn each_method_is_counted_for_itself_and_all_of_them_together() {
    let counted = Counted::new();
    for _ in 0..4 {
        counted.one(1);
    }
    assert_eq!((counted.other(1), counted.other(0), counted.other(0)), (Ok(1), Err("zero".into()), Err("zero".into())));
    let (one, other, all) = (counted.stats("counted.one"), counted.stats("counted.other"), counted.cache.stats());
    assert_eq!((one.hits, one.misses, one.loads, one.load_errors, one.entries), (3, 1, 1, 0, 1));
    assert_eq!((other.hits, other.misses, other.loads, other.load_errors, other.entries), (0, 3, 3, 2, 1));
    assert_eq!((all.hits, all.misses, all.loads, all.load_errors, all.entries), (3, 4, 4, 2, 2));
    assert!(one.weight > 0 && other.weight > 0 && one.weight + other.weight == all.weight, "{one:?} {other:?}");
    assert_eq!((one.lookups(), one.hit_rate(), other.hit_rate()), (4, 0.75, 0.0));
    assert!((all.hit_rate() - 3.0 / 7.0).abs() < 1e-9, "{}", all.hit_rate());
}

#[test]
fn a_caller_that_refreshes_in_its_own_call_misses() {
    let counted = Counted::new();
    counted.cache.set_method_config("counted.one", MethodSettings::new().soft_ttl(4 * SECOND)).unwrap();
    assert_eq!(counted.one(1), 0);
    counted.clock.advance(4 * SECOND);
    assert_eq!(counted.one(1), 1, "it was answered by its own load");
    let stats = counted.stats("counted.one");
    assert_eq!((stats.hits, stats.stale_hits, stats.misses, stats.loads, stats.refreshes), (0, 0, 2, 2, 1));
    assert_eq!(stats.hit_rate(), 0.0);
}

#[test]
fn a_value_of_another_type_is_a_miss() {
    let counted = Counted::new();
    let (blocking, key) = (counted.cache.blocking(), Key::new("counted"));
    blocking.set(&key, 1_u64, &EntryOptions::new()).unwrap();
    assert!(blocking.get::<String>(&key).is_err());
    assert_eq!((counted.cache.stats().hits, counted.cache.stats().misses), (0, 1));
}

#[test]
fn calls_past_the_cache_are_bypasses() {
    let counted = Counted::new();
    counted.one(1);
    counted.cache.set_method_config("counted.one", MethodSettings::new().enabled(false)).unwrap();
    assert_eq!((counted.one(1), counted.one(1)), (1, 2));
    let stats = counted.stats("counted.one");
    assert_eq!((stats.bypasses, stats.lookups()), (2, 1));
}

// Break this (`Engine::reopen`: lower the floor to nothing) and the second key is answered with what was invalidated.
#[test]
fn what_was_invalidated_while_a_method_was_disabled_stays_so() {
    let counted = Counted::new();
    let enabled = |is_enabled| {
        counted.cache.set_method_config("counted.one", MethodSettings::new().enabled(is_enabled)).unwrap();
    };
    assert_eq!((counted.one(1), counted.one(2), counted.one(1)), (0, 1, 0));
    enabled(false);
    assert!(counted.cache.invalidate_method_all("counted.one").is_ok());
    enabled(true);
    assert_eq!((counted.one(1), counted.one(2)), (2, 3));
    enabled(false);
    assert_eq!(counted.one(1), 4);
    enabled(true);
    assert_eq!((counted.one(1), counted.one(2), counted.one(2)), (2, 3, 3));
}

// Guards that each method and the manual API draw samples of their own.
#[test]
fn look_ups_are_timed_whichever_calls_alternate() {
    let counted = Counted::new();
    for _ in 0..1_000 {
        counted.one(1);
        counted.other(1).unwrap();
    }
    for method in ["counted.one", "counted.other"] {
        let took = counted.stats(method).mean_get_time();
        assert!(took > Duration::ZERO && took < SECOND, "{method}: {took:?}");
    }
    let by_hand = Counted::new();
    by_hand.cache.blocking().set(&Key::new("counted"), 1, &EntryOptions::new()).unwrap();
    for _ in 0..1_000 {
        by_hand.cache.blocking().get::<i32>(&Key::new("counted")).unwrap();
    }
    assert!(by_hand.cache.stats().mean_get_time() > Duration::ZERO);
}

#[test]
fn the_mean_load_time_is_that_of_the_loads() {
    let counted = Counted::new();
    assert_eq!(counted.cache.stats().mean_load_time(), Duration::ZERO);
    let (short, long) = (Duration::from_millis(2), Duration::from_millis(6));
    for span in [short, long, short, long] {
        counted.slow(span);
    }
    let stats = counted.stats("counted.slow");
    assert_eq!(stats.loads, 2);
    assert!(stats.mean_load_time() >= (short + long) / 2, "{:?}", stats.mean_load_time());
    assert!(stats.mean_load_time() < 100 * long, "{:?}", stats.mean_load_time());
    // An entry knows it to within 0.2 %.
    assert!(counted.cache.explain(&counted.slow_key(&long)).load_time >= Some(long - long / 500));
}

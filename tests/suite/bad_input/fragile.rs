//! Values whose clone or drop panics: who asks for a clone sees its panic, and nobody after. The drop of what the cache kept
//! ends nobody's call.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

use cachex::time::ManualClock;
use cachex::{Cache, CacheScope, Eviction, cached};

use super::{SECOND, any_policy, policies};
use crate::source::Stepped;

/// What left a cache is dropped once no reader of this process can see it: in one of so many turns.
const TURNS: usize = 1_000;

/// What the values do.
#[derive(Default)]
struct Fate {
    living: AtomicI64,
    /// The clone that panics, counted from now; 0 for none.
    fatal_clone: AtomicUsize,
    /// So many drops from now on panic, of values that nobody has put down.
    fatal_drops: AtomicUsize,
}

struct Fragile {
    fate: Arc<Fate>,
    is_put_down: bool,
}

impl Fate {
    fn value(self: &Arc<Self>) -> Fragile {
        self.living.fetch_add(1, Ordering::SeqCst);
        Fragile { fate: self.clone(), is_put_down: false }
    }
}

/// Drops a value of our own, so that only those of the cache are fatal.
fn put_down(mut value: Fragile) {
    value.is_put_down = true;
}

/// Returns what was left before; an error if there was nothing.
fn count_down(left: &AtomicUsize) -> Result<usize, usize> {
    left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1))
}

impl Clone for Fragile {
    fn clone(&self) -> Self {
        assert_ne!(count_down(&self.fate.fatal_clone), Ok(1), "the clone fell over");
        self.fate.value()
    }
}

impl Drop for Fragile {
    fn drop(&mut self) {
        self.fate.living.fetch_sub(1, Ordering::SeqCst);
        assert!(self.is_put_down || count_down(&self.fate.fatal_drops).is_err(), "the drop fell over");
    }
}

#[derive(CacheScope)]
struct Shop {
    #[scope(cache)]
    cache: Cache,
    clock: ManualClock,
    fate: Arc<Fate>,
    loads: AtomicUsize,
}

impl Shop {
    /// Has room for one entry.
    fn new(eviction: Eviction) -> Self {
        Self::with_room(1, eviction)
    }

    fn with_room(entries: u64, eviction: Eviction) -> Self {
        let clock = ManualClock::new();
        let builder = crate::builder().clock(clock.clone()).reclaim_interval(3_600 * SECOND).eviction(eviction);
        let cache = builder.max_entries(entries).max_bytes(1_000_000).build().unwrap();
        Self { cache, clock, fate: Arc::default(), loads: AtomicUsize::new(0) }
    }

    #[cached(name = "fragile.find", ttl = "1m", local, weight = |_| 1, tags = ["fragile"])]
    fn find(&self, id: u64) -> Fragile {
        let _ = id;
        self.load()
    }

    #[cached(name = "fragile.find_async", ttl = "1m", local, weight = |_| 1, tags = ["fragile"])]
    async fn find_async(&self, id: u64) -> Fragile {
        let _ = id;
        tokio::task::yield_now().await;
        self.load()
    }

    #[cached(name = "fragile.heavy", ttl = "1m", local, weight = |_| u64::MAX)]
    fn heavy(&self) -> Fragile {
        self.load()
    }

    #[cached(name = "fragile.refused", ttl = "1m", local, unless = |_| true)]
    fn refused(&self) -> Fragile {
        self.load()
    }

    fn load(&self) -> Fragile {
        self.loads.fetch_add(1, Ordering::SeqCst);
        self.fate.value()
    }

    fn prime(&self, id: u64) {
        let value = self.fate.value();
        self.find_prime(&id, &value);
        put_down(value);
    }

    fn loads(&self) -> usize {
        self.loads.load(Ordering::SeqCst)
    }

    /// Waits until it is so, dropping what has left the cache.
    fn comes_to_be(&self, is_so: impl Fn() -> bool) -> bool {
        (0..TURNS).any(|_| {
            self.cache.reclaim();
            is_so()
        })
    }

    /// Checks that the cache does all that it should, and that it has no value that nobody can use.
    #[track_caller]
    fn check_works(&self, case: &str) {
        self.cache.clear();
        let before = self.loads();
        for _ in 0..2 {
            [self.find(1), self.find(1), Stepped::new(self.find_async(1)).end()].into_iter().for_each(put_down);
            self.cache.invalidate_tags(["fragile"]);
        }
        assert_eq!(self.loads() - before, 4, "{case}: one load each time");
        assert_eq!(self.cache.loads_in_flight(), 0, "{case}");
        self.cache.clear();
        assert!(self.comes_to_be(|| self.fate.living.load(Ordering::SeqCst) == 0), "{case}: a value is left");
        assert_eq!((self.cache.stats().entries, self.cache.stats().weight), (0, 0), "{case}");
    }
}

fn falls_over<T>(act: impl FnOnce() -> T) -> bool {
    catch_unwind(AssertUnwindSafe(act)).is_err()
}

#[test]
fn a_clone_that_panics_on_a_hit_ends_that_call_only() {
    for eviction in policies() {
        let shop = Shop::new(eviction);
        put_down(shop.find(1));
        shop.fate.fatal_clone.store(1, Ordering::SeqCst);
        assert!(falls_over(|| shop.find(1)), "{eviction}");
        put_down(shop.find(1));
        assert_eq!((shop.loads(), shop.cache.stats().entries), (1, 1), "{eviction}: the entry is still there");
        shop.check_works(&eviction.to_string());
    }
}

#[test]
fn a_clone_that_panics_on_an_async_hit_ends_that_call_only() {
    let shop = Shop::new(any_policy());
    put_down(Stepped::new(shop.find_async(1)).end());
    shop.fate.fatal_clone.store(1, Ordering::SeqCst);
    assert!(falls_over(|| Stepped::new(shop.find_async(1)).end()));
    put_down(Stepped::new(shop.find_async(1)).end());
    assert_eq!(shop.loads(), 1, "the entry is still there");
    shop.check_works("async");
}

// Guards the `catch_unwind` in `appraise`.
#[test]
fn a_clone_that_panics_on_a_load_costs_the_entry_and_not_the_call() {
    let shop = Shop::new(any_policy());
    shop.fate.fatal_clone.store(1, Ordering::SeqCst);
    put_down(shop.find(1));
    assert_eq!((shop.loads(), shop.cache.stats().entries), (1, 0));
    shop.fate.fatal_clone.store(1, Ordering::SeqCst);
    shop.prime(1);
    assert_eq!(shop.cache.stats().entries, 0);
    shop.check_works("load");
}

#[test]
fn a_clone_that_panics_for_a_follower_ends_that_call_only() {
    let shop = Shop::new(any_policy());
    let mut leader = Stepped::waiting(shop.find_async(1));
    let follower = Stepped::waiting(shop.find_async(1));
    let other = Stepped::waiting(shop.find_async(1));
    // The first is for the entry.
    shop.fate.fatal_clone.store(2, Ordering::SeqCst);
    put_down(leader.step().expect("it was woken"));
    drop(leader);
    assert!(falls_over(|| follower.end()));
    put_down(other.end());
    assert_eq!((shop.loads(), shop.cache.loads_in_flight(), shop.cache.stats().entries), (1, 0, 1));
    shop.check_works("follower");
}

/// A name, and what is done.
type Way = (&'static str, fn(&Shop));

/// Every way in which the value of `find(1)` is dropped.
const WAYS_OUT: [Way; 10] = [
    ("removed", |shop| _ = shop.find_remove(&1)),
    ("removed by a pattern", |shop| _ = shop.cache.blocking().remove_matching("*")),
    ("cleared", |shop| shop.cache.clear().wait()),
    ("invalidated and reclaimed", |shop| {
        shop.cache.invalidate_tags(["fragile"]);
        shop.cache.reclaim();
    }),
    ("invalidated and replaced", |shop| {
        shop.cache.invalidate_tags(["fragile"]);
        put_down(shop.find(1));
    }),
    ("expired and reclaimed", |shop| {
        shop.clock.advance(100 * SECOND);
        shop.cache.reclaim();
    }),
    ("expired and replaced", |shop| {
        shop.clock.advance(100 * SECOND);
        put_down(shop.find(1));
    }),
    ("replaced", |shop| shop.prime(1)),
    ("evicted", |shop| put_down(shop.find(2))),
    ("evicted by an async call", |shop| put_down(Stepped::new(shop.find_async(2)).end())),
];

// Guards the `catch_unwind` in `drop_value`.
#[test]
fn a_drop_that_panics_ends_nothing() {
    for eviction in policies() {
        for (way, act) in WAYS_OUT {
            let case = format!("{way}, {eviction}");
            let shop = Shop::new(eviction);
            put_down(shop.find(1));
            shop.fate.fatal_drops.store(1, Ordering::SeqCst);
            act(&shop);
            let is_over = shop.comes_to_be(|| shop.fate.fatal_drops.load(Ordering::SeqCst) == 0);
            assert!(is_over, "{case}: the value was not dropped");
            shop.check_works(&case);
        }
    }
}

#[test]
fn a_drop_of_what_is_not_kept_that_panics_ends_nothing() {
    for call in [Shop::heavy, Shop::refused] {
        let shop = Shop::new(any_policy());
        shop.fate.fatal_drops.store(1, Ordering::SeqCst);
        put_down(call(&shop));
        assert!(shop.comes_to_be(|| shop.fate.fatal_drops.load(Ordering::SeqCst) == 0));
        assert_eq!((shop.cache.stats().entries, shop.cache.loads_in_flight()), (0, 0));
        [call(&shop), call(&shop)].into_iter().for_each(put_down);
        shop.check_works("not kept");
    }
}

// A panic in a drop while another unwinds would end the process.
#[test]
fn drops_that_panic_all_at_once_end_nothing() {
    for eviction in policies() {
        let shop = Shop::with_room(50, eviction);
        let ways: [fn(&Shop); 3] = [
            |shop| shop.cache.clear().wait(),
            |shop| (50..100).for_each(|id| put_down(shop.find(id))),
            |shop| shop.clock.advance(100 * SECOND),
        ];
        for act in ways {
            (0..50).for_each(|id| put_down(shop.find(id)));
            shop.fate.fatal_drops.store(20, Ordering::SeqCst);
            act(&shop);
            assert!(shop.comes_to_be(|| shop.fate.fatal_drops.load(Ordering::SeqCst) == 0), "{eviction}");
            shop.check_works(&eviction.to_string());
        }
        (0..50).for_each(|id| put_down(shop.find(id)));
        let fate = shop.fate.clone();
        fate.fatal_drops.store(50, Ordering::SeqCst);
        drop(shop);
        assert_eq!((fate.living.load(Ordering::SeqCst), fate.fatal_drops.load(Ordering::SeqCst)), (0, 0), "{eviction}");
    }
}

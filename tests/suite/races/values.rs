//! Values and observers with a will of their own: their clones and drops call the cache, or panic.

use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use cachex::{Cache, CacheScope, EntryOptions, Event, Key, Observer, cached, updates};

use crate::source::{Failure, Stepped};

/// A value that calls its cache when it is cloned and when it is dropped.
struct Caller(Arc<Shared>);

#[derive(Default)]
struct Shared {
    cache: OnceLock<Cache>,
    alive: AtomicI64,
    calls: AtomicUsize,
}

impl Shared {
    fn value(self: &Arc<Self>) -> Caller {
        self.alive.fetch_add(1, Ordering::SeqCst);
        Caller(self.clone())
    }

    fn call(&self) {
        let Some(cache) = self.cache.get() else { return };
        self.calls.fetch_add(1, Ordering::SeqCst);
        let (own, options) = (Key::new("own"), EntryOptions::new().tag("callers"));
        cache.invalidate_tags(["other"]);
        let _found = cache.blocking().remove(&own);
        cache.blocking().set(&own, 1_u64, &options).unwrap();
        cache.blocking().get_or_load(&Key::new("loaded"), &options, || Ok::<_, Failure>(1_u64)).unwrap();
        cache.reclaim();
    }
}

impl Clone for Caller {
    fn clone(&self) -> Self {
        self.0.call();
        self.0.value()
    }
}

impl Drop for Caller {
    fn drop(&mut self) {
        self.0.alive.fetch_sub(1, Ordering::SeqCst);
        self.0.call();
    }
}

#[derive(Clone, CacheScope)]
struct Callers {
    #[scope(cache)]
    cache: Cache,
    shared: Arc<Shared>,
}

impl Callers {
    fn new(cache: Cache) -> Self {
        let shared = Arc::<Shared>::default();
        shared.cache.set(cache.clone()).ok().unwrap();
        Self { cache, shared }
    }

    #[cached(tags = ["callers"], local)]
    fn find(&self, id: u64) -> Caller {
        let _ = id;
        self.shared.value()
    }

    #[cached(local, unless = |_| true)]
    fn refused(&self) -> Caller {
        self.shared.value()
    }

    #[cached(local, weight = |_| u64::MAX)]
    fn heavy(&self) -> Caller {
        self.shared.value()
    }

    /// Is loaded while everything is cleared.
    #[cached(local)]
    fn overtaken(&self) -> Caller {
        self.cache.clear();
        self.shared.value()
    }

    #[updates(Self::find(id))]
    async fn save(&self, id: u64) -> Caller {
        let _ = id;
        tokio::task::yield_now().await;
        self.shared.value()
    }

    /// Breaks the circle of cache, entries and values, and checks that none is left.
    fn check_nothing_is_left(self) {
        self.cache.clear();
        // What left is dropped once no reader of this process can see it.
        let is_empty = (0..1_000).any(|_| {
            self.cache.reclaim();
            self.shared.alive.load(Ordering::SeqCst) == 0
        });
        assert!(self.shared.calls.load(Ordering::SeqCst) > 0);
        assert!(is_empty, "{} values are left", self.shared.alive.load(Ordering::SeqCst));
        assert_eq!(self.cache.loads_in_flight(), 0);
    }
}

// Guards that no lock is held while a value is cloned or dropped: each of these would deadlock.
#[test]
fn values_may_call_the_cache_when_they_are_cloned_and_dropped() {
    let callers =
        Callers::new(crate::builder().max_entries(4).reclaim_interval(Duration::from_secs(3_600)).build().unwrap());
    for id in 0..20 {
        drop((callers.find(id), callers.find(id)));
    }
    for id in 0..4 {
        drop(callers.find(id));
        callers.find_prime(&id, &callers.shared.value());
        callers.find_remove(&id);
        callers.find_prime(&id, &callers.shared.value());
        callers.cache.invalidate_tags(["callers"]);
        callers.cache.reclaim();
    }
    callers.find(1);
    callers.cache.blocking().remove_matching("*");
    callers.check_nothing_is_left();
}

#[test]
fn values_that_never_come_to_be_entries_may_call_the_cache() {
    let builder = crate::builder().max_bytes(100_000).reclaim_interval(Duration::from_secs(3_600));
    let callers = Callers::new(builder.build().unwrap());
    for call in [Callers::refused, Callers::heavy, Callers::overtaken] {
        drop((call(&callers), call(&callers)));
    }
    let stats = callers.cache.stats();
    assert_eq!((stats.too_heavy, stats.rejected_stores > 0), (2, true), "{stats:?}");
    callers.check_nothing_is_left();
}

// Guards the `_not_kept` of `Writing::end`: the value of a disturbed update is not dropped while the order is held.
#[test]
fn a_value_that_an_update_does_not_keep_may_call_the_cache() {
    let callers = Callers::new(crate::builder().reclaim_interval(Duration::from_secs(3_600)).build().unwrap());
    let (mut first, mut second) = (Stepped::new(callers.save(1)), Stepped::new(callers.save(1)));
    assert!(first.step().is_none() && second.step().is_none());
    drop(first.step().expect("it was woken"));
    drop(second.step().expect("it was woken"));
    drop((first, second));
    callers.check_nothing_is_left();
}

// Guards the `catch_unwind` in `Observers::tell`.
#[test]
fn an_observer_that_panics_or_calls_the_cache_is_harmless() {
    struct Clumsy(Arc<OnceLock<Cache>>);

    impl Observer for Clumsy {
        fn observe(&self, event: &Event) {
            if let (Event::Removed(_), Some(cache)) = (event, self.0.get()) {
                let _found = cache.blocking().get::<u64>(&Key::new("other")).unwrap();
                cache.invalidate_tags(["any"]);
                panic!("the observer fell over");
            }
        }
    }

    let known = Arc::<OnceLock<Cache>>::default();
    let cache = crate::builder().observer(Clumsy(known.clone())).build().unwrap();
    known.set(cache.clone()).unwrap();
    let key = Key::new("one");
    cache.blocking().set(&key, 1_u64, &EntryOptions::new()).unwrap();
    assert!(cache.blocking().remove(&key));
    assert_eq!(cache.blocking().get::<u64>(&key).unwrap(), None);
}

// Guards that neither the background of a cache nor a flight keeps it alive.
#[test]
fn a_cache_that_is_dropped_drops_its_values() {
    let shared = Arc::<Shared>::default();
    {
        let cache = crate::builder().reclaim_interval(Duration::from_secs(3_600)).build().unwrap();
        let callers = Callers { cache, shared: shared.clone() };
        for id in 0..100 {
            drop(callers.find(id));
        }
        assert_eq!(shared.alive.load(Ordering::SeqCst), 100);
    }
    assert_eq!(shared.alive.load(Ordering::SeqCst), 0);
}

// Guards that each cache has its own clock, tags, flights and methods.
#[test]
fn caches_do_not_know_of_each_other() {
    let [one, two] = [0; 2].map(|_| crate::builder().build().unwrap());
    let (key, options) = (Key::new("same"), EntryOptions::new().tag("same"));
    for cache in [&one, &two] {
        cache.blocking().set(&key, 1_u64, &options).unwrap();
    }
    one.invalidate_tags(["same"]);
    assert!(!one.blocking().exists(&key));
    assert!(two.blocking().exists(&key));
    let inner = || two.blocking().get_or_load(&Key::new("deep"), &options, || Ok::<_, Failure>(2_u64));
    assert_eq!(one.blocking().get_or_load(&Key::new("deep"), &options, inner), Ok(2));
    assert_eq!((one.stats().entries, two.stats().entries), (2, 2), "a wrong entry goes with the next reclaim");
}

/// A value that writes when it is dropped, and reclaims nothing: so many of them are dropped at once.
#[derive(Clone, serde::Serialize, serde::Deserialize)]
struct Writer {
    #[serde(skip)]
    cache: Option<Cache>,
}

impl Drop for Writer {
    fn drop(&mut self) {
        if let Some(cache) = &self.cache {
            cache.invalidate_tags(["written"]);
        }
    }
}

// Fails (by its time limit) if values are dropped where invalidations are put in order.
#[test]
fn many_values_that_write_when_they_are_dropped_wait_for_nobody() {
    let (done, is_done) = std::sync::mpsc::channel();
    // On a thread of its own: a deadlock then fails the test instead of hanging it.
    std::thread::spawn(move || {
        let cache = crate::builder().build().unwrap();
        let value = || Writer { cache: Some(cache.clone()) };
        for _ in 0..300 {
            cache.blocking().set(&Key::new("one"), value(), &EntryOptions::new()).unwrap();
        }
        for number in 0..300_u64 {
            let key = Key::new("each").part(&number);
            cache.blocking().set(&key, value(), &EntryOptions::new()).unwrap();
            assert!(cache.blocking().remove(&key));
            cache.blocking().set(&key, value(), &EntryOptions::new().ttl(Duration::from_nanos(1))).unwrap();
            let _gone = cache.blocking().pull::<Writer>(&key).unwrap();
        }
        done.send(()).unwrap();
    });
    assert_eq!(is_done.recv_timeout(Duration::from_secs(30)), Ok(()));
}

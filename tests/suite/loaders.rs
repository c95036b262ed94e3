//! Loaders that are registered under a name and called through the cache.

mod names;

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cachex::time::ManualClock;
use cachex::{Cache, Error, MethodSettings};
use tokio::sync::oneshot;

use crate::source::{Stepped, quiet, until};

const SECOND: Duration = Duration::from_secs(1);

/// What a registered loader does: it answers with the number of its loads, fails, or waits.
#[derive(Clone, Default)]
struct Loader {
    loads: Arc<AtomicU64>,
    stop: Arc<Mutex<Option<oneshot::Receiver<()>>>>,
}

impl Loader {
    fn loads(&self) -> u64 {
        self.loads.load(Ordering::SeqCst)
    }

    /// Holds up the next load.
    fn hold(&self) -> oneshot::Sender<()> {
        let (open, opened) = oneshot::channel();
        *self.stop.lock().unwrap() = Some(opened);
        open
    }

    async fn load(self, argument: u64) -> io::Result<u64> {
        let number = self.loads.fetch_add(1, Ordering::SeqCst) + 1;
        let stop = self.stop.lock().unwrap().take();
        match stop {
            // Dropped without a word: the load fails.
            Some(stop) => stop.await.map(|()| number).map_err(|_| io::Error::other("down")),
            None if argument == 0 => Err(io::Error::other("zero")),
            None => Ok(number),
        }
    }

    fn register(&self, cache: &Cache, settings: MethodSettings) -> Result<(), Error> {
        let loader = self.clone();
        cache.register_loader("loaders.number", settings, move |(argument,): (u64,)| loader.clone().load(argument))
    }
}

fn cache() -> (Cache, ManualClock) {
    let clock = ManualClock::new();
    let builder = Cache::builder().clock(clock.clone()).reclaim_interval(3_600 * SECOND);
    (builder.build().unwrap(), clock)
}

/// A cache with the loader registered.
fn registered(settings: MethodSettings) -> (Cache, ManualClock, Loader) {
    let ((cache, clock), loader) = (cache(), Loader::default());
    loader.register(&cache, settings).unwrap();
    (cache, clock, loader)
}

async fn call(cache: &Cache) -> Result<u64, Error> {
    cache.call_cached::<u64>("loaders.number", (7_u64,)).await
}

#[tokio::test]
async fn a_loader_is_run_once_for_each_tuple_of_arguments() {
    let (cache, clock, loader) = registered(MethodSettings::new().ttl(10 * SECOND));
    assert_eq!((call(&cache).await.unwrap(), call(&cache).await.unwrap()), (1, 1));
    assert_eq!(cache.call_cached::<u64>("loaders.number", (8_u64,)).await.unwrap(), 2);
    clock.advance(10 * SECOND);
    assert_eq!((call(&cache).await.unwrap(), loader.loads()), (3, 3));
    let stats = cache.method_stats("loaders.number").unwrap();
    assert_eq!((stats.hits, stats.misses, stats.loads, stats.entries), (1, 3, 3, 2));
}

#[tokio::test]
async fn callers_at_once_are_answered_by_one_load() {
    let (cache, _, loader) = registered(MethodSettings::new());
    let open = loader.hold();
    let callers: Vec<_> = (0..8)
        .map(|_| {
            let cache = cache.clone();
            tokio::spawn(async move { call(&cache).await.unwrap() })
        })
        .collect();
    until(|| cache.stats().followers == 7).await;
    open.send(()).unwrap();
    for caller in callers {
        assert_eq!(caller.await.unwrap(), 1);
    }
    assert_eq!(loader.loads(), 1);
}

#[tokio::test]
async fn a_stale_value_is_refreshed_in_the_background() {
    let (cache, clock, loader) = registered(MethodSettings::new().ttl(10 * SECOND).soft_ttl(2 * SECOND));
    assert_eq!(call(&cache).await.unwrap(), 1);
    clock.advance(2 * SECOND);
    let open = loader.hold();
    let at_once = || Stepped::new(call(&cache)).end().unwrap();
    assert_eq!((at_once(), at_once()), (1, 1), "before the refresh ends");
    until(|| loader.loads() == 2).await;
    open.send(()).unwrap();
    quiet(&cache).await;
    assert_eq!((call(&cache).await.unwrap(), loader.loads()), (2, 2));
    let stats = cache.method_stats("loaders.number").unwrap();
    assert_eq!((stats.refreshes, stats.stale_hits), (1, 2));
}

#[tokio::test]
async fn an_expired_value_answers_if_the_load_fails() {
    let (cache, clock, loader) = registered(MethodSettings::new().ttl(10 * SECOND).grace(60 * SECOND));
    assert_eq!(call(&cache).await.unwrap(), 1);
    clock.advance(10 * SECOND);
    drop(loader.hold());
    assert_eq!((call(&cache).await.unwrap(), cache.stats().fallbacks), (1, 1));
    assert_eq!(call(&cache).await.unwrap(), 3);
    clock.advance(70 * SECOND);
    drop(loader.hold());
    assert!(call(&cache).await.unwrap_err().is_load());
}

#[tokio::test]
async fn a_caller_gives_up_at_the_timeout_and_the_load_goes_on() {
    let (cache, clock, loader) = registered(MethodSettings::new().timeout(SECOND));
    let open = loader.hold();
    let caller = tokio::spawn({
        let cache = cache.clone();
        async move { call(&cache).await }
    });
    until(|| loader.loads() == 1 && clock.sleepers() > 0).await;
    clock.advance(SECOND);
    let error = caller.await.unwrap().unwrap_err();
    assert!(error.is_timeout(), "{error}");
    open.send(()).unwrap();
    quiet(&cache).await;
    assert_eq!((call(&cache).await.unwrap(), loader.loads(), cache.stats().timeouts), (1, 1, 1));
}

#[tokio::test]
async fn an_expired_value_answers_if_the_load_is_slow() {
    let settings = MethodSettings::new().ttl(10 * SECOND).grace(60 * SECOND).soft_timeout(SECOND);
    let (cache, clock, loader) = registered(settings);
    assert_eq!(call(&cache).await.unwrap(), 1);
    clock.advance(10 * SECOND);
    let open = loader.hold();
    let caller = tokio::spawn({
        let cache = cache.clone();
        async move { call(&cache).await }
    });
    until(|| loader.loads() == 2 && clock.sleepers() > 0).await;
    clock.advance(SECOND);
    assert_eq!(caller.await.unwrap().unwrap(), 1);
    open.send(()).unwrap();
    quiet(&cache).await;
    assert_eq!((call(&cache).await.unwrap(), loader.loads()), (2, 2));
}

#[tokio::test]
async fn a_disabled_loader_is_run_for_each_call_and_counted_as_a_bypass() {
    let (cache, _, loader) = registered(MethodSettings::new());
    assert_eq!(call(&cache).await.unwrap(), 1);
    cache.set_method_config("loaders.number", MethodSettings::new().enabled(false)).unwrap();
    assert_eq!((call(&cache).await.unwrap(), call(&cache).await.unwrap(), loader.loads()), (2, 3, 3));
    let stats = cache.method_stats("loaders.number").unwrap();
    assert_eq!((stats.bypasses, stats.misses, stats.hits), (2, 1, 0));
    cache.set_method_config("loaders.number", MethodSettings::new().enabled(true)).unwrap();
    assert_eq!(call(&cache).await.unwrap(), 1, "the entry from before is still there");
}

#[tokio::test]
async fn a_call_may_have_a_ttl_of_its_own() {
    let (cache, clock, loader) = registered(MethodSettings::new().ttl(10 * SECOND).soft_ttl(2 * SECOND));
    let brief = || cache.call_cached_with_ttl::<u64>("loaders.number", (7_u64,), SECOND);
    assert_eq!(brief().await.unwrap(), 1);
    clock.advance(SECOND);
    assert_eq!((brief().await.unwrap(), loader.loads()), (2, 2), "it expired before it could be stale");
    let forever = cache.call_cached_with_ttl::<u64>("loaders.number", (8_u64,), Duration::MAX).await.unwrap();
    clock.advance(Duration::from_secs(1_000_000_000));
    assert_eq!(cache.call_cached::<u64>("loaders.number", (8_u64,)).await.unwrap(), forever);
    quiet(&cache).await;
    let never = || cache.call_cached_with_ttl::<u64>("loaders.number", (9_u64,), Duration::ZERO);
    assert!(never().await.unwrap() < never().await.unwrap(), "a TTL of zero keeps nothing");
}

#[tokio::test]
async fn what_is_executed_is_neither_looked_up_nor_kept() {
    let (cache, _, loader) = registered(MethodSettings::new());
    let execute = || cache.execute::<u64>("loaders.number", (7_u64,));
    assert_eq!((execute().await.unwrap(), execute().await.unwrap()), (1, 2));
    assert_eq!((cache.stats().entries, cache.stats().lookups()), (0, 0));
    assert_eq!((call(&cache).await.unwrap(), execute().await.unwrap()), (3, 4));
    assert_eq!((call(&cache).await.unwrap(), loader.loads()), (3, 4));
}

#[tokio::test]
async fn a_failure_is_the_source_of_the_error() {
    let (cache, _, _) = registered(MethodSettings::new());
    let called = cache.call_cached::<u64>("loaders.number", (0_u64,)).await.unwrap_err();
    let executed = cache.execute::<u64>("loaders.number", (0_u64,)).await.unwrap_err();
    for error in [called, executed] {
        assert!(error.is_load());
        assert_eq!(error.to_string(), "the registered loader failed");
        assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "zero");
    }
    assert_eq!((cache.stats().load_errors, cache.stats().entries), (1, 0));
}

#[tokio::test]
async fn entries_of_a_loader_are_invalidated_by_its_name() {
    let (cache, _, _) = registered(MethodSettings::new());
    assert_eq!(call(&cache).await.unwrap(), 1);
    assert!(cache.invalidate_method("loaders.number", (7_u64,)).unwrap().wait());
    assert!(!cache.invalidate_method("loaders.number", (7_u64,)).unwrap().wait());
    assert_eq!(call(&cache).await.unwrap(), 2);
    cache.invalidate_method_all("loaders.number").unwrap();
    assert_eq!(call(&cache).await.unwrap(), 3);
}

#[tokio::test]
async fn a_loader_of_one_cache_is_unknown_to_another() {
    let (one, _, first) = registered(MethodSettings::new());
    let (other, _, second) = registered(MethodSettings::new());
    assert_eq!((call(&one).await.unwrap(), call(&other).await.unwrap()), (1, 1));
    one.clear();
    assert_eq!((call(&one).await.unwrap(), call(&other).await.unwrap()), (2, 1));
    assert_eq!((first.loads(), second.loads()), (2, 1));
    let (third, _) = cache();
    assert!(call(&third).await.unwrap_err().is_unknown_method());
}

//! Loads that need loads, of their own key as well: nobody waits for itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use cachex::time::ManualClock;
use cachex::{Cache, CacheScope, EntryOptions, Key, cached};
use tokio::sync::Barrier;

use crate::source::{Failure, Outcome, Source, Stepped, quiet};

/// Methods that call themselves, so many times.
#[derive(Clone, CacheScope)]
struct Deep {
    #[scope(cache)]
    cache: Cache,
    left: Arc<AtomicUsize>,
}

impl Deep {
    fn new(depth: usize) -> Self {
        Self { cache: crate::builder().build().unwrap(), left: Arc::new(AtomicUsize::new(depth)) }
    }

    fn is_bottom(&self) -> bool {
        self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_err()
    }

    #[cached]
    fn blocking(&self, id: u64) -> u64 {
        if self.is_bottom() { id } else { self.blocking(id) + 1 }
    }

    #[cached]
    async fn of_task(&self, id: u64) -> u64 {
        if self.is_bottom() { id } else { Box::pin(self.of_task(id)).await + 1 }
    }

    #[cached(timeout = "1h")]
    fn on_thread(&self, id: u64) -> Result<u64, Failure> {
        if self.is_bottom() { Ok(id) } else { Ok(self.on_thread(id)? + 1) }
    }

    #[cached]
    async fn mixed(&self, id: u64) -> u64 {
        if self.is_bottom() { id } else { self.blocking(id) + 1 }
    }
}

// Guards `reaches` in `nesting::may_wait`, and the frame in `Attempt::poll`.
#[test]
fn a_load_that_blocks_may_call_itself() {
    let deep = Deep::new(3);
    assert_eq!(deep.blocking(10), 13);
    assert_eq!(deep.cache.loads_in_flight(), 0);
}

#[tokio::test]
async fn an_async_load_may_call_itself() {
    let deep = Deep::new(3);
    assert_eq!(deep.of_task(10).await, 13);
    assert_eq!(deep.mixed(10).await, 10);
    assert_eq!(deep.cache.loads_in_flight(), 0);
}

// Guards `part_of` in `nesting::on_thread`: the load runs on another thread than its call. (The clock of this test stands
// still in effect: a wait would last an hour.)
#[test]
fn a_load_on_another_thread_may_call_itself() {
    let deep = Deep::new(3);
    assert_eq!(deep.on_thread(10), Ok(13));
    assert_eq!(deep.cache.loads_in_flight(), 0);
}

// Guards `reaches`, over a circle of two.
#[tokio::test]
async fn two_tasks_may_need_each_others_keys() {
    let cache = crate::builder().build().unwrap();
    let barrier = Arc::new(Barrier::new(2));
    let start = |own: u64, other: u64| {
        let (cache, barrier) = (cache.clone(), barrier.clone());
        tokio::spawn(async move {
            let options = EntryOptions::new();
            let inner_cache = cache.clone();
            let load = || async move {
                barrier.wait().await;
                let key = Key::new("mutual").part(&other);
                let options = EntryOptions::new();
                let needed = inner_cache.get_or_load(&key, &options, || async { Ok::<_, Failure>(other) });
                Ok::<_, Failure>(own * 10 + needed.await?)
            };
            cache.get_or_load(&Key::new("mutual").part(&own), &options, load).await
        })
    };
    let (first, second) = (start(1, 2), start(2, 1));
    let ends = [first.await.unwrap(), second.await.unwrap()];
    assert!(ends == [Ok(12), Ok(21)] || ends == [Ok(31), Ok(21)] || ends == [Ok(12), Ok(32)], "{ends:?}");
    assert_eq!(cache.loads_in_flight(), 0);
}

#[test]
fn two_threads_may_need_each_others_keys() {
    let cache = crate::builder().build().unwrap();
    let barrier = std::sync::Barrier::new(2);
    let call = |own: u64, other: u64| {
        let options = EntryOptions::new();
        cache.blocking().get_or_load(&Key::new("mutual").part(&own), &options, || {
            barrier.wait();
            let key = Key::new("mutual").part(&other);
            let needed = cache.blocking().get_or_load(&key, &options, || Ok::<_, Failure>(other))?;
            Ok::<_, Failure>(own * 10 + needed)
        })
    };
    thread::scope(|scope| {
        let first = scope.spawn(|| call(1, 2));
        let second = scope.spawn(|| call(2, 1));
        first.join().unwrap().unwrap();
        second.join().unwrap().unwrap();
    });
    assert_eq!(cache.loads_in_flight(), 0);
}

// Guards `may_need` in `Job::may_wait`: the leader needs the thread that the caller would keep.
#[tokio::test]
async fn a_caller_that_blocks_the_only_thread_does_not_wait_for_a_task() {
    let source = Source::new(crate::builder().build().unwrap());
    let key = Key::new("one");
    let gate = source.hold();
    let leader = tokio::spawn({
        let (source, key) = (source.clone(), key.clone());
        async move { source.cache.get_or_load(&key, &EntryOptions::new(), || source.read()).await }
    });
    while source.loads() == 0 {
        tokio::task::yield_now().await;
    }
    let loaded = source.cache.blocking().get_or_load(&key, &EntryOptions::new(), || source.read_blocking());
    assert_eq!(loaded, Ok(1));
    gate.open(Outcome::Value);
    assert_eq!(leader.await.unwrap(), Ok(1));
    assert_eq!((source.loads(), source.cache.loads_in_flight()), (2, 0));
}

impl Source {
    #[cached(name = "nesting.blocking", soft_ttl = "10s", ttl = "1m")]
    fn observed(&self) -> Result<u64, Failure> {
        self.read_blocking()
    }
}

// Guards `UNKNOWN` in `may_need`: the refresh was spawned, and only this thread can begin it.
#[tokio::test]
async fn a_caller_that_blocks_the_only_thread_does_not_wait_for_a_task_that_has_not_begun() {
    let clock = ManualClock::new();
    let source = Source::new(crate::builder().clock(clock.clone()).build().unwrap());
    assert_eq!(source.observed(), Ok(1));
    clock.advance(Duration::from_secs(11));
    assert_eq!(source.observed(), Ok(1), "a stale hit");
    assert_eq!(source.cache.loads_in_flight(), 1, "its refresh");
    clock.advance(Duration::from_secs(60));
    source.write(2);
    assert_eq!(source.observed(), Ok(2));
    quiet(&source.cache).await;
    assert_eq!(source.loads(), 3);
}

// Guards that flights are numbered across caches: the flight of the outer cache is not taken for the one of the inner.
#[test]
fn a_load_may_wait_for_a_load_in_another_cache() {
    let (outer, inner) = (crate::builder().build().unwrap(), Source::new(crate::builder().build().unwrap()));
    let (key, options) = (Key::new("same"), EntryOptions::new());
    let gate = inner.hold();
    let leader = Stepped::waiting(inner.cache.get_or_load(&key, &options, || inner.read()));
    let nested = || inner.cache.get_or_load(&key, &options, || inner.read());
    let call = Stepped::waiting(outer.get_or_load(&key, &options, nested));
    assert_eq!(inner.loads(), 1, "the nested call waits");
    gate.open(Outcome::Value);
    assert_eq!((leader.end(), call.end(), inner.loads()), (Ok(1), Ok(1), 1));
}

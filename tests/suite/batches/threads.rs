//! The same with real threads and random keys: nothing stale, nobody hangs, and a batch gives what single calls give.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use cachex::{Cache, CacheScope, cached, invalidates};

const KEYS: u64 = 12;
const ROUNDS: u64 = 3_000;
const TASKS: u64 = 6;

/// Numbers that only grow.
#[derive(Clone, CacheScope)]
struct Ledger {
    #[scope(cache)]
    cache: Cache,
    pages: Arc<[Page]>,
    failures: Arc<AtomicU64>,
}

#[derive(Default)]
struct Page {
    held: AtomicU64,
    /// What the last invalidation that returned was about.
    published: AtomicU64,
}

impl Ledger {
    fn new() -> Self {
        let cache = crate::builder().reclaim_interval(Duration::from_millis(1)).build().unwrap();
        Self { cache, pages: (0..KEYS).map(|_| Page::default()).collect(), failures: Arc::default() }
    }

    fn held(&self, page: u64) -> u64 {
        self.pages[page as usize].held.load(Ordering::SeqCst)
    }

    #[cached(batch(page in pages), tags = ["pages", "page:{page}"])]
    async fn read_all(&self, pages: &[u64]) -> Result<Vec<u64>, u64> {
        let seen: Vec<u64> = pages.iter().map(|page| self.held(*page)).collect();
        for _ in 0..seen.len() % 4 {
            tokio::task::yield_now().await;
        }
        if self.failures.fetch_add(1, Ordering::SeqCst) % 7 == 6 { Err(pages[0]) } else { Ok(seen) }
    }

    #[cached(batch(page in pages), tags = ["pages", "page:{page}"])]
    fn look_at_all(&self, pages: Vec<u64>) -> Vec<u64> {
        let seen = pages.iter().map(|page| self.held(*page)).collect();
        thread::yield_now();
        seen
    }

    #[invalidates(tags = ["page:{page}"])]
    fn write(&self, page: u64, value: u64) {
        self.pages[page as usize].held.store(value, Ordering::SeqCst);
    }

    #[invalidates(Self::read_all(page), Self::look_at_all(page))]
    fn write_by_key(&self, page: u64, value: u64) {
        self.pages[page as usize].held.store(value, Ordering::SeqCst);
    }

    /// Writes, and publishes what it wrote once nobody may be answered with what was before.
    fn advance(&self, step: u64) {
        let (page, value) = (step % KEYS, step);
        if step.is_multiple_of(3) {
            self.write_by_key(page, value)
        } else {
            self.write(page, value)
        }
        self.pages[page as usize].published.store(value, Ordering::SeqCst);
    }

    /// Returns what must have been seen by whoever begins now.
    fn published(&self, pages: &[u64]) -> Vec<u64> {
        pages.iter().map(|page| self.pages[*page as usize].published.load(Ordering::SeqCst)).collect()
    }
}

/// Numbers that look random, the same ones in each run.
struct Draw(u64);

impl Draw {
    fn next(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }

    /// Some pages in any order, perhaps with one of them twice.
    fn pages(&mut self) -> Vec<u64> {
        (0..=self.next(6)).map(|_| self.next(KEYS)).collect()
    }
}

#[track_caller]
fn check(pages: &[u64], seen: &[u64], published: &[u64]) {
    let are_current = seen.iter().zip(published).all(|(seen, published)| seen >= published);
    assert!(are_current && seen.len() == pages.len(), "{pages:?}: {seen:?} where {published:?} was published");
}

#[track_caller]
fn check_end(ledger: &Ledger) {
    assert_eq!(ledger.cache.loads_in_flight(), 0);
}

// Guards the invariants of `engine::batch`: with one of them broken it ends in its timeout, or with a stale read.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn batches_of_tasks_in_any_order_with_failures_and_callers_that_go() {
    let ledger = Ledger::new();
    let readers = (0..TASKS).map(|task| {
        let ledger = ledger.clone();
        tokio::spawn(async move {
            let mut draw = Draw(task);
            for round in 0..ROUNDS {
                let pages = draw.pages();
                let published = ledger.published(&pages);
                if round % 5 == 4 {
                    // A caller that goes after a few polls.
                    let mut call = Box::pin(ledger.read_all(&pages));
                    for _ in 0..draw.next(4) {
                        let polled = std::future::poll_fn(|cx| std::task::Poll::Ready(call.as_mut().poll(cx))).await;
                        if polled.is_ready() {
                            break;
                        }
                        tokio::task::yield_now().await;
                    }
                    continue;
                }
                if let Ok(seen) = ledger.read_all(&pages).await {
                    check(&pages, &seen, &published);
                }
            }
        })
    });
    let readers: Vec<_> = readers.collect();
    let writing = ledger.clone();
    let writer = thread::spawn(move || (1..=20 * ROUNDS).for_each(|step| writing.advance(step)));
    let all = async {
        for reader in readers {
            reader.await.unwrap();
        }
    };
    tokio::time::timeout(Duration::from_secs(120), all).await.expect("nobody waits for ever");
    writer.join().unwrap();
    check_end(&ledger);
    let pages: Vec<u64> = (0..KEYS).collect();
    for _ in 0..2 {
        if let Ok(seen) = ledger.read_all(&pages).await {
            assert_eq!(seen, pages.iter().map(|page| ledger.held(*page)).collect::<Vec<_>>());
        }
    }
}

#[test]
fn batches_of_threads_in_any_order() {
    let ledger = Ledger::new();
    thread::scope(|scope| {
        for task in 0..4 {
            let ledger = &ledger;
            scope.spawn(move || {
                let mut draw = Draw(100 + task);
                for _ in 0..ROUNDS {
                    let pages = draw.pages();
                    let published = ledger.published(&pages);
                    let seen = ledger.look_at_all(pages.clone());
                    check(&pages, &seen, &published);
                }
            });
        }
        scope.spawn(|| (1..=20 * ROUNDS).for_each(|step| ledger.advance(step)));
    });
    check_end(&ledger);
}

/// A method for one key and one for many, over the same table.
#[derive(Clone, CacheScope)]
struct Both {
    #[scope(cache)]
    cache: Cache,
    pages: Arc<[AtomicU64]>,
}

impl Both {
    #[cached(tags = ["page:{page}"])]
    fn one(&self, page: u64) -> Option<u64> {
        Some(self.pages[page as usize].load(Ordering::SeqCst)).filter(|value| value % 3 > 0)
    }

    #[cached(batch(page in pages), tags = ["page:{page}"])]
    fn many(&self, pages: &[u64]) -> Vec<Option<u64>> {
        pages.iter().map(|page| self.one_uncached(*page)).collect()
    }
}

#[test]
fn a_batch_gives_and_keeps_what_single_calls_give_and_keep() {
    let pages = |cache| Both { cache, pages: (0..KEYS).map(AtomicU64::new).collect() };
    let (single, batch) = (pages(super::cache()), pages(super::cache()));
    let mut draw = Draw(7);
    for step in 0..2_000 {
        if draw.next(3) == 0 {
            let page = draw.next(KEYS);
            for both in [&single, &batch] {
                both.pages[page as usize].store(step, Ordering::SeqCst);
                // Now and then it is not invalidated: both must be as stale.
                if step % 4 > 0 {
                    both.cache.invalidate_tags([format!("page:{page}")]).wait();
                }
            }
        }
        let asked = draw.pages();
        let expected: Vec<_> = asked.iter().map(|page| single.one(*page)).collect();
        assert_eq!(batch.many(&asked), expected, "step {step}, pages {asked:?}");
    }
    let (one, many) = (single.cache.stats(), batch.cache.stats());
    assert_eq!((one.stores, one.entries, one.invalidated), (many.stores, many.entries, many.invalidated));
}

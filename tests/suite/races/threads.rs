//! The same with real threads, bounded by iterations.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use cachex::{Cache, CacheScope, EntryOptions, Key, cached, invalidates};

use crate::source::{Failure, Stepped};

const WRITES: u64 = 50_000;

/// Numbers that only grow, and cached reads of them.
#[derive(CacheScope)]
struct Ledger {
    #[scope(cache)]
    cache: Cache,
    pages: [Page; 4],
}

#[derive(Default)]
struct Page {
    held: AtomicU64,
    /// What the last invalidation that returned was about.
    published: AtomicU64,
}

fn page_tag(value: &u64) -> [String; 1] {
    [format!("page:{}", value % 4)]
}

impl Ledger {
    fn new() -> Self {
        let cache = crate::builder().reclaim_interval(Duration::from_millis(1)).build().unwrap();
        Self { cache, pages: Default::default() }
    }

    #[cached(tags = ["pages"], tags_with = page_tag)]
    fn read(&self, page: usize) -> u64 {
        self.pages[page].held.load(Ordering::SeqCst)
    }

    #[cached(tags = ["pages", "async:{page}"])]
    async fn read_async(&self, page: usize) -> u64 {
        self.pages[page].held.load(Ordering::SeqCst)
    }

    #[invalidates(Self::read(page), tags = ["async:{page}"])]
    fn write_by_key(&self, page: usize, value: u64) {
        self.pages[page].held.store(value, Ordering::SeqCst);
    }

    #[invalidates(tags = ["page:{page}", "async:{page}"])]
    fn write_by_tag(&self, page: usize, value: u64) {
        self.pages[page].held.store(value, Ordering::SeqCst);
    }

    #[invalidates(tags = ["pages"])]
    fn write_all(&self, page: usize, value: u64) {
        self.pages[page].held.store(value, Ordering::SeqCst);
    }

    /// Writes a value, whose page its rest tells, and publishes it once its invalidation has returned.
    fn advance(&self, step: u64) {
        let (page, value) = ((step % 4) as usize, step);
        match step % 7 {
            0 => self.write_all(page, value),
            1 | 2 => self.write_by_tag(page, value),
            3 => {
                self.pages[page].held.store(value, Ordering::SeqCst);
                self.cache.clear();
            }
            _ => self.write_by_key(page, value),
        }
        self.pages[page].published.store(value, Ordering::SeqCst);
    }

    fn check(&self, page: usize, read: impl FnOnce() -> u64) {
        let published = self.pages[page].published.load(Ordering::SeqCst);
        let seen = read();
        assert!(seen >= published, "read {seen} after {published} was published");
    }
}

// Guards every check of a stamp: break any (for example `may_join`, or `store_loaded`) and an older value is read.
#[test]
fn nobody_reads_what_is_older_than_a_finished_invalidation() {
    let ledger = Ledger::new();
    // The pages hold their own numbers, so that the derived tag of a value is that of its page.
    (0..4).for_each(|page| ledger.pages[page].held.store(page as u64, Ordering::SeqCst));
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        for reader in 0..3_usize {
            let (ledger, is_over) = (&ledger, &is_over);
            scope.spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                for turn in reader.. {
                    if is_over.load(Ordering::SeqCst) {
                        return;
                    }
                    let page = turn % 4;
                    ledger.check(page, || ledger.read(page));
                    ledger.check(page, || runtime.block_on(ledger.read_async(page)));
                }
            });
        }
        let writer = scope.spawn(|| (4..WRITES).for_each(|step| ledger.advance(step)));
        let ended = writer.join();
        is_over.store(true, Ordering::SeqCst);
        ended.unwrap();
    });
    let stats = ledger.cache.stats();
    assert!(stats.hits > 0 && stats.loads > 0, "{stats:?}");
    assert_eq!(ledger.cache.loads_in_flight(), 0);
}

/// A source with one writer, and readers that load the key it writes.
struct Own {
    cache: Cache,
    key: Key,
    held: AtomicU64,
    is_over: AtomicBool,
}

impl Own {
    fn load_again_and_again(&self) {
        while !self.is_over.load(Ordering::SeqCst) {
            let loading = self.cache.begin_load(&self.key);
            let seen = self.held.load(Ordering::SeqCst);
            thread::yield_now();
            let _kept = loading.store(seen, &EntryOptions::new()).unwrap();
            let load = || Ok::<_, Failure>(self.held.load(Ordering::SeqCst));
            self.cache.blocking().get_or_load(&self.key, &EntryOptions::new(), load).unwrap();
        }
    }

    /// Checks that `write_and_read` reads what it has written, however old the loads are that end meanwhile.
    fn check(write_and_read: impl Fn(&Self, u64) -> Option<u64>) {
        let cache = crate::builder().build().unwrap();
        let own = Self { cache, key: Key::new("own"), held: AtomicU64::new(0), is_over: AtomicBool::new(false) };
        let wrong = thread::scope(|scope| {
            let readers = [0; 2].map(|_| scope.spawn(|| own.load_again_and_again()));
            let turn = |value| {
                own.held.store(value, Ordering::SeqCst);
                (value, write_and_read(&own, value))
            };
            let wrong = (1..=WRITES).map(turn).find(|(value, seen)| *seen != Some(*value));
            own.is_over.store(true, Ordering::SeqCst);
            readers.into_iter().for_each(|reader| reader.join().unwrap());
            wrong
        });
        assert_eq!(wrong, None, "written and read");
        assert!(own.cache.stats().rejected_stores > 0, "no load was overtaken: {:?}", own.cache.stats());
    }
}

// Guards `self.void(key, at)` in `Engine::try_write`, and that it comes before the store.
#[test]
fn an_own_write_is_read() {
    Own::check(|own, value| {
        own.cache.blocking().set(&own.key, value, &EntryOptions::new()).unwrap();
        own.cache.blocking().get(&own.key).unwrap()
    });
}

#[test]
fn an_own_async_write_is_read() {
    Own::check(|own, value| {
        let options = EntryOptions::new();
        let turn = async {
            own.cache.set(&own.key, value, &options).await.unwrap();
            own.cache.get(&own.key).await.unwrap()
        };
        Stepped::new(turn).end()
    });
}

// Guards that a removal voids before it takes.
#[test]
fn after_an_own_removal_what_is_loaded_is_read() {
    Own::check(|own, _| {
        let _found = own.cache.blocking().remove(&own.key);
        let load = || Ok::<_, Failure>(own.held.load(Ordering::SeqCst));
        own.cache.blocking().get_or_load(&own.key, &EntryOptions::new(), load).ok()
    });
}

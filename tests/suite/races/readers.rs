//! An entry leaves while somebody is in the middle of cloning its value: the value stays until the clone is made, and nobody
//! else waits for that.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use cachex::time::ManualClock;
use cachex::{Cache, CacheScope, Settings, cached};

use crate::{ENGINE, POLICIES};

/// Held while a clone is held up: until it is made, nothing is given back by any cache of this process.
pub(crate) static HOLDING_UP: Mutex<()> = Mutex::new(());

/// What left a cache is dropped once no reader of this process can see it: in one of so many turns.
const TURNS: usize = 1_000;

/// A value whose clone can be held up.
struct Watched {
    number: usize,
    log: Arc<Log>,
}

#[derive(Default)]
struct Log {
    made: AtomicUsize,
    /// The numbers of the values that were dropped.
    dropped: Mutex<Vec<usize>>,
    /// Holds up the next clone: is told the number of what is cloned, and opens.
    stop: Mutex<Option<(Sender<usize>, Receiver<()>)>>,
}

impl Log {
    fn value(self: &Arc<Self>) -> Watched {
        Watched { number: self.made.fetch_add(1, Ordering::SeqCst), log: self.clone() }
    }

    fn is_dropped(&self, number: usize) -> bool {
        self.dropped.lock().unwrap().contains(&number)
    }

    fn living(&self) -> usize {
        self.made.load(Ordering::SeqCst) - self.dropped.lock().unwrap().len()
    }
}

impl Clone for Watched {
    fn clone(&self) -> Self {
        // So that a test that fails does not end in what was given back.
        let log = self.log.clone();
        let stop = log.stop.lock().unwrap().take();
        if let Some((begun, opened)) = stop {
            begun.send(self.number).unwrap();
            // An error says that the test is over.
            let _opened = opened.recv();
        }
        log.value()
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.log.dropped.lock().unwrap().push(self.number);
    }
}

#[derive(CacheScope)]
struct Shop {
    #[scope(cache)]
    cache: Cache,
    clock: ManualClock,
    log: Arc<Log>,
}

impl Shop {
    fn new(policy: &str) -> Self {
        let settings =
            Settings::from_toml_str(&format!("memory = {{ engine = \"{ENGINE}\", eviction = \"{policy}\" }}")).unwrap();
        let clock = ManualClock::new();
        let builder = Cache::builder().settings(settings).clock(clock.clone()).max_entries(4);
        let cache = builder.reclaim_interval(Duration::from_secs(3_600)).build().unwrap();
        Self { cache, clock, log: Arc::default() }
    }

    #[cached(name = "readers.find", ttl = "1m", local, tags = ["readers"])]
    fn find(&self, id: u64) -> Watched {
        let _ = id;
        self.log.value()
    }

    /// Holds up the next clone: what is cloned, and what lets it go on.
    fn hold(&self) -> (Receiver<usize>, Sender<()>) {
        let (begin, begun) = mpsc::channel();
        let (open, opened) = mpsc::channel();
        *self.log.stop.lock().unwrap() = Some((begin, opened));
        (begun, open)
    }

    /// Lets the entry go in some way while its value is cloned, and more than a batch after it.
    fn check(&self, case: &str, way_out: fn(&Self)) {
        let _alone = HOLDING_UP.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.find(1));
        thread::scope(|scope| {
            // In here: if the test fails, the reader must not wait any more.
            let (begun, open) = self.hold();
            let reader = scope.spawn(|| self.find(1));
            let number = begun.recv().unwrap();
            way_out(self);
            (100..200).for_each(|id| drop(self.find(id)));
            self.cache.reclaim();
            assert!(!self.log.is_dropped(number), "{case}: the value was dropped while it was cloned");
            open.send(()).unwrap();
            drop(reader.join().unwrap());
            // Some policies have not evicted it.
            self.cache.clear();
            let is_dropped = (0..TURNS).any(|_| {
                self.cache.reclaim();
                self.log.is_dropped(number)
            });
            assert!(is_dropped, "{case}: the value is still there");
        });
    }
}

/// A name, and what is done.
type Way = (&'static str, fn(&Shop));

const WAYS_OUT: [Way; 6] = [
    ("removed", |shop| assert!(shop.find_remove(&1))),
    ("cleared", |shop| shop.cache.clear().wait()),
    ("invalidated", |shop| shop.cache.invalidate_tags(["readers"]).wait()),
    ("expired", |shop| shop.clock.advance(Duration::from_secs(60))),
    ("replaced", |shop| shop.find_prime(&1, &shop.log.value())),
    ("evicted", |_| {}),
];

// Guards the wait for the period of grace in `Limbo::pass`, and that a value is cloned within a pin.
#[test]
fn a_value_that_is_cloned_stays_until_its_clone_is_made() {
    for policy in POLICIES {
        let shop = Shop::new(policy);
        for (way, way_out) in WAYS_OUT {
            shop.check(&format!("{way}, {policy}"), way_out);
        }
        let log = shop.log.clone();
        drop(shop);
        assert_eq!(log.living(), 0, "{policy}");
    }
}

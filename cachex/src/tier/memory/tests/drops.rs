//! Values are dropped once, outside of locks, and a panic in between does no harm.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Weak;
use std::sync::mpsc;

use super::*;

/// Counts itself as long as it lives.
struct Counted(Arc<AtomicUsize>);

impl Counted {
    fn new(living: &Arc<AtomicUsize>) -> Self {
        living.fetch_add(1, Ordering::SeqCst);
        Self(living.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Uses its tier while it is dropped, in ways that take the locks.
struct CallsBack {
    tier: Weak<L1>,
    dropped: mpsc::Sender<()>,
}

impl Drop for CallsBack {
    fn drop(&mut self) {
        if let Some(tier) = self.tier.upgrade() {
            // Of this shard or another: every lock can be had.
            (0..64).for_each(|key| _ = remove(&tier, 1000 + key));
            tier.check_invariants();
        }
        self.dropped.send(()).expect("the test waits for it");
    }
}

struct PanicsWhenDropped;

impl Drop for PanicsWhenDropped {
    fn drop(&mut self) {
        panic!("a value that can't be dropped");
    }
}

/// Every way in which the entry of key 1 leaves a tier whose other bounds are one entry and 100 bytes.
fn ways_out() -> [fn(&L1); 9] {
    [
        |tier| _ = remove(tier, 1),
        |tier| _ = tier.clear(),
        |tier| _ = tier.retain(&mut |_| false),
        |tier| _ = tier.reclaim(seconds(100), &|_| true, &mut Walk::ended(), 0),
        |tier| _ = tier.reclaim(seconds(0), &|_| false, &mut Walk::default(), usize::MAX),
        |tier| _ = tier.reclaim(seconds(0), &|_| false, &mut Walk::default(), 1),
        |tier| _ = put(tier, 1, entry(1)),
        |tier| _ = put(tier, 2, entry(2)),
        |tier| _ = insert(tier, 1, entry_with((), 101, forever()), || true),
    ]
}

#[test]
fn whatever_way_an_entry_leaves_its_value_is_dropped() {
    for (index, way_out) in ways_out().into_iter().enumerate() {
        each_tier_for_newcomers(1, Some(100), |tier| {
            let living = Arc::new(AtomicUsize::new(0));
            put(&tier, 1, entry_with(Arc::new(Counted::new(&living)), 1, between(0, 100)));
            assert_eq!(living.load(Ordering::SeqCst), 1);
            way_out(&tier);
            flush(&tier);
            assert_eq!(living.load(Ordering::SeqCst), 0, "way {index}");
            tier.check_invariants();
        });
    }
}

#[test]
fn a_tier_drops_its_values_with_itself() {
    let living = Arc::new(AtomicUsize::new(0));
    each_tier_for_newcomers(ENTRIES_IN_MANY_SHARDS, None, |tier| {
        (0..5000).for_each(|key| _ = put(&tier, key, entry_with(Arc::new(Counted::new(&living)), 1, forever())));
        drop(tier.trim());
        flush(&tier);
        assert_eq!(living.load(Ordering::SeqCst) as u64, ENTRIES_IN_MANY_SHARDS);
        (0..9).for_each(|key| _ = remove(&tier, key + 4900));
        drop(tier);
        assert_eq!(living.load(Ordering::SeqCst), 0);
    });
}

#[test]
fn a_value_that_calls_its_tier_while_it_is_dropped_does_not_wait_for_itself() {
    for (index, way_out) in ways_out().into_iter().enumerate() {
        each_tier_for_newcomers(1, Some(100), |tier| {
            let (dropped, was_dropped) = mpsc::channel();
            // On a thread of its own: a deadlock then fails the test instead of hanging it.
            let worker = std::thread::spawn(move || {
                let tier = Arc::new(tier);
                let value = CallsBack { tier: Arc::downgrade(&tier), dropped };
                put(&tier, 1, entry_with(Arc::new(value), 1, between(0, 100)));
                way_out(&tier);
                flush(&tier);
            });
            let waited = was_dropped.recv_timeout(Duration::from_secs(20));
            assert_eq!(waited, Ok(()), "way {index}");
            worker.join().expect("nothing in it panics");
        });
    }
}

#[test]
fn a_value_that_panics_while_it_is_dropped_leaves_the_tier_usable() {
    for (index, way_out) in ways_out().into_iter().enumerate() {
        each_tier_for_newcomers(1, Some(100), |tier| {
            put(&tier, 1, entry_with(Arc::new(PanicsWhenDropped), 1, between(0, 100)));
            let dropped = catch_unwind(AssertUnwindSafe(|| {
                way_out(&tier);
                flush(&tier);
            }));
            assert!(dropped.is_ok(), "way {index}: it ended the call of somebody else");
            assert!(!tier.memory.table.is_poisoned(), "way {index}: dropped under a lock");
            tier.check_invariants();
            put(&tier, 3, entry(3));
            assert_eq!(get(&tier, 3), Some(3), "way {index}");
        });
    }
}

#[test]
fn a_check_that_panics_stores_nothing_and_leaves_the_tier_usable() {
    each_tier(2, None, |tier| {
        put(&tier, 1, entry(1));
        let checked = catch_unwind(AssertUnwindSafe(|| {
            insert(&tier, 1, entry(2), || panic!("a check that can't be made"));
        }));
        assert!(checked.is_err());
        tier.check_invariants();
        assert_eq!(get(&tier, 1), Some(1));
        put(&tier, 1, entry(3));
        assert_eq!(get(&tier, 1), Some(3));
    });
}

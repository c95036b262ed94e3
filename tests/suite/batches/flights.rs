//! Calls that overlap: who loads which key, who waits, and what becomes of both when one of them goes.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;

use cachex::{Cache, CacheScope, cached};

use super::{Table, cache, some};
use crate::source::Stepped;

type Answer = Result<Vec<Option<String>>, String>;

#[derive(Clone, CacheScope)]
struct Rows {
    #[scope(cache)]
    cache: Cache,
    table: Table,
}

impl Rows {
    fn new() -> Self {
        Self { cache: cache(), table: Table::of(10) }
    }

    #[cached(batch(id in ids), tags = ["row:{id}"])]
    async fn find_all(&self, ids: &[u64]) -> Answer {
        self.table.read_slowly(ids).await
    }

    #[cached(batch(id in ids), single_flight = false)]
    async fn find_apart(&self, ids: &[u64]) -> Answer {
        self.table.read_slowly(ids).await
    }

    fn call<'a>(&'a self, ids: &'a [u64]) -> Stepped<'a, Answer> {
        Stepped::new(self.find_all(ids))
    }

    /// Begins a call that has to wait.
    fn waiting<'a>(&'a self, ids: &'a [u64]) -> Stepped<'a, Answer> {
        Stepped::waiting(self.find_all(ids))
    }

    #[track_caller]
    fn check_quiet(&self) {
        assert_eq!(self.cache.loads_in_flight(), 0);
    }
}

fn rows_of(ids: &[u64]) -> Answer {
    Ok(ids.iter().map(|id| some(&format!("row {id}"))).collect())
}

#[test]
fn what_another_call_loads_is_waited_for_and_the_rest_is_loaded_at_once() {
    let rows = Rows::new();
    let gate = rows.table.hold();
    let first = rows.waiting(&[1, 2, 3]);
    let mut second = rows.waiting(&[4, 3, 2]);
    // It has loaded its own part, which others find.
    assert_eq!(rows.call(&[4]).end(), rows_of(&[4]));
    assert_eq!(rows.table.queries(), [vec![1, 2, 3], vec![4]]);
    assert!(!second.is_woken());
    gate.send(()).unwrap();
    assert_eq!(first.end(), rows_of(&[1, 2, 3]));
    assert_eq!(second.run(), Some(rows_of(&[4, 3, 2])));
    assert!(rows.table.queries().is_empty());
    rows.check_quiet();
    assert_eq!(rows.cache.stats().followers, 2);
}

// Guards the order in `Batch::answer`: who waits before its own part has landed waits for ever here.
#[test]
fn of_two_calls_that_need_each_others_keys_each_loads_its_part_first() {
    let rows = Rows::new();
    let (gates, others) = ([rows.table.hold(), rows.table.hold()], [[1], [2]]);
    let leaders = others.each_ref().map(|ids| rows.waiting(ids));
    let (mut a, mut b) = (rows.waiting(&[3, 1, 2]), rows.waiting(&[4, 2, 1]));
    rows.table.queries();
    let held = [rows.table.hold(), rows.table.hold()];
    // The leaders go, one after the other: one key passes to `a`, the other one to `b`, and each waits for the other's.
    let [one, two] = leaders;
    drop(one);
    assert!(a.run().is_none());
    drop(two);
    assert!(b.run().is_none());
    assert_eq!(rows.table.queries(), [[1], [2]]);
    let [first, second] = held;
    second.send(()).unwrap();
    assert!(b.run().is_none());
    first.send(()).unwrap();
    assert_eq!(a.run(), Some(rows_of(&[3, 1, 2])));
    assert_eq!(b.run(), Some(rows_of(&[4, 2, 1])));
    assert!(rows.table.queries().is_empty());
    drop(gates);
    rows.check_quiet();
}

// Guards `Lead`'s drop: the future holds the places of all keys.
#[test]
fn a_call_that_is_dropped_hands_its_keys_to_those_who_wait() {
    let rows = Rows::new();
    let _gate = rows.table.hold();
    let first = rows.waiting(&[1, 2, 3]);
    let second = rows.waiting(&[3, 2]);
    drop(first);
    rows.table.queries();
    assert_eq!(second.end(), rows_of(&[3, 2]));
    assert_eq!(rows.table.queries().len(), 1, "in one run");
    rows.check_quiet();
    // And one that waits goes without a trace.
    let gate = rows.table.hold();
    let first = rows.waiting(&[5, 6]);
    drop(rows.waiting(&[6, 7]));
    gate.send(()).unwrap();
    assert_eq!(first.end(), rows_of(&[5, 6]));
    rows.check_quiet();
}

#[test]
fn of_calls_that_wait_for_a_load_that_fails_each_tries_again() {
    let rows = Rows::new();
    let gate = rows.table.hold();
    rows.table.set_broken(true);
    let first = rows.waiting(&[1, 2]);
    let second = rows.waiting(&[2, 1]);
    rows.table.set_broken(false);
    gate.send(()).unwrap();
    assert_eq!(first.end(), Err("the table is broken".to_owned()));
    assert_eq!(second.end(), rows_of(&[2, 1]));
    rows.check_quiet();
}

#[test]
fn a_load_that_panics_passes_to_those_who_wait() {
    #[derive(CacheScope)]
    struct Falling(#[scope(cache)] Cache, AtomicUsize, Table);
    impl Falling {
        #[cached(batch)]
        async fn find_all(&self, ids: &[u64]) -> Answer {
            let rows = self.2.read_slowly(ids).await;
            assert!(self.1.fetch_add(1, Ordering::SeqCst) > 0, "the table fell over");
            rows
        }
    }
    let falling = Falling(cache(), AtomicUsize::new(0), Table::of(10));
    let gate = falling.2.hold();
    let mut first = Stepped::waiting(falling.find_all(&[1, 2]));
    let second = Stepped::waiting(falling.find_all(&[2, 1]));
    gate.send(()).unwrap();
    assert!(catch_unwind(AssertUnwindSafe(|| first.run())).is_err());
    drop(first);
    assert_eq!(second.end(), rows_of(&[2, 1]));
    assert_eq!((falling.0.loads_in_flight(), falling.0.stats().load_errors), (0, 1));
}

// Guards the stamps: each key has one of its own, and the check of each store.
#[test]
fn an_invalidation_during_the_load_is_about_its_own_keys() {
    let rows = Rows::new();
    let gate = rows.table.hold();
    let first = rows.waiting(&[1, 2, 3]);
    rows.table.write(2, "two");
    rows.cache.invalidate_tags(["row:2"]).wait();
    let key = rows.find_all_key(&3);
    rows.table.write(3, "three");
    let _was_there = rows.cache.blocking().remove(&key);
    // Who comes after it does not wait for a load from before.
    rows.table.queries();
    assert_eq!(rows.call(&[2, 3]).end(), Ok(vec![some("two"), some("three")]));
    assert_eq!(rows.table.queries(), [[2, 3]]);
    gate.send(()).unwrap();
    // It began before that.
    assert_eq!(first.end(), rows_of(&[1, 2, 3]));
    assert_eq!(rows.call(&[1, 2, 3]).end(), Ok(vec![some("row 1"), some("two"), some("three")]));
    assert!(rows.table.queries().is_empty());
    assert_eq!(rows.cache.stats().rejected_stores, 2);
    rows.check_quiet();
}

#[test]
fn what_landed_for_a_follower_is_checked_by_it() {
    let rows = Rows::new();
    let gate = rows.table.hold();
    let first = rows.waiting(&[1, 2]);
    let second = rows.waiting(&[2, 1]);
    rows.table.write(2, "two");
    rows.cache.invalidate_tags(["row:2"]).wait();
    gate.send(()).unwrap();
    assert_eq!(first.end(), rows_of(&[1, 2]));
    rows.table.queries();
    assert_eq!(second.end(), Ok(vec![some("two"), some("row 1")]));
    assert_eq!(rows.table.queries(), [[2]]);
    rows.check_quiet();
}

#[test]
fn without_single_flight_each_call_loads_for_itself() {
    let rows = Rows::new();
    let gate = rows.table.hold();
    let first = Stepped::waiting(rows.find_apart(&[1, 2]));
    assert_eq!(Stepped::new(rows.find_apart(&[2, 1])).end(), rows_of(&[2, 1]));
    gate.send(()).unwrap();
    assert_eq!(first.end(), rows_of(&[1, 2]));
}

/// Methods whose loads need loads of the same keys.
#[derive(Clone, CacheScope)]
struct Deep {
    #[scope(cache)]
    cache: Cache,
    left: Arc<AtomicUsize>,
}

impl Deep {
    fn new(left: usize) -> Self {
        Self { cache: cache(), left: Arc::new(AtomicUsize::new(left)) }
    }

    fn is_bottom(&self) -> bool {
        self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_err()
    }

    #[cached(batch)]
    async fn of_task(&self, ids: &[u64]) -> Vec<u64> {
        if self.is_bottom() {
            return ids.to_vec();
        }
        let back: Vec<u64> = ids.iter().rev().copied().collect();
        let below = Box::pin(self.of_task(&back)).await;
        below.into_iter().rev().map(|value| value + 100).collect()
    }

    #[cached(batch)]
    fn blocking(&self, ids: &[u64]) -> Vec<u64> {
        if self.is_bottom() {
            return ids.to_vec();
        }
        ids.iter().map(|id| self.single(*id) + 100).collect()
    }

    #[cached]
    fn single(&self, id: u64) -> u64 {
        self.blocking(&[1, 2, id])[2]
    }
}

// Guards `frame` in `batch::turn`: without it the inner call waits for the outer one.
#[test]
fn a_load_may_need_the_keys_that_it_loads() {
    let deep = Deep::new(3);
    assert_eq!(Stepped::new(deep.of_task(&[1, 2])).end(), [301, 302]);
    assert_eq!(deep.cache.loads_in_flight(), 0);
    let deep = Deep::new(2);
    assert_eq!(deep.blocking(&[1, 2]).len(), 2);
    assert_eq!(deep.cache.loads_in_flight(), 0);
}

#[test]
fn callers_that_block_share_loads_with_each_other() {
    #[derive(CacheScope)]
    struct Slow(#[scope(cache)] Cache, Barrier, AtomicUsize);
    impl Slow {
        #[cached(batch)]
        fn find_all(&self, ids: &[u64]) -> Vec<u64> {
            self.2.fetch_add(ids.len(), Ordering::SeqCst);
            // Only once both calls have a part of their own under way.
            self.1.wait();
            ids.to_vec()
        }
    }
    let slow = Slow(cache(), Barrier::new(2), AtomicUsize::new(0));
    let ids = [[1, 2, 3, 4], [4, 3, 2, 5]];
    thread::scope(|scope| {
        let calls = ids.each_ref().map(|ids| scope.spawn(|| slow.find_all(ids)));
        for (call, ids) in calls.into_iter().zip(ids) {
            assert_eq!(call.join().unwrap(), ids);
        }
    });
    assert_eq!((slow.2.load(Ordering::SeqCst), slow.0.loads_in_flight()), (5, 0));
}

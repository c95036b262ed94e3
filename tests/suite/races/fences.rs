//! Fences: while one stands, nothing with its tags answers and nothing is stored.

use std::time::Duration;

use cachex::Fence;
use cachex::time::ManualClock;

use crate::source::{Outcome, Source, Stepped};

const LEASE: Duration = Duration::from_secs(5);

fn source() -> (Source, ManualClock) {
    let clock = ManualClock::new();
    let cache = crate::builder().clock(clock.clone()).reclaim_interval(Duration::from_secs(3_600)).build().unwrap();
    (Source::new(cache), clock)
}

fn find(source: &Source) -> u64 {
    Stepped::new(source.find(1)).end().unwrap()
}

// Guards the fences in `TagClocks::set_gate` and `Shard::allows`.
#[test]
fn while_a_fence_stands_there_is_no_hit_and_no_store() {
    let (source, _) = source();
    assert_eq!((find(&source), source.loads()), (1, 1));
    let fence = source.cache.fence(["item:1"], LEASE);
    assert_eq!((find(&source), find(&source), source.loads()), (1, 1, 3));
    source.write(2);
    fence.release();
    assert_eq!((find(&source), find(&source), source.loads()), (2, 2, 4));
}

#[test]
fn entries_from_before_a_cancelled_fence_answer_again() {
    let (source, _) = source();
    assert_eq!(find(&source), 1);
    let fence = source.cache.fence(["item:1"], LEASE);
    source.cache.reclaim();
    fence.cancel();
    assert_eq!((find(&source), source.loads()), (1, 1));
}

/// Checks that a load that saw the source before a write, and ends after the fence, is not kept.
fn check_load_is_refused(end: impl Fn(&Source, &ManualClock, Fence)) {
    let (source, clock) = source();
    let fence = source.cache.fence(["item:1"], LEASE);
    let gate = source.hold();
    let load = Stepped::waiting(source.find(1));
    source.write(2);
    end(&source, &clock, fence);
    gate.open(Outcome::Value);
    assert_eq!(load.end(), Ok(1));
    assert_eq!(find(&source), 2);
    assert_eq!((find(&source), source.loads()), (2, 2), "stores are allowed again");
}

// Guards `invalidate_fenced` in `Drop for Fence`.
#[test]
fn a_load_from_within_a_fence_is_not_kept_after_its_release() {
    check_load_is_refused(|_, _, fence| fence.release());
}

#[test]
fn a_fence_that_is_dropped_is_released() {
    check_load_is_refused(|_, _, fence| drop(fence));
}

// Guards `expire_fences`: the writer of a forgotten fence counts as dead.
#[test]
fn a_fence_ends_with_its_lease() {
    check_load_is_refused(|source, clock, fence| {
        std::mem::forget(fence);
        clock.advance(LEASE);
        source.cache.reclaim();
    });
}

// Guards that `Drop for Fence` invalidates whether or not the fence still stands.
#[test]
fn a_writer_that_outlives_its_lease_leaves_no_stale_entry() {
    let (source, clock) = source();
    let fence = source.cache.fence(["item:1"], LEASE);
    clock.advance(LEASE);
    source.cache.reclaim();
    assert_eq!((find(&source), find(&source), source.loads()), (1, 1, 1), "the lease is over");
    source.write(2);
    fence.release();
    assert_eq!(find(&source), 2);
}

// Guards the count of fences: two of one tag, the first release does not lift the second.
#[test]
fn a_tag_is_free_when_its_last_fence_is_gone() {
    let (source, _) = source();
    let (first, second) = (source.cache.fence(["item:1"], LEASE), source.cache.fence(["all", "item:1"], LEASE));
    first.release();
    assert_eq!((find(&source), find(&source), source.loads()), (1, 1, 2));
    second.cancel();
    assert_eq!((find(&source), find(&source), source.loads()), (1, 1, 3));
}

// Guards the fences in `Shard::retain`: that of a tag that no entry has, and nobody has invalidated, survives it.
#[test]
fn a_fence_of_an_unknown_tag_stands_through_a_reclaim() {
    let (source, _) = source();
    let fence = source.cache.fence(["item:1"], LEASE);
    source.cache.reclaim();
    assert_eq!((find(&source), find(&source), source.loads()), (1, 1, 2));
    fence.release();
    assert!(crate::source::all_is_forgotten(&source.cache), "{} tags are remembered", source.cache.known_tags());
}

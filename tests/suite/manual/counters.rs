//! Counters: numbers that are counted up and down in one step.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use cachex::{EntryOptions, Key, Ttl};

use super::{SECOND, cache, key};

#[test]
fn a_counter_stays_within_its_range() {
    let (cache, _) = cache();
    let blocking = cache.blocking();
    blocking.set(&key(1), i64::MAX - 1, &EntryOptions::new()).unwrap();
    assert_eq!(blocking.increment(&key(1), 5).unwrap(), i64::MAX);
    assert_eq!(blocking.decrement(&key(1), i64::MIN).unwrap(), i64::MAX);
    assert_eq!(blocking.increment(&key(1), i64::MIN).unwrap(), -1);
    assert_eq!(blocking.get::<i64>(&key(1)).unwrap(), Some(-1));
}

#[test]
fn a_counter_keeps_its_time_and_its_tags() {
    let (cache, clock) = cache();
    let blocking = cache.blocking();
    blocking.set(&key(1), 5_i64, &EntryOptions::new().ttl(10 * SECOND).tag("counted")).unwrap();
    clock.advance(4 * SECOND);
    assert_eq!(blocking.increment(&key(1), 1).unwrap(), 6);
    assert_eq!(blocking.ttl_of(&key(1)), Some(Ttl::Left(6 * SECOND)));
    clock.advance(6 * SECOND);
    assert_eq!(blocking.increment(&key(1), 1).unwrap(), 1, "it starts anew");
    blocking.set(&key(2), 5_i64, &EntryOptions::new().tag("counted")).unwrap();
    assert_eq!(blocking.increment(&key(2), 1).unwrap(), 6);
    cache.invalidate_tags(["counted"]);
    assert_eq!(blocking.increment(&key(2), 1).unwrap(), 1);
}

#[test]
fn what_is_no_counter_is_not_counted() {
    let (cache, _) = cache();
    let blocking = cache.blocking();
    blocking.set(&key(1), 5_u64, &EntryOptions::new()).unwrap();
    assert!(blocking.increment(&key(1), 1).unwrap_err().is_type_mismatch());
    assert_eq!(blocking.get::<u64>(&key(1)).unwrap(), Some(5));
}

#[test]
fn no_step_of_many_threads_is_lost() {
    let (cache, _) = cache();
    let counter = Key::new("steps");
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..10_000).all(|_| cache.blocking().increment(&counter, 1).is_ok()));
        }
    });
    assert_eq!(cache.blocking().get::<i64>(&counter).unwrap(), Some(40_000));
}

// Guards the counting of what a fence hides: a write under way must not make a counter start anew.
#[test]
fn a_counter_goes_on_under_a_fence_and_nothing_is_lost() {
    let (cache, _) = cache();
    let blocking = cache.blocking();
    blocking.set(&key(1), 5_i64, &EntryOptions::new().tag("counted")).unwrap();
    let fence = cache.fence(["counted"], 100 * SECOND);
    assert_eq!((blocking.increment(&key(1), 1).unwrap(), blocking.increment(&key(1), 1).unwrap()), (6, 7));
    assert_eq!(blocking.get::<i64>(&key(1)).unwrap(), None, "it is hidden");
    fence.cancel();
    assert_eq!(blocking.get::<i64>(&key(1)).unwrap(), Some(7));
}

#[test]
fn a_counter_lives_on_from_its_last_use() {
    let (cache, clock) = cache();
    let blocking = cache.blocking();
    blocking.set(&key(1), 1_i64, &EntryOptions::new().tti(10 * SECOND)).unwrap();
    for _ in 0..3 {
        clock.advance(8 * SECOND);
        assert_eq!(blocking.get::<i64>(&key(1)).unwrap(), Some(1));
    }
    assert_eq!(blocking.increment(&key(1), 1).unwrap(), 2);
    assert_eq!(blocking.get::<i64>(&key(1)).unwrap(), Some(2));
}

// Guards the hold of `Engine::try_write`: between what it finds and what it writes, no other write comes.
#[test]
fn an_increment_does_not_take_back_what_was_set_meanwhile() {
    let (cache, _) = cache();
    let (counter, is_over) = (key(1), AtomicBool::new(false));
    let options = EntryOptions::new();
    thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::SeqCst) {
                cache.blocking().increment(&counter, 1).unwrap();
            }
        });
        let set_and_get = |number: i64| {
            cache.blocking().set(&counter, number, &options).unwrap();
            cache.blocking().get::<i64>(&counter).unwrap()
        };
        // Further from each other than the increments that come between.
        let lost = (1..20_000).map(|turn| turn << 32).find(|number| set_and_get(*number) < Some(*number));
        is_over.store(true, Ordering::SeqCst);
        assert_eq!(lost, None, "set, and not there");
    });
}

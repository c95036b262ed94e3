//! Counters in memory: apart from values, within their time. What holds of all structures, wherever they are: `structures`.

use cachex::{EntryOptions, Key, MethodSettings, Ttl};

use super::{SECOND, cache, key};

#[test]
fn a_counter_and_a_value_of_one_key_are_two_things() {
    let (cache, _) = cache();
    let blocking = cache.blocking();
    blocking.set(&key(1), 5_i64, &EntryOptions::new().tag("counted")).unwrap();
    assert_eq!(blocking.increment(&key(1), 1).unwrap(), 1);
    assert_eq!(blocking.get::<i64>(&key(1)).unwrap(), Some(5));
    assert!(blocking.remove(&key(1)));
    cache.invalidate_tags(["counted"]);
    cache.clear();
    assert_eq!(blocking.counter(&key(1)).unwrap(), Some(1));
    assert!(blocking.remove_structure(&key(1)).unwrap());
    assert_eq!(blocking.counter(&key(1)).unwrap(), None);
}

#[test]
fn a_counter_has_its_time_from_its_first_step() {
    let clock = cachex::time::ManualClock::new();
    let defaults = MethodSettings::new().ttl(10 * SECOND);
    let cache = crate::builder().clock(clock.clone()).defaults(defaults).build().unwrap();
    let blocking = cache.blocking();
    assert_eq!(blocking.increment(&key(1), 1).unwrap(), 1);
    clock.advance(4 * SECOND);
    assert_eq!(blocking.increment(&key(1), 1).unwrap(), 2);
    assert_eq!(blocking.structure_ttl(&key(1)).unwrap(), Some(Ttl::Left(6 * SECOND)));
    clock.advance(6 * SECOND);
    assert_eq!(blocking.increment(&key(1), 1).unwrap(), 1, "it starts anew");
}

#[test]
fn counters_do_not_leave_for_room() {
    let cache = crate::builder().max_entries(2).build().unwrap();
    for number in 0..100_u64 {
        cache.blocking().increment(&Key::entity("counter", &number), 1).unwrap();
    }
    for number in 0..100_u64 {
        assert_eq!(cache.blocking().counter(&Key::entity("counter", &number)).unwrap(), Some(1));
    }
}

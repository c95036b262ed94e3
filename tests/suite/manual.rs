//! The cache used by hand: entries by key, without an annotation.
//!
//! Reading order: this file (values), [`options`] (how an entry is kept), [`loading`] (`get_or_load`), [`counters`],
//! [`fences`], [`explaining`].

mod counters;
mod explaining;
mod fences;
mod loading;
mod options;

use std::time::Duration;

use cachex::time::ManualClock;
use cachex::{Cache, EntryOptions, Key};

const SECOND: Duration = Duration::from_secs(1);

/// A cache that is moved by the clock, and never reclaims by itself.
fn cache() -> (Cache, ManualClock) {
    let clock = ManualClock::new();
    let builder = crate::builder().clock(clock.clone()).reclaim_interval(3_600 * SECOND);
    (builder.build().unwrap(), clock)
}

fn key(id: u64) -> Key {
    Key::new("manual").part(&id)
}

/// Sets entries that could not answer a call any more: one is expired, one invalidated.
fn of_no_use(cache: &Cache, clock: &ManualClock) -> [Key; 2] {
    let (expired, invalidated) = (key(100), key(101));
    cache.blocking().set(&expired, 1, &EntryOptions::new().ttl(SECOND)).unwrap();
    cache.blocking().set(&invalidated, 1, &EntryOptions::new().tag("wrong")).unwrap();
    clock.advance(SECOND);
    cache.invalidate_tags(["wrong"]);
    [expired, invalidated]
}

#[test]
fn an_entry_of_no_use_is_not_there_for_anything() {
    let (cache, clock) = cache();
    let blocking = cache.blocking();
    for index in 0..2 {
        let here = || of_no_use(&cache, &clock)[index].clone();
        assert!(!blocking.exists(&here()), "{index}");
        assert_eq!(blocking.ttl_of(&here()), None, "{index}");
        assert!(!blocking.expire(&here(), SECOND), "{index}");
        assert_eq!(blocking.get::<i32>(&here()).unwrap(), None, "{index}");
        assert_eq!(blocking.pull::<i32>(&here()).unwrap(), None, "{index}");
        assert!(!blocking.remove(&here()), "{index}");
    }
}

#[test]
fn only_entries_that_could_answer_are_counted_as_removed() {
    let (cache, clock) = cache();
    let blocking = cache.blocking();
    let set = |id| blocking.set(&key(id), id, &EntryOptions::new()).unwrap();
    set(1);
    assert_eq!((blocking.remove(&key(1)), blocking.remove(&key(1)), cache.stats().removed), (true, false, 1));
    set(1);
    let [expired, invalidated] = of_no_use(&cache, &clock);
    assert_eq!(blocking.remove_many(&[key(1), key(1), expired, invalidated, key(9)]), 1);
    assert_eq!(cache.stats().removed, 2);
    set(1);
    set(2);
    of_no_use(&cache, &clock);
    assert_eq!((blocking.remove_matching("manual*"), cache.stats().removed), (2, 4));
    let _ = of_no_use(&cache, &clock).map(|key| blocking.remove(&key));
    assert_eq!(cache.stats().removed, 4);
}

#[test]
fn a_value_of_another_type_is_an_error_and_a_miss_and_stays() {
    let (cache, _) = cache();
    let blocking = cache.blocking();
    blocking.set(&key(1), 1_u64, &EntryOptions::new()).unwrap();
    let errors = [blocking.get::<String>(&key(1)).unwrap_err(), blocking.pull::<String>(&key(1)).unwrap_err()];
    for error in errors {
        assert!(error.is_type_mismatch());
        assert_eq!(error.to_string(), "an entry of `manual` is not a `alloc::string::String`");
    }
    assert!(cache.stats().misses >= 1, "{:?}", cache.stats());
    assert_eq!((cache.stats().hits, blocking.get::<u64>(&key(1)).unwrap()), (0, Some(1)));
}

#[test]
fn several_values_are_read_written_and_removed_in_order() {
    let (cache, _) = cache();
    let blocking = cache.blocking();
    let options = EntryOptions::new().tag("many");
    blocking.set_many([(key(1), 1), (key(2), 2), (key(1), 3)], &options).unwrap();
    let keys = [key(2), key(1), key(9), key(2)];
    assert_eq!(blocking.get_many::<i32>(&keys).unwrap(), [Some(2), Some(3), None, Some(2)]);
    assert_eq!(blocking.remove_many(&keys), 2);
    blocking.set_many([(key(1), 1), (key(2), 2)], &options).unwrap();
    cache.invalidate_tags(["many"]);
    assert_eq!(blocking.get_many::<i32>(&keys).unwrap(), [None; 4]);
}

#[test]
fn a_pulled_value_is_gone() {
    let (cache, _) = cache();
    let blocking = cache.blocking();
    blocking.set(&key(1), 7, &EntryOptions::new()).unwrap();
    assert_eq!(blocking.pull::<i32>(&key(1)).unwrap(), Some(7));
    assert_eq!((blocking.pull::<i32>(&key(1)).unwrap(), cache.stats().removed), (None, 1));
}

#[tokio::test]
async fn async_callers_get_the_same() {
    let (cache, _) = cache();
    let options = EntryOptions::new().ttl(SECOND);
    cache.set(&key(1), 1, &options).await.unwrap();
    cache.set_many([(key(2), 2), (key(3), 3)], &options).await.unwrap();
    assert_eq!(cache.get::<i32>(&key(1)).await.unwrap(), Some(1));
    assert_eq!(cache.get_many::<i32>(&[key(2), key(9)]).await.unwrap(), [Some(2), None]);
    assert!(cache.exists(&key(3)).await && cache.expire(&key(3), 5 * SECOND).await);
    assert_eq!(cache.ttl_of(&key(3)).await, Some(cachex::Ttl::Left(5 * SECOND)));
    assert_eq!(cache.pull::<i32>(&key(3)).await.unwrap(), Some(3));
    assert_eq!((cache.increment(&key(4), 5).await.unwrap(), cache.decrement(&key(4), 2).await.unwrap()), (5, 3));
    assert_eq!((cache.remove(&key(1)).await, cache.remove_many(&[key(1), key(2)]).await), (true, 1));
    assert_eq!(cache.stats().entries, 0, "a counter is no entry");
    let load = || async { Ok::<_, String>(9) };
    assert_eq!(cache.get_or_load(&key(1), &options, load).await, Ok(9));
    assert_eq!(cache.get::<i32>(&key(1)).await.unwrap(), Some(9));
}

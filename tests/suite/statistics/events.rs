//! Each thing that happens to an entry is told once, as what it was.

use std::sync::{Arc, Mutex};

use cachex::time::ManualClock;
use cachex::{Builder, Cache, EntryOptions, Event, Key, Observer};

use super::SECOND;

#[derive(Debug, Default)]
struct Told(Mutex<Vec<Event>>);

impl Observer for Told {
    fn observe(&self, event: &Event) {
        self.0.lock().unwrap().push(event.clone());
    }
}

impl Told {
    #[track_caller]
    fn check(&self, expected: &[Event]) {
        assert_eq!(*self.0.lock().unwrap(), expected);
        self.0.lock().unwrap().clear();
    }
}

fn observed(builder: Builder) -> (Cache, ManualClock, Arc<Told>) {
    let (clock, told) = (ManualClock::new(), Arc::new(Told::default()));
    let builder = builder.clock(clock.clone()).reclaim_interval(3_600 * SECOND).observer(told.clone());
    (builder.build().unwrap(), clock, told)
}

fn key() -> Key {
    Key::new("told")
}

#[test]
fn what_goes_is_told_as_what_it_was() {
    let (cache, clock, told) = observed(crate::builder());
    let blocking = cache.blocking();
    let set = || blocking.set(&key(), 1, &EntryOptions::new().ttl(SECOND).tag("told")).unwrap();
    set();
    set();
    told.check(&[]);
    assert!(blocking.remove(&key()));
    told.check(&[Event::Removed(key())]);
    set();
    clock.advance(SECOND);
    assert!(!blocking.remove(&key()));
    told.check(&[Event::Expired(key())]);
    set();
    clock.advance(SECOND);
    set();
    told.check(&[Event::Expired(key())]);
    cache.invalidate_tags(["told"]);
    set();
    told.check(&[Event::Invalidated(key())]);
    cache.invalidate_tags(["told"]);
    assert_eq!(blocking.remove_matching("told"), 0);
    told.check(&[Event::Invalidated(key())]);
    let stats = cache.stats();
    assert_eq!((stats.removed, stats.expired, stats.invalidated), (1, 2, 2));
}

#[test]
fn a_value_that_is_too_heavy_is_told_and_so_is_the_entry_it_removes() {
    let (cache, _, told) = observed(crate::builder().max_bytes(10_000));
    let blocking = cache.blocking();
    blocking.set(&key(), "light".to_owned(), &EntryOptions::new()).unwrap();
    blocking.set(&key(), "x".repeat(20_000), &EntryOptions::new()).unwrap();
    assert_eq!(blocking.get::<String>(&key()).unwrap(), None, "not the old value, which is wrong now");
    told.check(&[Event::TooHeavy(key()), Event::Removed(key())]);
    let stats = cache.stats();
    assert_eq!((stats.too_heavy, stats.removed, stats.stores, stats.entries, stats.weight), (1, 1, 1, 0, 0));
}

#[test]
fn a_loaded_value_that_is_too_heavy_is_returned_and_counted() {
    let (cache, _, told) = observed(crate::builder().max_bytes(10_000));
    for loads in 1..3 {
        let load = || Ok::<_, String>("x".repeat(20_000));
        assert_eq!(cache.blocking().get_or_load(&key(), &EntryOptions::new(), load).unwrap().len(), 20_000);
        assert_eq!((cache.stats().too_heavy, cache.stats().loads), (loads, loads));
    }
    told.check(&[Event::TooHeavy(key()), Event::TooHeavy(key())]);
    assert_eq!(cache.stats().rejected_stores, 0);
}

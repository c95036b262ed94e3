//! Bounds, and who leaves for room under TinyLFU: what was asked for seldom, though it be new.

use std::sync::Mutex;

use cachex::{Cache, EntryOptions, Error, Event, Key, Observer};

const CAPACITY: u64 = 50;

fn key(id: u64) -> Key {
    Key::entity("tiny_lfu", &id)
}

/// Asks for a value and sets it if it is not there; returns whether it was.
fn ask(cache: &Cache, id: u64) -> bool {
    let is_there = cache.blocking().get::<u64>(&key(id)).unwrap().is_some();
    if !is_there {
        cache.blocking().set(&key(id), id, &EntryOptions::new()).unwrap();
    }
    is_there
}

#[test]
fn a_scan_does_not_drive_out_what_is_called_often() {
    let cache = crate::builder().max_entries(CAPACITY).build().unwrap();
    // Each of 20 keys is called again after 60 other keys: more than there is room for.
    let hits = (0..20_000_u64).filter(|step| {
        let id = if step.is_multiple_of(4) { step / 4 % 20 } else { 1_000_000 + step };
        ask(&cache, id)
    });
    let hits = hits.count();
    assert!(hits > 4_000, "{hits} of 5000 calls hit");
}

// Guards the note of look-ups that find nothing.
#[test]
fn what_is_often_asked_for_in_vain_is_let_in() {
    let cache = crate::builder().max_entries(CAPACITY).build().unwrap();
    (0..CAPACITY).for_each(|id| _ = ask(&cache, id));
    let exists = |id| cache.blocking().exists(&key(id));
    cache.blocking().set(&key(100), 100, &EntryOptions::new()).unwrap();
    assert_eq!((cache.stats().entries, exists(100)), (CAPACITY, false), "nobody asked for it");
    for _ in 0..5 {
        assert_eq!(cache.blocking().get::<u64>(&key(100)).unwrap(), None);
    }
    cache.blocking().set(&key(100), 100, &EntryOptions::new()).unwrap();
    assert_eq!((cache.stats().entries, exists(100)), (CAPACITY, true));
}

/// As [`ask`], in one call that loads the value if it is not there.
fn call(cache: &Cache, id: u64) -> bool {
    let mut is_there = true;
    let load = || {
        is_there = false;
        Ok::<_, Error>(id)
    };
    assert_eq!(cache.blocking().get_or_load(&key(id), &EntryOptions::new(), load).unwrap(), id);
    is_there
}

// Guards the second look of a load, which is no use of its own: else what was loaded once is as good as what hit once.
#[test]
fn a_call_that_loads_is_noted_once() {
    // A loop over more than there is room for; several times, for hashes differ.
    let share_of_hits = |way: fn(&Cache, u64) -> bool| {
        let caches = std::iter::repeat_with(|| crate::builder().max_entries(1_000).build().unwrap()).take(4);
        let hits = caches.map(|cache| (0..40_000).filter(|step| way(&cache, step % 1_250)).count());
        hits.sum::<usize>() * 100 / 160_000
    };
    let (by_hand, by_load) = (share_of_hits(ask), share_of_hits(call));
    assert!(by_load + 5 >= by_hand, "{by_load} % and {by_hand} % hit");
}

#[derive(Default)]
struct Evicted(Mutex<Vec<Key>>);

impl Observer for Evicted {
    fn observe(&self, event: &Event) {
        if let Event::Evicted(key) = event {
            self.0.lock().unwrap().push(key.clone());
        }
    }
}

#[test]
fn each_entry_that_leaves_is_told_once_and_the_bound_holds_when_it_is_asked_for() {
    let evicted = std::sync::Arc::new(Evicted::default());
    let cache = crate::builder().max_entries(1_000).observer(evicted.clone()).build().unwrap();
    for id in 0..5_000 {
        cache.blocking().set(&key(id), id, &EntryOptions::new()).unwrap();
    }
    let stats = cache.stats();
    assert_eq!((stats.entries, stats.evicted), (1_000, 4_000));
    let mut left: Vec<String> = evicted.0.lock().unwrap().iter().map(Key::text).collect();
    assert_eq!(left.len(), 4_000);
    left.sort_unstable();
    left.dedup();
    assert_eq!(left.len(), 4_000, "each of them once");
    let is_told = |id: &u64| left.binary_search(&key(*id).text()).is_ok();
    assert!((0..5_000).all(|id| is_told(&id) != cache.blocking().exists(&key(id))));
}

#[test]
fn the_bound_of_bytes_is_exceeded_by_a_small_part_at_most_and_holds_when_it_is_asked_for() {
    const MOST: u64 = 1 << 20;
    let cache = crate::builder().max_bytes(MOST).build().unwrap();
    for id in 0..1_000 {
        // Some are heavier than what a batch may bring.
        let value = "x".repeat(if id % 10 == 0 { 200_000 } else { 1_000 });
        cache.blocking().set(&key(id), value, &EntryOptions::new()).unwrap();
        if id % 100 == 0 {
            let stats = cache.stats();
            assert!(stats.weight <= MOST, "{stats:?}");
        }
    }
    let stats = cache.stats();
    assert!(stats.weight > MOST / 2, "{stats:?}");
    assert_eq!(stats.entries + stats.evicted, 1_000);
}

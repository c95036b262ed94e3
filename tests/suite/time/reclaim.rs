//! What goes without being asked for: dead entries, those without room, and what is known of tags.

use std::sync::Mutex;
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Duration;

use cachex::time::ManualClock;
use cachex::{Builder, Cache, EntryOptions, Event, Key, Observer};

use super::{MINUTE, SECOND};
use crate::source::{Outcome, Source, Stepped};

struct Told(Mutex<Sender<Event>>);

impl Observer for Told {
    fn observe(&self, event: &Event) {
        // Whoever listens may be gone.
        let _told = self.0.lock().unwrap().send(event.clone());
    }
}

fn observed(builder: Builder) -> (Cache, Receiver<Event>) {
    let (told, events) = mpsc::channel();
    (builder.observer(Told(Mutex::new(told))).build().unwrap(), events)
}

fn key(id: u64) -> Key {
    Key::new("reclaimed").part(&id)
}

fn fill(cache: &Cache, ids: std::ops::Range<u64>, options: &EntryOptions) {
    for id in ids {
        cache.blocking().set(&key(id), id, options).unwrap();
    }
}

#[test]
fn what_is_dead_goes_when_the_cache_is_told_to_reclaim() {
    let clock = ManualClock::new();
    let (cache, events) = observed(crate::builder().clock(clock.clone()).reclaim_interval(60 * MINUTE));
    fill(&cache, 0..3, &EntryOptions::new().ttl(SECOND));
    fill(&cache, 3..5, &EntryOptions::new().tag("wrong"));
    fill(&cache, 5..6, &EntryOptions::new().ttl(MINUTE));
    assert_eq!(cache.reclaim(), 0);
    clock.advance(SECOND);
    cache.invalidate_tags(["wrong"]);
    assert_eq!((cache.reclaim(), cache.stats().entries), (5, 1));
    assert!(crate::source::all_is_forgotten(&cache));
    let (expired, invalidated): (Vec<_>, Vec<_>) =
        events.try_iter().partition(|event| matches!(event, Event::Expired(_)));
    assert_eq!((expired.len(), invalidated.len()), (3, 2));
    assert!(invalidated.iter().all(|event| matches!(event, Event::Invalidated(_))), "{invalidated:?}");
    assert_eq!((cache.stats().expired, cache.stats().invalidated), (3, 2));
}

#[test]
fn what_is_dead_goes_without_being_asked_for() {
    let clock = ManualClock::new();
    let interval = Duration::from_millis(1);
    let (cache, events) = observed(crate::builder().clock(clock.clone()).reclaim_interval(interval));
    fill(&cache, 0..1, &EntryOptions::new().ttl(SECOND));
    clock.advance(SECOND);
    assert_eq!(events.recv(), Ok(Event::Expired(key(0))));
    fill(&cache, 1..2, &EntryOptions::new().tag("wrong"));
    cache.invalidate_tags(["wrong"]);
    assert_eq!(events.recv(), Ok(Event::Invalidated(key(1))));
}

#[test]
fn each_entry_that_leaves_for_room_is_told() {
    let (cache, events) = observed(crate::builder().max_entries(2));
    fill(&cache, 0..10, &EntryOptions::new());
    let evicted = events.try_iter().filter(|event| matches!(event, Event::Evicted(_))).count();
    assert_eq!((evicted, cache.stats().evicted, cache.stats().entries), (8, 8, 2));
}

// Guards `forget_half`: the number of tags that are remembered is bounded, whatever is invalidated between two reclaims.
#[test]
fn a_million_tags_that_come_and_go_leave_no_trace() {
    const ENTRIES: u64 = 64;
    // In each of 16 parts.
    const MOST_TAGS: usize = 16 * 4_096;
    let cache = crate::builder().max_entries(ENTRIES).build().unwrap();
    let mut most = 0;
    for id in 0_u64..1_000_000 {
        let tag = format!("user:{id}");
        if id.is_multiple_of(4) {
            let options = EntryOptions::new().tag(tag.clone());
            cache.blocking().set(&key(id % ENTRIES), id, &options).unwrap();
        }
        cache.invalidate_tags([tag]);
        if id.is_multiple_of(1_000) {
            most = most.max(cache.known_tags());
        }
    }
    assert!(most <= MOST_TAGS, "{most} tags were remembered at once");
    assert!(crate::source::all_is_forgotten(&cache));
    assert_eq!(cache.stats().entries, 0);
}

// Guards `give_up_older`: what is invalidated while a load hangs is forgotten all the same, and entries stay that have other tags.
#[tokio::test]
async fn a_load_that_never_ends_has_nothing_else_be_lost() {
    const TAGS: u64 = 30_000;
    let source =
        Source::new(crate::builder().max_entries(1_000).reclaim_interval(Duration::from_millis(1)).build().unwrap());
    let gate = source.hold();
    let hanging = Stepped::waiting(source.find(1));
    source.write(2);
    fill(&source.cache, 0..100, &EntryOptions::new().tag("kept"));
    for round in 0..10 {
        (0..TAGS).for_each(|id| _ = source.cache.invalidate_tags([format!("other:{round}:{id}")]));
        crate::source::until(|| source.cache.known_tags() < TAGS as usize).await;
    }
    assert!((0..100).all(|id| source.cache.blocking().get::<u64>(&key(id)).unwrap() == Some(id)));
    gate.open(Outcome::Value);
    assert_eq!((hanging.end(), Stepped::new(source.find(1)).end()), (Ok(1), Ok(2)));
}

// Guards the horizon, with loads of all ages under way.
#[test]
fn forgetting_tags_lets_no_overtaken_load_in() {
    let source = Source::new(crate::builder().build().unwrap());
    let mut under_way = Vec::new();
    for id in 0_u64..500 {
        source.write(1_000 + id);
        let gate = source.hold();
        under_way.push((Stepped::waiting(source.find(id)), gate));
        source.write(2_000 + id);
        source.cache.invalidate_tags([format!("version:{}", 1_000 + id)]);
        source.cache.invalidate_tags([format!("unrelated:{id}")]);
        if id.is_multiple_of(7) {
            source.cache.reclaim();
        }
    }
    source.cache.reclaim();
    for (id, (call, gate)) in (0_u64..).zip(under_way) {
        gate.open(Outcome::Value);
        assert_eq!(call.end(), Ok(1_000 + id));
    }
    source.write(7);
    for id in 0_u64..500 {
        assert_eq!(Stepped::new(source.find(id)).end(), Ok(7), "{id}");
    }
    source.cache.clear();
    assert!(crate::source::all_is_forgotten(&source.cache), "{} tags are remembered", source.cache.known_tags());
}

//! What a load under way depends on is not forgotten: what others invalidate meanwhile is nothing to it.

use std::time::Duration;

use cachex::time::ManualClock;
use cachex::{Cache, EntryOptions, Key, Verdict, cached};

use crate::source::{Failure, Outcome, Source, Stepped};

impl Source {
    #[cached(name = "memory.tagged", ttl = "1h", tags = ["memory:{id}"])]
    async fn tagged(&self, id: u64) -> Result<u64, Failure> {
        let _ = id;
        self.read().await
    }

    #[cached(name = "memory.constant", ttl = "1h", tags = ["memory", "constant"])]
    async fn constantly_tagged(&self, id: u64) -> Result<u64, Failure> {
        let _ = id;
        self.read().await
    }
}

fn source() -> Source {
    let builder = Cache::builder().clock(ManualClock::new()).reclaim_interval(Duration::from_secs(3_600));
    Source::new(builder.build().unwrap())
}

/// Lets others invalidate, and the cache forget what it can, as it does once a second.
fn others_write(cache: &Cache) {
    for id in 0..100 {
        cache.invalidate_tags([format!("unrelated:{id}")]);
        cache.reclaim();
    }
}

/// Calls slowly while others write, and checks that the load is joined, kept, and answers the next call.
fn check<F: Future<Output = Result<u64, Failure>>>(source: &Source, call: impl Fn() -> F) {
    let gate = source.hold();
    let leader = Stepped::waiting(call());
    others_write(&source.cache);
    let follower = Stepped::waiting(call());
    others_write(&source.cache);
    gate.open(Outcome::Value);
    assert_eq!((leader.end(), follower.end(), source.loads()), (Ok(1), Ok(1), 1));
    assert_eq!((source.cache.stats().rejected_stores, source.cache.stats().stores), (0, 1));
    assert_eq!((Stepped::new(call()).end(), source.loads()), (Ok(1), 1), "it was kept");
    assert!(crate::source::all_is_forgotten(&source.cache), "{} tags are remembered", source.cache.known_tags());
}

// What others invalidate is nothing to it.
#[test]
fn a_slow_load_is_kept_though_others_write_meanwhile() {
    let source = source();
    check(&source, || source.tagged(1));
}

// Guards that the numbers a method has of its tags are those that invalidations find, whatever is forgotten meanwhile.
#[test]
fn a_tag_that_is_always_the_same_is_invalidated_again_and_again() {
    let source = source();
    let call = |id| Stepped::new(source.constantly_tagged(id)).end().unwrap();
    for round in 0..3 {
        for tag in ["memory", "constant"] {
            let loads = source.loads();
            assert_eq!((call(1), call(1)), (1, 1));
            assert_eq!(
                source.loads(),
                loads + 1,
                "the entry was invalidated before, and is fresh now ({round}, {tag})"
            );
            others_write(&source.cache);
            source.cache.invalidate_tags([tag]);
            others_write(&source.cache);
        }
        source.cache.clear();
        assert!(crate::source::all_is_forgotten(&source.cache), "{} tags are remembered", source.cache.known_tags());
    }
    let gate = source.hold();
    let leader = Stepped::waiting(source.constantly_tagged(2));
    source.cache.invalidate_tags(["constant"]);
    gate.open(Outcome::Value);
    assert_eq!(leader.end(), Ok(1));
    assert_eq!(source.cache.stats().rejected_stores, 1, "a load that began before is not kept");
}

// Guards that each look at an entry asks the tags that its method gives to all: a hit, a stale one, a look by hand, what is reclaimed, and
// what is told of it.
#[test]
fn what_all_entries_of_a_method_have_need_not_be_named_by_each() {
    let source = source();
    let (cache, call) = (&source.cache, |id| Stepped::new(source.constantly_tagged(id)).end().unwrap());
    let key = source.constantly_tagged_key(&1);
    // By hand, and before there was any load.
    cache.blocking().set(&key, 7_u64, &EntryOptions::new()).unwrap();
    assert_eq!((call(1), source.loads()), (7, 0));
    cache.invalidate_tags(["memory"]);
    assert_eq!((call(1), source.loads()), (1, 1));
    let names: Vec<_> = cache.explain(&key).tags.into_iter().map(|(tag, _)| tag.to_string()).collect();
    assert_eq!(names, ["memory", "constant"]);
    // By hand, and with another tag: it is an entry of the method all the same.
    cache.blocking().set(&key, 7_u64, &EntryOptions::new().tag("by hand").tag("memory")).unwrap();
    assert_eq!((call(1), cache.explain(&key).tags.len()), (7, 3));
    let fence = cache.fence(["constant"], Duration::from_secs(1));
    assert_eq!((cache.explain(&key).verdict, cache.blocking().get::<u64>(&key).unwrap()), (Verdict::Fenced, None));
    assert_eq!(call(1), 1);
    fence.release();
    cache.blocking().set(&key, 7_u64, &EntryOptions::new()).unwrap();
    for tag in ["by hand", "memory"] {
        assert_eq!((cache.blocking().get::<u64>(&key).unwrap(), cache.reclaim()), (Some(7), 0));
        cache.invalidate_tags([tag]);
    }
    assert_eq!((cache.explain(&key).verdict, cache.blocking().get::<u64>(&key).unwrap()), (Verdict::Invalidated, None));
    assert_eq!((cache.reclaim(), cache.stats().entries), (1, 0));
}

// Which tag the value brings is not known while it is loaded.
#[test]
fn a_slow_load_whose_value_brings_tags_is_kept_though_others_write_meanwhile() {
    let source = source();
    check(&source, || source.find(1));
}

// Guards the horizon: what was invalidated since a load began is not forgotten.
#[test]
fn a_slow_load_is_not_kept_if_its_own_tags_are_among_those() {
    for tag in ["all", "item:1", "version:1"] {
        let source = source();
        let gate = source.hold();
        let call = Stepped::waiting(source.find(1));
        others_write(&source.cache);
        source.cache.invalidate_tags([tag]);
        others_write(&source.cache);
        gate.open(Outcome::Value);
        assert_eq!(call.end(), Ok(1), "{tag}");
        source.write(2);
        assert_eq!((Stepped::new(source.find(1)).end(), source.loads()), (Ok(2), 2), "{tag}");
    }
}

// As `a_million_tags_that_come_and_go_leave_no_trace`, for tags that go with their entries and by age.
#[test]
fn a_million_tags_of_entries_that_come_and_go_leave_no_trace() {
    const ENTRIES: u64 = 100;
    let clock = ManualClock::new();
    let builder = Cache::builder().clock(clock.clone()).reclaim_interval(Duration::from_secs(3_600));
    let cache = builder.max_entries(ENTRIES).build().unwrap();
    let mut most = 0;
    for id in 0_u64..1_000_000 {
        let options = EntryOptions::new().ttl(Duration::from_secs(1)).tag(format!("user:{id}"));
        let key = Key::entity("user", &id);
        cache.blocking().set(&key, id, &options).unwrap();
        if id.is_multiple_of(3) {
            assert!(cache.blocking().remove(&key));
        }
        if id.is_multiple_of(1_000) {
            most = most.max(cache.known_tags());
            clock.advance(Duration::from_millis(500));
        }
    }
    assert_eq!(most, 0, "nothing is kept of a tag that nobody has invalidated");
    clock.advance(Duration::from_secs(1));
    cache.reclaim();
    assert_eq!(cache.stats().entries, 0);
}

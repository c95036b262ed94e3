//! `explain`: why the next call hits or misses.

use std::time::Duration;

use cachex::{Cache, CacheScope, EntryOptions, MethodSettings, Tag, Tier, Verdict, cached};

use super::{SECOND, cache, key};

#[derive(Clone, CacheScope)]
struct Explained {
    #[scope(cache)]
    cache: Cache,
}

impl Explained {
    #[cached(name = "explained.find", ttl = "10s", soft_ttl = "4s", grace = "1m", negative_ttl = "5s", tags = ["explained"])]
    fn find(&self, id: u64) -> Option<u64> {
        (id > 0).then_some(id)
    }
}

/// What is said at each age and in each state.
#[test]
fn each_verdict_has_its_time() {
    let (cache, clock) = cache();
    let explained = Explained { cache: cache.clone() };
    let verdict = || cache.explain(&explained.find_key(&1)).verdict;
    assert_eq!(verdict(), Verdict::Absent);
    assert_eq!(explained.find(1), Some(1));
    assert_eq!(verdict(), Verdict::Fresh);
    clock.advance(4 * SECOND);
    assert_eq!(verdict(), Verdict::Stale);
    clock.advance(6 * SECOND);
    assert_eq!(verdict(), Verdict::Expired);
    let fence = cache.fence(["explained"], SECOND);
    assert_eq!(verdict(), Verdict::Fenced);
    fence.cancel();
    assert_eq!(verdict(), Verdict::Expired);
    clock.advance(60 * SECOND);
    assert_eq!(verdict(), Verdict::Dead);
    assert_eq!(explained.find(1), Some(1));
    assert_eq!(verdict(), Verdict::Fresh);
    cache.invalidate_tags(["explained"]);
    assert_eq!(verdict(), Verdict::Invalidated);
    cache.set_method_config("explained.find", MethodSettings::new().enabled(false)).unwrap();
    assert_eq!(verdict(), Verdict::Disabled);
}

#[test]
fn each_way_to_invalidate_is_told_as_one() {
    let (cache, _) = cache();
    let explained = Explained { cache: cache.clone() };
    let ways: [fn(&Cache); 3] = [
        |cache| cache.clear().wait(),
        |cache| cache.invalidate_method_all("explained.find").unwrap().wait(),
        |cache| cache.invalidate_tags(["explained"]).wait(),
    ];
    for way in ways {
        assert_eq!(explained.find(1), Some(1));
        assert_eq!(cache.explain(&explained.find_key(&1)).verdict, Verdict::Fresh);
        way(&cache);
        let verdict = cache.explain(&explained.find_key(&1)).verdict;
        assert!(matches!(verdict, Verdict::Invalidated | Verdict::Absent), "{verdict}");
    }
}

#[test]
fn an_explanation_tells_all_of_an_entry() {
    let (cache, clock) = cache();
    let before = cache.stamp();
    cache.blocking().set(&key(1), 1, &EntryOptions::new().ttl(10 * SECOND).tag("a").tag("b")).unwrap();
    clock.advance(3 * SECOND);
    let told = cache.explain(&key(1));
    assert_eq!(told.tier, Some(Tier::Memory));
    assert_eq!((told.age, told.ttl, told.is_negative), (Some(3 * SECOND), Some(7 * SECOND), false));
    assert_eq!(told.stamp, Some(before), "a write that meets no load is no step of the clock");
    assert!(told.weight.is_some_and(|weight| weight > 4), "{:?}", told.weight);
    assert_eq!(told.load_time, Some(Duration::ZERO));
    assert_eq!(told.tags.iter().map(|(tag, _)| tag.clone()).collect::<Vec<_>>(), [Tag::from("a"), Tag::from("b")]);
    cache.invalidate_tags(["b"]);
    let told = cache.explain(&key(1));
    let stamp = told.stamp.unwrap();
    let is_after: Vec<_> = told.tags.iter().map(|(_, invalidated_at)| *invalidated_at > stamp).collect();
    assert_eq!((told.verdict, is_after), (Verdict::Invalidated, vec![false, true]), "the tag that was it is told");
}

#[test]
fn of_an_entry_that_is_not_there_nothing_is_told() {
    let (cache, _) = cache();
    let told = cache.explain(&key(1));
    assert_eq!((told.verdict, told.age, told.ttl, told.stamp), (Verdict::Absent, None, None, None));
    assert_eq!(
        (told.tier, told.weight, told.load_time, told.is_negative, told.tags.len()),
        (None, None, None, false, 0)
    );
}

#[test]
fn a_kept_none_is_told_as_negative() {
    let (cache, _) = cache();
    let explained = Explained { cache: cache.clone() };
    assert_eq!((explained.find(0), explained.find(1)), (None, Some(1)));
    let told = |id: u64| cache.explain(&explained.find_key(&id));
    assert_eq!((told(0).is_negative, told(0).ttl), (true, Some(5 * SECOND)));
    assert_eq!((told(1).is_negative, told(1).ttl), (false, Some(10 * SECOND)));
}

#[test]
fn explaining_changes_nothing() {
    let (cache, clock) = cache();
    cache.blocking().set(&key(1), 1, &EntryOptions::new().tti(2 * SECOND)).unwrap();
    let before = cache.stats();
    clock.advance(SECOND);
    assert_eq!(cache.explain(&key(1)).ttl, Some(SECOND));
    clock.advance(SECOND);
    assert_eq!(cache.explain(&key(1)).verdict, Verdict::Dead, "it was not used by being explained");
    assert_eq!(cache.stats(), before);
}

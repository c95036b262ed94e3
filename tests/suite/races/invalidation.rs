//! Invalidations while a load runs: its value is kept by nobody, its followers get the new one, and who comes later waits for
//! nothing old.

use std::time::Duration;

use cachex::time::ManualClock;
use cachex::{Cache, Key};

use crate::source::{Outcome, Source, Stepped, quiet};

/// More tags than a cache remembers that no entry carries.
const CROWD: usize = 300_000;

/// All the ways to make an entry wrong.
#[derive(Clone, Copy, Debug)]
enum How {
    Key,
    Tag,
    DerivedTag,
    Call,
    Method,
    Pattern,
    Clear,
}

const ALL: [How; 7] = [How::Key, How::Tag, How::DerivedTag, How::Call, How::Method, How::Pattern, How::Clear];

impl How {
    /// Whether the engine can know before a load has ended that the load is concerned.
    fn is_known_early(self) -> bool {
        !matches!(self, Self::DerivedTag)
    }

    fn apply(self, cache: &Cache, method: &str, key: &Key) {
        match self {
            Self::Key => drop(cache.blocking().remove(key)),
            Self::Tag => cache.invalidate_tags(["item:1"]).wait(),
            Self::DerivedTag => cache.invalidate_tags(["version:1"]).wait(),
            Self::Call => drop(cache.invalidate_method(method, (1_u64,)).unwrap()),
            Self::Method => cache.invalidate_method_all(method).unwrap().wait(),
            Self::Pattern => drop(cache.blocking().remove_matching(&format!("*{method}*"))),
            Self::Clear => cache.clear().wait(),
        }
    }
}

fn source() -> (Source, ManualClock) {
    let clock = ManualClock::new();
    let cache = crate::builder().clock(clock.clone()).reclaim_interval(Duration::from_secs(3_600)).build().unwrap();
    (Source::new(cache), clock)
}

// Guards `Flights::void` in `Engine::void` (keys), `raise_tags`, the epochs in `clear` and `invalidate_method`, the check in
// `store_loaded`, and, for the newcomer, `may_join` and the stamp check in `Flights::join`.
#[test]
fn a_load_that_was_overtaken_is_neither_joined_nor_kept() {
    for how in ALL {
        let (source, _) = source();
        let gate = source.hold();
        let leader = Stepped::waiting(source.find(1));
        source.write(2);
        how.apply(&source.cache, "source.find", &source.find_key(&1));
        if how.is_known_early() {
            assert_eq!(Stepped::new(source.find(1)).end(), Ok(2), "{how:?}: the newcomer");
        }
        gate.open(Outcome::Value);
        assert_eq!(leader.end(), Ok(1), "{how:?}: who called before");
        assert_eq!(Stepped::new(source.find(1)).end(), Ok(2), "{how:?}: what is kept");
        assert_eq!(source.loads(), 2, "{how:?}");
        assert_eq!(source.cache.loads_in_flight(), 0, "{how:?}");
    }
}

// Guards the check in `current_value`: without it the followers take what landed.
#[test]
fn followers_of_a_load_that_was_overtaken_get_the_new_value() {
    for how in ALL {
        let (source, _) = source();
        let gate = source.hold();
        let leader = Stepped::waiting(source.find(1));
        let followers: Vec<_> = (0..3).map(|_| Stepped::waiting(source.find(1))).collect();
        source.write(2);
        how.apply(&source.cache, "source.find", &source.find_key(&1));
        // Comes after: may wait, but not for something old.
        let late = Stepped::new(source.find(1));
        gate.open(Outcome::Value);
        assert_eq!(leader.end(), Ok(1), "{how:?}");
        for follower in followers {
            assert_eq!(follower.end(), Ok(2), "{how:?}: a follower");
        }
        assert_eq!(late.end(), Ok(2), "{how:?}: who came after");
        assert_eq!(source.loads(), 2, "{how:?}");
        assert_eq!(source.cache.loads_in_flight(), 0, "{how:?}");
    }
}

// Guards the same lines for a load that has no caller.
#[tokio::test]
async fn a_refresh_that_was_overtaken_is_not_kept() {
    for how in ALL {
        let (source, clock) = source();
        assert_eq!(source.watch(1).await, Ok(1));
        clock.advance(Duration::from_secs(11));
        let mut gate = source.hold();
        assert_eq!(source.watch(1).await, Ok(1), "{how:?}: a stale hit");
        gate.begun().await;
        source.write(2);
        how.apply(&source.cache, "source.watch", &source.watch_key(&1));
        if how.is_known_early() {
            assert_eq!(Stepped::new(source.watch(1)).end(), Ok(2), "{how:?}: the newcomer");
        }
        gate.open(Outcome::Value);
        quiet(&source.cache).await;
        assert_eq!(source.watch(1).await, Ok(2), "{how:?}: what is kept");
        assert_eq!(source.loads(), 3, "{how:?}");
    }
}

// Guards the same lines for callers that wait for a load without a caller: the old entry has expired meanwhile.
#[tokio::test]
async fn followers_of_a_refresh_that_was_overtaken_get_the_new_value() {
    for how in ALL {
        let (source, clock) = source();
        assert_eq!(source.watch(1).await, Ok(1));
        clock.advance(Duration::from_secs(11));
        let mut gate = source.hold();
        assert_eq!(source.watch(1).await, Ok(1), "{how:?}: a stale hit");
        gate.begun().await;
        clock.advance(Duration::from_secs(60));
        let follower = Stepped::waiting(source.watch(1));
        source.write(2);
        how.apply(&source.cache, "source.watch", &source.watch_key(&1));
        gate.open(Outcome::Value);
        while !follower.is_woken() {
            tokio::task::yield_now().await;
        }
        assert_eq!(follower.end(), Ok(2), "{how:?}");
        quiet(&source.cache).await;
        assert_eq!(source.watch(1).await, Ok(2), "{how:?}");
        assert_eq!(source.loads(), 3, "{how:?}");
    }
}

// Guards the floor in `TagClocks::forget_half`: a tag that is forgotten while a load runs counts as invalidated.
#[test]
fn a_forgotten_tag_does_not_let_an_overtaken_load_in() {
    let (source, _) = source();
    let gate = source.hold();
    let leader = Stepped::waiting(source.find(1));
    source.write(2);
    source.cache.invalidate_tags(["version:1"]);
    // So many that also what a load under way may ask for is forgotten.
    for id in 0..CROWD {
        source.cache.invalidate_tags([format!("other:{id}")]);
    }
    assert!(source.cache.known_tags() < CROWD / 4 * 3, "{} tags are remembered", source.cache.known_tags());
    gate.open(Outcome::Value);
    assert_eq!(leader.end(), Ok(1));
    assert_eq!(Stepped::new(source.find(1)).end(), Ok(2));
}

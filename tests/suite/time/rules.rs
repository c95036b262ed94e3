//! Rules that look at the value: a panic in one breaks no call; and rules that are changed at run time.

use std::time::Duration;

use cachex::{MethodSettings, cached};

use super::{SECOND, check_loads, source};
use crate::source::{Failure, Outcome, Source, Stepped};

fn no_ttl(_: &u64) -> Duration {
    panic!("no ttl")
}

fn no_tags(_: &u64) -> [&'static str; 0] {
    panic!("no tags")
}

fn no_verdict(_: &u64) -> bool {
    panic!("no verdict")
}

fn no_weight(_: &u64) -> u64 {
    panic!("no weight")
}

impl Source {
    #[cached(name = "rules.ttl", ttl_with = no_ttl)]
    fn without_ttl(&self) -> Result<u64, Failure> {
        self.read_blocking()
    }

    #[cached(name = "rules.tags", tags_with = no_tags)]
    fn without_tags(&self) -> Result<u64, Failure> {
        self.read_blocking()
    }

    #[cached(name = "rules.unless", unless = no_verdict)]
    fn without_verdict(&self) -> Result<u64, Failure> {
        self.read_blocking()
    }

    #[cached(name = "rules.weight", weight = no_weight)]
    async fn without_weight(&self) -> Result<u64, Failure> {
        self.read().await
    }

    #[cached(name = "rules.heavy", weight = |value| *value * 1_000)]
    fn heavy(&self, id: u64) -> Result<u64, Failure> {
        let _ = id;
        self.read_blocking()
    }

    #[cached(name = "rules.sharing", share_err)]
    async fn sharing(&self) -> Result<u64, Failure> {
        self.read().await
    }

    #[cached(name = "rules.some", when = id > 1, unless = |value| *value > 5, ttl_with = |value| SECOND * (*value as u32))]
    async fn some(&self, id: u64) -> Result<u64, Failure> {
        let _ = id;
        self.read().await
    }
}

// Guards the `catch_unwind` in `appraise`.
#[test]
fn a_rule_that_panics_breaks_no_call() {
    let (source, _) = source();
    for call in [Source::without_ttl, Source::without_tags, Source::without_verdict] {
        assert_eq!((call(&source), call(&source)), (Ok(1), Ok(1)));
    }
    assert_eq!(source.loads(), 6, "nothing is kept");
    let gate = source.hold();
    let leader = Stepped::waiting(source.without_weight());
    let follower = Stepped::waiting(source.without_weight());
    gate.open(Outcome::Value);
    assert_eq!((leader.end(), follower.end()), (Ok(1), Ok(1)));
    assert_eq!((source.loads(), source.cache.loads_in_flight(), source.cache.stats().entries), (8, 0, 0));
}

#[test]
fn a_shared_error_answers_all_who_waited_and_nobody_else() {
    let (source, _) = source();
    let gate = source.hold();
    let calls = [0; 3].map(|_| Stepped::waiting(source.sharing()));
    gate.open(Outcome::Failure);
    assert_eq!(calls.map(Stepped::end), [0; 3].map(|_| Err(Failure::Down)));
    assert_eq!(source.loads(), 1);
    assert_eq!((Stepped::new(source.sharing()).end(), source.loads()), (Ok(1), 2));
}

#[test]
fn the_call_and_the_value_say_whether_and_how_long() {
    let (source, clock) = source();
    let some = |id| Stepped::new(source.some(id)).end().unwrap();
    assert_eq!((some(1), some(1), source.loads()), (1, 1, 2), "`when` says no");
    source.write(6);
    assert_eq!((some(2), some(2), source.loads()), (6, 6, 4), "`unless` says no");
    source.write(3);
    assert_eq!((some(2), some(2), source.loads()), (3, 3, 5));
    clock.advance(3 * SECOND);
    source.write(5);
    assert_eq!((some(2), source.loads()), (5, 6), "three seconds, says the value");
}

#[test]
fn a_method_that_is_disabled_runs_as_if_without_an_annotation() {
    let (source, _) = source();
    check_loads(&source, 1);
    source.cache.set_method_config("source.find", MethodSettings::new().enabled(false)).unwrap();
    check_loads(&source, 2);
    let gates = [source.hold(), source.hold()];
    let calls = [Stepped::waiting(source.find(1)), Stepped::waiting(source.find(1))];
    gates.into_iter().for_each(|gate| gate.open(Outcome::Value));
    assert_eq!((calls.map(Stepped::end), source.loads()), ([Ok(1), Ok(1)], 4));
    source.cache.set_method_config("source.find", MethodSettings::new().enabled(true)).unwrap();
    check_loads(&source, 4);
    assert_eq!(source.cache.method_stats("source.find").unwrap().bypasses, 3);
}

#[test]
fn the_value_says_what_it_weighs() {
    let cache = crate::builder().max_bytes(10_000).build().unwrap();
    let source = Source::new(cache);
    source.write(3);
    for id in 0..10 {
        source.heavy(id).unwrap();
        assert!((3_000..=10_000).contains(&source.cache.stats().weight), "{:?}", source.cache.stats());
    }
    assert_eq!((source.cache.stats().entries, source.cache.stats().evicted), (3, 7));
    source.write(11);
    assert_eq!((source.heavy(99), source.heavy(99), source.loads()), (Ok(11), Ok(11), 12), "heavier than all room");
}

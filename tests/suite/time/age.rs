//! How long an entry is of use.

use std::time::Duration;

use cachex::{Cache, EntryOptions, Jitter, Key, MethodSettings, Ttl, cached};

use super::{MINUTE, MOMENT, SECOND, check_loads, source, source_with};
use crate::source::{Failure, Source, Stepped};

#[test]
fn an_entry_expires_at_its_ttl() {
    let (source, clock) = source_with(MethodSettings::new().ttl(MINUTE));
    check_loads(&source, 1);
    clock.advance(MINUTE - MOMENT);
    check_loads(&source, 1);
    clock.advance(MOMENT);
    check_loads(&source, 2);
}

#[test]
fn each_access_puts_off_the_end_of_an_idle_entry() {
    let (source, clock) = source_with(MethodSettings::new().tti(10 * SECOND));
    check_loads(&source, 1);
    for _ in 0..3 {
        clock.advance(10 * SECOND - MOMENT);
        check_loads(&source, 1);
    }
    clock.advance(10 * SECOND);
    check_loads(&source, 2);
}

#[test]
fn no_access_puts_off_the_ttl() {
    let (source, clock) = source_with(MethodSettings::new().ttl(MINUTE).tti(40 * SECOND));
    check_loads(&source, 1);
    clock.advance(35 * SECOND);
    check_loads(&source, 1);
    clock.advance(25 * SECOND);
    check_loads(&source, 2);
}

#[test]
fn an_entry_without_a_ttl_does_not_expire() {
    let (source, clock) = source();
    check_loads(&source, 1);
    clock.advance(Duration::from_secs(u64::MAX));
    check_loads(&source, 1);
}

#[test]
fn entries_keep_the_times_they_were_stored_with() {
    let (source, clock) = source_with(MethodSettings::new().ttl(MINUTE));
    check_loads(&source, 1);
    source.cache.set_method_config("source.find", MethodSettings::new().ttl(SECOND)).unwrap();
    clock.advance(2 * SECOND);
    check_loads(&source, 1);
    clock.advance(MINUTE);
    check_loads(&source, 2);
    clock.advance(SECOND);
    check_loads(&source, 3);
}

impl Source {
    #[cached(name = "age.maybe", ttl = "1m", negative_ttl = "1s")]
    async fn maybe(&self, id: u64) -> Result<Option<u64>, Failure> {
        let _ = id;
        self.read().await.map(|value| (value > 1).then_some(value))
    }
}

#[test]
fn a_negative_entry_has_a_ttl_of_its_own() {
    let (source, clock) = source();
    let maybe = || Stepped::new(source.maybe(1)).end().unwrap();
    assert_eq!((maybe(), maybe(), source.loads()), (None, None, 1));
    clock.advance(SECOND);
    source.write(2);
    assert_eq!((maybe(), source.loads()), (Some(2), 2));
    clock.advance(SECOND);
    assert_eq!((maybe(), source.loads()), (Some(2), 2));
}

/// Returns how long entries live that are stored at one moment.
fn lives(settings: MethodSettings) -> Vec<Duration> {
    let (source, _) = source_with(settings);
    let life = |id: u64| {
        Stepped::new(source.find(id)).end().unwrap();
        match source.cache.blocking().ttl_of(&source.find_key(&id)) {
            Some(Ttl::Left(left)) => left,
            other => panic!("{other:?}"),
        }
    };
    (0..200).map(life).collect()
}

#[test]
fn jitter_shortens_each_life_a_little_and_the_same_in_each_run() {
    for (jitter, shortest) in [(Jitter::Share(0.25), 45 * SECOND), (Jitter::Span(10 * SECOND), 50 * SECOND)] {
        let settings = MethodSettings::new().ttl(MINUTE).jitter(jitter);
        let spread = lives(settings.clone());
        assert!(spread.iter().all(|life| (shortest..=MINUTE).contains(life)), "{spread:?}");
        let (least, most) = (spread.iter().min().unwrap(), spread.iter().max().unwrap());
        assert!(*most - *least > (MINUTE - shortest).mul_f64(0.9), "{least:?} to {most:?}");
        assert_eq!(spread, lives(settings));
    }
}

#[test]
fn an_entry_set_by_hand_can_be_given_another_end() {
    let (source, clock) = source();
    let (cache, key): (&Cache, _) = (&source.cache, Key::new("by hand"));
    let blocking = cache.blocking();
    blocking.set(&key, 1_u64, &EntryOptions::new().ttl(SECOND)).unwrap();
    assert!(blocking.expire(&key, MINUTE));
    clock.advance(MINUTE - MOMENT);
    assert_eq!(blocking.ttl_of(&key), Some(Ttl::Left(MOMENT)));
    clock.advance(MOMENT);
    assert!(!blocking.expire(&key, MINUTE), "it is too late");
    assert_eq!(blocking.get::<u64>(&key).unwrap(), None);
}

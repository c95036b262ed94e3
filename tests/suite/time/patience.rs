//! Expired entries that stand in, and callers that do not wait for ever.

use std::thread;
use std::time::Duration;

use cachex::{EntryOptions, Key, cached};

use super::{MINUTE, MOMENT, SECOND, source};
use crate::source::{Failure, Outcome, Source, Stepped, quiet};

const HOUR: Duration = Duration::from_secs(3_600);

impl Source {
    #[cached(name = "patience.blocking", ttl = "1m", timeout = "5s", grace = "1h", soft_timeout = "1s")]
    fn patient(&self) -> Result<u64, Failure> {
        self.read_blocking()
    }
}

#[test]
fn an_expired_entry_answers_only_if_the_load_fails() {
    let (source, clock) = source();
    let call = || Stepped::new(source.bounded(1));
    assert_eq!(call().end(), Ok(1));
    clock.advance(MINUTE);
    source.write(2);
    assert_eq!(call().end(), Ok(2), "the load succeeds");
    clock.advance(MINUTE);
    source.hold().open(Outcome::Failure);
    assert_eq!(call().end(), Ok(2), "it fails");
    clock.advance(HOUR - MOMENT);
    source.hold().open(Outcome::Failure);
    assert_eq!(call().end(), Ok(2), "at the end of its grace");
    clock.advance(MOMENT);
    source.hold().open(Outcome::Failure);
    assert_eq!(call().end(), Err(Failure::Down), "after its grace");
    assert_eq!((source.cache.stats().fallbacks, source.loads()), (2, 5));
}

#[tokio::test]
async fn an_expired_entry_answers_if_the_load_is_slow_and_the_load_goes_on() {
    let (source, clock) = source();
    assert_eq!(source.bounded(1).await, Ok(1));
    clock.advance(MINUTE);
    source.write(2);
    let gate = source.hold();
    let (mut leader, mut follower) = (Stepped::waiting(source.bounded(1)), Stepped::waiting(source.bounded(1)));
    clock.advance(SECOND - MOMENT);
    assert!(!leader.is_woken() && !follower.is_woken());
    clock.advance(MOMENT);
    assert_eq!((leader.run(), follower.run()), (Some(Ok(1)), Some(Ok(1))));
    drop((leader, follower));
    assert!(!gate.is_abandoned(), "the load goes on");
    gate.open(Outcome::Value);
    quiet(&source.cache).await;
    assert_eq!((source.bounded(1).await, source.loads()), (Ok(2), 2));
}

#[tokio::test]
async fn a_caller_gives_up_at_its_timeout_and_the_load_goes_on() {
    let (source, clock) = source();
    let gate = source.hold();
    let (mut leader, mut follower) = (Stepped::waiting(source.bounded(1)), Stepped::waiting(source.bounded(1)));
    clock.advance(5 * SECOND - MOMENT);
    assert!(!leader.is_woken() && !follower.is_woken());
    clock.advance(MOMENT);
    assert_eq!((leader.run(), follower.run()), (Some(Err(Failure::Slow)), Some(Err(Failure::Slow))));
    drop((leader, follower));
    let later = Stepped::waiting(source.bounded(1));
    gate.open(Outcome::Value);
    quiet_but(&source, 1).await;
    assert_eq!((later.end(), source.loads()), (Ok(1), 1), "who came later has waited for the same load");
    quiet(&source.cache).await;
    assert_eq!((source.bounded(1).await, source.loads()), (Ok(1), 1));
    assert_eq!(source.cache.stats().timeouts, 2);
}

/// Lets the load in the background end, while a call that is polled by hand still waits.
async fn quiet_but(source: &Source, stores: u64) {
    crate::source::until(|| source.cache.stats().stores == stores).await;
}

#[test]
fn a_caller_that_blocks_gives_up_at_its_timeout_and_the_load_goes_on() {
    let (source, clock) = source();
    let gate = source.hold();
    let caller = thread::spawn({
        let source = source.clone();
        move || source.patient()
    });
    let gate = gate.begun_blocking();
    while clock.sleepers() == 0 {
        thread::yield_now();
    }
    clock.advance(5 * SECOND);
    assert_eq!(caller.join().unwrap(), Err(Failure::Slow));
    gate.open(Outcome::Value);
    while source.cache.loads_in_flight() > 0 {
        thread::yield_now();
    }
    assert_eq!((source.patient(), source.loads()), (Ok(1), 1));
}

// Guards the check in `fall_back`: what was invalidated is no fallback.
#[tokio::test]
async fn an_invalidated_entry_is_no_fallback() {
    let (source, clock) = source();
    assert_eq!(source.bounded(1).await, Ok(1));
    clock.advance(MINUTE);
    let gate = source.hold();
    let mut call = Stepped::waiting(source.bounded(1));
    source.cache.invalidate_tags(["all"]);
    clock.advance(SECOND);
    assert_eq!(call.run(), None, "it goes on waiting");
    clock.advance(4 * SECOND);
    assert_eq!(call.run(), Some(Err(Failure::Slow)));
    gate.open(Outcome::Value);
    quiet(&source.cache).await;
    assert_eq!(source.cache.stats().rejected_stores, 1);
}

impl Source {
    #[cached(name = "patience.graceful", ttl = "1m", grace = "1h", tags = ["graceful"])]
    async fn graceful(&self, id: u64) -> Result<u64, Failure> {
        let _ = id;
        self.read().await
    }
}

// Guards the hold of `look_closely`: what was invalidated after the entry was found, and before the load that failed began, is not forgotten.
#[test]
fn an_entry_that_was_invalidated_while_another_loaded_is_no_fallback() {
    let (source, clock) = source();
    assert_eq!(Stepped::new(source.graceful(1)).end(), Ok(1));
    clock.advance(MINUTE);
    let (first, second) = (source.hold(), source.hold());
    let leader = Stepped::waiting(source.graceful(1));
    let mut follower = Stepped::waiting(source.graceful(1));
    source.cache.invalidate_tags(["graceful"]);
    first.open(Outcome::Value);
    assert_eq!(leader.end(), Ok(1));
    assert!(follower.step().is_none(), "what the other brought is refused, and it loads itself");
    source.cache.reclaim();
    second.open(Outcome::Failure);
    assert_eq!(follower.end(), Err(Failure::Down));
    assert!(crate::source::all_is_forgotten(&source.cache));
}

#[test]
fn an_expired_entry_answers_a_call_by_hand_whose_load_fails() {
    let (source, clock) = source();
    let (key, options) = (Key::new("by hand"), EntryOptions::new().ttl(MINUTE).grace(HOUR));
    let call = || source.cache.blocking().get_or_load(&key, &options, || source.read_blocking());
    assert_eq!(call(), Ok(1));
    for (elapsed, expected) in [(MINUTE, Ok(1)), (HOUR, Err(Failure::Down))] {
        clock.advance(elapsed);
        source.hold().open(Outcome::Failure);
        assert_eq!(call(), expected);
    }
    assert_eq!(source.loads(), 3);
}

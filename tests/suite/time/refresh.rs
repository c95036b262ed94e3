//! Stale entries: they answer, and one load makes a new one.

use cachex::{EntryOptions, Key, cached};

use super::{MINUTE, SECOND, source};
use crate::source::{Failure, Outcome, Source, Stepped, quiet};

impl Source {
    #[cached(name = "refresh.ahead", ttl = "1m", refresh_ahead = "10s")]
    async fn ahead(&self) -> Result<u64, Failure> {
        self.read().await
    }

    #[cached(name = "refresh.blocking", ttl = "1m", soft_ttl = "10s")]
    fn blocking(&self) -> Result<u64, Failure> {
        self.read_blocking()
    }
}

#[tokio::test]
async fn a_stale_entry_answers_before_its_one_refresh_ends() {
    let (source, clock) = source();
    assert_eq!(source.watch(1).await, Ok(1));
    source.write(2);
    clock.advance(10 * SECOND);
    let mut gate = source.hold();
    for _ in 0..10 {
        assert_eq!(Stepped::new(source.watch(1)).end(), Ok(1));
    }
    gate.begun().await;
    assert_eq!((Stepped::new(source.watch(1)).end(), source.loads()), (Ok(1), 2));
    gate.open(Outcome::Value);
    quiet(&source.cache).await;
    assert_eq!((source.watch(1).await, source.loads()), (Ok(2), 2));
    let stats = source.cache.method_stats("source.watch").unwrap();
    assert_eq!((stats.stale_hits, stats.refreshes, stats.hits), (11, 1, 1));
}

#[tokio::test]
async fn a_refresh_that_fails_or_panics_leaves_the_entry_and_is_tried_again() {
    let (source, clock) = source();
    assert_eq!(source.watch(1).await, Ok(1));
    clock.advance(10 * SECOND);
    for (turn, outcome) in [Outcome::Failure, Outcome::Panic, Outcome::Failure].into_iter().enumerate() {
        let mut gate = source.hold();
        assert_eq!(source.watch(1).await, Ok(1), "{outcome:?}");
        gate.begun().await;
        gate.open(outcome);
        quiet(&source.cache).await;
        assert_eq!(source.loads(), turn + 2, "{outcome:?}");
    }
    source.write(2);
    assert_eq!(source.watch(1).await, Ok(1));
    quiet(&source.cache).await;
    assert_eq!(source.watch(1).await, Ok(2));
}

#[tokio::test]
async fn an_entry_can_be_refreshed_ahead_of_its_end() {
    let (source, clock) = source();
    assert_eq!(source.ahead().await, Ok(1));
    clock.advance(50 * SECOND - super::MOMENT);
    assert_eq!((source.ahead().await, source.cache.loads_in_flight()), (Ok(1), 0));
    clock.advance(super::MOMENT);
    source.write(2);
    assert_eq!((source.ahead().await, source.cache.loads_in_flight()), (Ok(1), 1));
    quiet(&source.cache).await;
    assert_eq!((source.ahead().await, source.loads()), (Ok(2), 2));
}

#[test]
fn a_caller_that_blocks_gets_the_stale_value_at_once() {
    let (source, clock) = source();
    assert_eq!(source.blocking(), Ok(1));
    source.write(2);
    clock.advance(10 * SECOND);
    let gate = source.hold();
    // Would block for ever if it waited: the gate opens later.
    assert_eq!((source.blocking(), source.blocking()), (Ok(1), Ok(1)));
    gate.begun_blocking().open(Outcome::Value);
    while source.cache.loads_in_flight() > 0 {
        std::thread::yield_now();
    }
    assert_eq!((source.blocking(), source.loads()), (Ok(2), 2));
}

#[tokio::test]
async fn an_entry_that_expires_during_its_refresh_makes_callers_wait_for_it() {
    let (source, clock) = source();
    assert_eq!(source.watch(1).await, Ok(1));
    clock.advance(10 * SECOND);
    let mut gate = source.hold();
    assert_eq!(source.watch(1).await, Ok(1));
    gate.begun().await;
    clock.advance(MINUTE);
    let waiting = source.clone();
    let caller = tokio::spawn(async move { waiting.watch(1).await });
    while source.cache.stats().followers == 0 {
        tokio::task::yield_now().await;
    }
    gate.open(Outcome::Value);
    assert_eq!((caller.await.unwrap(), source.loads()), (Ok(1), 2));
}

#[test]
fn of_calls_by_hand_one_loads_a_new_value_for_a_stale_one() {
    let (source, clock) = source();
    let (key, options) = (Key::new("by hand"), EntryOptions::new().ttl(MINUTE).soft_ttl(10 * SECOND));
    let call = || source.cache.get_or_load(&key, &options, || source.read());
    assert_eq!(Stepped::new(call()).end(), Ok(1));
    source.write(2);
    clock.advance(10 * SECOND);
    let gate = source.hold();
    let refreshing = Stepped::waiting(call());
    assert_eq!((Stepped::new(call()).end(), source.loads()), (Ok(1), 2));
    gate.open(Outcome::Value);
    assert_eq!((refreshing.end(), Stepped::new(call()).end(), source.loads()), (Ok(2), Ok(2), 2));
    assert_eq!((source.cache.stats().stale_hits, source.cache.stats().refreshes), (1, 1));
}

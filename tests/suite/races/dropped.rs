//! Each await of the engine, and a future that is dropped right there: nobody hangs, and nothing stays.

use std::time::Duration;

use cachex::MethodSettings;
use cachex::time::ManualClock;

use crate::source::{Failure, Gate, Outcome, Source, Stepped, quiet};

fn source() -> (Source, ManualClock) {
    let clock = ManualClock::new();
    let cache = crate::builder().clock(clock.clone()).reclaim_interval(Duration::from_secs(3_600)).build().unwrap();
    (Source::new(cache), clock)
}

type Call<'a> = Stepped<'a, Result<u64, Failure>>;

/// Drops one of two callers where they wait, and checks that the other is answered and nothing stays.
fn check_drop_of_either<'a>(source: &'a Source, call: impl Fn() -> Call<'a>, hold: impl Fn() -> Gate) {
    let before = source.loads();
    // The follower goes.
    let gate = hold();
    let (mut leader, mut follower) = (call(), call());
    assert!(leader.run().is_none() && follower.run().is_none());
    drop(follower);
    gate.open(Outcome::Failure);
    assert!(leader.run().is_some(), "the leader ends");
    assert_eq!((source.loads() - before, source.cache.loads_in_flight()), (1, 0));
    // The leader goes.
    let gate = hold();
    let (mut leader, mut follower) = (call(), call());
    assert!(leader.run().is_none() && follower.run().is_none());
    drop(leader);
    assert!(gate.is_abandoned());
    assert_eq!(follower.end(), Ok(1));
    assert_eq!((source.loads() - before, source.cache.loads_in_flight()), (3, 0));
}

// `future.await` in `within`, from `attend` and from `wait`, without a bound of time.
#[test]
fn a_call_can_be_dropped_in_its_load_and_in_its_wait() {
    let (source, _) = source();
    check_drop_of_either(&source, || Stepped::new(source.find(1)), || source.hold());
}

// `until(future, until).await` of the hard bound in `within`.
#[test]
fn a_call_can_be_dropped_before_its_timeout() {
    let (source, _) = source();
    check_drop_of_either(&source, || Stepped::new(source.bounded(1)), || source.hold());
}

// `until(future, until).await` of the soft bound in `within`: there is an expired entry.
#[test]
fn a_call_can_be_dropped_before_its_soft_timeout() {
    let (source, clock) = source();
    assert_eq!(Stepped::new(source.bounded(1)).end(), Ok(1));
    clock.advance(Duration::from_secs(61));
    check_drop_of_either(&source, || Stepped::new(source.bounded(1)), || source.hold());
}

// `Attempt.await` in `refresh_here`: the method's own load can't outlive its call, so the first caller refreshes.
#[test]
fn a_call_can_be_dropped_while_it_refreshes() {
    let (source, clock) = source();
    let settings = MethodSettings::new().soft_ttl(Duration::from_secs(10)).ttl(Duration::from_secs(60));
    source.cache.set_method_config("source.find", settings).unwrap();
    assert_eq!(Stepped::new(source.find(1)).end(), Ok(1));
    clock.advance(Duration::from_secs(11));
    let gate = source.hold();
    let refreshing = Stepped::waiting(source.find(1));
    assert_eq!(Stepped::new(source.find(1)).end(), Ok(1), "one refreshes, the others are answered");
    drop(refreshing);
    assert!(gate.is_abandoned());
    assert_eq!((source.loads(), source.cache.loads_in_flight()), (2, 0));
    source.write(2);
    assert_eq!(Stepped::new(source.find(1)).end(), Ok(2), "the next one refreshes");
}

// `attempt.await` in `GoesOn`: the runtime of the background load goes.
#[test]
fn a_background_load_can_be_dropped() {
    let (source, clock) = source();
    assert_eq!(Stepped::new(source.watch(1)).end(), Ok(1));
    clock.advance(Duration::from_secs(11));
    let gate = source.hold();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let gate = runtime.block_on(async {
        let mut gate = gate;
        assert_eq!(source.watch(1).await, Ok(1));
        gate.begun().await;
        gate
    });
    assert_eq!(source.cache.loads_in_flight(), 1);
    clock.advance(Duration::from_secs(60));
    let follower = Stepped::waiting(source.watch(1));
    drop(runtime);
    assert!(gate.is_abandoned());
    assert_eq!(follower.end(), Ok(1), "who waited for it loads");
    assert_eq!((source.loads(), source.cache.loads_in_flight()), (3, 0));
}

// Before the first poll there is nothing to undo.
#[test]
fn a_call_that_was_never_polled_does_nothing() {
    let (source, _) = source();
    drop(source.find(1));
    drop(source.bounded(1));
    assert_eq!((source.loads(), source.cache.loads_in_flight()), (0, 0));
}

// A write that is dropped at its only await: see `writes`; here, that its place in the table goes as well.
#[tokio::test]
async fn a_write_that_is_dropped_leaves_no_place() {
    let (source, _) = source();
    let gate = source.hold();
    let update = Stepped::waiting(source.put(1, 7));
    assert_eq!(source.cache.loads_in_flight(), 1);
    drop(update);
    assert!(gate.is_abandoned());
    quiet(&source.cache).await;
}

//! Who loads and who waits.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use cachex::{Cache, EntryOptions, Key};

use crate::source::{Failure, Outcome, Source, Stepped, until};

fn cache() -> Cache {
    crate::builder().reclaim_interval(Duration::from_secs(3_600)).build().unwrap()
}

// Guards `Flights::join` (always leading: 100 loads) and the second look-up in `drive` (without it, who comes between the
// landing and the next flight loads again).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_callers_of_both_kinds_load_once() {
    for round in 0_u64..20 {
        let source = Source::new(cache());
        let key = Key::new("one").part(&round);
        let gate = source.hold();
        let barrier = Arc::new(Barrier::new(51));
        let threads: Vec<_> = (0..50)
            .map(|_| {
                let (source, key, barrier) = (source.clone(), key.clone(), barrier.clone());
                thread::spawn(move || {
                    barrier.wait();
                    source.cache.blocking().get_or_load(&key, &EntryOptions::new(), || source.read_blocking())
                })
            })
            .collect();
        barrier.wait();
        let tasks: Vec<_> = (0..50)
            .map(|_| {
                let (source, key) = (source.clone(), key.clone());
                tokio::spawn(async move {
                    let load = || async { source.read().await };
                    source.cache.get_or_load(&key, &EntryOptions::new(), load).await
                })
            })
            .collect();
        until(|| source.cache.stats().misses == 100).await;
        gate.open(Outcome::Value);
        for task in tasks {
            assert_eq!(task.await.unwrap(), Ok(1));
        }
        for thread in threads {
            assert_eq!(thread.join().unwrap(), Ok(1));
        }
        assert_eq!(source.loads(), 1);
        assert_eq!(source.cache.loads_in_flight(), 0);
    }
}

/// Ends a leader's load in some way.
type Ending = fn(&Source, Stepped<'_, Result<u64, Failure>>, crate::source::Gate);

// Guards `Drop for Lead`: the flight becomes vacant and all are woken.
#[test]
fn when_a_leader_goes_one_follower_loads_and_all_are_answered() {
    let endings: [(&str, Ending); 3] = [
        ("fails", |_, leader, gate| {
            gate.open(Outcome::Failure);
            assert_eq!(leader.end(), Err(Failure::Down));
        }),
        ("panics", |_, leader, gate| {
            gate.open(Outcome::Panic);
            let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| leader.end()));
            assert!(caught.is_err());
        }),
        ("is dropped", |_, leader, gate| {
            drop(leader);
            assert!(gate.is_abandoned());
        }),
    ];
    for (name, end) in endings {
        let source = Source::new(cache());
        let gate = source.hold();
        let leader = Stepped::waiting(source.find(1));
        let followers: Vec<_> = (0..4).map(|_| Stepped::waiting(source.find(1))).collect();
        end(&source, leader, gate);
        for follower in followers {
            assert_eq!(follower.end(), Ok(1), "the leader {name}");
        }
        assert_eq!(source.loads(), 2, "the leader {name}");
        assert_eq!(source.cache.loads_in_flight(), 0, "the leader {name}");
    }
}

// As above, for callers that keep their threads.
#[test]
fn when_a_leader_that_blocks_goes_one_follower_loads() {
    for outcome in [Outcome::Failure, Outcome::Panic] {
        let source = Source::new(cache());
        let gate = source.hold();
        let call = |source: &Source| {
            let source = source.clone();
            thread::spawn(move || source.look(1))
        };
        let leader = call(&source);
        let gate = gate.begun_blocking();
        let followers: Vec<_> = (0..4).map(|_| call(&source)).collect();
        while source.cache.stats().followers < 4 {
            thread::yield_now();
        }
        gate.open(outcome);
        assert!(!matches!(leader.join(), Ok(Ok(_))), "{outcome:?}");
        for follower in followers {
            assert_eq!(follower.join().unwrap(), Ok(1), "{outcome:?}");
        }
        assert_eq!(source.loads(), 2, "{outcome:?}");
        assert_eq!(source.cache.loads_in_flight(), 0, "{outcome:?}");
    }
}

// Guards `Drop for Follow` (the last one takes the vacant flight away) and that a load ends with its call.
#[test]
fn when_all_have_gone_the_load_is_cancelled() {
    let source = Source::new(cache());
    let gate = source.hold();
    let leader = Stepped::waiting(source.find(1));
    let followers: Vec<_> = (0..3).map(|_| Stepped::waiting(source.find(1))).collect();
    drop(leader);
    drop(followers);
    assert!(gate.is_abandoned());
    assert_eq!((source.loads(), source.cache.loads_in_flight()), (1, 0));
    assert_eq!(Stepped::new(source.find(1)).end(), Ok(1), "nobody waits for who is gone");
}

// Guards the waking of all followers in `Drop for Lead`: were only one woken, and dropped, nobody would take over.
#[test]
fn a_follower_that_goes_changes_nothing() {
    let source = Source::new(cache());
    let gate = source.hold();
    let leader = Stepped::waiting(source.find(1));
    let (gone, stays) = (Stepped::waiting(source.find(1)), Stepped::waiting(source.find(1)));
    drop(gone);
    gate.open(Outcome::Value);
    assert_eq!((leader.end(), stays.end(), source.loads()), (Ok(1), Ok(1), 1));

    let gate = source.hold();
    let leader = Stepped::waiting(source.find(2));
    let (gone, stays) = (Stepped::waiting(source.find(2)), Stepped::waiting(source.find(2)));
    drop(leader);
    drop(gone);
    assert!(gate.is_abandoned());
    assert_eq!((stays.end(), source.loads()), (Ok(1), 3));
    assert_eq!(source.cache.loads_in_flight(), 0);
}

// Guards `turned_away` in `enter`: a caller whose every wait ends in vain loads for itself.
#[test]
fn a_caller_does_not_wait_for_ever_for_loads_that_fail() {
    let source = Source::new(cache());
    let gates: Vec<_> = (0..4).map(|_| source.hold()).collect();
    let mut calls: Vec<_> = (0..4).map(|_| Stepped::waiting(source.find(1))).collect();
    for gate in gates {
        gate.open(Outcome::Failure);
        let ended: Vec<_> = calls.iter_mut().map(Stepped::run).collect();
        assert_eq!(ended.iter().flatten().count(), 1, "each failure goes to the caller who loaded: {ended:?}");
        let mut ended = ended.into_iter();
        calls.retain(|_| ended.next().flatten().is_none());
    }
    assert_eq!((source.loads(), source.cache.loads_in_flight()), (4, 0));
}

// Guards `policy.single_flight` in `enter`.
#[test]
fn without_single_flight_each_caller_loads() {
    let source = Source::new(cache());
    source.cache.set_method_config("source.find", cachex::MethodSettings::new().single_flight(false)).unwrap();
    let gates = [source.hold(), source.hold()];
    let calls = [Stepped::waiting(source.find(1)), Stepped::waiting(source.find(1))];
    assert_eq!(source.loads(), 2);
    gates.into_iter().for_each(|gate| gate.open(Outcome::Value));
    assert_eq!(calls.map(Stepped::end), [Ok(1), Ok(1)]);
}

#[test]
fn a_loader_of_a_thousand_keys_leaves_no_flight() {
    let cache = cache();
    let loads = AtomicUsize::new(0);
    for id in 0_u64..1_000 {
        let load = || Ok::<_, Failure>(loads.fetch_add(1, Ordering::SeqCst));
        cache.blocking().get_or_load(&Key::new("many").part(&id), &EntryOptions::new(), load).unwrap();
    }
    assert_eq!((loads.into_inner(), cache.loads_in_flight()), (1_000, 0));
}

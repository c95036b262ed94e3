//! Locks: one holder at a time, tokens that grow, and an end.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Waker};
use std::thread;
use std::time::Duration;

use cachex::time::{Clock, ManualClock, Sleep, SystemClock, Timestamp};
use cachex::{Cache, LockGuard};
use cachex_tests::redis::Server;

use super::{all_places, connected, key, pause, places, until};

const LONG: Duration = Duration::from_secs(3600);
const SHORT: Duration = Duration::from_millis(50);

fn lock(cache: &Cache, name: &str, ttl: Duration) -> Option<LockGuard> {
    cache.blocking().try_lock(&key(name), ttl).unwrap()
}

#[test]
fn one_holds_a_lock_until_it_is_given_back() {
    for place in places() {
        let (nodes, name) = (place.nodes(2), place.name);
        let first = lock(&nodes[0], "lock", LONG).unwrap();
        assert!(first.is_held(), "{name}");
        assert!(lock(&nodes[1], "lock", LONG).is_none(), "{name}");
        assert!(lock(&nodes[0], "lock", LONG).is_none(), "{name}: not even once more by the same");
        let other = lock(&nodes[1], "another", LONG);
        assert!(other.is_some_and(|other| other.blocking_release().unwrap()), "{name}");
        let token = first.fencing_token();
        assert!(first.blocking_release().unwrap(), "{name}");
        let second = lock(&nodes[1], "lock", LONG).unwrap();
        assert!(second.fencing_token() > token, "{name}");
    }
}

#[test]
fn a_lock_has_nothing_to_do_with_what_the_key_has_else() {
    for place in places() {
        let (cache, name) = (place.node(), place.name);
        let guard = lock(&cache, "lock", LONG).unwrap();
        assert_eq!(cache.blocking().increment(&key("lock"), 1).unwrap(), 1, "{name}");
        assert!(cache.blocking().remove_structure(&key("lock")).unwrap(), "{name}");
        let _was_there = cache.blocking().remove(&key("lock"));
        cache.clear().wait();
        assert!(lock(&cache, "lock", LONG).is_none(), "{name}");
        assert!(guard.blocking_release().unwrap(), "{name}");
    }
}

#[test]
fn a_dropped_guard_gives_its_lock_back() {
    for place in places() {
        let nodes = place.nodes(2);
        drop(lock(&nodes[0], "lock", LONG).unwrap());
        until("the lock is given back", || lock(&nodes[1], "lock", LONG));
    }
}

#[test]
fn whoever_is_late_has_lost_the_lock_and_can_do_the_next_one_no_harm() {
    for place in places() {
        let (nodes, name) = (place.nodes(2), place.name);
        let late = lock(&nodes[0], "lock", SHORT).unwrap();
        let next = until("the lock ends", || lock(&nodes[1], "lock", LONG));
        assert!(!late.is_held(), "{name}: known before another one has it");
        assert!(next.fencing_token() > late.fencing_token(), "{name}");
        assert!(!late.blocking_renew(LONG).unwrap(), "{name}");
        assert!(!late.is_held(), "{name}");
        assert!(!late.blocking_release().unwrap(), "{name}");
        assert!(next.is_held() && next.blocking_renew(LONG).unwrap(), "{name}");
        assert!(lock(&nodes[0], "lock", LONG).is_none(), "{name}");
    }
}

#[test]
fn a_lock_is_renewed_and_never_shortened() {
    for place in places() {
        let (nodes, name) = (place.nodes(2), place.name);
        let guard = lock(&nodes[0], "lock", 10 * SHORT).unwrap();
        assert!(guard.blocking_renew(LONG).unwrap(), "{name}");
        assert!(guard.blocking_renew(SHORT).unwrap(), "{name}");
        pause(12 * SHORT);
        assert!(guard.is_held(), "{name}");
        assert!(lock(&nodes[1], "lock", LONG).is_none(), "{name}");
    }
}

#[test]
fn a_lock_that_is_kept_alive_outlives_its_ttl_and_ends_with_its_guard() {
    for place in places() {
        let (nodes, name) = (place.nodes(2), place.name);
        // A machine that runs all tests at once is slow: a renewal that is late by a second is no fault.
        let ttl = Duration::from_secs(3);
        let mut guard = lock(&nodes[0], "lock", ttl).unwrap();
        guard.keep_alive();
        for _ in 0..20 {
            pause(ttl / 10);
            assert!(guard.is_held(), "{name}");
            assert!(lock(&nodes[1], "lock", ttl).is_none(), "{name}");
        }
        drop(guard);
        let taken = until("the lock is given back", || lock(&nodes[1], "lock", ttl));
        drop(taken);
    }
}

#[test]
fn in_memory_a_lock_lives_in_the_time_of_the_cache() {
    let clock = ManualClock::new();
    let cache = crate::builder().clock(clock.clone()).build().unwrap();
    let (minute, key) = (Duration::from_secs(60), key("lock"));
    let mut guard = cache.blocking().try_lock(&key, minute).unwrap().unwrap();
    guard.keep_alive();
    until("the renewal waits", || (clock.sleepers() > 0).then_some(()));
    for _ in 0..10 {
        clock.advance(minute / 3);
        until("it is renewed, and waits again", || (clock.sleepers() > 0).then_some(()));
        assert!(guard.is_held());
    }
    drop(guard);
    assert!(cache.blocking().try_lock(&key, minute).unwrap().is_some(), "at once");
}

/// A clock of a process that has just been started, on a given day.
#[derive(Debug)]
struct Day(Duration, ManualClock);

impl Clock for Day {
    fn now(&self) -> Timestamp {
        self.1.now()
    }

    fn sleep(&self, until: Timestamp) -> Sleep {
        self.1.sleep(until)
    }

    fn unix_time(&self) -> Duration {
        self.0
    }
}

/// What the resource has seen of a process before is not to refuse the next one.
#[test]
fn in_memory_tokens_grow_from_one_process_to_the_next_whatever_the_time_of_day() {
    let (mut last, ttl) = (0, Duration::from_secs(60));
    for (day, uptime) in [(100, LONG), (110, Duration::ZERO)] {
        let clock = ManualClock::new();
        clock.advance(uptime);
        let cache = crate::builder().clock(Day(Duration::from_secs(day), clock)).build().unwrap();
        for _ in 0..3 {
            let guard = lock(&cache, "lock", ttl).unwrap();
            assert!(guard.fencing_token() > last, "{} after {last}", guard.fencing_token());
            last = guard.fencing_token();
            assert!(guard.blocking_release().unwrap());
        }
    }
}

// The lock is all that keeps the two steps of each turn together.
#[test]
fn no_two_hold_a_lock_at_once_and_tokens_grow() {
    for place in all_places() {
        let (nodes, name) = (place.nodes(4), place.name);
        let (is_taken, last, turns) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
        thread::scope(|scope| {
            for node in &nodes {
                scope.spawn(|| {
                    for _ in 0..40 {
                        let guard = until("it is this one's turn", || lock(node, "lock", LONG));
                        assert!(!is_taken.swap(true, Ordering::SeqCst), "{name}: two at once");
                        assert!(last.swap(guard.fencing_token(), Ordering::SeqCst) < guard.fencing_token(), "{name}");
                        turns.store(turns.load(Ordering::SeqCst) + 1, Ordering::SeqCst);
                        is_taken.store(false, Ordering::SeqCst);
                        assert!(guard.blocking_release().unwrap(), "{name}");
                    }
                });
            }
        });
        assert_eq!(turns.into_inner(), 160, "{name}");
    }
}

// Guards the second name of a lock, and that its token is not below the time: what is lost is not given again.
#[test]
fn tokens_grow_also_where_all_was_lost() {
    for place in places() {
        let cache = place.node();
        let mut last = 0;
        for _ in 0..3 {
            let guard = lock(&cache, "lock", LONG).unwrap();
            assert!(guard.fencing_token() > last, "{}", place.name);
            last = guard.fencing_token();
            guard.blocking_release().unwrap();
            if let super::Kind::Redis(server) = &place.kind {
                server.command(&["FLUSHALL"]).unwrap();
            }
        }
    }
}

/// Each key that was ever locked takes room for as long.
#[test]
fn in_redis_a_token_is_remembered_for_ten_minutes_from_when_its_lock_was_given_back() {
    let place = super::Place { name: "redis", kind: super::Kind::Redis(Server::start()) };
    let super::Kind::Redis(server) = &place.kind else { return };
    let cache = place.node();
    let left = |server: &Server| {
        let names = server.command(&["KEYS", "*:n:*"]).unwrap();
        let name = names.lines().find(|line| line.contains(":n:")).unwrap().to_owned();
        let left = server.command(&["PTTL", &name]).unwrap();
        left.trim().trim_start_matches(':').parse::<i64>().unwrap()
    };
    let guard = lock(&cache, "lock", LONG).unwrap();
    assert!(left(server) > 3_600_000);
    assert!(guard.blocking_release().unwrap());
    assert!((1..=600_000).contains(&left(server)));
    // A token that is ahead of the server's time, as after that was set back by an hour, is remembered until it is not.
    let names = server.command(&["KEYS", "*:n:*"]).unwrap();
    let name = names.lines().find(|line| line.contains(":n:")).unwrap().to_owned();
    let last = SystemClock.unix_time() + LONG;
    server.command(&["SET", &name, &last.as_micros().to_string()]).unwrap();
    let guard = lock(&cache, "lock", SHORT).unwrap();
    assert!(u128::from(guard.fencing_token()) > last.as_micros());
    guard.blocking_release().unwrap();
    assert!(left(server) > 3_600_000);
}

#[tokio::test]
async fn a_future_that_was_dropped_leaves_no_lock_behind() {
    for place in places() {
        let cache = connected(place.builder());
        let at = key("lock");
        // The server knows the script from here on: what it is sent is done without another question.
        assert!(cache.try_lock(&at, LONG).await.unwrap().unwrap().release().await.unwrap());
        let mut asking = Box::pin(cache.try_lock(&at, LONG));
        let first = asking.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        if let super::Kind::Redis(server) = &place.kind {
            let is_given = || server.command(&["KEYS", "*:x:*"]).unwrap().contains(":x:").then_some(());
            until("the server has given it", is_given);
        }
        drop((first, asking));
        until("it is given back", || cache.blocking().try_lock(&at, LONG).unwrap());
    }
}

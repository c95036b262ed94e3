//! Who leaves for room: the policy that the configuration names.

use cachex::{Cache, EntryOptions};

use super::{POLICIES, configured, fill, key};

const CAPACITY: u64 = 50;

fn with(policy: &str) -> Cache {
    configured(&format!("max_entries = {CAPACITY}\neviction = \"{policy}\""))
}

fn is_hit(cache: &Cache, id: u64) -> bool {
    cache.blocking().get::<u64>(&key(id)).unwrap().is_some()
}

/// Fills a cache, uses one of its first entries, and returns which of `0..3` are left after so many more came.
fn left(policy: &str, used: u64, more: u64) -> Vec<u64> {
    let cache = with(policy);
    fill(&cache, 0..CAPACITY);
    assert!(is_hit(&cache, used), "{policy}");
    fill(&cache, CAPACITY..CAPACITY + more);
    (0..3).filter(|id| cache.blocking().exists(&key(*id))).collect()
}

#[test]
fn of_the_least_recently_used_the_first_leaves() {
    assert_eq!(left("lru", 0, 2), [0]);
    assert_eq!(left("lru", 0, CAPACITY - 1), [0]);
    assert!(left("lru", 0, CAPACITY).is_empty());
}

#[test]
fn of_a_queue_the_first_leaves_used_or_not() {
    assert_eq!(left("fifo", 0, 1), [1, 2]);
    assert_eq!(left("fifo", 0, 2), [2]);
}

#[test]
fn what_is_used_leaves_later_in_a_queue_that_is_swept() {
    assert_eq!(left("sieve", 0, 2), [0]);
}

/// Calls as a program would under a scan: a few keys often, and very many once. Returns how many calls hit.
fn hits_under_a_scan(policy: &str) -> usize {
    let cache = with(policy);
    let call = |id: u64| {
        let found = is_hit(&cache, id);
        if !found {
            cache.blocking().set(&key(id), id, &EntryOptions::new()).unwrap();
        }
        usize::from(found)
    };
    (0..20_000_u64).map(|step| if step.is_multiple_of(4) { call(step / 4 % 20) } else { call(1_000_000 + step) }).sum()
}

#[test]
fn a_scan_does_not_drive_out_what_is_called_often() {
    // 5 000 of the calls are of the 20 often called keys, each of them again after 60 other keys: more than there is room for.
    assert_eq!((hits_under_a_scan("lru"), hits_under_a_scan("fifo")), (0, 0));
    for policy in ["s3-fifo", "lfu"] {
        let hits = hits_under_a_scan(policy);
        assert!(hits > 2_000, "{policy}: {hits}");
    }
}

#[test]
fn every_policy_that_can_be_named_keeps_what_came_last() {
    for policy in POLICIES {
        let cache = with(policy);
        for id in 0..10 * CAPACITY {
            fill(&cache, id..id + 1);
            assert!(is_hit(&cache, id), "{policy}: {id}");
        }
    }
}

#[test]
fn a_run_can_be_repeated() {
    for policy in POLICIES {
        let run = || {
            let settings = cachex::Settings::from_toml_str(&format!("memory.eviction = \"{policy}\"")).unwrap();
            let clock = cachex::time::ManualClock::new();
            let builder = Cache::builder().settings(settings).clock(clock).max_entries(CAPACITY);
            let cache = builder.build().unwrap();
            fill(&cache, 0..4 * CAPACITY);
            (0..4 * CAPACITY).filter(|id| cache.blocking().exists(&key(*id))).collect::<Vec<_>>()
        };
        assert_eq!(run(), run(), "{policy}");
    }
}

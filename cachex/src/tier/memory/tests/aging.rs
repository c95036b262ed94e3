//! What is dead goes without being asked for.

use super::*;
use crate::entry::Freshness;

fn idle(created_at: u64, tti: u64) -> Life {
    Life {
        created_at: seconds(created_at),
        accessed_at: seconds(created_at),
        tti: Some(Duration::from_secs(tti)),
        ..forever()
    }
}

fn reclaim(tier: &L1, now: u64) -> (Vec<u64>, Vec<u64>) {
    let reclaimed = tier.reclaim(seconds(now), &|_| true, &mut Walk::ended(), 0);
    tier.check_invariants();
    (numbers(&reclaimed.expired), numbers(&reclaimed.invalidated))
}

#[test]
fn entries_leave_at_their_deadlines_and_not_before() {
    each_tier(ENTRIES_IN_MANY_SHARDS, None, |tier| {
        (1..=9).for_each(|key| _ = put(&tier, key, entry_with(key, 1, between(0, 10 * key))));
        put(&tier, 100, entry(100));
        assert_eq!(tier.memory.next_deadline(), Some(seconds(10)));
        assert_eq!(reclaim(&tier, 9), (vec![], vec![]));
        assert_eq!(reclaim(&tier, 40), (vec![1, 2, 3, 4], vec![]));
        assert_eq!(tier.memory.next_deadline(), Some(seconds(50)));
        assert_eq!(reclaim(&tier, 1_000_000), (vec![5, 6, 7, 8, 9], vec![]));
        assert_eq!(tier.memory.next_deadline(), None);
        assert_eq!(keys(&tier), [100]);
        assert_eq!(
            tier.memory.due_at.load(Ordering::Relaxed),
            Timestamp::NEVER.as_nanos(),
            "the next call has nothing to look for"
        );
    });
}

#[test]
fn an_expired_entry_stays_for_its_grace() {
    each_tier(10, None, |tier| {
        let life = Life { grace: Duration::from_secs(5), ..between(0, 10) };
        put(&tier, 1, entry_with(1_u64, 1, life));
        assert_eq!(reclaim(&tier, 14), (vec![], vec![]));
        assert_eq!(reclaim(&tier, 15), (vec![1], vec![]));
    });
}

#[test]
fn an_access_puts_off_the_end_of_an_idle_entry() {
    each_tier(10, None, |tier| {
        for key in 1..=2 {
            put(&tier, key, entry_with(key, 1, idle(0, 10)));
        }
        let found = peek(&tier, 1).expect("it was stored");
        assert_eq!(found.access(|| seconds(8)), Freshness::Fresh);
        assert_eq!(reclaim(&tier, 10), (vec![2], vec![]));
        assert_eq!(tier.memory.next_deadline(), Some(seconds(18)));
        assert_eq!(reclaim(&tier, 17), (vec![], vec![]));
        assert_eq!(reclaim(&tier, 18), (vec![1], vec![]));
    });
}

#[test]
fn a_replaced_entry_leaves_at_the_deadline_of_the_new_one() {
    each_tier(10, None, |tier| {
        for expires_at in [10, 30, 20] {
            put(&tier, 1, entry_with(1_u64, 1, between(0, expires_at)));
        }
        assert_eq!(tier.memory.next_deadline(), Some(seconds(20)));
        assert_eq!(reclaim(&tier, 19), (vec![], vec![]));
        assert_eq!(reclaim(&tier, 20), (vec![1], vec![]));
    });
}

#[test]
fn a_removed_entry_leaves_no_deadline() {
    each_tier(10, None, |tier| {
        put(&tier, 1, entry_with(1_u64, 1, between(0, 10)));
        remove(&tier, 1);
        assert_eq!(tier.memory.next_deadline(), None);
        put(&tier, 2, entry(2));
        assert_eq!(reclaim(&tier, 100), (vec![], vec![]));
    });
}

#[test]
fn more_expired_entries_than_leave_at_a_time_leave_all_the_same() {
    each_tier(10_000, None, |tier| {
        (0..3000).for_each(|key| _ = put(&tier, key, entry_with(key, 1, between(0, 10))));
        assert_eq!(reclaim(&tier, 10).0.len(), 3000);
        assert_eq!(tier.len(), 0);
    });
}

#[test]
fn dead_entries_make_room_before_live_ones() {
    for (_, eviction) in Eviction::NAMES {
        let tier = tier(3, None, eviction);
        put(&tier, 1, entry(1));
        put(&tier, 2, entry_with(2_u64, 1, between(0, 10)));
        put(&tier, 3, entry_with(3_u64, 1, idle(0, 10)));
        // It was used later than all others.
        get(&tier, 2);
        let (_, evicted) = put(&tier, 4, entry_with(4_u64, 1, between(10, 99)));
        let (_, later) = put(&tier, 5, entry_with(5_u64, 1, between(10, 99)));
        assert_eq!((numbers(&evicted), numbers(&later)), (vec![2], vec![3]), "{eviction}");
    }
}

#[test]
fn what_is_not_current_leaves_in_a_full_scan() {
    each_tier(ENTRIES_IN_MANY_SHARDS, None, |tier| {
        (0..1000).for_each(|key| _ = put(&tier, key, entry(key)));
        let reclaimed =
            tier.reclaim(seconds(0), &|entry| !number(entry).is_multiple_of(3), &mut Walk::default(), usize::MAX);
        assert_eq!(numbers(&reclaimed.invalidated), (0..1000).step_by(3).collect::<Vec<_>>());
        assert!(reclaimed.expired.is_empty());
        tier.check_invariants();
    });
}

#[test]
fn what_is_not_current_leaves_in_a_walk_of_small_parts() {
    each_tier(ENTRIES_IN_MANY_SHARDS, None, |tier| {
        (0..1000).for_each(|key| _ = put(&tier, key, entry(key)));
        let (mut walk, mut invalidated) = (Walk::default(), Vec::new());
        while !tier.has_ended(&walk) {
            let reclaimed = tier.reclaim(seconds(0), &|entry| !number(entry).is_multiple_of(3), &mut walk, 16);
            assert!(reclaimed.invalidated.len() <= 16);
            invalidated.extend(reclaimed.invalidated);
            // What comes and goes meanwhile hides nothing.
            let key = 1 + 3 * (1000 + invalidated.len() as u64);
            put(&tier, key, entry(1));
            remove(&tier, 1 + key % 333 * 3);
        }
        assert_eq!(numbers(&invalidated), (0..1000).step_by(3).collect::<Vec<_>>());
        tier.check_invariants();
    });
}

#[test]
fn a_walk_ends_although_all_is_cleared_meanwhile() {
    each_tier(ENTRIES_IN_MANY_SHARDS, None, |tier| {
        (0..1000).for_each(|key| _ = put(&tier, key, entry(key)));
        let mut walk = Walk::default();
        drop(tier.reclaim(seconds(0), &|_| true, &mut walk, 100));
        drop(tier.clear());
        put(&tier, 1, entry(1));
        drop(tier.reclaim(seconds(0), &|_| true, &mut walk, usize::MAX));
        assert!(tier.has_ended(&walk));
        assert_eq!(keys(&tier), [1]);
    });
}

#[test]
fn what_never_dies_stays_to_the_end_of_time() {
    each_tier(10, None, |tier| {
        put(&tier, 1, entry(1));
        put(&tier, 2, entry_with(2_u64, 1, between(0, 10)));
        let reclaimed = tier.reclaim(Timestamp::NEVER, &|_| true, &mut Walk::default(), usize::MAX);
        assert_eq!(numbers(&reclaimed.expired), [2]);
        assert_eq!(keys(&tier), [1]);
    });
}

#[test]
fn an_empty_tier_has_nothing_to_reclaim() {
    each_tier(10, None, |tier| {
        for slots in [0, 1, usize::MAX] {
            let reclaimed = tier.reclaim(seconds(10), &|_| false, &mut Walk::default(), slots);
            assert!(reclaimed.expired.is_empty() && reclaimed.invalidated.is_empty());
        }
    });
}

//! What is moka's own: who leaves, and when.

use super::*;

/// Panics unless each of `0..count` is either in the tier or among those that left.
fn check_accounted(tier: &L1, mut left: Vec<u64>, count: u64) {
    left.extend(keys(tier));
    left.sort_unstable();
    assert_eq!(left, (0..count).collect::<Vec<_>>());
}

#[test]
fn the_bound_of_entries_is_exceeded_by_a_batch_at_most() {
    for (max_entries, slack) in [(3, 0), (640, 10), (10_000, 64)] {
        for eviction in [Eviction::Lfu, Eviction::Lru] {
            let tier = moka_tier(max_entries, None, eviction);
            let mut left = Vec::new();
            for key in 0..2 * max_entries {
                left.extend(numbers(&put(&tier, key, entry(key)).1));
                assert!(tier.len() <= max_entries + slack, "{eviction}: {} entries", tier.len());
            }
            left.extend(numbers(&tier.trim()));
            assert_eq!(tier.len(), max_entries, "{eviction}");
            check_accounted(&tier, left, 2 * max_entries);
            tier.check_invariants();
        }
    }
}

#[test]
fn heavy_entries_are_not_gathered_in_a_batch() {
    let tier = moka_tier(1_000_000, Some(1 << 20), Eviction::Lru);
    let mut left = Vec::new();
    for key in 0..50 {
        left.extend(numbers(&put(&tier, key, entry_with(key, 300_000, forever())).1));
        assert!(tier.weight() <= 3 * 300_000, "{} bytes", tier.weight());
    }
    check_accounted(&tier, left, 50);
}

#[test]
fn lru_evicts_in_the_order_of_the_last_use() {
    let tier = moka_tier(3, None, Eviction::Lru);
    (1..=3).for_each(|key| _ = put(&tier, key, entry(key)));
    // Of a batch, moka takes the look-ups before what was stored.
    tier.trim();
    get(&tier, 1);
    has(&tier, 2);
    tier.trim();
    put(&tier, 3, entry(33));
    let mut order = Vec::new();
    for key in 4..7 {
        order.extend(numbers(&put(&tier, key, entry(key)).1));
    }
    assert_eq!(order, [2, 1, 3], "a look without noting is no use; a replacement is one");
}

/// A tier of one entry too many, of which moka has given up that of key 0.
fn with_one_given_up() -> L1 {
    let tier = moka_tier(64, None, Eviction::Lru);
    (0..65).for_each(|key| _ = put(&tier, key, entry(key)));
    assert_eq!(tier.len(), 65, "a batch is not full");
    // Each is noted; moka cleans up once so many were.
    (0..1000).for_each(|_| _ = get(&tier, 64));
    tier
}

// Guards the question in `Moka::sweep` whether moka keeps it again.
#[test]
fn what_is_stored_anew_does_not_leave_for_having_been_given_up_before() {
    let tier = with_one_given_up();
    let (replaced, evicted) = put(&tier, 0, entry(100));
    assert_eq!((replaced.map(|entry| value(&entry)), evicted.len()), (Some(0), 0));
    assert_eq!(get(&tier, 0), Some(100));
    assert_eq!(numbers(&tier.trim()), [1]);
    tier.check_invariants();
}

#[test]
fn a_reader_that_makes_moka_clean_up_leaves_what_left_to_the_next_who_asks() {
    let tier = with_one_given_up();
    tier.check_invariants();
    assert_eq!(numbers(&tier.trim()), [0]);
    assert_eq!((tier.len(), tier.trim().len()), (64, 0));
}

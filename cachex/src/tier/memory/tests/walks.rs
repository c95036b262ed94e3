//! Walks over all entries.

use super::*;

#[test]
fn a_walk_sees_every_entry_once() {
    each_tier(ENTRIES_IN_MANY_SHARDS, None, |tier| {
        (0..1000).for_each(|key| _ = put(&tier, key, entry(key)));
        assert_eq!(keys(&tier), (0..1000).collect::<Vec<_>>());
    });
}

#[test]
fn retain_removes_and_returns_what_is_not_kept() {
    each_tier(ENTRIES_IN_MANY_SHARDS, None, |tier| {
        (0..1000).for_each(|key| _ = put(&tier, key, entry(key)));
        let removed = tier.retain(&mut |entry| number(entry) >= 990 && value(entry) >= 995);
        assert_eq!(numbers(&removed), (0..995).collect::<Vec<_>>());
        assert_eq!(keys(&tier), [995, 996, 997, 998, 999]);
        tier.check_invariants();
    });
}

#[test]
fn retain_leaves_alone_what_was_replaced_while_it_was_judged() {
    each_tier(10, None, |tier| {
        put(&tier, 1, entry(1));
        let removed = tier.retain(&mut |_| {
            put(&tier, 1, entry(2));
            false
        });
        assert!(removed.is_empty());
        assert_eq!(get(&tier, 1), Some(2));
    });
}

#[test]
fn remove_same_removes_only_the_very_entry() {
    let tier = tier(10, None, Eviction::default());
    let [first, second] = [1, 1].map(|value| {
        put(&tier, 1, entry(value));
        peek(&tier, 1).expect("it was stored")
    });
    assert!(!tier.memory.remove_same(&first));
    assert!(has(&tier, 1));
    assert!(tier.memory.remove_same(&second));
    assert!(!tier.memory.remove_same(&second));
    tier.check_invariants();
}

#[test]
fn keys_that_share_a_hash_are_told_apart() {
    let limits = Limits { max_entries: 10, max_bytes: None };
    let tier = flooded(limits, Eviction::default());
    for key in 1..=3 {
        assert!(put(&tier, key, entry(10 * key)).0.is_none());
    }
    let found = || [1, 2, 3, 4].map(|key| get(&tier, key));
    assert_eq!(found(), [Some(10), Some(20), Some(30), None]);
    assert_eq!(remove(&tier, 2).map(|entry| value(&entry)), Some(20));
    assert_eq!(found(), [Some(10), None, Some(30), None]);
    tier.check_invariants();
}

#[test]
fn keys_that_share_a_hash_displace_each_other_and_stay_few() {
    for (_, eviction) in Eviction::NAMES {
        let limits = Limits { max_entries: 100_000, max_bytes: None };
        let tier = flooded(limits, eviction);
        for key in 0..500 {
            let (replaced, evicted) = put(&tier, key, entry(key));
            assert!(replaced.is_none());
            // As many as fit into the buckets that a look-up may have to see.
            assert_eq!(evicted.len(), usize::from(key >= 16 * 7), "{eviction}: key {key}");
            assert_eq!(get(&tier, key), Some(key), "{eviction}");
        }
        assert_eq!(tier.len(), 16 * 7, "{eviction}");
        tier.check_invariants();
    }
}

//! Exactly as much is kept as the limits say.

use super::*;

#[test]
fn a_tier_for_three_entries_keeps_three() {
    for (_, eviction) in Eviction::NAMES {
        let tier = tier(3, None, eviction);
        for key in 0..20 {
            let (_, evicted) = put(&tier, key, entry(key));
            assert_eq!(evicted.len(), usize::from(key >= 3), "{eviction}");
            assert_eq!(tier.len(), (key + 1).min(3), "{eviction}");
            assert!(has(&tier, key), "{eviction} keeps what was stored last");
            tier.check_invariants();
        }
    }
}

#[test]
fn a_tier_of_many_shards_keeps_any_keys_up_to_its_bound_and_not_one_more() {
    for (_, eviction) in Eviction::NAMES {
        let tier = tier(ENTRIES_IN_MANY_SHARDS, None, eviction);
        assert_eq!(tier.memory.table.shards(), 8);
        for key in 0..ENTRIES_IN_MANY_SHARDS {
            assert!(put(&tier, key, entry(key)).1.is_empty(), "{eviction}");
        }
        for key in ENTRIES_IN_MANY_SHARDS..2 * ENTRIES_IN_MANY_SHARDS {
            assert_eq!(put(&tier, key, entry(key)).1.len(), 1, "{eviction}");
            assert_eq!(tier.len(), ENTRIES_IN_MANY_SHARDS, "{eviction}");
        }
        tier.check_invariants();
    }
}

#[test]
fn an_insert_takes_room_from_other_shards_when_its_own_has_none_to_give() {
    let tier = tier(ENTRIES_IN_MANY_SHARDS, None, Eviction::S3Fifo);
    let index = |key: u64| tier.memory.table.shard_of(tier.key_ref(&key.to_be_bytes()).hash);
    (0..)
        .filter(|key| index(*key) != 0)
        .take(ENTRIES_IN_MANY_SHARDS as usize)
        .for_each(|key| _ = put(&tier, key, entry(key)));
    assert_eq!(tier.len(), ENTRIES_IN_MANY_SHARDS);
    let newcomers: Vec<u64> = (1_000_000..).filter(|key| index(*key) == 0).take(ENTRIES_A_SHARD as usize / 2).collect();
    for key in &newcomers {
        assert_eq!(put(&tier, *key, entry(*key)).1.len(), 1);
    }
    assert!(newcomers.iter().all(|key| has(&tier, *key)), "none gave way to another newcomer");
    tier.check_invariants();
}

// Guards that the numbers of slots begin anew: what is kept of each would grow for ever.
#[test]
fn a_tier_that_is_emptied_again_and_again_keeps_no_more_slots_than_it_needs() {
    for (_, eviction) in Eviction::NAMES {
        let tier = tier(20, None, eviction);
        for _ in 0..5 {
            (0..10).for_each(|key| _ = put(&tier, key, entry(key)));
            assert_eq!(tier.memory.table.own(0).nodes().numbers(), 10, "{eviction}");
            tier.check_invariants();
            assert_eq!(tier.clear().len(), 10, "{eviction}");
        }
    }
}

#[test]
fn the_weight_is_the_sum_of_what_is_there() {
    each_tier(100, Some(1000), |tier| {
        for (key, weight) in [(1, 100), (2, 250), (3, 1)] {
            put(&tier, key, entry_with(key, weight, forever()));
        }
        assert_eq!(tier.weight(), 351);
        put(&tier, 2, entry_with(2_u64, 50, forever()));
        assert_eq!(tier.weight(), 151);
        remove(&tier, 1);
        assert_eq!(tier.weight(), 51);
        tier.clear();
        assert_eq!((tier.weight(), tier.len()), (0, 0));
    });
}

#[test]
fn heavy_entries_displace_as_many_light_ones_as_they_need() {
    let tier = tier(100, Some(100), Eviction::Fifo);
    (0..10).for_each(|key| _ = put(&tier, key, entry_with(key, 10, forever())));
    let (_, evicted) = put(&tier, 10, entry_with(10_u64, 35, forever()));
    assert_eq!(numbers(&evicted), [0, 1, 2, 3]);
    assert_eq!(tier.weight(), 95);
}

#[test]
fn an_entry_that_grows_displaces_others_and_is_kept() {
    for (_, eviction) in Eviction::NAMES {
        let tier = tier(100, Some(100), eviction);
        (0..10).for_each(|key| _ = put(&tier, key, entry_with(key, 10, forever())));
        let (replaced, evicted) = put(&tier, 0, entry_with(70_u64, 70, forever()));
        assert_eq!(replaced.map(|entry| value(&entry)), Some(0), "{eviction}");
        assert!(evicted.iter().all(|entry| number(entry) != 0), "{eviction}");
        assert_eq!(get(&tier, 0), Some(70), "{eviction}");
        assert_eq!(tier.weight(), 170 - 10 - 10 * evicted.len() as u64, "{eviction}");
        tier.check_invariants();
    }
}

#[test]
fn a_very_heavy_entry_finds_room_in_a_tier_of_many_shards() {
    for (_, eviction) in Eviction::NAMES {
        // How many shards there are, and of how many light entries a heavy one needs the room.
        for (shards, needed) in [(8, 4096), (8, 8000), (8, 8192), (2, 1024), (2, 1945), (2, 2048)] {
            let light = shards * 1024;
            let tier = tier(1 << 20, Some(light * 1024), eviction);
            let shard = |index: u64| tier.memory.table.own(index as usize).len() as u64;
            assert_eq!(tier.memory.table.shards() as u64, shards);
            (0..light).for_each(|key| _ = put(&tier, key, entry_with(key, 1024, forever())));
            let before: Vec<u64> = (0..shards).map(shard).collect();
            let heavy = put(&tier, 9999, entry_with(9999_u64, needed * 1024, forever()));
            assert!(has(&tier, 9999), "{eviction}: it stays");
            assert_eq!(heavy.1.len() as u64, needed, "{eviction}: as many leave as it needs");
            tier.check_invariants();
            let after = (0..shards).map(shard);
            let gave = before.iter().zip(after).map(|(before, after)| before.saturating_sub(after));
            // Within a batch or two: its own shard by its weight, the others in turns.
            let (least, most) = (needed / shards - needed / shards / 4, needed / shards + needed / shards / 4);
            let all: Vec<u64> = gave.collect();
            assert!(all.iter().all(|gave| (least..=most).contains(gave)), "{eviction}: of {before:?} left {all:?}");
        }
    }
}

#[test]
fn a_heavy_entry_finds_room_where_its_own_shard_holds_most_of_all() {
    for (_, eviction) in Eviction::NAMES {
        for others in [0, 1, 200] {
            let tier = tier(1 << 20, Some(2 << 20), eviction);
            let is_own = |key: &u64| tier.memory.table.shard_of(tier.key_ref(&key.to_be_bytes()).hash) == 0;
            // Few heavy entries, and many light ones in the other shard.
            let own = (0..).filter(is_own).take(10).chain((10_000..).filter(|key| !is_own(key)).take(others));
            own.for_each(|key| {
                _ = put(&tier, key, entry_with(key, if key < 10_000 { 200 << 10 } else { 1 }, forever()))
            });
            let key = (1000..).find(is_own).expect("there are many");
            assert!(put(&tier, key, entry_with(key, 1 << 20, forever())).1.len() >= 5);
            assert!(has(&tier, key), "{eviction}: it stays");
            tier.check_invariants();
        }
    }
}

#[test]
fn a_heavy_entry_that_takes_the_place_of_another_one_stays() {
    for (_, eviction) in Eviction::NAMES {
        for (elder, younger) in [(512, 1945), (512, 1800), (64, 1945), (1, 1945)] {
            // Each time other keys, and so another order of what is drawn.
            for seed in 0..8 {
                let tier = tier(1 << 20, Some(2 << 20), eviction);
                let shard_of = |key: u64| tier.memory.table.shard_of(tier.key_ref(&key.to_be_bytes()).hash);
                let first = seed * 100_000;
                let own = shard_of(first);
                put(&tier, first, entry_with(first, elder << 10, forever()));
                let lights =
                    |is_own: bool| (first + 1..).filter(move |key| (shard_of(*key) == own) == is_own).take(768);
                lights(true).chain(lights(false)).for_each(|key| _ = put(&tier, key, entry_with(key, 1024, forever())));
                put(&tier, first, entry_with(first, younger << 10, forever()));
                assert!(has(&tier, first), "{eviction}: {elder} KiB, then {younger} KiB");
                tier.check_invariants();
            }
        }
    }
}

#[test]
fn an_entry_heavier_than_the_tier_is_refused_and_its_elder_removed() {
    each_tier(10, Some(100), |tier| {
        put(&tier, 1, entry_with(1_u64, 100, forever()));
        let refused = insert(&tier, 1, entry_with(2_u64, 101, forever()), || true);
        let Inserted::TooHeavy { entry, removed } = refused else { panic!("{refused:?}") };
        assert_eq!((value(&entry), removed.map(|entry| value(&entry))), (2, Some(1)));
        assert_eq!((tier.len(), tier.weight()), (0, 0));
        tier.check_invariants();
    });
}

#[test]
fn a_check_that_fails_changes_nothing() {
    for weight in [1, 1000] {
        each_tier(1, Some(100), |tier| {
            put(&tier, 1, entry(1));
            for key in 1..3_u64 {
                let inserted = insert(&tier, key, entry_with(7_u64, weight, forever()), || false);
                assert!(matches!(inserted, Inserted::Rejected(entry) if value(&entry) == 7));
                assert_eq!(get(&tier, 1), Some(1));
            }
            tier.check_invariants();
        });
    }
}

#[test]
fn lru_evicts_in_the_order_of_the_last_use() {
    let tier = tier(3, None, Eviction::Lru);
    (1..=3).for_each(|key| _ = put(&tier, key, entry(key)));
    get(&tier, 1);
    has(&tier, 2);
    put(&tier, 3, entry(33));
    let mut order = Vec::new();
    for key in 4..7 {
        order.extend(numbers(&put(&tier, key, entry(key)).1));
    }
    assert_eq!(order, [2, 1, 3], "a look without noting is no use; a replacement is one");
}

/// Bounds of the largest tiers of one shard and of the smallest ones of two, with what each entry weighs.
const ONE_SHARD: [(u64, Option<u64>, u64); 3] =
    [(255, None, 1), (255, Some(1 << 30), 1), (1 << 20, Some((2 << 20) - 1), 8 << 10)];
const TWO_SHARDS: [(u64, Option<u64>, u64); 2] = [(256, None, 1), (1 << 20, Some(2 << 20), 8 << 10)];

/// Fills a tier, uses all its entries in another order than they came, and displaces all of them. Returns them in the order of their
/// last use, and in the order in which they left.
fn use_and_displace(tier: &L1, weight: u64) -> (Vec<u64>, Vec<u64>) {
    let used = || (0..).map(|number: u64| number * 101 % 255).take(255).filter(|key| has(tier, *key)).collect();
    (0..255).for_each(|key| _ = put(tier, key, entry_with(key, weight, forever())));
    let order: Vec<u64> = used();
    assert!(order.len() > 200, "most found room");
    order.iter().for_each(|key| _ = get(tier, *key));
    let mut left = Vec::new();
    for key in 1000..1255 {
        let (_, evicted) = put(tier, key, entry_with(key, weight, forever()));
        left.extend(evicted.iter().map(number).filter(|key| *key < 255));
    }
    (order, left)
}

#[test]
fn lru_keeps_the_order_exactly_below_256_entries_or_2_mib() {
    for (max_entries, max_bytes, weight) in ONE_SHARD {
        let tier = tier(max_entries, max_bytes, Eviction::Lru);
        let (used, left) = use_and_displace(&tier, weight);
        assert_eq!(left, used, "{max_entries}, {max_bytes:?}");
    }
}

#[test]
fn lru_keeps_the_order_exactly_within_each_shard_of_a_larger_tier() {
    for (max_entries, max_bytes, weight) in TWO_SHARDS {
        let tier = tier(max_entries, max_bytes, Eviction::Lru);
        assert_eq!(tier.memory.table.shards(), 2, "{max_entries}, {max_bytes:?}");
        let (used, left) = use_and_displace(&tier, weight);
        for shard in 0..2 {
            let of_shard = |keys: &[u64]| -> Vec<u64> {
                let is_there = |key: &u64| tier.memory.table.shard_of(tier.key_ref(&key.to_be_bytes()).hash) == shard;
                keys.iter().copied().filter(is_there).collect()
            };
            let (used, left) = (of_shard(&used), of_shard(&left));
            assert!(left.len() > 50, "{left:?}");
            assert_eq!(left, used[..left.len()], "{max_entries}, {max_bytes:?}, shard {shard}");
        }
        // Not over both: the promise is not stronger than what holds.
        assert_ne!(left, used[..left.len()]);
    }
}

#[test]
fn what_is_dead_by_age_leaves_before_the_others_of_its_shard() {
    for (name, tier) in Eviction::NAMES.map(|(name, eviction)| (name, tier(ENTRIES_IN_MANY_SHARDS, None, eviction))) {
        let shard = |key: u64| tier.memory.table.shard_of(tier.key_ref(&key.to_be_bytes()).hash);
        let life = |key: u64| if key.is_multiple_of(4) { between(0, 10) } else { forever() };
        (0..ENTRIES_IN_MANY_SHARDS).for_each(|key| _ = put(&tier, key, entry_with(key, 1, life(key))));
        (0..ENTRIES_IN_MANY_SHARDS).filter(|key| key % 4 == 0).for_each(|key| _ = get(&tier, key));
        let mut dead = vec![0; tier.memory.table.shards()];
        (0..ENTRIES_IN_MANY_SHARDS).step_by(4).for_each(|key| dead[shard(key)] += 1);
        for key in 10_000..10_000 + ENTRIES_IN_MANY_SHARDS {
            let later = entry_with(key, 1, Life { created_at: seconds(20), ..forever() });
            for gone in put(&tier, key, later).1.iter().map(number) {
                let (is_dead, left) = (gone < 10_000 && gone % 4 == 0, &mut dead[shard(gone)]);
                assert_eq!(is_dead, *left > 0, "{name}: {gone} leaves, {left} are dead in its shard");
                *left -= i32::from(is_dead);
            }
        }
        assert!(dead.iter().all(|left| *left == 0), "{name}: all had their turn");
        tier.check_invariants();
    }
}

#[test]
fn fifo_evicts_in_the_order_of_storing_whatever_is_used() {
    let tier = tier(3, None, Eviction::Fifo);
    (1..=3).for_each(|key| _ = put(&tier, key, entry(key)));
    get(&tier, 1);
    put(&tier, 2, entry(22));
    let mut order = Vec::new();
    for key in 4..7 {
        order.extend(numbers(&put(&tier, key, entry(key)).1));
    }
    assert_eq!(order, [1, 3, 2]);
}

#[test]
fn a_replacement_inherits_the_uses_and_counts_as_one_more() {
    let tier = tier(10, None, Eviction::Lfu);
    put(&tier, 1, entry(1));
    (0..5).for_each(|_| _ = get(&tier, 1));
    put(&tier, 1, entry(2));
    let found = peek(&tier, 1).expect("it was stored");
    assert_eq!((value(&found), found.trace()), (2, 6));
}

#[test]
fn a_refreshed_entry_stays_as_popular_as_it_was() {
    for eviction in [Eviction::S3Fifo, Eviction::Lfu, Eviction::Sieve, Eviction::Lru] {
        let tier = tier(10, None, eviction);
        (0..10).for_each(|key| _ = put(&tier, key, entry(key)));
        (0..3).for_each(|_| _ = get(&tier, 0));
        put(&tier, 0, entry(100));
        (10..15).for_each(|key| _ = put(&tier, key, entry(key)));
        assert_eq!(get(&tier, 0), Some(100), "{eviction}");
    }
}

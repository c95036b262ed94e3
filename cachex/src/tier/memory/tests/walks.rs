//! Walks over all entries.

use super::*;

#[test]
fn a_walk_sees_every_entry_once() {
    let tier = tier(ENTRIES_IN_MANY_SHARDS, None, Eviction::default());
    (0..1000).for_each(|key| _ = put(&tier, key, entry(key)));
    assert_eq!(keys(&tier), (0..1000).collect::<Vec<_>>());
}

#[test]
fn retain_removes_and_returns_what_is_not_kept() {
    let tier = tier(ENTRIES_IN_MANY_SHARDS, None, Eviction::default());
    (0..1000).for_each(|key| _ = put(&tier, key, entry(key)));
    let removed = tier.retain(&mut |key, entry| number(key) >= 990 && value(entry) >= 995);
    assert_eq!(numbers(&removed), (0..995).collect::<Vec<_>>());
    assert_eq!(keys(&tier), [995, 996, 997, 998, 999]);
    tier.check_invariants();
}

#[test]
fn retain_leaves_alone_what_was_replaced_while_it_was_judged() {
    let tier = tier(10, None, Eviction::default());
    put(&tier, 1, entry(1));
    let removed = tier.retain(&mut |_, _| {
        put(&tier, 1, entry(2));
        false
    });
    assert!(removed.is_empty());
    assert_eq!(get(&tier, 1), Some(2));
}

#[test]
fn remove_same_removes_only_the_very_entry() {
    let tier = tier(10, None, Eviction::default());
    let bytes = 1_u64.to_be_bytes();
    let at = tier.key_ref(Region::manual(), &bytes);
    let (first, second) = (entry(1), entry(1));
    put(&tier, 1, first.clone());
    put(&tier, 1, second.clone());
    assert!(!tier.remove_same(at, &first));
    assert!(has(&tier, 1));
    assert!(tier.remove_same(at, &second));
    assert!(!tier.remove_same(at, &second));
    tier.check_invariants();
}

#[test]
fn keys_that_share_a_hash_are_told_apart() {
    let tier = tier(10, None, Eviction::default());
    let at = |bytes: &'static [u8]| KeyRef { region: Region::manual(), bytes, hash: 7 };
    for (bytes, number) in [(&b"a"[..], 1), (b"b", 2), (b"", 3)] {
        assert!(matches!(tier.insert(at(bytes), entry(number), || true), Inserted::Stored { replaced: None, .. }));
    }
    let found = |bytes| tier.get(at(bytes)).map(|entry| value(&entry));
    assert_eq!([found(b"a"), found(b"b"), found(b""), found(b"c")], [Some(1), Some(2), Some(3), None]);
    assert_eq!(tier.remove(at(b"b")).map(|entry| value(&entry)), Some(2));
    assert_eq!([found(b"a"), found(b"b"), found(b"")], [Some(1), None, Some(3)]);
    tier.check_invariants();
}

//! What entries weigh, and the bound of all of them together.

use std::collections::HashMap;

use cachex::{Cache, CacheScope, EntryOptions, Key, Verdict, cached};

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;

/// A value that serde writes as a map of a length it does not know before.
#[derive(Clone, serde::Serialize, serde::Deserialize)]
struct Flat {
    id: u8,
    #[serde(flatten)]
    rest: HashMap<String, String>,
}

impl Flat {
    fn of(length: usize) -> Self {
        Self { id: 1, rest: HashMap::from([("rest".to_owned(), "x".repeat(length))]) }
    }
}

fn cache(max_bytes: u64) -> Cache {
    crate::builder().max_bytes(max_bytes).build().unwrap()
}

/// Sets a value in a cache that is bounded by bytes, and returns what it weighs there.
fn weight<T: cachex::CacheValue>(value: T) -> u64 {
    let (cache, key) = (cache(64 * MIB), Key::new("weighed"));
    cache.blocking().set(&key, value, &EntryOptions::new()).unwrap();
    assert_eq!(cache.explain(&key).verdict, Verdict::Fresh);
    let weight = cache.explain(&key).weight.unwrap();
    assert_eq!(cache.stats().weight, weight);
    weight
}

#[test]
fn small_numbers_weigh_as_much_as_large_ones() {
    let zeros = weight(vec![0_u64; 500_000]);
    assert!((4_000_000..8_000_000).contains(&zeros), "{zeros}");
    assert_eq!(zeros, weight(vec![u64::MAX; 500_000]));
}

#[test]
fn a_value_weighs_what_it_holds_elsewhere() {
    let empty = weight(String::new());
    assert!((size_of::<String>() as u64..KIB).contains(&empty), "{empty}");
    for length in [1_000, 1_000_000] {
        let text = weight("x".repeat(length));
        assert!((length as u64..length as u64 + KIB).contains(&text), "{text}");
        let nested = weight(vec![Some(("x".repeat(length), 1_u8)); 3]);
        assert!((3 * length as u64..3 * length as u64 + KIB).contains(&nested), "{nested}");
    }
}

#[test]
fn a_value_of_unknown_length_weighs_what_it_holds() {
    let flat = weight(Flat::of(5_000_000));
    assert!((5_000_000..5_010_000).contains(&flat), "{flat}");
}

/// Sets values of this kind until they do not fit any more, and checks the bound all the while.
fn check_bound<T: cachex::CacheValue>(value: impl Fn() -> T, length: u64) {
    let cache = cache(MIB);
    for id in 0..2_000_u64 {
        cache.blocking().set(&Key::entity("weighed", &id), value(), &EntryOptions::new()).unwrap();
        assert!(cache.stats().weight <= MIB);
        assert!(cache.stats().entries * length <= MIB, "{:?}", cache.stats());
    }
    assert!(cache.stats().entries * length >= MIB / 2, "{:?}", cache.stats());
}

#[test]
fn the_bound_holds_for_every_kind_of_value() {
    check_bound(|| vec![0_u64; 1_000], 8_000);
    check_bound(|| "x".repeat(8_000), 8_000);
    check_bound(|| Flat::of(8_000), 8_000);
}

#[test]
fn a_value_that_is_heavier_than_the_bound_is_not_kept() {
    let cache = cache(MIB);
    let key = Key::new("weighed");
    for (value, is_kept) in [(vec![0_u64; 500_000], false), (vec![0_u64; 100_000], true)] {
        cache.blocking().set(&key, value, &EntryOptions::new()).unwrap();
        assert_eq!((cache.blocking().exists(&key), cache.stats().entries), (is_kept, u64::from(is_kept)));
    }
    cache.blocking().set(&key, Flat::of(5_000_000), &EntryOptions::new()).unwrap();
    assert_eq!((cache.stats().entries, cache.stats().weight, cache.stats().too_heavy), (0, 0, 2));
}

#[derive(CacheScope)]
struct Weighed {
    #[scope(cache)]
    cache: Cache,
}

impl Weighed {
    #[cached(name = "weighed.bytes", ttl = "1m")]
    fn bytes(&self, length: usize) -> Vec<u8> {
        vec![0; length]
    }

    #[cached(name = "weighed.local", ttl = "1m", local, weight = |value| value.len() as u64)]
    fn local(&self, length: usize) -> Vec<u8> {
        vec![0; length]
    }
}

#[test]
fn values_of_methods_are_weighed_as_those_by_hand() {
    let weighed = Weighed { cache: cache(MIB) };
    let of = |key: Key| weighed.cache.explain(&key).weight.unwrap();
    assert_eq!(weighed.bytes(100_000), weighed.local(100_000));
    for weight in [of(weighed.bytes_key(&100_000)), of(weighed.local_key(&100_000))] {
        assert!((100_000..100_000 + KIB).contains(&weight), "{weight}");
    }
    assert_eq!((weighed.bytes(2_000_000).len(), weighed.local(2_000_000).len()), (2_000_000, 2_000_000));
    let stats = weighed.cache.stats();
    assert_eq!((stats.too_heavy, stats.entries), (2, 2));
    let method = |name: &str| weighed.cache.method_stats(name).unwrap();
    assert_eq!((method("weighed.bytes").too_heavy, method("weighed.local").too_heavy), (1, 1));
    assert_eq!(method("weighed.bytes").weight + method("weighed.local").weight, stats.weight);
}

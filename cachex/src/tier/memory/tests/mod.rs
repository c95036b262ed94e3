//! The tier as its engine sees it.

mod aging;
mod bounds;
mod drops;
mod model;
#[cfg(feature = "moka")]
mod moka;
mod races;
mod walks;

use std::any::Any;
use std::time::Duration;

use super::*;
use crate::entry::{Life, Meta, NO_TAGS, Stamp};
use crate::method::Region;
use crate::tier::{L1, MemoryEngine};

const ENTRIES_IN_MANY_SHARDS: u64 = 8 * ENTRIES_A_SHARD;

fn tier(max_entries: u64, max_bytes: Option<u64>, eviction: Eviction) -> L1 {
    L1::new(MemoryEngine::Cachex, Limits { max_entries, max_bytes }, eviction, 1)
}

/// A tier of which all keys have one hash.
fn flooded(limits: Limits, eviction: Eviction) -> L1 {
    let mut tier = tier(1, None, eviction);
    tier.memory = MemoryTier::with_hasher(limits, eviction, 1, KeyHasher::flooded());
    tier
}

/// A tier of which moka decides what leaves.
#[cfg(feature = "moka")]
fn moka_tier(max_entries: u64, max_bytes: Option<u64>, eviction: Eviction) -> L1 {
    L1::new(MemoryEngine::Moka, Limits { max_entries, max_bytes }, eviction, 1)
}

/// Runs a test of what the engine of a cache may rely on with a tier of each kind.
fn each_tier(max_entries: u64, max_bytes: Option<u64>, test: impl Fn(L1)) {
    each_tier_for_newcomers(max_entries, max_bytes, &test);
    #[cfg(feature = "moka")]
    test(moka_tier(max_entries, max_bytes, Eviction::Lfu));
}

/// As [`each_tier`], without the kind that may rather keep what it has than what comes.
fn each_tier_for_newcomers(max_entries: u64, max_bytes: Option<u64>, test: impl Fn(L1)) {
    test(tier(max_entries, max_bytes, Eviction::default()));
    #[cfg(feature = "moka")]
    test(moka_tier(max_entries, max_bytes, Eviction::Lru));
}

/// Returns a tier of each engine and policy, with the names of both.
fn every_tier(max_entries: u64, max_bytes: Option<u64>) -> Vec<(String, L1)> {
    let kinds = MemoryEngine::NAMES.into_iter().filter(|(_, engine)| engine.is_built_in());
    let kinds = kinds.flat_map(|engine| Eviction::NAMES.map(|eviction| (engine, eviction)));
    let kinds = kinds.filter(|((_, engine), (_, eviction))| engine.instead_of(*eviction).is_none());
    let limits = Limits { max_entries, max_bytes };
    let tiers = kinds.map(|((engine_name, engine), (name, eviction))| {
        (format!("{engine_name}, {name}"), L1::new(engine, limits, eviction, 1))
    });
    tiers.collect()
}

fn forever() -> Life {
    Life {
        created_at: Timestamp::default(),
        accessed_at: Timestamp::default(),
        stale_at: Timestamp::NEVER,
        expires_at: Timestamp::NEVER,
        grace: Duration::ZERO,
        tti: None,
    }
}

/// A life that begins at `created_at` and ends at `expires_at`, in seconds.
fn between(created_at: u64, expires_at: u64) -> Life {
    Life { created_at: seconds(created_at), expires_at: seconds(expires_at), ..forever() }
}

fn seconds(count: u64) -> Timestamp {
    Timestamp::default().after(Duration::from_secs(count))
}

/// What is to be stored, and when.
struct Made {
    make: Box<dyn FnOnce(u64) -> Entry>,
    now: Timestamp,
}

impl Made {
    fn at(self, key: u64) -> Entry {
        (self.make)(key)
    }
}

fn entry_with<V: Any + Clone + Send + Sync>(value: V, weight: u64, life: Life) -> Made {
    let make = move |key: u64| {
        let meta = Meta {
            key: (Region::manual().id(), &key.to_be_bytes()),
            stamp: Stamp::default(),
            tags: NO_TAGS,
            life,
            weight,
            is_negative: false,
            load_time: Some(Duration::ZERO),
        };
        Entry::of(&meta, value)
    };
    Made { make: Box::new(make), now: life.created_at }
}

fn entry(value: u64) -> Made {
    entry_with(value, 1, forever())
}

fn value(entry: &Entry) -> u64 {
    *entry.value::<u64>().expect("a test's value is a u64")
}

fn number(entry: &Entry) -> u64 {
    u64::from_be_bytes(entry.bytes().try_into().expect("a test's key has 8 bytes"))
}

fn numbers(left: &[Entry]) -> Vec<u64> {
    let mut numbers: Vec<u64> = left.iter().map(number).collect();
    numbers.sort_unstable();
    numbers
}

fn insert(tier: &L1, key: u64, made: Made, is_valid: impl FnOnce() -> bool) -> Inserted {
    let now = made.now;
    tier.insert(tier.key_ref(&key.to_be_bytes()), made.at(key), now, is_valid, |_| false)
}

/// Stores under a key that is a number, unconditionally.
fn put(tier: &L1, key: u64, made: Made) -> (Option<Entry>, Left) {
    match insert(tier, key, made, || true) {
        Inserted::Stored { replaced, evicted } => (replaced, evicted),
        other => panic!("{other:?}"),
    }
}

fn get(tier: &L1, key: u64) -> Option<u64> {
    tier.get(tier.key_ref(&key.to_be_bytes())).map(|entry| value(&entry))
}

fn peek(tier: &L1, key: u64) -> Option<Entry> {
    tier.peek(tier.key_ref(&key.to_be_bytes()))
}

fn has(tier: &L1, key: u64) -> bool {
    peek(tier, key).is_some()
}

fn remove(tier: &L1, key: u64) -> Option<Entry> {
    tier.remove(tier.key_ref(&key.to_be_bytes()))
}

/// Drops the values of all that has left. Other tests may read meanwhile, and hold it up, but not for ever.
fn flush(tier: &L1) {
    assert_eq!(tier.flush(1_000_000), 0);
}

/// The keys in the tier, in order.
fn keys(tier: &L1) -> Vec<u64> {
    let mut keys = Vec::new();
    tier.for_each(&mut |entry| keys.push(number(entry)));
    keys.sort_unstable();
    keys
}

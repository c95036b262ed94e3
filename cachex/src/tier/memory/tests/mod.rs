//! The tier as its engine sees it.

mod aging;
mod bounds;
mod drops;
mod model;
mod races;
mod walks;

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::AtomicU8;
use std::time::Duration;

use super::*;
use crate::entry::tags::TagCells;
use crate::entry::{Life, Meta, Stamp};

const ENTRIES_IN_MANY_SHARDS: u64 = 4096;

fn tier(max_entries: u64, max_bytes: Option<u64>, eviction: Eviction) -> MemoryTier {
    MemoryTier::new(Limits { max_entries, max_bytes }, eviction, 1)
}

fn forever() -> Life {
    Life::new(Timestamp::default(), Timestamp::NEVER, Timestamp::NEVER, Duration::ZERO, None)
}

/// A life that begins at `created_at` and ends at `expires_at`, in seconds.
fn between(created_at: u64, expires_at: u64) -> Life {
    Life::new(seconds(created_at), Timestamp::NEVER, seconds(expires_at), Duration::ZERO, None)
}

fn seconds(count: u64) -> Timestamp {
    Timestamp::default().after(Duration::from_secs(count))
}

fn entry_with<V: Any + Clone + Send + Sync>(value: V, weight: u64, life: Life) -> Arc<Entry> {
    let meta = Meta {
        stamp: Stamp::default(),
        tags: TagCells::default(),
        life,
        weight,
        is_negative: false,
        load_time: Duration::ZERO,
        uses: AtomicU8::new(0),
    };
    Entry::new(meta, value)
}

fn entry(value: u64) -> Arc<Entry> {
    entry_with(value, 1, forever())
}

fn value(entry: &Entry) -> u64 {
    *entry.value::<u64>().expect("a test's value is a u64")
}

fn number(key: &Key) -> u64 {
    u64::from_be_bytes(key.bytes().try_into().expect("a test's key has 8 bytes"))
}

fn numbers(left: &[(Key, Arc<Entry>)]) -> Vec<u64> {
    let mut numbers: Vec<u64> = left.iter().map(|(key, _)| number(key)).collect();
    numbers.sort_unstable();
    numbers
}

/// Stores under a key that is a number, unconditionally.
fn put(tier: &MemoryTier, key: u64, entry: Arc<Entry>) -> (Option<Arc<Entry>>, Left) {
    match tier.insert(tier.key_ref(Region::manual(), &key.to_be_bytes()), entry, || true) {
        Inserted::Stored { replaced, evicted } => (replaced, evicted),
        other => panic!("{other:?}"),
    }
}

fn get(tier: &MemoryTier, key: u64) -> Option<u64> {
    tier.get(tier.key_ref(Region::manual(), &key.to_be_bytes())).map(|entry| value(&entry))
}

fn has(tier: &MemoryTier, key: u64) -> bool {
    tier.peek(tier.key_ref(Region::manual(), &key.to_be_bytes())).is_some()
}

fn remove(tier: &MemoryTier, key: u64) -> Option<Arc<Entry>> {
    tier.remove(tier.key_ref(Region::manual(), &key.to_be_bytes()))
}

/// The keys in the tier, in order.
fn keys(tier: &MemoryTier) -> Vec<u64> {
    let mut keys = Vec::new();
    tier.for_each(&mut |key, _| keys.push(number(key)));
    keys.sort_unstable();
    keys
}

//! What the memory tier keeps: as much as it is told to, by the policy it is told to use, and what slow loads bring.
//!
//! Reading order: this file (bounds), [`eviction`] (who leaves), [`tags`] (tags that a load holds), [`stress`]
//! (everything at once).

mod eviction;
mod stress;
mod tags;

use cachex::{Cache, EntryOptions, Key, Settings};

use crate::POLICIES;

fn key(id: u64) -> Key {
    Key::entity("memory", &id)
}

/// Makes a cache from a `[memory]` section.
fn configured(memory: &str) -> Cache {
    let settings = Settings::from_toml_str(&format!("[memory]\n{memory}\n")).unwrap();
    Cache::builder().settings(settings).build().unwrap()
}

fn fill(cache: &Cache, ids: std::ops::Range<u64>) {
    for id in ids {
        cache.blocking().set(&key(id), id, &EntryOptions::new()).unwrap();
    }
}

#[test]
fn a_cache_keeps_as_many_entries_as_it_is_told_to() {
    for name in POLICIES {
        let cache = configured(&format!("max_entries = 100\neviction = \"{name}\""));
        fill(&cache, 0..100);
        assert_eq!((cache.stats().entries, cache.stats().evicted), (100, 0), "{name}");
        fill(&cache, 100..1_000);
        assert_eq!((cache.stats().entries, cache.stats().evicted), (100, 900), "{name}");
        let kept = (0..1_000).filter(|id| cache.blocking().exists(&key(*id))).count();
        assert_eq!(kept, 100, "{name}");
    }
}

#[test]
fn a_cache_keeps_as_many_bytes_as_it_is_told_to() {
    const MOST: u64 = 64 << 10;
    for name in POLICIES {
        let cache = configured(&format!("max_bytes = \"64KiB\"\neviction = \"{name}\""));
        for id in 0..1_000 {
            cache.blocking().set(&key(id), "x".repeat(1_000), &EntryOptions::new()).unwrap();
            assert!(cache.stats().weight <= MOST, "{name}");
        }
        let stats = cache.stats();
        assert!((MOST / 2_000..=MOST / 1_000).contains(&stats.entries), "{name}: {stats:?}");
        assert_eq!(stats.entries + stats.evicted, 1_000, "{name}");
    }
}

#[test]
fn an_entry_in_place_of_another_takes_no_further_room() {
    let cache = configured("max_entries = 2");
    for _ in 0..10 {
        fill(&cache, 0..2);
    }
    assert_eq!((cache.stats().entries, cache.stats().evicted, cache.stats().stores), (2, 0, 20));
}

//! The policies beside naive models, and what each is good for.

mod models;

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use models::{Model, NaiveFifo, NaiveLru, NaiveS3Fifo, NaiveSieve};
use proptest::prelude::*;

use super::*;

/// Slots as the policies see them.
struct Marks {
    all: Vec<Mark>,
    tick: Cell<u64>,
}

#[derive(Clone, Default)]
struct Mark {
    uses: Cell<u8>,
    used_at: Cell<u64>,
    hash: Cell<u64>,
}

impl Marks {
    fn new(slots: usize) -> Self {
        Self { all: vec![Mark::default(); slots], tick: Cell::new(0) }
    }

    fn at(&self, slot: SlotId) -> &Mark {
        &self.all[slot as usize]
    }

    fn note(&self, slot: SlotId, trace: Trace) {
        if let Trace::Count { most } = trace {
            self.set_uses(slot, most.min(self.uses(slot) + 1));
        }
        self.tick.set(self.tick.get() + 1);
        self.at(slot).used_at.set(self.tick.get());
    }
}

impl Traces for Marks {
    fn uses(&self, slot: SlotId) -> u8 {
        self.at(slot).uses.get()
    }

    fn set_uses(&self, slot: SlotId, uses: u8) {
        self.at(slot).uses.set(uses);
    }

    fn used_at(&self, slot: SlotId) -> u64 {
        self.at(slot).used_at.get()
    }

    fn hash(&self, slot: SlotId) -> u64 {
        self.at(slot).hash.get()
    }
}

/// A cache of keys: a policy, a bound, and nothing else.
struct Cache {
    policy: Chosen,
    trace: Trace,
    marks: Marks,
    capacity: usize,
    slots: BTreeMap<u64, SlotId>,
    keys: Vec<u64>,
    empty: Vec<SlotId>,
}

impl Cache {
    fn new(eviction: Eviction, capacity: usize) -> Self {
        // Some numbers can't be used anew at once.
        let slots = 2 * capacity + 20;
        Self {
            policy: eviction.policy(1),
            trace: eviction.trace(),
            marks: Marks::new(slots),
            capacity,
            slots: BTreeMap::new(),
            keys: vec![0; slots],
            empty: (0..slots as SlotId).collect(),
        }
    }

    /// Uses `key`, stored first if it is not there; returns whether it was.
    fn access(&mut self, key: u64) -> bool {
        if let Some(slot) = self.slots.get(&key) {
            self.marks.note(*slot, self.trace);
            return true;
        }
        if self.slots.len() == self.capacity {
            let victim = self.policy.evict(&self.marks, &mut self.empty).expect("a full cache has a victim");
            self.policy.note_victim(self.marks.at(victim).hash.get());
            self.slots.remove(&self.keys[victim as usize]);
            self.empty.push(victim);
        }
        let slot = self.empty.pop().expect("a victim has left");
        self.marks.note(slot, Trace::Order);
        self.marks.set_uses(slot, 0);
        self.marks.at(slot).hash.set(scatter(key));
        self.policy.enter(slot, scatter(key), &self.marks);
        self.slots.insert(key, slot);
        self.keys[slot as usize] = key;
        false
    }

    fn replace(&mut self, key: u64) {
        if let Some(slot) = self.slots.get(&key) {
            self.marks.note(*slot, self.trace);
            self.policy.renew(*slot);
        }
    }

    fn remove(&mut self, key: u64) {
        if let Some(slot) = self.slots.remove(&key) {
            self.policy.forget(slot, &mut self.empty);
        }
    }

    fn hit_ratio(&mut self, keys: impl IntoIterator<Item = u64>) -> f64 {
        let (mut hits, mut all) = (0, 0);
        for key in keys {
            hits += u32::from(self.access(key));
            all += 1;
        }
        f64::from(hits) / f64::from(all)
    }
}

fn scatter(key: u64) -> u64 {
    let word = (key + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (word ^ (word >> 31)).wrapping_mul(0x94d0_49bb_1331_11eb)
}

/// Endless keys, of which the `n`-th most frequent comes about as 1/n (Zipf 1.0), the same in each run.
fn zipf(keys: u32) -> impl Iterator<Item = u64> {
    let mut state = 7;
    std::iter::repeat_with(move || {
        state = scatter(state);
        let share = f64::from((state >> 32) as u32) / f64::from(u32::MAX);
        f64::from(keys).powf(share) as u64
    })
}

/// One step: what to do with which key.
fn steps() -> impl Strategy<Value = Vec<(u8, u64)>> {
    proptest::collection::vec((0_u8..10, 0_u64..20), 0..300)
}

fn check_against(eviction: Eviction, mut model: impl Model, capacity: usize, steps: Vec<(u8, u64)>) {
    let mut cache = Cache::new(eviction, capacity);
    for (step, key) in steps {
        match step {
            0 => {
                cache.remove(key);
                model.remove(key);
            }
            1 => {
                cache.replace(key);
                model.replace(key);
            }
            _ => {
                cache.access(key);
                model.access(key);
            }
        }
        let held: BTreeSet<u64> = cache.slots.keys().copied().collect();
        assert_eq!(held, model.keys().into_iter().collect(), "after {step} of {key}");
    }
}

proptest! {
    #[test]
    fn lru_agrees_with_a_vector(capacity in 1_usize..9, steps in steps()) {
        check_against(Eviction::Lru, NaiveLru::new(capacity), capacity, steps);
    }

    #[test]
    fn fifo_agrees_with_a_vector(capacity in 1_usize..9, steps in steps()) {
        check_against(Eviction::Fifo, NaiveFifo::new(capacity), capacity, steps);
    }

    #[test]
    fn sieve_agrees_with_a_vector(capacity in 1_usize..9, steps in steps()) {
        check_against(Eviction::Sieve, NaiveSieve::new(capacity), capacity, steps);
    }

    #[test]
    fn s3_fifo_agrees_with_vectors(capacity in 1_usize..15, steps in steps()) {
        check_against(Eviction::S3Fifo, NaiveS3Fifo::new(capacity), capacity, steps);
    }

    #[test]
    fn every_policy_holds_exactly_the_slots_that_are_filled(capacity in 1_usize..15, steps in steps()) {
        for (_, eviction) in Eviction::NAMES {
            let mut cache = Cache::new(eviction, capacity);
            for (step, key) in &steps {
                match step {
                    0 => cache.remove(*key),
                    1 => cache.replace(*key),
                    _ => { cache.access(*key); }
                }
                let mut members = cache.policy.members();
                members.sort_unstable();
                let mut filled: Vec<SlotId> = cache.slots.values().copied().collect();
                filled.sort_unstable();
                prop_assert_eq!(members, filled, "{}", eviction);
            }
        }
    }
}

#[test]
fn an_empty_policy_has_no_victim() {
    for (_, eviction) in Eviction::NAMES {
        assert_eq!(eviction.policy(0).evict(&Marks::new(0), &mut Vec::new()), None, "{eviction}");
    }
}

/// Slots that readers use faster than a policy passes over them.
struct Rush(Cell<u64>);

impl Traces for Rush {
    fn uses(&self, _slot: SlotId) -> u8 {
        self.0.set(self.0.get() + 1);
        1
    }

    fn set_uses(&self, _slot: SlotId, _uses: u8) {}

    fn used_at(&self, slot: SlotId) -> u64 {
        self.uses(slot);
        self.0.get()
    }

    fn hash(&self, slot: SlotId) -> u64 {
        scatter(slot.into())
    }
}

// Break this (let a patience last for ever) and it never ends.
#[test]
fn a_victim_is_found_however_fast_readers_use_all_slots() {
    for (_, eviction) in Eviction::NAMES {
        let (mut policy, rush) = (eviction.policy(1), Rush(Cell::new(0)));
        (0..128).for_each(|slot| policy.enter(slot, scatter(slot.into()), &rush));
        for left in (0..128).rev() {
            let (before, mut empty) = (rush.0.get(), Vec::new());
            assert!(policy.evict(&rush, &mut empty).is_some(), "{eviction}");
            assert_eq!(policy.members().len(), left, "{eviction}");
            let looks = rush.0.get() - before;
            assert!(looks <= 128 * 6, "{eviction} looks {looks} times");
        }
    }
}

#[test]
fn random_evicts_every_slot_sooner_or_later_and_the_same_ones_for_the_same_seed() {
    let victims = |seed| {
        let mut random = random::Random::new(seed);
        let marks = Marks::new(16);
        (0..16).for_each(|slot| random.enter(slot, 0, &marks));
        let victims = std::iter::repeat_with(|| {
            let victim = random.evict(&marks, &mut Vec::new()).expect("it holds 16 slots");
            random.enter(victim, 0, &marks);
            victim
        });
        victims.take(500).collect::<Vec<_>>()
    };
    assert_eq!(victims(3), victims(3));
    assert_ne!(victims(3), victims(4));
    assert_eq!(victims(3).into_iter().collect::<BTreeSet<_>>().len(), 16);
}

#[test]
fn lfu_keeps_what_is_used_often_through_a_scan() {
    let mut cache = Cache::new(Eviction::Lfu, 100);
    for _ in 0..5 {
        (0..50).for_each(|key| _ = cache.access(key));
    }
    (1000..2000).for_each(|key| _ = cache.access(key));
    let kept = (0..50).filter(|key| cache.slots.contains_key(key)).count();
    assert_eq!(kept, 50);
}

#[test]
fn lfu_prefers_what_is_used_often_to_what_keeps_coming_back() {
    let mut cache = Cache::new(Eviction::Lfu, 100);
    for _ in 0..10 {
        (0..99).for_each(|key| _ = cache.access(key));
    }
    for _ in 0..4 {
        (1000..1050).for_each(|key| _ = cache.access(key));
    }
    let kept = (0..99).filter(|key| cache.slots.contains_key(key)).count();
    assert_eq!(kept, 99);
}

#[test]
fn s3_fifo_keeps_what_is_used_through_a_scan_where_lru_loses_it() {
    let kept = |eviction| {
        let mut cache = Cache::new(eviction, 100);
        for _ in 0..3 {
            (0..50).for_each(|key| _ = cache.access(key));
        }
        (1000..1150).for_each(|key| _ = cache.access(key));
        (0..50).filter(|key| cache.slots.contains_key(key)).count()
    };
    assert_eq!(kept(Eviction::S3Fifo), 50);
    assert_eq!(kept(Eviction::Lru), 0);
}

#[test]
fn lfu_answers_most_of_a_loop_that_does_not_fit_and_lru_nothing() {
    let ratio = |eviction| Cache::new(eviction, 1000).hit_ratio((0..30).flat_map(|_| 0..1100));
    let (lfu, lru) = (ratio(Eviction::Lfu), ratio(Eviction::Lru));
    assert!(lfu > 0.75, "lfu {lfu}");
    assert!(lru == 0.0, "lru {lru}");
}

#[test]
fn the_frequency_policies_beat_the_plain_ones_on_skewed_work() {
    let ratio = |eviction| Cache::new(eviction, 200).hit_ratio(zipf(20_000).take(100_000));
    let best_plain = [Eviction::Lru, Eviction::Fifo, Eviction::Random].map(ratio).into_iter().fold(0.0, f64::max);
    for eviction in [Eviction::S3Fifo, Eviction::Lfu, Eviction::Sieve] {
        let ratio = ratio(eviction);
        assert!(ratio > best_plain + 0.02, "{eviction} {ratio}, plain {best_plain}");
    }
}

#[test]
fn lfu_follows_when_other_keys_become_popular() {
    let mut cache = Cache::new(Eviction::Lfu, 200);
    cache.hit_ratio(zipf(2000).take(50_000));
    cache.hit_ratio(zipf(2000).take(50_000).map(|key| key + 10_000));
    let shifted = cache.hit_ratio(zipf(2000).take(10_000).map(|key| key + 10_000));
    let settled = Cache::new(Eviction::Lfu, 200).hit_ratio(zipf(2000).take(60_000));
    assert!(shifted > settled - 0.05, "{shifted} after the shift, {settled} without");
}

//! Several threads at once.

use std::sync::atomic::AtomicBool;
use std::sync::mpsc;

use super::*;

/// Lives are counted.
struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

// Fails if `is_valid()` in `MemoryTier::insert` is called before the shard is locked, or before that function is called.
#[test]
fn what_was_checked_before_a_removal_is_not_there_after_it() {
    for _ in 0..300 {
        each_tier(10, None, |tier| {
            let is_void = AtomicBool::new(false);
            let (checking, is_checking) = mpsc::channel();
            let (voided, is_voided) = mpsc::channel();
            std::thread::scope(|scope| {
                let (tier, is_void) = (&tier, &is_void);
                scope.spawn(move || {
                    is_checking.recv().expect("the check runs");
                    is_void.store(true, Ordering::SeqCst);
                    voided.send(()).expect("the check waits");
                    remove(tier, 1);
                });
                insert(tier, 1, entry(1), || {
                    let is_valid = !is_void.load(Ordering::SeqCst);
                    checking.send(()).expect("the remover waits");
                    is_voided.recv().expect("the remover answers");
                    is_valid
                });
            });
            assert!(!has(&tier, 1));
        });
    }
}

fn draw(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

fn act_at_random(tier: &L1, living: &Arc<AtomicUsize>, seed: u64) {
    let mut state = seed;
    for _ in 0..4000 {
        let (key, choice) = (draw(&mut state) % 4000, draw(&mut state) % 1000);
        let bytes = key.to_be_bytes();
        let at = tier.key_ref(&bytes);
        match choice {
            0 => drop(tier.clear()),
            1 => drop(tier.retain(&mut |entry| number(entry).is_multiple_of(3))),
            2..10 => drop(tier.reclaim(
                seconds(draw(&mut state) % 100),
                &|entry| !number(entry).is_multiple_of(5),
                &mut Walk::default(),
                if choice == 2 { usize::MAX } else { 16 },
            )),
            10..200 => drop(tier.remove(at)),
            200..500 => drop(tier.get(at)),
            _ => {
                living.fetch_add(1, Ordering::SeqCst);
                let weight = if choice == 999 { 1 << 20 } else { choice * 4 };
                let life = between(0, 1 + draw(&mut state) % 100);
                let made = entry_with(Arc::new(Counted(living.clone())), weight, life);
                drop(insert(tier, key, made, || !choice.is_multiple_of(7)));
            }
        }
    }
}

// Fails if `Moka::agree` does not compare what it told with the table afterwards: moka then keeps what is gone, or has forgotten what
// is there.
#[test]
fn after_any_storm_the_tier_agrees_with_itself_and_leaks_nothing() {
    for (seed, (eviction, tier)) in (1..).zip(every_tier(2048, Some(4 << 20))) {
        assert_eq!(tier.memory.table.shards(), 4);
        let living = Arc::new(AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for thread in 1..=4_u64 {
                let (tier, living) = (&tier, &living);
                scope.spawn(move || act_at_random(tier, living, seed * 1000 + thread));
            }
        });
        drop(tier.trim());
        tier.check_invariants();
        flush(&tier);
        assert_eq!(living.load(Ordering::SeqCst) as u64, tier.len(), "{eviction}");
        let removed = tier.clear();
        assert_eq!(removed.len(), living.load(Ordering::SeqCst), "{eviction}");
        drop(removed);
        flush(&tier);
        assert_eq!(living.load(Ordering::SeqCst), 0, "{eviction}");
    }
}

#[test]
fn a_full_tier_stays_within_its_bound_whoever_inserts() {
    each_tier_for_newcomers(2048, None, |tier| {
        std::thread::scope(|scope| {
            for thread in 0..4_u64 {
                let tier = &tier;
                scope.spawn(move || (0..3000).for_each(|key| _ = put(tier, thread * 10_000 + key, entry(key))));
            }
        });
        drop(tier.trim());
        tier.check_invariants();
        assert!(tier.len() <= 2048);
        assert!(tier.len() > 2048 - 64, "{} entries: threads that meet evict no more than a few too many", tier.len());
    });
}

//! The tier beside a map, in which every entry that leaves must have been accounted for.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Step {
    Insert { key: u64, weight: u64, lives: u64, is_valid: bool },
    Get(u64),
    Remove(u64),
    Retain { divisor: u64 },
    Pass { seconds: u64, scan_all: bool },
    Clear,
}

fn step() -> impl Strategy<Value = Step> {
    let key = 0_u64..24;
    prop_oneof![
        10 => (key.clone(), 1_u64..60, 0_u64..20, proptest::bool::weighted(0.9))
            .prop_map(|(key, weight, lives, is_valid)| Step::Insert { key, weight, lives, is_valid }),
        8 => key.clone().prop_map(Step::Get),
        3 => key.prop_map(Step::Remove),
        1 => (2_u64..5).prop_map(|divisor| Step::Retain { divisor }),
        2 => (0_u64..10, any::<bool>()).prop_map(|(seconds, scan_all)| Step::Pass { seconds, scan_all }),
        1 => Just(Step::Clear),
    ]
}

/// The tier, the values that must be in it, and the time in seconds.
struct Pair {
    tier: L1,
    model: BTreeMap<u64, u64>,
    now: u64,
    stored: u64,
}

impl Pair {
    fn run(&mut self, step: Step) {
        match step {
            Step::Insert { key, weight, lives, is_valid } => self.insert(key, weight, lives, is_valid),
            Step::Get(key) => assert_eq!(get(&self.tier, key), self.model.get(&key).copied()),
            Step::Remove(key) => {
                assert_eq!(remove(&self.tier, key).map(|entry| value(&entry)), self.model.remove(&key));
            }
            Step::Retain { divisor } => {
                let removed = self.tier.retain(&mut |entry| !value(entry).is_multiple_of(divisor));
                assert!(removed.iter().all(|entry| value(entry).is_multiple_of(divisor)));
                self.leave(&removed);
                assert!(self.model.values().all(|value| !value.is_multiple_of(divisor)));
            }
            Step::Pass { seconds: passed, scan_all } => {
                self.now += passed;
                let now = seconds(self.now);
                let (is_current, slots) =
                    (|entry: &Entry| !value(entry).is_multiple_of(7), if scan_all { usize::MAX } else { 16 });
                let reclaimed = self.tier.reclaim(now, &is_current, &mut Walk::default(), slots);
                assert!(reclaimed.expired.iter().all(|entry| entry.dead_at() <= now));
                assert!(reclaimed.invalidated.iter().all(|entry| value(entry).is_multiple_of(7)));
                self.leave(&reclaimed.expired);
                self.leave(&reclaimed.invalidated);
                self.tier.for_each(&mut |entry| assert!(entry.dead_at() > now));
                assert!(!scan_all || self.model.values().all(|value| !value.is_multiple_of(7)));
            }
            Step::Clear => {
                let removed = self.tier.clear();
                self.leave(&removed);
                assert!(self.model.is_empty());
            }
        }
    }

    fn insert(&mut self, key: u64, weight: u64, lives: u64, is_valid: bool) {
        self.stored += 1;
        // One in some entries never dies.
        let life = if lives == 0 { forever() } else { between(self.now, self.now + lives) };
        match insert(&self.tier, key, self.made(weight, life), || is_valid) {
            Inserted::Rejected(entry) => assert!(!is_valid && value(&entry) == self.stored),
            Inserted::TooHeavy { entry, removed } => {
                assert!(entry.weight() > 50);
                assert_eq!(removed.map(|entry| value(&entry)), self.model.remove(&key));
            }
            Inserted::Stored { replaced, evicted } => {
                assert!(is_valid && weight <= 50);
                assert_eq!(replaced.map(|entry| value(&entry)), self.model.insert(key, self.stored));
                self.leave(&evicted);
            }
        }
    }

    fn made(&self, weight: u64, life: Life) -> Made {
        Made { now: seconds(self.now), ..entry_with(self.stored, weight, life) }
    }

    fn leave(&mut self, left: &[Entry]) {
        for entry in left {
            assert_eq!(self.model.remove(&number(entry)), Some(value(entry)));
        }
    }

    fn check(&mut self) {
        let evicted = self.tier.trim();
        self.leave(&evicted);
        self.tier.check_invariants();
        let mut held = BTreeMap::new();
        self.tier.for_each(&mut |entry| _ = held.insert(number(entry), value(entry)));
        assert_eq!(held, self.model);
    }
}

proptest! {
    #[test]
    fn nothing_appears_and_nothing_vanishes_unaccounted(
        max_entries in 1_u64..20,
        steps in proptest::collection::vec(step(), 0..120),
    ) {
        for (_, tier) in every_tier(max_entries, Some(50)) {
            let mut pair = Pair { tier, model: BTreeMap::new(), now: 0, stored: 0 };
            for step in &steps {
                pair.run(step.clone());
                pair.check();
            }
        }
    }
}

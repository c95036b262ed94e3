//! The hashes of entries that were evicted of late: what comes back soon was evicted too early.

use std::collections::VecDeque;

use foldhash::fast::FixedState;
use hashbrown::HashMap;

/// A bounded queue of hashes.
///
/// Two keys with one hash are taken for the same: that costs a better place for one entry, nothing more.
#[derive(Debug, Default)]
pub(crate) struct Ghost {
    queue: VecDeque<(u64, u64)>,
    /// The number under which each hash was queued last.
    numbers: HashMap<u64, u64, FixedState>,
    next: u64,
}

impl Ghost {
    /// Remembers `hash`, and forgets the oldest ones beyond `most`.
    pub(crate) fn remember(&mut self, hash: u64, most: usize) {
        self.next += 1;
        self.queue.push_back((hash, self.next));
        self.numbers.insert(hash, self.next);
        while self.queue.len() > most {
            let Some((hash, number)) = self.queue.pop_front() else { break };
            // A hash that was recalled, or queued again since, is no longer known by this number.
            if self.numbers.get(&hash) == Some(&number) {
                self.numbers.remove(&hash);
            }
        }
    }

    /// Forgets `hash`; returns whether it was remembered.
    pub(crate) fn recall(&mut self, hash: u64) -> bool {
        self.numbers.remove(&hash).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_hashes_are_remembered_and_each_is_recalled_once() {
        let mut ghost = Ghost::default();
        for hash in 1..=4 {
            ghost.remember(hash, 3);
        }
        assert!(!ghost.recall(1));
        assert!(ghost.recall(2));
        assert!(!ghost.recall(2));
        assert!(ghost.recall(4));
    }

    #[test]
    fn a_hash_that_is_remembered_again_is_as_young_as_the_last_time() {
        let mut ghost = Ghost::default();
        for hash in [1, 2, 1, 3] {
            ghost.remember(hash, 2);
        }
        assert!(ghost.recall(1));
    }

    #[test]
    fn memory_is_bounded_by_the_last_bound_given() {
        let mut ghost = Ghost::default();
        for hash in 0..1000 {
            ghost.remember(hash, 100);
        }
        ghost.remember(1000, 5);
        assert_eq!((ghost.queue.len(), ghost.numbers.len()), (5, 5));
    }
}

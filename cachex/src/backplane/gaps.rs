//! Whether a notice was lost on the way: each origin numbers its own.

use std::collections::{BTreeSet, HashMap};

/// Numbers that came early, at most: if more are missing, some are lost.
const MOST_EARLY: usize = 1024;
/// Origins that are remembered; the others begin anew when they are heard of again.
const MOST_ORIGINS: usize = 4096;

/// What came from each origin.
#[derive(Debug, Default)]
pub(crate) struct Gaps(HashMap<u64, Heard>);

/// What came from one origin.
#[derive(Debug)]
struct Heard {
    /// All up to this number.
    up_to: u64,
    /// And these: several connections may overtake one another.
    early: BTreeSet<u64>,
}

impl Gaps {
    /// Notes a number. Returns whether one before it is lost for certain.
    pub(crate) fn heard(&mut self, origin: u64, number: u64) -> bool {
        let Some(heard) = self.0.get_mut(&origin) else {
            self.begin(origin, number);
            return false;
        };
        if number <= heard.up_to {
            return false;
        }
        heard.early.insert(number);
        heard.catch_up();
        if heard.early.len() <= MOST_EARLY {
            return false;
        }
        heard.skip_to(number);
        true
    }

    /// Notes that an origin has told of all up to a number. Returns whether one of them is lost.
    pub(crate) fn told(&mut self, origin: u64, number: u64) -> bool {
        let Some(heard) = self.0.get_mut(&origin) else {
            self.begin(origin, number);
            return false;
        };
        let is_lost = heard.up_to < number;
        if is_lost {
            heard.skip_to(number);
        }
        is_lost
    }

    /// Begins anew: what was heard is of before a time in which nothing was.
    pub(crate) fn forget(&mut self) {
        self.0.clear();
    }

    fn begin(&mut self, origin: u64, number: u64) {
        if self.0.len() >= MOST_ORIGINS {
            self.0.clear();
        }
        self.0.insert(origin, Heard { up_to: number, early: BTreeSet::new() });
    }
}

impl Heard {
    fn catch_up(&mut self) {
        while self.early.first().is_some_and(|first| *first == self.up_to + 1) {
            self.early.pop_first();
            self.up_to += 1;
        }
    }

    fn skip_to(&mut self, number: u64) {
        self.up_to = self.up_to.max(number);
        self.early = self.early.split_off(&(self.up_to + 1));
        self.catch_up();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_in_any_order_and_twice_is_not_lost() {
        let mut gaps = Gaps::default();
        for number in [1, 3, 2, 2, 5, 4, 1] {
            assert!(!gaps.heard(7, number), "{number}");
        }
        assert!(!gaps.told(7, 5));
    }

    #[test]
    fn what_was_told_of_and_did_not_come_is_lost_once() {
        let mut gaps = Gaps::default();
        gaps.heard(7, 1);
        gaps.heard(7, 3);
        assert!(gaps.told(7, 3));
        assert!(!gaps.told(7, 3));
        assert!(!gaps.heard(7, 4));
        assert!(!gaps.told(7, 4));
    }

    #[test]
    fn too_many_that_came_early_tell_that_one_is_lost() {
        let mut gaps = Gaps::default();
        gaps.heard(7, 1);
        let lost = (3..).take(2 * MOST_EARLY).filter(|number| gaps.heard(7, *number)).count();
        assert_eq!(lost, 1);
    }

    #[test]
    fn an_origin_is_known_from_the_first_that_is_heard_of_it() {
        let mut gaps = Gaps::default();
        assert!(!gaps.heard(7, 100));
        assert!(!gaps.told(8, 50));
        assert!(gaps.told(8, 51));
    }
}

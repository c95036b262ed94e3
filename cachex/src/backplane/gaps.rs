//! Whether a notice was lost on the way: each origin numbers its own.

use std::collections::{BTreeSet, HashMap};

use crate::time::Timestamp;

/// Numbers that came early, at most: if more are missing, some are lost.
const MOST_EARLY: usize = 4096;
/// Origins that are remembered; of more, those that were not heard of for longest begin anew.
const MOST_ORIGINS: usize = 4096;

/// What came from each origin.
#[derive(Debug, Default)]
pub(crate) struct Gaps {
    origins: HashMap<u64, Heard>,
    /// Counts what was heard.
    turn: u64,
    /// From when on all is heard.
    since: Option<Timestamp>,
}

/// What a number tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hearing {
    /// It was not heard before, as far as is known.
    New,
    Known,
    /// One before it is lost for certain.
    Lost,
}

/// What came from one origin.
#[derive(Debug)]
struct Heard {
    /// The first of it: what is before that may come late.
    from: u64,
    /// All up to this number.
    up_to: u64,
    /// And these: several connections may overtake one another.
    early: BTreeSet<u64>,
    /// When it was last heard of.
    turn: u64,
}

impl Gaps {
    /// Notes a number. Where it is settled, whoever has told something before is known.
    pub(crate) fn heard(&mut self, origin: u64, number: u64, is_settled: bool) -> Hearing {
        self.turn += 1;
        let Some(heard) = self.origins.get_mut(&origin) else {
            self.begin(origin, number);
            // Break this (say that it is new) and if the first of an origin is lost, nobody finds out.
            return if is_settled && number > 1 { Hearing::Lost } else { Hearing::New };
        };
        heard.turn = self.turn;
        if number < heard.from {
            return Hearing::New;
        }
        if number <= heard.up_to || !heard.early.insert(number) {
            return Hearing::Known;
        }
        heard.catch_up();
        if heard.early.len() <= MOST_EARLY {
            return Hearing::New;
        }
        heard.skip_to(number);
        Hearing::Lost
    }

    /// Notes that an origin has told of all up to a number.
    pub(crate) fn told(&mut self, origin: u64, number: u64, is_settled: bool) -> Hearing {
        self.turn += 1;
        let Some(heard) = self.origins.get_mut(&origin) else {
            self.begin(origin, number);
            return if is_settled && number > 0 { Hearing::Lost } else { Hearing::New };
        };
        heard.turn = self.turn;
        if heard.up_to >= number {
            return Hearing::New;
        }
        heard.skip_to(number);
        Hearing::Lost
    }

    /// Begins anew: what was heard is of before a time in which nothing was.
    pub(crate) fn forget(&mut self, now: Option<Timestamp>) {
        self.origins.clear();
        self.since = now;
    }

    /// Returns from when on all is heard.
    pub(crate) fn since(&self) -> Option<Timestamp> {
        self.since
    }

    fn begin(&mut self, origin: u64, number: u64) {
        // Break this (forget all) and each process more than these has all the others take for lost what they hear next.
        if self.origins.len() >= MOST_ORIGINS
            && let Some(oldest) = self.origins.iter().min_by_key(|(_, heard)| heard.turn).map(|(origin, _)| *origin)
        {
            self.origins.remove(&oldest);
        }
        self.origins.insert(origin, Heard { from: number, up_to: number, early: BTreeSet::new(), turn: self.turn });
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

    use Hearing::{Known, Lost, New};

    #[test]
    fn what_comes_in_any_order_and_twice_is_not_lost_and_known_the_second_time() {
        let mut gaps = Gaps::default();
        let heard = [1, 3, 2, 2, 5, 4, 1, 3, 5].map(|number| gaps.heard(7, number, false));
        assert_eq!(heard, [New, New, New, Known, New, New, Known, Known, Known]);
        assert_eq!(gaps.told(7, 5, false), New);
        assert_eq!([5, 5, 6].map(|number| gaps.heard(7, number, false)), [Known, Known, New]);
    }

    #[test]
    fn what_was_told_of_and_did_not_come_is_lost_once() {
        let mut gaps = Gaps::default();
        gaps.heard(7, 1, false);
        gaps.heard(7, 3, false);
        assert_eq!([gaps.told(7, 3, false), gaps.told(7, 3, false)], [Lost, New]);
        assert_eq!((gaps.heard(7, 4, false), gaps.told(7, 4, false)), (New, New));
    }

    #[test]
    fn too_many_that_came_early_tell_that_one_is_lost() {
        let mut gaps = Gaps::default();
        gaps.heard(7, 1, false);
        let lost = (3..).take(2 * MOST_EARLY).filter(|number| gaps.heard(7, *number, false) == Lost).count();
        assert_eq!(lost, 1);
    }

    #[test]
    fn an_origin_is_known_from_the_first_that_is_heard_of_it() {
        let mut gaps = Gaps::default();
        assert_eq!((gaps.heard(7, 100, false), gaps.told(8, 50, false)), (New, New));
        assert_eq!(gaps.told(8, 51, false), Lost);
        // What it had told just before may come late.
        assert_eq!(gaps.heard(7, 99, false), New);
    }

    #[test]
    fn once_all_are_known_who_begins_with_more_than_the_first_has_told_something_that_is_lost() {
        let mut gaps = Gaps::default();
        assert_eq!([gaps.heard(7, 1, true), gaps.heard(8, 2, true), gaps.told(9, 1, true)], [New, Lost, Lost]);
        assert_eq!([gaps.heard(7, 2, true), gaps.heard(8, 3, true), gaps.told(9, 1, true)], [New, New, New]);
    }

    #[test]
    fn processes_that_come_and_go_take_nothing_from_those_that_stay() {
        let mut gaps = Gaps::default();
        for origin in 0..3 * MOST_ORIGINS as u64 {
            assert_eq!(gaps.heard(1 << 32, origin + 1, true), New);
            gaps.heard(origin, 1, true);
        }
        assert!(gaps.origins.len() <= MOST_ORIGINS);
    }
}

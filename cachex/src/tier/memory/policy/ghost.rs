//! The hashes of entries that were evicted of late: what comes back soon was evicted too early.

/// A bounded memory of hashes, each with the turn at which it was remembered.
///
/// Kept as the authors of S3-FIFO suggest: in buckets without order, where a new one takes the place of the oldest. What was
/// remembered too many turns ago is not known any more, though it may still lie there. Of each hash 32 bits are kept:
/// two that are taken for the same cost a better place for one entry, nothing more. So does one that is forgotten early,
/// because many fell into its bucket.
#[derive(Debug, Default)]
pub(crate) struct Ghost {
    /// A power of two of them, or none.
    buckets: Vec<Bucket>,
    turn: u32,
    /// What was remembered up to this turn is not known any more.
    forgotten: u32,
}

const WIDTH: usize = 8;

/// Marks and turns; a turn of 0 is none.
type Bucket = [(u32, u32); WIDTH];

impl Ghost {
    /// Remembers `hash`, and forgets the oldest ones beyond `most`.
    pub(crate) fn remember(&mut self, hash: u64, most: usize) {
        self.fit(most);
        if self.turn == u32::MAX {
            // Once in 2^32 turns all begins anew.
            self.buckets.fill(Bucket::default());
            (self.turn, self.forgotten) = (0, 0);
        }
        self.turn += 1;
        self.forgotten = self.forgotten.max(self.turn.saturating_sub(u32::try_from(most).unwrap_or(u32::MAX)));
        self.put(mark(hash), self.turn);
    }

    /// Forgets `hash`; returns whether it was remembered.
    pub(crate) fn recall(&mut self, hash: u64) -> bool {
        let forgotten = self.forgotten;
        let mut is_known = false;
        let mark = mark(hash);
        for place in self.bucket(mark).into_iter().flatten().filter(|place| place.0 == mark) {
            is_known |= place.1 > forgotten;
            place.1 = 0;
        }
        is_known
    }

    /// Has a place for `most` hashes, and for as many more, so that few buckets are full.
    fn fit(&mut self, most: usize) {
        let count = (2 * most).div_ceil(WIDTH).next_power_of_two();
        if count > self.buckets.len() || count * 4 < self.buckets.len() {
            self.resize(count);
        }
    }

    /// Keeps what is remembered.
    #[cold]
    fn resize(&mut self, count: usize) {
        let former = std::mem::replace(&mut self.buckets, vec![Bucket::default(); count]);
        let known = former.into_iter().flatten().filter(|(_, turn)| *turn > self.forgotten);
        known.collect::<Vec<_>>().into_iter().for_each(|(mark, turn)| self.put(mark, turn));
    }

    fn put(&mut self, mark: u32, turn: u32) {
        let oldest = self.bucket(mark).and_then(|bucket| bucket.iter_mut().min_by_key(|(_, turn)| *turn));
        if let Some(oldest) = oldest {
            *oldest = (mark, turn);
        }
    }

    fn bucket(&mut self, mark: u32) -> Option<&mut Bucket> {
        let index = (mark as usize) & self.buckets.len().wrapping_sub(1);
        self.buckets.get_mut(index)
    }
}

/// What is kept of a hash: of both halves, for all keys of a shard have some bits in common.
fn mark(hash: u64) -> u32 {
    (hash ^ (hash >> 32)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Spreads numbers as hashes are.
    fn scatter(number: u64) -> u64 {
        number.wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }

    #[test]
    fn only_the_last_hashes_are_remembered_and_each_is_recalled_once() {
        let mut ghost = Ghost::default();
        for number in 1..=4 {
            ghost.remember(scatter(number), 3);
        }
        assert!(!ghost.recall(scatter(1)));
        assert!(ghost.recall(scatter(2)));
        assert!(!ghost.recall(scatter(2)));
        assert!(ghost.recall(scatter(4)));
    }

    #[test]
    fn a_hash_that_is_remembered_again_is_as_young_as_the_last_time() {
        let mut ghost = Ghost::default();
        for number in [1, 2, 1, 3] {
            ghost.remember(scatter(number), 2);
        }
        assert!(ghost.recall(scatter(1)));
    }

    #[test]
    fn few_are_forgotten_before_their_time() {
        let mut ghost = Ghost::default();
        (0..30_000).for_each(|number| ghost.remember(scatter(number), 10_000));
        let known = (20_000..30_000).filter(|number| ghost.recall(scatter(*number))).count();
        assert!(known > 9_900, "{known}");
        assert!((0..20_000).all(|number| !ghost.recall(scatter(number))));
    }

    #[test]
    fn memory_is_bounded_by_the_last_bound_given() {
        let mut ghost = Ghost::default();
        (0..1000).for_each(|number| ghost.remember(scatter(number), 100));
        assert!(ghost.buckets.len() * WIDTH <= 512, "{}", ghost.buckets.len());
        ghost.remember(scatter(1000), 5);
        assert_eq!(ghost.buckets.len(), 2);
    }

    #[test]
    fn when_the_turns_have_been_used_up_all_begins_anew() {
        let mut ghost = Ghost::default();
        ghost.remember(scatter(1), 10);
        ghost.turn = u32::MAX;
        ghost.remember(scatter(2), 10);
        assert!(!ghost.recall(scatter(1)));
        assert!(ghost.recall(scatter(2)));
    }
}

//! The hashes of entries that were evicted of late: what comes back soon was evicted too early.

/// A bounded memory of hashes, each with the turn at which it was remembered.
///
/// Kept as the authors of S3-FIFO suggest: in buckets without order, where a new one takes the place of the oldest. What was
/// remembered too many turns ago is not known any more, though it may still lie there. Each hash has two buckets, and goes into the
/// second one where the first is full of young ones: so nearly all places can be in use, and hardly ever is a young one lost.
/// Source: Azar et al., "Balanced allocations", SIAM Journal on Computing 29(1), 1999.
///
/// Of each hash 16 bits are kept: two that are taken for the same cost a better place for one entry, nothing more. So does
/// one that is forgotten early; and so do all of them once the bound has changed by much, for then all begins anew.
#[derive(Debug, Default)]
pub(crate) struct Ghost {
    buckets: Box<[Bucket]>,
    turn: u32,
    /// As many of the last turns are known.
    known: u32,
    /// Turns are told apart by steps of a power of two of them: its exponent.
    step: u32,
}

const WIDTH: usize = 8;
const LEAST_BUCKETS: usize = 2;
/// One place in so many is not needed.
const SPARE_PART: usize = 6;
/// What is remembered was so within this many of the 2^16 steps that are told apart. What is so old that its step comes again has
/// long lost its place.
const MOST_STEPS: usize = 1 << 14;
/// How many steps ago everything was remembered that never was.
const LONG_AGO: u16 = 1 << 15;

/// Places for hashes: what is kept of each, and the step at which it was remembered. Those of one kind lie side by side, and all are
/// looked at, with no branch between them: a processor does that at once.
#[derive(Clone, Debug, Default)]
struct Bucket {
    hashes: [u16; WIDTH],
    steps: [u16; WIDTH],
}

impl Bucket {
    fn has(&self, hash: u16) -> bool {
        self.hashes.iter().fold(false, |has, known| has | (*known == hash))
    }

    /// Returns the age of the oldest, and its place.
    fn oldest(&self, now: u16) -> (u16, usize) {
        let keys = self.steps.iter().zip(0..).map(|(step, place)| (now.wrapping_sub(*step), place));
        let key = keys.fold(0, |key, (age, place)| key.max(u32::from(age) * WIDTH as u32 + place));
        ((key / WIDTH as u32) as u16, key as usize % WIDTH)
    }

    fn put(&mut self, place: usize, hash: u16, now: u16) {
        (self.hashes[place], self.steps[place]) = (hash, now);
    }

    /// Forgets a hash; returns whether it was among the last that are known.
    fn take(&mut self, hash: u16, now: u16, known: u32) -> bool {
        let places = self.hashes.iter().zip(&mut self.steps).filter(|(of, _)| **of == hash);
        let ages = places.map(|(_, step)| now.wrapping_sub(std::mem::replace(step, now.wrapping_sub(LONG_AGO))));
        ages.fold(false, |is_known, age| is_known | (u32::from(age) < known))
    }
}

impl Ghost {
    /// Remembers `hash`, and forgets the oldest ones beyond `most`.
    pub(crate) fn remember(&mut self, hash: u64, most: usize) {
        self.fit(most);
        self.turn = self.turn.wrapping_add(1);
        self.known = u32::try_from(most).unwrap_or(u32::MAX).min(self.known.saturating_add(1));
        let now = self.now();
        let [mut home, other] = self.homes(hash);
        let (oldest, mut place) = self.buckets[home].oldest(now);
        if u32::from(oldest) < self.known >> self.step {
            // All are young: there may be more room in the other one.
            let (age, other_place) = self.buckets[other].oldest(now);
            if age > oldest {
                (home, place) = (other, other_place);
            }
        }
        self.buckets[home].put(place, kept(hash), now);
    }

    /// Forgets `hash`; returns whether it was remembered.
    pub(crate) fn recall(&mut self, hash: u64) -> bool {
        if self.buckets.is_empty() {
            return false;
        }
        let homes = self.homes(hash);
        homes.map(|home| self.buckets[home].has(kept(hash))).contains(&true) && self.take(homes, hash)
    }

    #[cold]
    fn take(&mut self, homes: [usize; 2], hash: u64) -> bool {
        let (now, known) = (self.now(), self.known >> self.step);
        homes.map(|home| self.buckets[home].take(kept(hash), now, known)).contains(&true)
    }

    /// Has room for `most` hashes, and not for many more.
    fn fit(&mut self, most: usize) {
        let places = self.buckets.len() * WIDTH;
        if most > places || (places > 2 * (most + most / 2) && self.buckets.len() > LEAST_BUCKETS) {
            self.begin(most);
        }
    }

    #[cold]
    fn begin(&mut self, most: usize) {
        let places = most + most.div_ceil(SPARE_PART - 1);
        self.buckets = vec![Bucket::default(); places.div_ceil(WIDTH).max(LEAST_BUCKETS)].into_boxed_slice();
        self.step = (places.div_ceil(MOST_STEPS)).next_power_of_two().ilog2();
        (self.turn, self.known) = (u32::from(LONG_AGO) << self.step, 0);
    }

    /// Returns the present step.
    fn now(&self) -> u16 {
        (self.turn >> self.step) as u16
    }

    /// Returns both buckets of a hash: by bits of which all depend on both halves, for all keys of a shard have some in common.
    fn homes(&self, hash: u64) -> [usize; 2] {
        let mixed = (hash ^ (hash >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        [mixed >> 32, mixed & 0xffff_ffff].map(|half| ((half * self.buckets.len() as u64) >> 32) as usize)
    }
}

/// Returns what is kept of a hash.
fn kept(hash: u64) -> u16 {
    (hash >> 16) as u16
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
        (0..10_000).for_each(|number| ghost.remember(scatter(number), 10_000));
        let bytes = |ghost: &Ghost| ghost.buckets.len() * size_of::<Bucket>();
        assert!(bytes(&ghost) < 49_000, "{} bytes", bytes(&ghost));
        ghost.remember(scatter(1000), 5);
        assert_eq!(bytes(&ghost), 64);
    }

    #[test]
    fn what_is_forgotten_stays_so_whatever_the_bound() {
        let mut ghost = Ghost::default();
        for (number, most) in [(1, 5), (2, 5), (3, 1), (4, 5)] {
            ghost.remember(scatter(number), most);
        }
        assert_eq!([1, 2, 3, 4].map(|number| ghost.recall(scatter(number))), [false, false, true, true]);
    }

    #[test]
    fn what_was_never_remembered_is_hardly_ever_known_however_many_turns_there_were() {
        let mut ghost = Ghost::default();
        let mut mistaken = 0;
        for number in 0..150_000 {
            ghost.remember(scatter(number), 10_000);
            mistaken += u32::from(number >= 20_000 && ghost.recall(scatter(number - 20_000)));
            mistaken += u32::from(ghost.recall(scatter(number + 1_000_000)));
        }
        assert!(mistaken < 300, "{mistaken} of 280000");
    }

    #[test]
    fn more_than_there_are_steps_are_remembered() {
        let mut ghost = Ghost::default();
        (0..300_000).for_each(|number| ghost.remember(scatter(number), 100_000));
        let known = (200_000..300_000).filter(|number| ghost.recall(scatter(*number))).count();
        assert!(known > 99_000, "{known}");
        let known = (0..199_000).filter(|number| ghost.recall(scatter(*number))).count();
        assert!(known < 100, "{known}");
    }
}

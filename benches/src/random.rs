//! What is asked for: numbers of keys, drawn by a popularity.

/// A source of numbers that are the same in every run.
///
/// Source: Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Returns a number below `bound`.
    pub(crate) fn below(&mut self, bound: u32) -> u32 {
        (((self.next() >> 32) * u64::from(bound)) >> 32) as u32
    }

    /// Returns a number from 0 to 1, without 1.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// How often each of some keys is drawn.
pub(crate) enum Popularity {
    /// All as often.
    Uniform(u32),
    /// The key of rank `n` in proportion to `1 / n^exponent`.
    Zipf {
        /// Up to which share of all draws a rank reaches.
        cumulative: Vec<f64>,
        /// Which key has the rank: so that popular ones are not neighbours.
        keys: Vec<u32>,
    },
}

impl Popularity {
    /// Makes a Zipf distribution over `entries` keys.
    pub(crate) fn zipf(entries: u32, exponent: f64, random: &mut Random) -> Self {
        let mut sum = 0.0;
        let mut cumulative: Vec<f64> = Vec::with_capacity(entries as usize);
        for rank in 1..=entries {
            sum += f64::from(rank).powf(-exponent);
            cumulative.push(sum);
        }
        for share in &mut cumulative {
            *share /= sum;
        }
        let mut keys: Vec<u32> = (0..entries).collect();
        for last in (1..entries).rev() {
            keys.swap(last as usize, random.below(last + 1) as usize);
        }
        Self::Zipf { cumulative, keys }
    }

    /// Draws the number of a key.
    pub(crate) fn draw(&self, random: &mut Random) -> u32 {
        match self {
            Self::Uniform(entries) => random.below(*entries),
            Self::Zipf { cumulative, keys } => {
                let share = random.unit();
                let rank = cumulative.partition_point(|upper| *upper <= share);
                keys[rank.min(keys.len() - 1)]
            }
        }
    }

    /// Draws the numbers of some keys.
    pub(crate) fn draws(&self, count: usize, random: &mut Random) -> Vec<u32> {
        (0..count).map(|_| self.draw(random)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DRAWS: usize = 100_000;

    fn counts(popularity: &Popularity, entries: usize) -> Vec<usize> {
        let mut counts = vec![0; entries];
        for key in popularity.draws(DRAWS, &mut Random::seeded(7)) {
            counts[key as usize] += 1;
        }
        counts.sort_unstable_by_key(|count| usize::MAX - count);
        counts
    }

    #[test]
    fn uniform_draws_come_equally_often() {
        let counts = counts(&Popularity::Uniform(10), 10);
        assert!(counts.iter().all(|count| (9_500..10_500).contains(count)), "{counts:?}");
    }

    #[test]
    fn the_first_rank_of_a_zipf_comes_twice_as_often_as_the_second() {
        let counts = counts(&Popularity::zipf(1_000, 1.0, &mut Random::seeded(1)), 1_000);
        // The thousandth harmonic number is 7.485.
        let expected = DRAWS as f64 / 7.485;
        assert!((counts[0] as f64 / expected - 1.0).abs() < 0.05, "{}", counts[0]);
        assert!((counts[1] as f64 / expected - 0.5).abs() < 0.05, "{}", counts[1]);
    }
}

//! How often a hash was seen, about: a count-min sketch that ages.
//!
//! Sources: Cormode and Muthukrishnan, "An improved data stream summary: the count-min sketch and its applications",
//! Journal of Algorithms 55(1), 2005; the aging is that of TinyLFU (see [`super::lfu`]).

/// The highest count.
pub(crate) const MOST: u8 = 15;

/// Counts of a hash are kept in this many places; the least of them is the answer.
const ROWS: u32 = 4;
/// Words of 16 counts of 4 bits each: at least one word for each entry.
const FIRST_WORDS: usize = 16;
/// After this many increments for each word all counts are halved.
const SAMPLE: u64 = 10;

/// An estimate of how often each hash was seen of late; never less than the truth (up to [`MOST`]) between two halvings.
#[derive(Debug)]
pub(crate) struct Sketch {
    words: Vec<u64>,
    additions: u64,
}

impl Default for Sketch {
    fn default() -> Self {
        Self { words: vec![0; FIRST_WORDS], additions: 0 }
    }
}

impl Sketch {
    /// Makes room for the hashes of `entries` entries. Counts are kept.
    pub(crate) fn reserve(&mut self, entries: usize) {
        while self.words.len() < entries {
            // Twice the words, looked up by one bit more: both halves start with what the one word had.
            self.words.extend_from_within(..);
        }
    }

    /// Counts `times` sightings of `hash`.
    pub(crate) fn add(&mut self, hash: u64, times: u8) {
        if times == 0 {
            return;
        }
        for row in 0..ROWS {
            let (word, shift) = self.place(hash, row);
            let count = (self.words[word] >> shift) & u64::from(MOST);
            let raised = (count + u64::from(times)).min(u64::from(MOST));
            self.words[word] += (raised - count) << shift;
        }
        self.additions += u64::from(times);
        if self.additions >= SAMPLE * self.words.len() as u64 {
            self.halve();
        }
    }

    /// Returns about how often `hash` was seen, up to [`MOST`].
    pub(crate) fn count(&self, hash: u64) -> u8 {
        let counts = (0..ROWS).map(|row| {
            let (word, shift) = self.place(hash, row);
            (self.words[word] >> shift) as u8 & MOST
        });
        counts.min().unwrap_or(0)
    }

    fn halve(&mut self) {
        for word in &mut self.words {
            *word = (*word >> 1) & 0x7777_7777_7777_7777;
        }
        self.additions /= 2;
    }

    /// Returns the word and the shift of one row's count. The number of words is a power of two.
    fn place(&self, hash: u64, row: u32) -> (usize, u32) {
        const SEEDS: [u64; ROWS as usize] =
            [0xa24b_aed4_963e_e407, 0x9fb2_1c65_1e98_df25, 0xd6e8_feb8_6659_fd93, 0xe703_7ed1_a0b4_28db];
        let mixed = (hash ^ (hash >> 32)).wrapping_mul(SEEDS[row as usize]);
        let mixed = mixed ^ (mixed >> 29);
        // A nibble of its own quarter for each row: two rows never share a count.
        let nibble = row * 4 + (mixed >> 62) as u32;
        (mixed as usize & (self.words.len() - 1), nibble * 4)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_count_is_never_too_low_before_it_ages(
            sightings in proptest::collection::vec((any::<u64>(), 1_u8..4), 0..40),
            grown in 1_usize..200,
        ) {
            let mut sketch = Sketch::default();
            let mut truth = HashMap::<u64, u8>::new();
            for (hash, times) in sightings {
                sketch.add(hash, times);
                *truth.entry(hash).or_default() += times;
            }
            sketch.reserve(grown);
            for (hash, times) in truth {
                prop_assert!(sketch.count(hash) >= times.min(MOST));
            }
        }
    }

    #[test]
    fn most_of_what_was_never_seen_counts_nothing() {
        let mut sketch = Sketch::default();
        sketch.reserve(1000);
        let hash = |n: u64| n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (0..1000).for_each(|n| sketch.add(hash(n), 1));
        let mistaken = (1000..2000).filter(|n| sketch.count(hash(*n)) > 0).count();
        assert!(mistaken < 100, "{mistaken} of 1000");
    }

    #[test]
    fn what_was_seen_long_ago_is_forgotten() {
        let mut sketch = Sketch::default();
        sketch.add(7, MOST);
        for n in 0..10_000_u64 {
            sketch.add(n.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1 << 40, 1);
        }
        assert!(sketch.count(7) < MOST);
    }
}

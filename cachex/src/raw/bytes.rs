//! Bytes that were put together in words: hashed and compared a word at a time.

use super::words::{WORD, Word};

/// Bytes that were written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bytes<'a> {
    words: &'a [Word],
    /// In bytes.
    len: usize,
    /// The first two words, or zeros: most keys are no longer, and are then hashed and compared without a look at memory.
    head: [u64; 2],
}

impl<'a> Bytes<'a> {
    /// Takes words that hold `len` bytes, filled up with zeros.
    pub(crate) fn new(words: &'a [Word], len: usize) -> Self {
        debug_assert_eq!(words.len(), len.div_ceil(WORD));
        let head = [0, 1].map(|at: usize| words.get(at).map_or(0, |word| u64::from_le_bytes(*word)));
        Self { words, len, head }
    }

    /// As [`new`](Self::new), for who has the first two words at hand.
    #[inline(always)]
    pub(super) fn with_head(words: &'a [Word], len: usize, head: [u64; 2]) -> Self {
        Self { words, len, head }
    }

    /// Returns the first two words as numbers, zeros where there are none.
    #[inline(always)]
    pub(crate) fn head(self) -> [u64; 2] {
        self.head
    }

    /// Returns the words behind the first two.
    #[inline(always)]
    pub(crate) fn tail(self) -> &'a [Word] {
        if self.len <= 2 * WORD { &[] } else { &self.words[2..] }
    }

    #[inline(always)]
    pub(crate) fn words(self) -> &'a [Word] {
        self.words
    }

    #[inline(always)]
    pub(crate) fn len(self) -> usize {
        self.len
    }

    #[inline]
    pub(crate) fn as_slice(self) -> &'a [u8] {
        &self.words.as_flattened()[..self.len]
    }

    /// Whether these are the bytes.
    #[inline(always)]
    pub(crate) fn are(self, bytes: &[u8]) -> bool {
        if bytes.len() != self.len {
            return false;
        }
        if self.len > 2 * WORD {
            return self.are_many(bytes);
        }
        match (bytes.first_chunk::<WORD>(), bytes.last_chunk::<WORD>()) {
            (Some(first), Some(last)) => {
                // The last eight bytes begin within the first word, or behind it: so much of them is not in the second one. (In two
                // steps, as it may be all.)
                let outside = 4 * (2 * WORD - self.len);
                let second = u64::from_le_bytes(*last) >> outside >> outside;
                u64::from_le_bytes(*first) == self.head[0] && second == self.head[1]
            }
            _ => few(bytes) == self.head[0],
        }
    }

    /// As [`are`](Self::are), for as many bytes that do not fit into the first two words.
    #[inline(always)]
    fn are_many(self, bytes: &[u8]) -> bool {
        let (words, rest) = bytes.as_chunks();
        for (theirs, ours) in words.iter().zip(self.words) {
            if u64::from_le_bytes(*theirs) != u64::from_le_bytes(*ours) {
                return false;
            }
        }
        rest.is_empty() || self.words.last().is_some_and(|last| u64::from_le_bytes(*last) == rest_of(bytes))
    }
}

/// Returns the bytes behind the last whole word as the lowest bytes of a number.
#[inline(always)]
pub(super) fn rest_of(bytes: &[u8]) -> u64 {
    let count = bytes.len() % WORD;
    match bytes.last_chunk::<WORD>() {
        Some(last) => u64::from_le_bytes(*last) >> (64 - 8 * count),
        None => few(bytes),
    }
}

/// Returns less than eight bytes as a number.
#[inline(never)]
fn few(bytes: &[u8]) -> u64 {
    match (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        (Some(first), Some(last)) => {
            let (first, last) = (u32::from_le_bytes(*first), u32::from_le_bytes(*last));
            u64::from(first) | u64::from(last) << (8 * (bytes.len() - 4))
        }
        _ => bytes.iter().rev().fold(0, |bits, byte| bits << 8 | u64::from(*byte)),
    }
}

//! Bytes in words of eight: written, hashed and compared a word at a time.
//!
//! What is written byte by byte and read back word by word has to wait for the bytes to arrive in the cache: on the path of a hit
//! that would cost more than all the rest. So bytes are put together in a register, every word is written whole, and is
//! read as it was written. The last one is filled up with zeros.

use arrayvec::ArrayVec;

/// Eight bytes, in their order in memory.
pub(crate) type Word = [u8; 8];

const WORD: usize = size_of::<Word>();
/// Words kept without an allocation.
const INLINE: usize = 16;

/// Bytes that are written one after the other.
#[derive(Clone, Default)]
pub(crate) struct Words {
    /// In bytes.
    len: usize,
    inline: ArrayVec<Word, INLINE>,
    /// All words, once there are too many.
    spilled: Vec<Word>,
}

/// Bytes that were written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bytes<'a> {
    words: &'a [Word],
    /// In bytes.
    len: usize,
}

impl Words {
    #[inline]
    pub(crate) const fn new() -> Self {
        Self { len: 0, inline: ArrayVec::new_const(), spilled: Vec::new() }
    }

    /// Appends the `count` lowest bytes of `bits`, at most 8, lowest first; the others are 0.
    #[inline]
    pub(crate) fn push(&mut self, bits: u64, count: usize) {
        debug_assert!(count <= WORD && (count == WORD || bits >> (8 * count) == 0));
        if self.len + count > INLINE * WORD {
            return self.spill(bits, count);
        }
        let shift = 8 * (self.len % WORD);
        if shift == 0 {
            self.inline.push(bits.to_le_bytes());
        } else if let Some(last) = self.inline.last_mut() {
            *last = (u64::from_le_bytes(*last) | bits << shift).to_le_bytes();
            if shift + 8 * count > 64 {
                self.inline.push((bits >> (64 - shift)).to_le_bytes());
            }
        }
        self.len += count;
    }

    /// Appends bytes.
    #[inline]
    pub(crate) fn push_slice(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks();
        words.iter().for_each(|word| self.push(u64::from_le_bytes(*word), WORD));
        if !rest.is_empty() {
            self.push(rest_of(bytes), rest.len());
        }
    }

    #[cold]
    fn spill(&mut self, bits: u64, count: usize) {
        if self.spilled.is_empty() {
            self.spilled.reserve(4 * INLINE);
            self.spilled.extend_from_slice(&self.inline);
        }
        for byte in &bits.to_le_bytes()[..count] {
            match (self.len % WORD, self.spilled.last_mut()) {
                (place, Some(last)) if place > 0 => last[place] = *byte,
                _ => self.spilled.push([*byte, 0, 0, 0, 0, 0, 0, 0]),
            }
            self.len += 1;
        }
    }

    #[inline]
    pub(crate) fn bytes(&self) -> Bytes<'_> {
        let words = if self.spilled.is_empty() { &self.inline[..] } else { &self.spilled };
        Bytes { words, len: self.len }
    }
}

impl<'a> Bytes<'a> {
    /// Takes words that hold `len` bytes, filled up with zeros.
    pub(crate) fn new(words: &'a [Word], len: usize) -> Self {
        debug_assert_eq!(words.len(), len.div_ceil(WORD));
        Self { words, len }
    }

    #[inline]
    pub(crate) fn words(self) -> &'a [Word] {
        self.words
    }

    #[inline]
    pub(crate) fn len(self) -> usize {
        self.len
    }

    #[inline]
    pub(crate) fn as_slice(self) -> &'a [u8] {
        &self.words.as_flattened()[..self.len]
    }

    /// Whether these are the bytes.
    #[inline]
    pub(crate) fn are(self, bytes: &[u8]) -> bool {
        if bytes.len() != self.len {
            return false;
        }
        let (words, rest) = bytes.as_chunks();
        let mut ours = self.words.iter();
        let are_words =
            words.iter().zip(&mut ours).all(|(one, other)| u64::from_le_bytes(*one) == u64::from_le_bytes(*other));
        are_words && (rest.is_empty() || ours.next().is_some_and(|last| u64::from_le_bytes(*last) == rest_of(bytes)))
    }
}

/// Returns the bytes behind the last whole word as the lowest bytes of a number.
#[inline]
fn rest_of(bytes: &[u8]) -> u64 {
    let count = bytes.len() % WORD;
    match bytes.last_chunk::<WORD>() {
        Some(last) => u64::from_le_bytes(*last) >> (64 - 8 * count),
        None => match (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
            (Some(first), Some(last)) => {
                let (first, last) = (u32::from_le_bytes(*first), u32::from_le_bytes(*last));
                u64::from(first) | u64::from(last) << (8 * (count - 4))
            }
            // One to three: the middle one is one of the others unless there are three.
            _ => {
                let place = |at: usize| u64::from(bytes[at]) << (8 * at);
                place(0) | place(count / 2) | place(count - 1)
            }
        },
    }
}

/// Calls `see` with each word of `bytes`, the last one filled up with zeros.
#[inline]
pub(crate) fn each_word(bytes: &[u8], mut see: impl FnMut(u64)) {
    let (words, rest) = bytes.as_chunks();
    words.iter().for_each(|word| see(u64::from_le_bytes(*word)));
    if !rest.is_empty() {
        see(rest_of(bytes));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn words_hold_the_bytes_however_they_are_written(
            parts in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..20), 0..20),
        ) {
            let mut words = Words::new();
            let mut plain = Vec::new();
            for part in &parts {
                words.push_slice(part);
                plain.extend_from_slice(part);
                let bytes = words.bytes();
                prop_assert_eq!((bytes.as_slice(), bytes.len()), (&plain[..], plain.len()));
                prop_assert_eq!(bytes.words().len(), plain.len().div_ceil(8));
                prop_assert!(bytes.words().as_flattened()[plain.len()..].iter().all(|byte| *byte == 0));
                prop_assert!(bytes.are(&plain));
            }
            let mut seen = Vec::new();
            each_word(&plain, |word| seen.push(word.to_le_bytes()));
            prop_assert_eq!(&seen[..], words.bytes().words());
        }

        #[test]
        fn other_bytes_are_told_apart(bytes in proptest::collection::vec(any::<u8>(), 1..40), at in any::<usize>()) {
            let mut words = Words::new();
            words.push_slice(&bytes);
            let mut other = bytes.clone();
            other[at % bytes.len()] ^= 1;
            prop_assert!(!words.bytes().are(&other));
            prop_assert!(!words.bytes().are(&bytes[1..]));
            prop_assert!(!words.bytes().are(&[&bytes[..], &[0]].concat()));
        }
    }
}

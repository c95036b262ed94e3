//! Bytes in words of eight: written, hashed and compared a word at a time.
//!
//! What is written byte by byte and read back word by word has to wait for the bytes to arrive in the cache: on the path of a hit
//! that would cost more than all the rest. So bytes are put together in a register, every word is written whole, and is
//! read as it was written. The last one is filled up with zeros.

/// Eight bytes, lowest first.
pub(crate) type Word = [u8; 8];

const WORD: usize = size_of::<Word>();
/// Words kept without an allocation; one more than bytes are kept in, for what a push carries over.
const INLINE: usize = 16;
const MOST: usize = (INLINE - 1) * WORD;

/// Bytes that are written one after the other.
#[derive(Clone)]
pub(crate) struct Words {
    /// In bytes.
    len: usize,
    /// The word behind the last whole one is filled up with zeros.
    inline: [Word; INLINE],
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
    #[inline(always)]
    pub(crate) const fn new() -> Self {
        Self { len: 0, inline: [[0; WORD]; INLINE], spilled: Vec::new() }
    }

    /// Appends the `count` lowest bytes of `bits`, at most 8, lowest first; the others are 0.
    #[inline(always)]
    pub(crate) fn push(&mut self, bits: u64, count: usize) {
        debug_assert!(count <= WORD && (count == WORD || bits >> (8 * count) == 0));
        if self.len + count > MOST {
            self.spill(bits, count);
            return;
        }
        // Without a branch, and the remainder for the compiler's sake: no index is out of bounds.
        let (at, shift) = (self.len / WORD, 8 * (self.len % WORD));
        let word = &mut self.inline[at % INLINE];
        *word = (u64::from_le_bytes(*word) | bits << shift).to_le_bytes();
        self.inline[(at + 1) % INLINE] = ((bits >> 1) >> (63 - shift)).to_le_bytes();
        self.len += count;
    }

    /// Appends bytes.
    #[inline(always)]
    pub(crate) fn push_slice(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks();
        for word in words {
            self.push(u64::from_le_bytes(*word), WORD);
        }
        if !rest.is_empty() {
            self.push(rest_of(bytes), rest.len());
        }
    }

    #[cold]
    #[inline(never)]
    fn spill(&mut self, bits: u64, count: usize) {
        if self.spilled.is_empty() {
            self.spilled.reserve(4 * INLINE);
            self.spilled.extend_from_slice(&self.inline[..self.len.div_ceil(WORD)]);
        }
        for byte in &bits.to_le_bytes()[..count] {
            match (self.len % WORD, self.spilled.last_mut()) {
                (place, Some(last)) if place > 0 => last[place] = *byte,
                _ => self.spilled.push([*byte, 0, 0, 0, 0, 0, 0, 0]),
            }
            self.len += 1;
        }
    }

    #[inline(always)]
    pub(crate) fn bytes(&self) -> Bytes<'_> {
        let words = if self.len <= MOST { &self.inline[..self.len.div_ceil(WORD)] } else { &self.spilled };
        Bytes { words, len: self.len }
    }
}

impl Default for Words {
    fn default() -> Self {
        Self::new()
    }
}

impl<'a> Bytes<'a> {
    /// Takes words that hold `len` bytes, filled up with zeros.
    pub(crate) fn new(words: &'a [Word], len: usize) -> Self {
        debug_assert_eq!(words.len(), len.div_ceil(WORD));
        Self { words, len }
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

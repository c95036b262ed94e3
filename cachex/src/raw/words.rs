//! Bytes in words of eight: written, hashed and compared a word at a time.
//!
//! What is written byte by byte and read back word by word has to wait for the bytes to arrive in the cache: on the path of a hit
//! that would cost more than all the rest. So bytes are put together in a register, every word is written whole, and is
//! read as it was written. The last one is filled up with zeros.

#![expect(unsafe_code, reason = "words that are not needed are not written")]

use std::mem::MaybeUninit;

/// Eight bytes, lowest first.
pub(crate) type Word = [u8; 8];

const WORD: usize = size_of::<Word>();
/// Words kept without an allocation; two more than bytes are kept in, for what a push carries over.
const INLINE: usize = 16;
const MOST: usize = (INLINE - 2) * WORD;

/// Bytes that are written one after the other.
pub(crate) struct Words {
    /// In bytes.
    len: usize,
    /// The word that the next byte goes into, filled up with zeros: it is never read back.
    last: u64,
    /// Written up to that word. The others are not: to write zeros into all of them would take as long as all else.
    inline: [MaybeUninit<Word>; INLINE],
    /// All words, once there are too many. Behind a pointer, as few keys have it.
    #[expect(clippy::box_collection, reason = "one word, and not three, is written for each key")]
    spilled: Option<Box<Vec<Word>>>,
}

/// Bytes that were written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bytes<'a> {
    words: &'a [Word],
    /// In bytes.
    len: usize,
    /// The first two words, or zeros: most keys are no longer, and are then hashed and compared without a look at memory.
    head: [u64; 2],
}

impl Words {
    #[inline(always)]
    pub(crate) const fn new() -> Self {
        let mut inline = [MaybeUninit::uninit(); INLINE];
        inline[0] = MaybeUninit::new([0; WORD]);
        inline[1] = MaybeUninit::new([0; WORD]);
        Self { len: 0, last: 0, inline, spilled: None }
    }

    /// Appends the `count` lowest bytes of `bits`, at most 8, lowest first; the others are 0.
    #[inline(always)]
    pub(crate) fn push(&mut self, bits: u64, count: usize) {
        debug_assert!(count <= WORD && (count == WORD || bits >> (8 * count) == 0));
        if self.len + count > MOST {
            *self = std::mem::take(self).spill(bits, count);
            return;
        }
        // Nothing is carried over where there is room: then the next word becomes 0.
        let shift = 8 * (self.len % WORD);
        self.put(bits << shift, (bits >> 1) >> (63 - shift), count);
    }

    /// Adds to the word that is not full, writes the one after it, and counts.
    #[inline(always)]
    fn put(&mut self, added: u64, next: u64, count: usize) {
        // The remainders are for the compiler's sake: no index is out of bounds.
        let at = self.len / WORD;
        let word = self.last | added;
        self.inline[at % INLINE].write(word.to_le_bytes());
        self.inline[(at + 1) % INLINE].write(next.to_le_bytes());
        self.last = if self.len % WORD + count < WORD { word } else { next };
        self.len += count;
    }

    /// Appends one byte and then the `count` lowest bytes of `bits`, at most 8, lowest first; the others are 0.
    #[inline(always)]
    pub(crate) fn push_after(&mut self, byte: u8, bits: u64, count: usize) {
        debug_assert!(count <= WORD && (count == WORD || bits >> (8 * count) == 0));
        if self.len + 1 + count > MOST {
            *self = std::mem::take(self).spill(u64::from(byte), 1).spill(bits, count);
            return;
        }
        // Nine bytes behind at most seven: two words.
        let all = (u128::from(byte) | u128::from(bits) << 8) << (8 * (self.len % WORD));
        let fills_two = self.len % WORD + 1 + count == 2 * WORD;
        self.put(all as u64, (all >> 64) as u64, 1 + count);
        // Then the next byte goes into the third.
        self.inline[(self.len / WORD) % INLINE].write(if fills_two { [0; WORD] } else { self.last.to_le_bytes() });
        self.last = if fills_two { 0 } else { self.last };
    }

    /// Appends bytes.
    #[inline(always)]
    pub(crate) fn push_slice(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks();
        if self.len + bytes.len() > MOST {
            words.iter().for_each(|word| self.push(u64::from_le_bytes(*word), WORD));
        } else {
            self.put_whole(words);
        }
        if !rest.is_empty() {
            self.push(rest_of(bytes), rest.len());
        }
    }

    /// As often [`put`](Self::put) as there are words, for which there is room.
    #[inline(always)]
    fn put_whole(&mut self, words: &[Word]) {
        let shift = 8 * (self.len % WORD);
        let mut at = self.len / WORD;
        for word in words {
            let bits = u64::from_le_bytes(*word);
            self.inline[at % INLINE].write((self.last | bits << shift).to_le_bytes());
            self.last = (bits >> 1) >> (63 - shift);
            at += 1;
        }
        self.inline[at % INLINE].write(self.last.to_le_bytes());
        self.len += WORD * words.len();
    }

    // By value: were the words lent, they would have to lie in memory also where this is never called.
    #[cold]
    #[inline(never)]
    fn spill(mut self, bits: u64, count: usize) -> Self {
        let mut spilled = self.spilled.take().unwrap_or_else(|| {
            let mut spilled = Vec::with_capacity(4 * INLINE);
            spilled.extend_from_slice(self.written());
            Box::new(spilled)
        });
        for byte in &bits.to_le_bytes()[..count] {
            match (self.len % WORD, spilled.last_mut()) {
                (place, Some(last)) if place > 0 => last[place] = *byte,
                _ => spilled.push([*byte, 0, 0, 0, 0, 0, 0, 0]),
            }
            self.len += 1;
        }
        self.spilled = Some(spilled);
        self
    }

    #[inline(always)]
    pub(crate) fn bytes(&self) -> Bytes<'_> {
        // SAFETY: `new` has written both.
        let head = [0, 1].map(|at: usize| u64::from_le_bytes(unsafe { self.inline[at].assume_init() }));
        let words = match &self.spilled {
            None => self.written(),
            Some(spilled) => spilled,
        };
        Bytes { words, len: self.len, head }
    }

    /// Returns the words in place.
    #[inline(always)]
    fn written(&self) -> &[Word] {
        let words = &self.inline[..self.len.div_ceil(WORD).min(INLINE)];
        // SAFETY: `put` writes each word before a byte in it is counted.
        unsafe { std::slice::from_raw_parts(words.as_ptr().cast(), words.len()) }
    }
}

impl Clone for Words {
    #[inline(always)]
    fn clone(&self) -> Self {
        Self { len: self.len, last: self.last, inline: self.inline, spilled: self.spilled.clone() }
    }
}

impl Default for Words {
    #[inline(always)]
    fn default() -> Self {
        Self::new()
    }
}

impl<'a> Bytes<'a> {
    /// Takes words that hold `len` bytes, filled up with zeros.
    pub(crate) fn new(words: &'a [Word], len: usize) -> Self {
        debug_assert_eq!(words.len(), len.div_ceil(WORD));
        let head = [0, 1].map(|at: usize| words.get(at).map_or(0, |word| u64::from_le_bytes(*word)));
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
fn rest_of(bytes: &[u8]) -> u64 {
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        // Under Miri everything takes some thousand times as long.
        #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 8 } else { 256 }, failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn words_hold_the_bytes_however_they_are_written(
            parts in proptest::collection::vec((any::<u8>(), proptest::collection::vec(any::<u8>(), 0..20)), 0..20),
        ) {
            let mut words = Words::new();
            let mut plain = Vec::new();
            for (byte, part) in &parts {
                if part.len() <= 8 {
                    // As a number of so many bytes after a byte.
                    let mut word = [0; 8];
                    word[..part.len()].copy_from_slice(part);
                    words.push_after(*byte, u64::from_le_bytes(word), part.len());
                    plain.push(*byte);
                } else {
                    words.push_slice(part);
                }
                plain.extend_from_slice(part);
                let bytes = words.bytes();
                prop_assert_eq!((bytes.as_slice(), bytes.len()), (&plain[..], plain.len()));
                prop_assert_eq!(bytes.words().len(), plain.len().div_ceil(8));
                prop_assert!(bytes.words().as_flattened()[plain.len()..].iter().all(|byte| *byte == 0));
                prop_assert!(bytes.are(&plain));
                let copy = words.clone();
                prop_assert_eq!(copy.bytes().as_slice(), &plain[..]);
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

//! Bytes in words of eight: written, hashed and compared a word at a time.
//!
//! What is written byte by byte and read back word by word has to wait for the bytes to arrive in the cache: on the path of a hit
//! that would cost more than all the rest. So bytes are put together in a register, every word is written whole, and is
//! read as it was written. The last one is filled up with zeros.

#![expect(unsafe_code, reason = "words that are not needed are not written")]

use std::mem::MaybeUninit;

use super::bytes::{Bytes, rest_of};

/// Eight bytes, lowest first.
pub(crate) type Word = [u8; 8];

pub(super) const WORD: usize = size_of::<Word>();
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
    /// All words, once there are too many.
    spilled: Vec<Word>,
}

impl Words {
    #[inline(always)]
    pub(crate) const fn new() -> Self {
        let mut inline = [MaybeUninit::uninit(); INLINE];
        inline[0] = MaybeUninit::new([0; WORD]);
        inline[1] = MaybeUninit::new([0; WORD]);
        Self { len: 0, last: 0, inline, spilled: Vec::new() }
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
        if self.spilled.is_empty() {
            let mut spilled = Vec::with_capacity(4 * INLINE);
            spilled.extend_from_slice(self.written());
            self.spilled = spilled;
        }
        for byte in &bits.to_le_bytes()[..count] {
            match (self.len % WORD, self.spilled.last_mut()) {
                (place, Some(last)) if place > 0 => last[place] = *byte,
                _ => self.spilled.push([*byte, 0, 0, 0, 0, 0, 0, 0]),
            }
            self.len += 1;
        }
        self
    }

    #[inline(always)]
    pub(crate) fn bytes(&self) -> Bytes<'_> {
        // SAFETY: `new` has written both.
        let head = [0, 1].map(|at: usize| u64::from_le_bytes(unsafe { self.inline[at].assume_init() }));
        let words = if self.len <= MOST { self.written() } else { &self.spilled };
        Bytes::with_head(words, self.len, head)
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

//! The hash of a key.

use std::hash::{BuildHasher, Hasher};

use foldhash::SharedSeed;
use foldhash::quality::SeedableRandomState;

use crate::entry::Entry;
use crate::raw::bytes::Bytes;
use crate::raw::words::{Word, Words};

/// Hashes keys: seeded, so that nobody can choose keys of one hash without knowing the seed.
///
/// All 64 bits are used: some for the shard, some for the bucket, some for the byte that is compared first. So it is foldhash's
/// quality variant, of which each bit depends on all of the key.
#[derive(Clone, Debug)]
pub(crate) struct KeyHasher {
    state: SeedableRandomState,
    /// Every key has the same hash.
    #[cfg(test)]
    is_flooded: bool,
}

impl KeyHasher {
    pub(crate) fn seeded(seed: u64) -> Self {
        Self {
            state: SeedableRandomState::with_seed(seed, SharedSeed::global_random()),
            #[cfg(test)]
            is_flooded: false,
        }
    }

    #[cfg(test)]
    pub(crate) fn flooded() -> Self {
        Self { is_flooded: true, ..Self::seeded(0) }
    }

    #[inline(always)]
    pub(crate) fn hash(&self, region: u32, bytes: Bytes<'_>) -> u64 {
        #[cfg(test)]
        if self.is_flooded {
            return 7;
        }
        let mut hasher = self.state.build_hasher();
        let [first, second] = bytes.head();
        // The region is mixed in where short keys have zeros. (No key is the beginning of another one of its region, so the length
        // need not be.)
        let second = second ^ u64::from(region) << 32;
        hasher.write_u128(u128::from(first) | u128::from(second) << 64);
        let (pairs, rest) = bytes.tail().as_chunks();
        for [first, second] in pairs {
            hasher.write_u128(u128::from(u64::from_le_bytes(*first)) | u128::from(u64::from_le_bytes(*second)) << 64);
        }
        if let [last] = rest {
            hasher.write_u128(u128::from(u64::from_le_bytes(*last)));
        }
        hasher.finish()
    }

    /// As [`hash`](Self::hash), of the key of an entry.
    pub(crate) fn hash_of(&self, entry: &Entry) -> u64 {
        let bytes = entry.bytes();
        match words_of(bytes) {
            Some(words) => self.hash(entry.region_id(), Bytes::new(&words[..bytes.len().div_ceil(8)], bytes.len())),
            None => self.hash_of_long(entry.region_id(), bytes),
        }
    }

    #[cold]
    #[inline(never)]
    fn hash_of_long(&self, region: u32, bytes: &[u8]) -> u64 {
        let mut words = Words::new();
        words.push_slice(bytes);
        self.hash(region, words.bytes())
    }
}

/// Returns the words of a key that is no longer than two, filled up with zeros.
// The first eight bytes and the last eight may have some in common: a shift drops them.
#[inline]
fn words_of(bytes: &[u8]) -> Option<[Word; 2]> {
    let len = bytes.len() as u32;
    let [first, second] = match (bytes.first_chunk(), bytes.last_chunk(), bytes.first_chunk(), bytes.last_chunk()) {
        (Some(first), Some(last), ..) => {
            let second = u64::from_le_bytes(*last).checked_shr(8 * 16_u32.checked_sub(len)?);
            [u64::from_le_bytes(*first), second.unwrap_or(0)]
        }
        (_, _, Some(first), Some(last)) => {
            let (first, last) = (u32::from_le_bytes(*first), u32::from_le_bytes(*last));
            [u64::from(first) | u64::from(last) << (8 * (len - 4)), 0]
        }
        _ => [bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)), 0],
    };
    Some([first.to_le_bytes(), second.to_le_bytes()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_a_short_key_are_those_it_was_written_in() {
        let bytes: Vec<u8> = (1..=40).collect();
        for len in 0..=bytes.len() {
            let mut written = Words::new();
            written.push_slice(&bytes[..len]);
            match words_of(&bytes[..len]) {
                Some(words) => assert_eq!(&words[..len.div_ceil(8)], written.bytes().words(), "{len} bytes"),
                None => assert!(len > 16, "{len} bytes"),
            }
        }
    }
}

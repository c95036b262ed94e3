//! The hash of a key.

use std::hash::{BuildHasher, Hasher};

use foldhash::SharedSeed;
use foldhash::quality::SeedableRandomState;

use crate::entry::Entry;
use crate::raw::words::{Bytes, Words};

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
        let mut words = Words::new();
        words.push_slice(entry.bytes());
        self.hash(entry.region_id(), words.bytes())
    }
}

//! The hash of the key of an entry.

use crate::entry::Entry;
use crate::key::hash_of;

/// Hashes keys of entries: as they are hashed when they are written.
#[derive(Clone, Debug, Default)]
pub(crate) struct KeyHasher {
    /// Every key has the same hash.
    #[cfg(any(test, feature = "flood"))]
    is_flooded: bool,
}

impl KeyHasher {
    #[cfg(any(test, feature = "flood"))]
    pub(crate) fn flooded() -> Self {
        Self { is_flooded: true }
    }

    pub(crate) fn hash(&self, region: u32, bytes: &[u8]) -> u64 {
        #[cfg(any(test, feature = "flood"))]
        if self.is_flooded {
            // What it costs to hash is not what is flooded.
            std::hint::black_box(hash_of(region, bytes));
            return 7;
        }
        hash_of(region, bytes)
    }

    pub(crate) fn hash_of(&self, entry: &Entry) -> u64 {
        self.hash(entry.region_id(), entry.bytes())
    }
}

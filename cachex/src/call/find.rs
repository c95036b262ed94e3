//! The look-up of an invocation, by a key that is written nowhere: its parts are hashed where they are, and compared where they are with
//! the key of the entry found. All of a hit is here and in what this is made of.

use super::Call;
use crate::engine::begin::NoHit;
use crate::entry::{Entry, EntryParts};
use crate::key::KeyWriter;
use crate::method::keep::Keep;
use crate::raw::node::label;
use crate::raw::table::Sought;

/// A key that is not written down: what writes it, and its hash.
struct Unwritten<'k, F> {
    label: u64,
    hash: u64,
    key: &'k F,
}

impl<F> Clone for Unwritten<'_, F> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}

impl<F> Copy for Unwritten<'_, F> {}

impl<F: Fn(&mut KeyWriter<'_>)> Sought<EntryParts> for Unwritten<'_, F> {
    #[inline(always)]
    fn hash(&self) -> u64 {
        self.hash
    }

    #[inline(always)]
    fn is(&self, entry: &Entry) -> bool {
        if entry.label() != self.label {
            return false;
        }
        let mut out = KeyWriter::comparing(entry.bytes());
        (self.key)(&mut out);
        out.is_same()
    }
}

impl Call<'_> {
    /// Answers with the value of a fresh entry about which nothing is rare.
    ///
    /// `key` writes the key, the same one each time it is called. It is put in place here and lent to nobody else: what it reads
    /// the arguments from needs no place in memory then.
    #[inline(always)]
    pub fn find<V, K: Keep<V>>(self, keep: K, key: impl Fn(&mut KeyWriter<'_>)) -> Result<V, NoHit> {
        if self.is_bypassed {
            return Err(NoHit::Bypassed);
        }
        let mut out = KeyWriter::hashing();
        key(&mut out);
        let region = self.region.id();
        let sought = Unwritten { label: label(region, out.len()), hash: out.hash(region), key: &key };
        let engine = self.cache_in_use().engine();
        engine.plain_hit(engine.method(self.region), sought, keep)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::entry::{Life, Meta, NO_TAGS, Stamp};
    use crate::key::CacheKey;
    use crate::time::Timestamp;

    fn entry(region: u32, bytes: &[u8]) -> Entry {
        let never = Timestamp::NEVER;
        let meta = Meta {
            key: (region, bytes),
            stamp: Stamp::default(),
            tags: NO_TAGS,
            life: Life {
                created_at: never,
                accessed_at: never,
                stale_at: never,
                expires_at: never,
                grace: Duration::ZERO,
                tti: None,
            },
            weight: 1,
            is_negative: false,
            load_time: None,
        };
        Entry::of(&meta, 1_u64)
    }

    #[test]
    fn an_entry_is_sought_by_its_region_and_all_of_its_bytes() {
        let key = |out: &mut KeyWriter<'_>| (7_u64, "x").encode(out);
        let mut written = KeyWriter::new();
        key(&mut written);
        let bytes = written.as_bytes();
        let sought = Unwritten { label: label(2, bytes.len()), hash: 7, key: &key };
        assert!(sought.is(&entry(2, bytes)));
        assert!(!sought.is(&entry(3, bytes)), "another method, with the same arguments");
        assert!(!sought.is(&entry(2, &bytes[1..])));
        assert!(!sought.is(&entry(2, &[bytes, &[0]].concat())));
        for at in 0..bytes.len() {
            let mut other = bytes.to_vec();
            other[at] ^= 1;
            assert!(!sought.is(&entry(2, &other)), "byte {at}");
        }
    }
}

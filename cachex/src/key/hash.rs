//! The hash of a key: made while the key is written, value by value, or read anew from its bytes.
//!
//! It is not the hash of the bytes in a row, which would have to be put in a row first: numbers are taken from registers and strings from
//! where they are. So what is hashed at once is a part of a value, and who has nothing but the bytes reads the values out of them.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::LazyLock;

use foldhash::SharedSeed;
use foldhash::fast::FoldHasher;

use super::count;
use super::kind::{self, Body};

/// Random for each process: nobody can choose keys of one hash without knowing them.
struct Seeds {
    first: u64,
    others: SharedSeed,
}

static SEEDS: LazyLock<Seeds> = LazyLock::new(|| {
    let random = RandomState::new();
    Seeds { first: random.hash_one(1_u8), others: SharedSeed::from_u64(random.hash_one(2_u8)) }
});

/// Hashes the values of a key.
///
/// Each number and each string is one round of foldhash, a multiplication by what is not known outside; so is the region at the end.
/// That makes two of them at least wherever there is a number or a string, as in foldhash's own variant for quality, so that all 64 bits
/// can be used: some for the shard, some for the bucket, some for the byte that is compared first. (Of a few heads alone one round is made,
/// and of eight or more another one; what few keys these are.)
#[derive(Clone)]
pub(super) struct KeyHasher {
    rounds: FoldHasher<'static>,
    /// Kinds, lengths and counts since the last number, each in a byte or two: they are constants mostly, and go into the next round.
    heads: u64,
}

impl KeyHasher {
    #[inline(always)]
    pub(super) fn new() -> Self {
        let seeds = &*SEEDS;
        Self { rounds: FoldHasher::with_seed(seeds.first, &seeds.others), heads: 0 }
    }

    /// Takes a kind.
    #[inline(always)]
    pub(super) fn kind(&mut self, kind: u8) {
        self.head(8, u64::from(kind) + 1);
    }

    /// Takes a kind and a length or a count.
    // So much of it as makes two keys different that differ in nothing else: what it counts is hashed as well.
    #[inline(always)]
    pub(super) fn counted(&mut self, kind: u8, count: usize) {
        self.head(16, u64::from(count as u8) << 8 | (u64::from(kind) + 1));
    }

    /// Takes a count that no kind precedes.
    #[inline(always)]
    pub(super) fn count(&mut self, count: usize) {
        self.head(16, u64::from(count as u8) << 8 | 0xff);
    }

    #[inline(always)]
    fn head(&mut self, bits: u32, head: u64) {
        // None is 0, so it shows whether there is room.
        if self.heads >> (u64::BITS - bits) != 0 {
            self.round(0);
        }
        self.heads = self.heads << bits | head;
    }

    /// Takes a body of fixed size, big-endian.
    #[inline(always)]
    pub(super) fn fixed(&mut self, body: &[u8]) {
        let (words, rest) = body.as_chunks();
        words.iter().for_each(|word| self.round(u64::from_be_bytes(*word)));
        if !rest.is_empty() {
            self.round(rest.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)));
        }
    }

    /// Takes the bytes of a string, whose length was taken.
    #[inline(always)]
    pub(super) fn text(&mut self, text: &[u8]) {
        self.rounds.write(text);
    }

    #[inline(always)]
    fn round(&mut self, number: u64) {
        self.rounds.write_u128(u128::from(number) | u128::from(self.heads) << 64);
        self.heads = 0;
    }

    /// Takes values that were written. Bytes that are none count all the same.
    pub(super) fn written(&mut self, mut bytes: &[u8]) {
        while let Some(rest) = self.one_written(bytes) {
            bytes = rest;
        }
        if !bytes.is_empty() {
            self.text(bytes);
        }
    }

    /// Takes one value, or the head of one, and returns what follows; nothing if there is none.
    fn one_written<'a>(&mut self, bytes: &'a [u8]) -> Option<&'a [u8]> {
        let (&kind, rest) = bytes.split_first()?;
        match kind::body(kind)? {
            Body::Nothing => {
                self.kind(kind);
                Some(rest)
            }
            Body::Fixed(size) => {
                let (body, rest) = rest.split_at_checked(size)?;
                self.kind(kind);
                self.fixed(body);
                Some(rest)
            }
            Body::Count => {
                let (count, rest) = count::read(rest)?;
                self.counted(kind, count);
                Some(rest)
            }
            Body::Text => {
                let (count, rest) = count::read(rest)?;
                let (text, rest) = rest.split_at_checked(count)?;
                self.counted(kind, count);
                self.text(text);
                Some(rest)
            }
            Body::Fields => {
                let (fingerprint, rest) = rest.split_at_checked(8)?;
                let (count, rest) = count::read(rest)?;
                self.kind(kind);
                self.fixed(fingerprint);
                self.count(count);
                Some(rest)
            }
            Body::Variant => {
                let (length, rest) = count::read(rest)?;
                let (name, rest) = rest.split_at_checked(length)?;
                let (count, rest) = count::read(rest)?;
                self.counted(kind, length);
                self.text(name);
                self.count(count);
                Some(rest)
            }
        }
    }

    /// Returns the hash of the key of a region.
    #[inline(always)]
    pub(super) fn finish(&self, region: u32) -> u64 {
        let mut all = self.clone();
        all.round(u64::from(region));
        all.rounds.finish()
    }
}

/// Returns the hash of a key of which there are the bytes.
pub(crate) fn hash_of(region: u32, bytes: &[u8]) -> u64 {
    let mut hasher = KeyHasher::new();
    hasher.written(bytes);
    hasher.finish(region)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::key::{CacheKey, KeyFields, KeyWriter};

    /// Values of each kind, and the kinds that begin manual keys.
    fn write(out: &mut KeyWriter<'_>, numbers: &[u64], text: &str) {
        for (at, number) in numbers.iter().copied().enumerate() {
            match (number >> 40) % 20 {
                0 => out.put_kind(kind::ENTITY),
                1 => (number as u8, number as u16, number as u32, number).encode(out),
                2 => (number as i8, number as i16, i128::from(number), u128::from(number)).encode(out),
                3 => (f64::from_bits(number), number as f32, number % 2 == 0).encode(out),
                4 => text.chars().next().encode(out),
                5 => text.encode(out),
                6 => text.as_bytes().encode(out),
                7 => text.repeat(40).encode(out),
                8 => std::time::Duration::new(number, 7).encode(out),
                9 => std::net::Ipv6Addr::from(u128::from(number)).encode(out),
                10 => out.put_fixed(kind::DECIMAL, &[number as u8; 17]),
                11 => vec![number; at * 30].encode(out),
                12 => vec![number % 2 == 0; at * 30].encode(out),
                13 => std::collections::BTreeMap::from([(number, text)]).encode(out),
                14 => out.write_struct(KeyFields::new(&["a", text])),
                15 => out.write_variant(text, number as usize),
                16 => Some(Some(number as u32)).encode(out),
                17 => None::<u8>.encode(out),
                18 => std::net::Ipv4Addr::from(number as u32).encode(out),
                _ => ().encode(out),
            }
        }
    }

    proptest! {
        #[test]
        fn a_key_has_one_hash_whether_it_is_written_or_read(
            numbers in proptest::collection::vec(any::<u64>(), 0..20),
            text in ".{0,40}",
            region in any::<u32>(),
        ) {
            let (mut kept, mut hashed) = (KeyWriter::new(), KeyWriter::hashing());
            write(&mut kept, &numbers, &text);
            write(&mut hashed, &numbers, &text);
            let bytes = kept.as_bytes();
            prop_assert_eq!(hash_of(region, bytes), kept.hash(region));
            prop_assert_eq!((hashed.hash(region), hashed.len()), (kept.hash(region), bytes.len()));
            prop_assert!(hashed.as_bytes().is_empty());
            let mut compared = KeyWriter::comparing(bytes);
            write(&mut compared, &numbers, &text);
            prop_assert!(compared.is_same());
            let mut again = KeyWriter::new();
            again.put_written(bytes);
            prop_assert_eq!((again.hash(region), again.as_bytes()), (kept.hash(region), bytes));
        }

        #[test]
        fn a_key_is_not_the_same_as_one_that_differs_in_a_byte(
            numbers in proptest::collection::vec(any::<u64>(), 1..10),
            text in ".{0,40}",
            at in any::<prop::sample::Index>(),
            bit in 0..8_u32,
        ) {
            let mut kept = KeyWriter::new();
            write(&mut kept, &numbers, &text);
            let mut other = kept.as_bytes().to_vec();
            let at = at.index(other.len());
            other[at] ^= 1 << bit;
            for bytes in [&other[..], &kept.as_bytes()[..other.len() - 1], &[kept.as_bytes(), &[0]].concat()] {
                let mut compared = KeyWriter::comparing(bytes);
                write(&mut compared, &numbers, &text);
                prop_assert!(!compared.is_same());
            }
        }

        #[test]
        fn any_bytes_have_a_hash(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            prop_assert_eq!(hash_of(1, &bytes), hash_of(1, &bytes));
        }
    }

    /// Checks that as many keys spread over buckets as well as chance would have it, by any eight bits of their hashes.
    #[track_caller]
    fn check_spread(keys: impl Iterator<Item = Vec<u8>>) {
        let hashes: Vec<u64> = keys.map(|bytes| hash_of(1, &bytes)).collect();
        let distinct: std::collections::HashSet<u64> = hashes.iter().copied().collect();
        assert_eq!(distinct.len(), hashes.len(), "two keys of one hash");
        for shift in (0..=56).step_by(4) {
            let mut counts = [0_f64; 256];
            hashes.iter().for_each(|hash| counts[(hash >> shift) as usize % 256] += 1.0);
            let mean = hashes.len() as f64 / 256.0;
            let chi_squared: f64 = counts.iter().map(|count| (count - mean).powi(2) / mean).sum();
            // 255 degrees of freedom: above 400 once in some 10^8 times.
            assert!(chi_squared < 400.0, "bits from {shift} on: {chi_squared}");
        }
    }

    fn bytes(value: &(impl CacheKey + ?Sized)) -> Vec<u8> {
        let mut out = KeyWriter::new();
        value.encode(&mut out);
        out.as_bytes().to_vec()
    }

    #[test]
    fn keys_that_are_much_alike_spread_well() {
        check_spread((0..20_000_u64).map(|n| bytes(&n)));
        check_spread((0..20_000_u64).map(|n| bytes(&(n << 40))));
        check_spread((0..20_000_u32).map(|n| bytes(&format!("account-{n:08}"))));
        check_spread((0..20_000_u32).map(|n| bytes(&format!("{n}"))));
        check_spread((0..20_000_u32).map(|n| bytes(&(n % 100, n / 100))));
        check_spread((0..20_000_u32).map(|n| bytes(&(7_u64, "same", Some(n)))));
        check_spread((0..20_000_u32).map(|n| bytes(&(0..20).map(|bit| n >> bit & 1 == 1).collect::<Vec<_>>())));
    }
}

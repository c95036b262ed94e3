//! The form of a value in a store.
//!
//! ```text
//! magic 2 B · version u8 · flags u8 · codec u8 · compression u8 · tags, length u16 · schema u64
//! stamp u64 · created u64 · stale at u64 · expires at u64 · load time u32 · raw length u32 · key id u32 · tags, count u16
//! tags: for each its length as u16 and its name · payload · xxh3-64 of all of this, with a digest of the key as its seed
//! ```
//!
//! Numbers are big-endian, times in milliseconds since 1970. The key is part of the checksum and not of the envelope: a value that was
//! moved to another key is refused. `key id` and one bit of the flags are for encryption.

use std::ops::Range;

use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::store::{Group, Reading};

const MAGIC: [u8; 2] = *b"cx";
const VERSION: u8 = 1;
const HEADER: usize = 62;
const CHECKSUM: usize = 8;
const NEGATIVE: u8 = 1;
/// In place of a time: never.
const NEVER: u64 = u64::MAX;

/// What is known of a value in a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) codec: u8,
    pub(crate) compression: u8,
    /// Bytes of the payload before it was compressed.
    pub(crate) raw_len: u32,
    pub(crate) schema: u64,
    /// The store's clock, from before the load.
    pub(crate) stamp: Reading,
    /// In milliseconds since 1970, as all times here.
    pub(crate) created_at: u64,
    pub(crate) stale_at: Option<u64>,
    pub(crate) expires_at: Option<u64>,
    /// In microseconds.
    pub(crate) load_time: u32,
    /// Whether it is a kept "none" or a kept error.
    pub(crate) is_negative: bool,
    /// What it belongs to, everything and its method apart.
    pub(crate) groups: Vec<Group>,
}

/// Why bytes are no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// They are too few, or begin otherwise.
    Foreign,
    /// Another version of this crate wrote them.
    Version,
    /// They were altered, or are those of another key.
    Checksum,
}

/// Puts a value into an envelope. Nothing if there are more tags, or longer ones, than it takes.
pub(crate) fn seal(header: &Header, payload: &[u8], key: u64) -> Option<Vec<u8>> {
    let mut tags = Vec::new();
    for group in &header.groups {
        tags.extend(u16::try_from(group.as_str().len()).ok()?.to_be_bytes());
        tags.extend(group.as_str().as_bytes());
    }
    let mut out = Vec::with_capacity(HEADER + tags.len() + payload.len() + CHECKSUM);
    out.extend(MAGIC);
    out.extend([VERSION, if header.is_negative { NEGATIVE } else { 0 }, header.codec, header.compression]);
    out.extend(u16::try_from(tags.len()).ok()?.to_be_bytes());
    for number in [
        header.schema,
        header.stamp.0,
        header.created_at,
        header.stale_at.unwrap_or(NEVER),
        header.expires_at.unwrap_or(NEVER),
    ] {
        out.extend(number.to_be_bytes());
    }
    out.extend(header.load_time.to_be_bytes());
    out.extend(header.raw_len.to_be_bytes());
    out.extend([0; 4]);
    out.extend(u16::try_from(header.groups.len()).ok()?.to_be_bytes());
    debug_assert_eq!(out.len(), HEADER, "the header has the length it is read by");
    out.extend(tags);
    out.extend(payload);
    out.extend(checksum(&out, key).to_be_bytes());
    Some(out)
}

/// Takes a value out of its envelope: what is known of it, and where it is. `known` are groups of which some may be in it.
pub(crate) fn open(bytes: &[u8], key: u64, known: &[Group]) -> Result<(Header, Range<usize>), Refused> {
    if bytes.len() < HEADER + CHECKSUM || bytes[..2] != MAGIC {
        return Err(Refused::Foreign);
    }
    if bytes[2] != VERSION {
        return Err(Refused::Version);
    }
    let (sealed, sum) = bytes.split_last_chunk::<CHECKSUM>().ok_or(Refused::Foreign)?;
    if checksum(sealed, key) != u64::from_be_bytes(*sum) {
        return Err(Refused::Checksum);
    }
    let (header, payload) = read(sealed, known).ok_or(Refused::Foreign)?;
    Ok((header, sealed.len() - payload.len()..sealed.len()))
}

/// What the beginning of an envelope says. Its checksum is not looked at: it is at the end.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Head {
    /// All before the payload, which is so many bytes.
    Whole { stamp: Reading, groups: Vec<Group>, len: usize },
    /// There is more of it.
    TooShort,
    /// It is none that this version reads.
    Foreign,
}

/// Reads the beginning of an envelope, of which the end may be missing.
pub(crate) fn head(bytes: &[u8]) -> Head {
    if bytes.len() < HEADER || bytes[..2] != MAGIC || bytes[2] != VERSION {
        return Head::Foreign;
    }
    let len = HEADER + usize::from(u16::from_be_bytes([bytes[6], bytes[7]]));
    match bytes.get(..len).map(|bytes| read(bytes, &[])) {
        None => Head::TooShort,
        Some(None) => Head::Foreign,
        Some(Some((header, _))) => Head::Whole { stamp: header.stamp, groups: header.groups, len },
    }
}

fn read<'a>(sealed: &'a [u8], known: &[Group]) -> Option<(Header, &'a [u8])> {
    let (fixed, rest) = sealed.split_at_checked(HEADER)?;
    let long = |at: usize| fixed[at..].first_chunk().map(|bytes| u64::from_be_bytes(*bytes));
    let short = |at: usize| fixed[at..].first_chunk().map(|bytes| usize::from(u16::from_be_bytes(*bytes)));
    let half = |at: usize| fixed[at..].first_chunk().map(|bytes| u32::from_be_bytes(*bytes));
    let time = |at: usize| long(at).map(|time| (time != NEVER).then_some(time));
    let (mut tags, payload) = rest.split_at_checked(short(6)?)?;
    let count = short(60)?;
    // Each has a length: hostile bytes may name more than there is room for.
    let mut groups = Vec::with_capacity(count.min(tags.len() / 2));
    for _ in 0..count {
        let (len, rest) = tags.split_first_chunk()?;
        let (name, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*len)))?;
        let name = std::str::from_utf8(name).ok()?;
        let known = known.iter().find(|group| group.as_str() == name).cloned();
        groups.push(known.or_else(|| Group::read(name))?);
        tags = rest;
    }
    let header = Header {
        codec: fixed[4],
        compression: fixed[5],
        raw_len: half(52)?,
        schema: long(8)?,
        stamp: Reading(long(16)?),
        created_at: long(24)?,
        stale_at: time(32)?,
        expires_at: time(40)?,
        load_time: half(48)?,
        is_negative: fixed[3] & NEGATIVE != 0,
        groups,
    };
    tags.is_empty().then_some((header, payload))
}

fn checksum(sealed: &[u8], key: u64) -> u64 {
    xxh3_64_with_seed(sealed, key)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::altered_tests::{alterations, altered};

    fn headers() -> impl Strategy<Value = Header> {
        let times = (any::<u64>(), any::<u64>(), proptest::option::of(0..NEVER), proptest::option::of(0..NEVER));
        let tags = proptest::collection::vec(".{0,12}", 0..4);
        (any::<(u8, u8, u32, u64, u32, bool)>(), times, tags).prop_map(
            |((codec, compression, raw_len, schema, load_time, is_negative), times, tags)| {
                let (stamp, created_at, stale_at, expires_at) = times;
                let groups = tags.iter().map(|tag| Group::tag(tag)).collect();
                let stamp = Reading(stamp);
                Header {
                    codec,
                    compression,
                    raw_len,
                    schema,
                    stamp,
                    created_at,
                    stale_at,
                    expires_at,
                    load_time,
                    is_negative,
                    groups,
                }
            },
        )
    }

    proptest! {
        #[test]
        fn a_value_is_taken_out_as_it_was_put_in(header in headers(), payload: Vec<u8>, key: u64) {
            let sealed = seal(&header, &payload, key).expect("few and short tags fit");
            // Whether or not its groups are known.
            for known in [&header.groups[..], &[]] {
                let (opened, at) = open(&sealed, key, known).expect("it is whole");
                prop_assert_eq!((&opened, &sealed[at]), (&header, &payload[..]));
            }
        }

        #[test]
        fn whatever_is_altered_is_refused(header in headers(), payload: Vec<u8>, at: proptest::sample::Index, bit in 0..8) {
            let mut sealed = seal(&header, &payload, 7).expect("few and short tags fit");
            let at = at.index(sealed.len());
            sealed[at] ^= 1_u8 << bit;
            prop_assert!(open(&sealed, 7, &[]).is_err());
        }

        #[test]
        fn what_is_cut_off_is_refused(header in headers(), payload: Vec<u8>, len: proptest::sample::Index) {
            let sealed = seal(&header, &payload, 7).expect("few and short tags fit");
            prop_assert!(open(&sealed[..len.index(sealed.len())], 7, &[]).is_err());
        }

        /// By somebody who knows the checksum.
        #[test]
        fn what_is_read_of_an_altered_envelope_is_what_it_says(header in headers(), payload: Vec<u8>, how in alterations()) {
            let sealed = seal(&header, &payload, 7).expect("few and short tags fit");
            let other = altered(&sealed[..sealed.len() - CHECKSUM], &how);
            let sum = checksum(&other, 7).to_be_bytes();
            let signed = [&other[..], &sum].concat();
            let _mark = crate::store::mark(&signed);
            if let Ok((header, at)) = open(&signed, 7, &[]) {
                let again = seal(&header, &signed[at.clone()], 7).expect("it has no more tags than it had");
                prop_assert_eq!(&again[at.clone()], &signed[at.clone()]);
                prop_assert_eq!(open(&again, 7, &[]), Ok((header, at)));
                prop_assert_eq!(again.len(), signed.len());
            }
        }

        #[test]
        fn the_beginning_says_what_the_whole_does(header in headers(), payload: Vec<u8>, cut: proptest::sample::Index) {
            let sealed = seal(&header, &payload, 7).expect("few and short tags fit");
            let len = sealed.len() - payload.len() - CHECKSUM;
            let whole = Head::Whole { stamp: header.stamp, groups: header.groups, len };
            let cut = cut.index(sealed.len());
            let expected = if cut >= len { whole } else if cut >= HEADER { Head::TooShort } else { Head::Foreign };
            prop_assert_eq!(head(&sealed[..cut]), expected);
        }

        #[test]
        fn bytes_of_others_are_no_reason_to_panic(bytes: Vec<u8>) {
            let _refused = open(&bytes, 7, &[]);
            let _refused = read(&[&MAGIC[..], &[VERSION], &bytes].concat(), &[]);
        }
    }

    #[test]
    fn a_value_that_was_moved_to_another_key_is_refused() {
        let header = Header {
            codec: 0,
            compression: 0,
            raw_len: 5,
            schema: 1,
            stamp: Reading(2),
            created_at: 3,
            stale_at: None,
            expires_at: Some(4),
            load_time: 5,
            is_negative: false,
            groups: vec![Group::tag("a")],
        };
        let sealed = seal(&header, b"value", 1).expect("it fits");
        assert_eq!(open(&sealed, 2, &[]), Err(Refused::Checksum));
        assert_eq!(crate::store::mark(&sealed), [[0, 0, 0, 0, 0, 0, 0, 2], [0, 0, 0, 0, 0, 0, 0, 3]].concat());
    }
}

//! The form of what is in a file: nothing that was cut off, altered or written by others is taken for it.
//!
//! ```text
//! magic 4 B · ends at u64, in ms since 1970, all ones for never · key, length u32 · key · payload · xxh3-64 of all of this
//! ```

use xxhash_rust::xxh3::xxh3_64;

const MAGIC: [u8; 4] = *b"cxf\x01";
const NEVER: u64 = u64::MAX;

/// What is in a file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Record {
    /// When it ends to be there, in ms since 1970.
    pub(crate) ends_at: Option<u64>,
    pub(crate) payload: Vec<u8>,
}

/// Writes what is to be in the file of a key.
pub(crate) fn seal(key: &[u8], ends_at: Option<u64>, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(payload.len() + key.len() + 24);
    out.extend(MAGIC);
    out.extend(ends_at.unwrap_or(NEVER).to_be_bytes());
    // Longer keys there are none.
    out.extend(u32::try_from(key.len()).unwrap_or(u32::MAX).to_be_bytes());
    out.extend(key);
    out.extend(payload);
    out.extend(xxh3_64(&out).to_be_bytes());
    out
}

/// Reads it; nothing if it is something else, or of another key.
pub(crate) fn open(bytes: &[u8], key: &[u8]) -> Option<Record> {
    let (sealed, sum) = bytes.split_last_chunk()?;
    if xxh3_64(sealed) != u64::from_be_bytes(*sum) {
        return None;
    }
    let (ends_at, rest) = head(sealed)?;
    let (len, rest) = rest.split_first_chunk()?;
    let (of, payload) = rest.split_at_checked(usize::try_from(u32::from_be_bytes(*len)).ok()?)?;
    (of == key).then(|| Record { ends_at, payload: payload.to_vec() })
}

/// Returns when something ends that begins like this: nothing if it is none of ours.
pub(crate) fn end(bytes: &[u8]) -> Option<Option<u64>> {
    head(bytes).map(|(ends_at, _)| ends_at)
}

fn head(bytes: &[u8]) -> Option<(Option<u64>, &[u8])> {
    let (magic, rest) = bytes.split_first_chunk()?;
    let (ends_at, rest) = rest.split_first_chunk()?;
    let ends_at = u64::from_be_bytes(*ends_at);
    (*magic == MAGIC).then_some(((ends_at != NEVER).then_some(ends_at), rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::altered_tests::{alterations, altered};

    proptest! {
        #[test]
        fn a_record_is_read_as_it_was_written(key: Vec<u8>, ends_at in proptest::option::of(0..NEVER), payload: Vec<u8>) {
            let sealed = seal(&key, ends_at, &payload);
            prop_assert_eq!(end(&sealed), Some(ends_at));
            prop_assert_eq!(open(&sealed, &key), Some(Record { ends_at, payload }));
            prop_assert_eq!(open(&sealed, &[&key[..], b"x"].concat()), None);
        }

        #[test]
        fn whatever_is_altered_or_cut_off_is_refused(payload: Vec<u8>, at: proptest::sample::Index, bit in 0..8) {
            let mut sealed = seal(b"key", Some(1), &payload);
            prop_assert_eq!(open(&sealed[..at.index(sealed.len())], b"key"), None);
            let at = at.index(sealed.len());
            sealed[at] ^= 1_u8 << bit;
            prop_assert_eq!(open(&sealed, b"key"), None);
        }

        /// By somebody who knows the checksum.
        #[test]
        fn what_is_read_of_an_altered_record_is_what_it_says(payload: Vec<u8>, how in alterations()) {
            let sealed = seal(b"key", Some(1), &payload);
            let mut other = altered(&sealed[..sealed.len() - 8], &how);
            let sum = xxh3_64(&other).to_be_bytes();
            other.extend(sum);
            let _end = end(&other);
            if let Some(Record { ends_at, payload }) = open(&other, b"key") {
                prop_assert_eq!(seal(b"key", ends_at, &payload), other);
            }
        }

        #[test]
        fn bytes_of_others_are_no_reason_to_panic(bytes: Vec<u8>) {
            let _record = (open(&bytes, b""), end(&bytes));
        }
    }
}

//! The names of an entry's tags, one after the other in a row of bytes: of each its length, in seven bits a byte, and the name.

use smallvec::SmallVec;

use crate::tag::{Tag, Tags};

/// The highest bit of a byte: more of the length follows.
const MORE: u8 = 1 << 7;

/// Writes names.
pub(super) fn written(tags: &Tags) -> SmallVec<[u8; 64]> {
    let mut bytes = SmallVec::new();
    for name in tags.iter().map(Tag::as_str) {
        let mut len = name.len();
        while len >= usize::from(MORE) {
            bytes.push(len as u8 | MORE);
            len >>= 7;
        }
        bytes.push(len as u8);
        bytes.extend_from_slice(name.as_bytes());
    }
    bytes
}

/// Reads what [`written`] has made.
pub(super) fn read(mut bytes: &[u8]) -> impl Iterator<Item = &str> {
    std::iter::from_fn(move || {
        let last = bytes.iter().position(|byte| byte & MORE == 0)?;
        let (length, rest) = bytes.split_at(last + 1);
        let len = length.iter().rev().fold(0, |len, byte| len << 7 | usize::from(byte & !MORE));
        let (name, others) = rest.split_at(len);
        bytes = others;
        Some(std::str::from_utf8(name).expect("a name was written"))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn names_are_read_as_they_were_written(names in prop::collection::btree_set(".{0,9}", 0..9)) {
            let tags: Tags = names.iter().cloned().collect();
            prop_assert!(read(&written(&tags)).eq(names.iter().map(String::as_str)));
        }
    }

    #[test]
    fn names_of_any_length_are_read_as_they_were_written() {
        let names: Vec<_> = [0, 1, 127, 128, 129, 16_383, 16_384, 70_000].map(|len| "x".repeat(len)).into();
        let tags: Tags = names.iter().cloned().collect();
        assert!(read(&written(&tags)).eq(names.iter().map(String::as_str)));
        assert_eq!(written(&["user:7"].into_iter().collect()).len(), 7);
    }
}

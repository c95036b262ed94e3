//! The format of notices.
//!
//! A notice is `version u8, kind u8, origin u64, number u64, clock u64, body`, numbers big-endian. The origin is drawn anew by each cache; its
//! notices are numbered from 1. The clock is that of the store after an invalidation of groups, else 0. The body is
//!
//! - of an invalidation of groups: each name, after its length as u16;
//! - of a key, or of one that has a new value: the method's name after its length as u16, then the bytes of the key;
//! - of a removal by pattern: the pattern;
//! - of a heartbeat, or an invalidation of everything: nothing.

/// The version of the format.
const VERSION: u8 = 1;
/// The longest name of a group, in bytes.
pub(crate) const LONGEST: usize = u16::MAX as usize;
/// Bytes before the clock, and after it.
const HEAD: usize = 18;
const FIXED: usize = HEAD + 8;

/// Who tells what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Notice {
    /// The cache that tells.
    pub(crate) origin: u64,
    /// How many it had told of before, and one.
    pub(crate) number: u64,
    pub(crate) subject: Subject,
}

/// What a notice is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    /// These groups were invalidated.
    Groups(Vec<Box<str>>),
    /// A key was invalidated, or written by hand.
    Key { method: Box<str>, bytes: Vec<u8> },
    /// A load that others wait for has stored its value.
    Stored { method: Box<str>, bytes: Vec<u8> },
    /// All keys whose text fits a glob pattern were removed.
    Matching(Box<str>),
    /// Nothing: so many notices there were.
    Heartbeat,
}

impl Subject {
    /// Returns what is told of a key that was invalidated, or written by hand.
    pub(crate) fn of_key(method: &str, bytes: &[u8]) -> Self {
        Self::Key { method: method.into(), bytes: bytes.to_vec() }
    }

    fn kind(&self) -> u8 {
        match self {
            Self::Groups(_) => 1,
            Self::Key { .. } => 2,
            Self::Stored { .. } => 3,
            Self::Heartbeat => 4,
            Self::Matching(_) => 5,
        }
    }
}

impl Notice {
    /// Writes what comes before the clock, and what comes after it.
    pub(crate) fn parts(&self) -> (Vec<u8>, Vec<u8>) {
        let mut head = vec![VERSION, self.subject.kind()];
        head.extend(self.origin.to_be_bytes());
        head.extend(self.number.to_be_bytes());
        let mut tail = Vec::new();
        match &self.subject {
            Subject::Groups(groups) => groups.iter().for_each(|group| put(&mut tail, group)),
            Subject::Key { method, bytes } | Subject::Stored { method, bytes } => {
                put(&mut tail, method);
                tail.extend(bytes);
            }
            Subject::Matching(pattern) => tail.extend(pattern.as_bytes()),
            Subject::Heartbeat => {}
        }
        (head, tail)
    }

    /// Returns what is where the clock is, 0 if that is nothing.
    pub(crate) fn clock(bytes: &[u8]) -> u64 {
        bytes.get(HEAD..).and_then(|bytes| bytes.first_chunk()).map_or(0, |bytes| u64::from_be_bytes(*bytes))
    }

    /// Reads a notice; nothing if it is none, or of another version.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let (fixed, mut body) = bytes.split_at_checked(FIXED)?;
        let number = |at: usize| fixed[at..].first_chunk().map(|bytes| u64::from_be_bytes(*bytes));
        if fixed[0] != VERSION {
            return None;
        }
        let subject = match fixed[1] {
            1 => {
                let mut groups = Vec::new();
                while !body.is_empty() {
                    groups.push(take(&mut body)?);
                }
                Subject::Groups(groups)
            }
            2 => Subject::Key { method: take(&mut body)?, bytes: body.to_vec() },
            3 => Subject::Stored { method: take(&mut body)?, bytes: body.to_vec() },
            4 if body.is_empty() => Subject::Heartbeat,
            5 => Subject::Matching(std::str::from_utf8(body).ok()?.into()),
            _ => return None,
        };
        Some(Self { origin: number(2)?, number: number(10)?, subject })
    }
}

/// Returns the number of a notice from what comes before its clock.
pub(crate) fn number_in(head: &[u8]) -> Option<u64> {
    head.get(HEAD - 8..).and_then(|bytes| bytes.first_chunk()).map(|bytes| u64::from_be_bytes(*bytes))
}

fn put(out: &mut Vec<u8>, name: &str) {
    // Longer names there are none: see `LONGEST`.
    let len = u16::try_from(name.len()).unwrap_or(u16::MAX);
    out.extend(len.to_be_bytes());
    out.extend(&name.as_bytes()[..usize::from(len)]);
}

fn take(body: &mut &[u8]) -> Option<Box<str>> {
    let (len, rest) = body.split_first_chunk()?;
    let (name, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*len)))?;
    *body = rest;
    std::str::from_utf8(name).ok().map(Into::into)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::altered_tests::{alterations, altered};

    fn whole(notice: &Notice) -> Vec<u8> {
        let (head, tail) = notice.parts();
        [head, vec![0; 8], tail].concat()
    }

    proptest! {
        #[test]
        fn a_notice_is_read_as_it_was_written(
            origin: u64, number: u64, kind in 0..5, names in proptest::collection::vec(".{0,20}", 1..5), bytes: Vec<u8>,
        ) {
            let method: Box<str> = names[0].as_str().into();
            let subject = match kind {
                0 => Subject::Groups(names.iter().map(|name| name.as_str().into()).collect()),
                1 => Subject::Key { method, bytes },
                2 => Subject::Stored { method, bytes },
                3 => Subject::Matching(method),
                _ => Subject::Heartbeat,
            };
            let notice = Notice { origin, number, subject };
            prop_assert_eq!(Notice::read(&whole(&notice)), Some(notice));
        }

        #[test]
        fn what_is_read_of_an_altered_notice_is_what_it_says(
            names in proptest::collection::vec(".{0,20}", 1..5), kind in 0..5, bytes: Vec<u8>, how in alterations(),
        ) {
            let method: Box<str> = names[0].as_str().into();
            let subject = match kind {
                0 => Subject::Groups(names.iter().map(|name| name.as_str().into()).collect()),
                1 => Subject::Key { method, bytes },
                2 => Subject::Stored { method, bytes },
                3 => Subject::Matching(method),
                _ => Subject::Heartbeat,
            };
            let other = altered(&whole(&Notice { origin: 1, number: 2, subject }), &how);
            let _clock = Notice::clock(&other);
            if let Some(read) = Notice::read(&other) {
                // But for the clock, which the store writes.
                let mut written = whole(&read);
                written[HEAD..FIXED].copy_from_slice(&other[HEAD..FIXED]);
                prop_assert_eq!(written, other);
            }
        }

        #[test]
        fn bytes_of_others_are_no_reason_to_panic(bytes: Vec<u8>) {
            let _notice = Notice::read(&bytes);
            let _notice = Notice::read(&[&[VERSION, 1][..], &bytes].concat());
        }
    }
}

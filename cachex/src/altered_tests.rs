//! Bytes of others, as tests make them up: those that a writer wrote, altered in the ways that break readers. What is drawn at random hardly ever
//! gets past a reader's first look; this does.
//!
//! `PROPTEST_CASES` says how many are tried.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

/// What is done to bytes.
#[derive(Clone, Debug)]
pub(crate) enum Alteration {
    Flip(Index, u8),
    CutOff(Index),
    TakeOut(Index, Index),
    /// A part is there once more, somewhere else.
    Repeat(Index, Index, Index),
    PutIn(Index, Vec<u8>),
    /// What may be a length or a time is about as small or large as it can be: so many bytes of it.
    Number(Index, usize, u64),
}

/// Draws a few of them.
pub(crate) fn alterations() -> impl Strategy<Value = Vec<Alteration>> {
    let at = any::<Index>;
    let extreme = prop_oneof![
        0..4_u64,
        (0..4_u64).prop_map(|less| u64::MAX - less),
        (0..64_u32, 0..3_u64).prop_map(|(bit, more)| (1_u64 << bit).wrapping_add(more).wrapping_sub(1)),
    ];
    let one = prop_oneof![
        (at(), 0..8_u8).prop_map(|(at, bit)| Alteration::Flip(at, 1 << bit)),
        at().prop_map(Alteration::CutOff),
        (at(), at()).prop_map(|(from, to)| Alteration::TakeOut(from, to)),
        (at(), at(), at()).prop_map(|(from, to, at)| Alteration::Repeat(from, to, at)),
        (at(), vec(any::<u8>(), 1..9)).prop_map(|(at, bytes)| Alteration::PutIn(at, bytes)),
        (at(), prop_oneof![Just(1_usize), Just(2), Just(4), Just(8)], extreme)
            .prop_map(|(at, width, number)| Alteration::Number(at, width, number)),
    ];
    vec(one, 1..5)
}

/// Does them, one after the other.
pub(crate) fn altered(bytes: &[u8], how: &[Alteration]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for alteration in how {
        if !bytes.is_empty() {
            alteration.apply(&mut bytes);
        }
    }
    bytes
}

/// As [`altered`], of text.
pub(crate) fn altered_text(text: &str, how: &[Alteration]) -> String {
    String::from_utf8_lossy(&altered(text.as_bytes(), how)).into_owned()
}

impl Alteration {
    fn apply(&self, bytes: &mut Vec<u8>) {
        let len = bytes.len();
        let part = |one: &Index, other: &Index| {
            let (one, other) = (one.index(len), other.index(len));
            one.min(other)..one.max(other)
        };
        match self {
            Self::Flip(at, bit) => bytes[at.index(len)] ^= bit,
            Self::CutOff(at) => bytes.truncate(at.index(len)),
            Self::TakeOut(from, to) => drop(bytes.drain(part(from, to))),
            Self::Repeat(from, to, at) => {
                let part = bytes[part(from, to)].to_vec();
                bytes.splice(at.index(len)..at.index(len), part);
            }
            Self::PutIn(at, more) => drop(bytes.splice(at.index(len)..at.index(len), more.iter().copied())),
            Self::Number(at, width, number) => {
                let at = at.index(len);
                let end = len.min(at + width);
                bytes[at..end].copy_from_slice(&number.to_be_bytes()[8 - (end - at)..]);
            }
        }
    }
}

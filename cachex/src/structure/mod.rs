//! What is shared as it is, and not kept as the copy of something: counters, lists, sets, hashes, and locks. An operation goes in, an answer comes
//! out.
//!
//! Reading order: this file (what can be asked), [`record`] (what it does, as one pure function, for memory and for files), [`lock`] (the same of locks).
//! A server that has such things itself does what is said here in its own way.
//!
//! A key has one structure of one kind, and a lock beside it; neither has anything to do with a value that is cached under the key.

mod lock;
mod record;

use std::time::Duration;

#[cfg(feature = "redis")]
pub(crate) use lock::MEMORY_OF_TOKENS;
pub(crate) use record::Record;

/// What is asked of the structure of a key, or of its lock.
#[cfg_attr(
    not(feature = "structures"),
    expect(dead_code, reason = "without a codec there are counters and locks only")
)]
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(
    not(feature = "remote"),
    expect(unreachable_pub, reason = "the contract of stores, which names it, is not in this build")
)]
pub enum Operation {
    /// Adds to the counter, which begins at 0 and stays at the ends of `i64`: [`Answer::Number`]. At most 2^63 either way.
    Count(i128),
    /// Reads the counter: [`Answer::Number`].
    Counter,
    /// Puts an item at the end of the list: [`Answer::Number`], its length.
    Push(Vec<u8>),
    /// Takes the first item of the list, if it begins so: [`Answer::Bytes`]. One that does not is not taken: [`OtherKind`].
    Pop(Vec<u8>),
    /// [`Answer::Number`], also if there is no list.
    Length,
    /// Adds a member to the set: [`Answer::Flag`], whether it was new.
    Add(Vec<u8>),
    /// [`Answer::Many`].
    Members,
    /// [`Answer::Flag`].
    Contains(Vec<u8>),
    /// Gives a field of the hash a value: [`Answer::Flag`], whether the field was new.
    Put(String, Vec<u8>),
    /// [`Answer::Bytes`].
    Field(String),
    /// [`Answer::Pairs`].
    Fields,
    /// Removes the structure: [`Answer::Flag`], whether there was one.
    Remove,
    /// Lets the structure end after this time, at once if that is none: [`Answer::Flag`], whether there was one.
    Expire(Duration),
    /// [`Answer::Left`].
    Left,
    /// Gives the lock to this owner for so long, if nobody has it: [`Answer::Token`].
    Lock(u64, Duration),
    /// Puts off the end of the lock, if this owner has it: [`Answer::Flag`]. It is never put earlier.
    Renew(u64, Duration),
    /// Gives back the lock, if this owner has it: [`Answer::Flag`].
    Release(u64),
}

/// What an operation brings.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(
    not(feature = "remote"),
    expect(unreachable_pub, reason = "the contract of stores, which names it, is not in this build")
)]
pub enum Answer {
    /// There is none.
    Missing,
    Flag(bool),
    Number(i64),
    Bytes(Vec<u8>),
    Many(Vec<Vec<u8>>),
    Pairs(Vec<(String, Vec<u8>)>),
    /// How long it lives, if not for good.
    Left(Option<Duration>),
    /// A number above all that were given for this lock before.
    Token(u64),
}

/// The structure is of another kind than the operation is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OtherKind;

impl Operation {
    /// Names the kind that it is for.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Count(_) | Self::Counter => "counter",
            Self::Push(_) | Self::Pop(_) | Self::Length => "list",
            Self::Add(_) | Self::Members | Self::Contains(_) => "set",
            Self::Put(..) | Self::Field(_) | Self::Fields => "hash",
            Self::Remove | Self::Expire(_) | Self::Left => "structure",
            Self::Lock(..) | Self::Renew(..) | Self::Release(_) => "lock",
        }
    }
}

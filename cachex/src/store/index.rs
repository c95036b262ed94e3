//! What a store is asked that can keep an index beside its values: which keys have a tag, and which tags a key has.
//!
//! The index is never asked whether a value is right. What it says may be old, or wrong: entries may be missing, and others may be there that
//! should not. Nothing is done in one step with the value, and nothing needs to be.

use std::fmt;
use std::time::Duration;

use super::Doing;

/// A key that has a value, and what is to be known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The name of the key.
    pub key: Box<str>,
    /// Its tags: if there are none, nothing is noted of the key any more.
    pub tags: Vec<Box<str>>,
    /// What other processes call its method, …
    pub method: Box<str>,
    /// … and its arguments.
    pub arguments: Vec<u8>,
    /// How long that is remembered.
    pub life: Duration,
}

/// A part of what there is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Names of keys or tags, and until when they are remembered, in ms since 1970.
    pub names: Vec<(Box<str>, u64)>,
    /// Where to go on: 0 if that was all.
    pub next: u64,
}

/// A store with an index.
///
/// Its timeouts are those of the other things a store is asked.
pub trait Index: Send + Sync + fmt::Debug {
    /// Notes keys, each in place of what was noted of it before.
    fn note<'a>(&'a self, notes: &'a [Note]) -> Doing<'a, ()>;

    /// Forgets those of the keys that have no value, also in the index of `tag` if they are not known by themselves.
    fn forget<'a>(&'a self, keys: &'a [Box<str>], tag: Option<&'a str>) -> Doing<'a, ()>;

    /// Returns keys of a tag, about so many: from the beginning with 0, or from where another page ended. What is there all the time is in some page.
    fn keys<'a>(&'a self, tag: &'a str, from: u64, about: usize) -> Doing<'a, Page>;

    /// Returns tags, as [`keys`](Self::keys) does.
    fn tags<'a>(&'a self, from: u64, about: usize) -> Doing<'a, Page>;

    /// Returns what is noted of keys; their lives are not known.
    fn notes<'a>(&'a self, keys: &'a [Box<str>]) -> Doing<'a, Vec<Option<Note>>>;

    /// Returns how many keys each tag has.
    fn counts<'a>(&'a self, tags: &'a [Box<str>]) -> Doing<'a, Vec<u64>>;

    /// Returns how many keys are known by themselves. It walks over all that the store has.
    fn len(&self) -> Doing<'_, u64>;

    /// Returns the first `len` bytes of values, or fewer; none where there is no value.
    fn heads<'a>(&'a self, keys: &'a [Box<str>], len: usize) -> Doing<'a, Vec<Vec<u8>>>;

    /// Removes the values that begin with these very bytes, and nothing else. Returns how many that were.
    fn remove_like<'a>(&'a self, values: &'a [(Box<str>, Vec<u8>)]) -> Doing<'a, u64>;
}

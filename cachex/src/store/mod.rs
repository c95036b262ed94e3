//! Byte stores: what the second tier is kept in. Keys, bytes and tags go in; bytes and clocks come out.
//!
//! Reading order: this file (the contract), [`structures`] (that of what is not a copy of something), [`redis`] (Redis and Valkey).
//!
//! A store has one logical clock. Each tag has the reading of its last invalidation, V(T); each value has one *reading* as its stamp,
//! taken before its load began. Whoever reads a value asks for V(T) of its tags as well, and the value is valid iff each is known
//! and none is later than the stamp. So an invalidation is one step of the clock whatever it covers, a value that is stored late can
//! do no harm, and what a store forgets (a tag, a clock, a lease, a value) causes misses and nothing else.
//!
//! A load holds the *lease* of its key, and its value is stored only while it still does. Who invalidates the key takes the lease
//! away: so a load that began before is not stored after it, and of many processes one loads.

#[cfg(feature = "redis")]
pub(crate) mod redis;
pub(crate) mod structures;

use std::fmt;
use std::future::Future;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

pub(crate) use structures::Structures;

/// The bytes of a value that tell it from that of another load: where whoever writes values puts when and as of what they were loaded.
pub(crate) const MARK: Range<usize> = 16..32;

/// A reading of a store's clock, in microseconds of a hybrid logical clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Reading(pub(crate) u64);

/// The name by which a store knows a group of values: a tag of users, a method, or everything.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Group(Box<str>);

impl Group {
    /// Names what all values belong to.
    pub(crate) fn all() -> Self {
        Self("*".into())
    }

    /// Names the values of a method.
    pub(crate) fn method(id: &str) -> Self {
        Self(format!("m:{id}").into())
    }

    /// Names the values with a tag.
    pub(crate) fn tag(name: &str) -> Self {
        Self(format!("t:{name}").into())
    }

    /// Returns the group that was written as [`as_str`](Self::as_str) says.
    pub(crate) fn read(written: &str) -> Option<Self> {
        let is_known = written == "*" || written.starts_with("m:") || written.starts_with("t:");
        is_known.then(|| Self(written.into()))
    }

    /// Returns the tag of users, if it is one.
    pub(crate) fn as_tag(&self) -> Option<&str> {
        self.0.strip_prefix("t:")
    }

    /// Returns the method, if it is one.
    pub(crate) fn as_method(&self) -> Option<&str> {
        self.0.strip_prefix("m:")
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a store does, in the end.
pub(crate) type Doing<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// A value and the clocks of the groups that were asked for, in their order.
#[derive(Debug, Default)]
pub(crate) struct Read {
    pub(crate) value: Option<Vec<u8>>,
    pub(crate) clocks: Vec<Option<Reading>>,
}

/// Who asks for the lease of a key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ask<'a> {
    pub(crate) key: &'a str,
    pub(crate) token: u64,
    /// How long the lease holds unless it is renewed.
    pub(crate) span: Duration,
    /// What tells the value that was read, and is of no use, from others: nothing where there was none.
    pub(crate) seen: &'a [u8],
}

/// What became of a request for a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lease {
    Granted,
    /// Another one loads.
    Held,
    /// There is another value than the one that was seen: it is to be read again.
    Stored,
}

/// What is invalidated at once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Invalidation {
    pub(crate) groups: Vec<Group>,
    pub(crate) keys: Vec<Box<str>>,
    /// What other processes are told of the groups, and of each of the keys.
    pub(crate) notices: Vec<Notice>,
}

/// What is asked when an update of the source has ended.
#[derive(Debug)]
pub(crate) struct Settling {
    /// The clock from before the update.
    pub(crate) since: Reading,
    /// All that the value belongs to, …
    pub(crate) groups: Vec<Group>,
    /// … and how long that is kept at least.
    pub(crate) life: Option<Duration>,
    /// What the update invalidates.
    pub(crate) invalidated: Vec<Group>,
    /// What other processes are told of that.
    pub(crate) notice: Notice,
}

/// What other processes are told, in two parts between which the store puts its clock.
#[derive(Clone, Debug)]
pub(crate) struct Notice {
    pub(crate) head: Vec<u8>,
    pub(crate) tail: Vec<u8>,
}

/// A byte store.
///
/// All that it is asked ends within the timeout it is set to, and at once where it is known to be out of reach.
pub(crate) trait Store: Send + Sync + fmt::Debug {
    /// Begins to work, and tells `listener` of what happens from now on.
    fn start(&self, listener: Arc<dyn Listener>);

    /// What is to be known of how it is used, if something is.
    fn warning(&self) -> Option<&'static str>;

    /// Whether it can be reached, as far as is known.
    fn is_up(&self) -> bool;

    /// Whether all parts of it can be reached.
    fn is_whole(&self) -> bool;

    /// Whether what is asked of a key can be reached: parts of a store may be out of reach.
    fn reaches(&self, key: &str) -> bool;

    /// Reads the value of a key and the clocks of groups.
    fn read<'a>(&'a self, key: &'a str, groups: &'a [Group]) -> Doing<'a, Read>;

    /// Reads the clocks of groups, as they count for a key.
    fn clocks<'a>(&'a self, key: &'a str, groups: &'a [Group]) -> Doing<'a, Vec<Option<Reading>>>;

    /// Asks for the lease of a key.
    fn lease<'a>(&'a self, ask: Ask<'a>) -> Doing<'a, Lease>;

    /// Reads the clock before a load of a key. Groups that have no clock get this reading; each is kept for `life` at least, or for good.
    fn begin<'a>(&'a self, key: &'a str, groups: &'a [Group], life: Option<Duration>) -> Doing<'a, Reading>;

    /// Reads the clock for a value of a key and of these groups whose load began at `since`: nothing if one of them was invalidated later, or may have
    /// been. As in [`begin`](Self::begin), each group has a clock then.
    fn mint<'a>(
        &'a self,
        key: &'a str,
        groups: &'a [Group],
        since: Reading,
        life: Option<Duration>,
    ) -> Doing<'a, Option<Reading>>;

    /// Stores the value of a load for `life`, or for good, if it still has the lease, which ends. Returns whether it had. `stored` is told to those who
    /// wait for it.
    fn put<'a>(
        &'a self,
        key: &'a str,
        token: u64,
        value: Vec<u8>,
        life: Option<Duration>,
        stored: Notice,
    ) -> Doing<'a, bool>;

    /// Puts off the end of a lease. Returns whether it was still there.
    fn renew<'a>(&'a self, key: &'a str, token: u64, span: Duration) -> Doing<'a, bool>;

    /// Gives a lease back.
    fn release<'a>(&'a self, key: &'a str, token: u64) -> Doing<'a, ()>;

    /// Stores a value that was written by hand, whatever is there, and takes the lease away.
    fn write<'a>(&'a self, key: &'a str, value: Vec<u8>, life: Option<Duration>, written: Notice) -> Doing<'a, ()>;

    /// Notes that an update of a key begins, for `span` at most. Whatever else writes or removes the key takes the note away, and so does the next
    /// update.
    fn announce<'a>(&'a self, key: &'a str, token: u64, span: Duration) -> Doing<'a, ()>;

    /// Ends an update of the source: invalidates groups, and reads the clock for the value, as of which it may be stored. Nothing if one of the groups
    /// that the value has was invalidated since the update began, or may have been.
    fn settle<'a>(&'a self, key: &'a str, update: &'a Settling) -> Doing<'a, Option<Reading>>;

    /// As [`write`](Self::write), if the note of the update is still there; else the key is removed. Returns whether it was. Others are told
    /// either way.
    fn write_announced<'a>(
        &'a self,
        key: &'a str,
        token: u64,
        value: Vec<u8>,
        life: Option<Duration>,
        written: Notice,
    ) -> Doing<'a, bool>;

    /// Removes this very value, if it is still there.
    fn remove_same<'a>(&'a self, key: &'a str, value: &'a [u8]) -> Doing<'a, ()>;

    /// Puts another value in the place of this very one, for `life`, if it is still there. Returns whether it was. Others are told either way.
    fn replace_same<'a>(
        &'a self,
        key: &'a str,
        value: &'a [u8],
        next: Vec<u8>,
        life: Duration,
        written: Notice,
    ) -> Doing<'a, bool>;

    /// Invalidates groups and keys, and tells the other processes. Returns the keys for which it was not done, as they are at a part of the store
    /// that is out of reach.
    fn invalidate<'a>(&'a self, what: &'a Invalidation) -> Doing<'a, Vec<Box<str>>>;

    /// Returns who keeps structures and locks of a key, if anybody does.
    fn structures(&self, _key: &str) -> Option<&dyn Structures> {
        None
    }

    /// Tells the other processes.
    fn publish<'a>(&'a self, notice: Notice) -> Doing<'a, ()>;
}

/// Who is told of what happens at a store.
pub(crate) trait Listener: Send + Sync + 'static {
    /// The store can be reached again.
    fn up(&self);

    /// The store can't be reached.
    fn down(&self);

    /// Another server is in the place of the one that was read from: it may have been the wrong one for a while.
    fn replaced(&self);

    /// Connecting, or listening, has failed.
    fn troubled(&self, why: &str);

    /// From now on no notice is lost, but those that [`missed`](Self::missed) speaks of.
    fn listening(&self);

    /// Notices may have been lost, and may be until [`listening`](Self::listening).
    fn missed(&self);

    /// A notice has come.
    fn noticed(&self, notice: &[u8]);
}

/// Why a store did not do what it was asked.
#[derive(Debug)]
pub(crate) struct StoreError {
    kind: StoreErrorKind,
    message: String,
}

/// What a store's error means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StoreErrorKind {
    /// It is out of reach: nothing was done.
    Down,
    /// It did not answer in time, or the connection broke: it may have been done or not.
    Unknown,
    /// It refused: nothing was done.
    Refused,
    /// What is there is of another kind: nothing was done.
    OtherKind,
}

impl StoreError {
    pub(crate) fn new(kind: StoreErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    pub(crate) fn kind(&self) -> StoreErrorKind {
        self.kind
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for StoreError {}

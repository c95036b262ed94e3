//! The words of the contract: what is asked of a store, and what it answers.

use std::ops::Range;
use std::time::Duration;

use super::Group;
use crate::backplane::notice as told;

/// The bytes of a value that tell it from that of another load: where whoever writes values puts when and as of what they were loaded.
pub(crate) const MARK: Range<usize> = 16..32;

/// Returns what tells a value from that of another load, which is what [`Ask::seen`] is compared with: bytes 16 to 31, or nothing if there are fewer.
///
/// # Examples
///
/// ```
/// use cachex::store::mark;
///
/// assert_eq!(mark(&[7; 40]), [7; 16]);
/// assert!(mark(b"short").is_empty());
/// ```
#[must_use]
pub fn mark(value: &[u8]) -> &[u8] {
    value.get(MARK).unwrap_or_default()
}

/// A reading of a store's clock, in microseconds of a hybrid logical clock: about the time of day, and one more at each step.
///
/// # Examples
///
/// ```
/// use cachex::store::Reading;
///
/// assert!(Reading(1) < Reading(2));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reading(pub u64);

/// A value and the clocks of the groups that were asked for, in their order.
///
/// # Examples
///
/// ```
/// use cachex::store::Read;
///
/// let miss = Read { value: None, clocks: vec![None] };
/// assert_eq!(miss.clocks.len(), 1);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Read {
    /// The bytes that were stored, if they are there and have not expired.
    pub value: Option<Vec<u8>>,
    /// For each group the reading of its last invalidation; nothing where that is not known.
    pub clocks: Vec<Option<Reading>>,
}

/// Who asks for the lease of a key.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use cachex::store::Ask;
///
/// let ask = Ask { key: "find(7)", token: 1, span: Duration::from_secs(5), seen: &[] };
/// assert_eq!(ask.key, "find(7)");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// The name of the key.
    pub key: &'a str,
    /// Tells who asks from all others.
    pub token: u64,
    /// How long the lease holds unless it is renewed.
    pub span: Duration,
    /// The [`mark`] of the value that was read and is of no use: nothing where there was none.
    pub seen: &'a [u8],
}

/// What became of a request for a lease.
///
/// # Examples
///
/// ```
/// use cachex::store::Lease;
///
/// assert_ne!(Lease::Granted, Lease::Held);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lease {
    /// It is who asks that loads.
    Granted,
    /// Another one loads.
    Held,
    /// There is another value than the one that was seen: it is to be read again.
    Stored,
}

/// What is invalidated at once.
///
/// # Examples
///
/// ```
/// use cachex::store::{Group, Invalidation};
///
/// let what = Invalidation { groups: vec![Group::tag("users")], ..Invalidation::default() };
/// assert!(what.keys.is_empty());
/// ```
#[derive(Clone, Debug, Default)]
pub struct Invalidation {
    /// Groups whose values are wrong from now on.
    pub groups: Vec<Group>,
    /// Keys whose values go, and with them their leases.
    pub keys: Vec<Box<str>>,
    /// What other processes are told: one of all groups, if there are any, then one for each key.
    pub notices: Vec<Notice>,
}

impl Invalidation {
    /// Returns the notice of the groups, if there are any, and each key with its own.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::store::{Invalidation, Notice};
    ///
    /// let what = Invalidation { keys: vec!["a".into()], notices: vec![Notice::default()], ..Invalidation::default() };
    /// let (of_groups, keys) = what.told();
    /// assert!(of_groups.is_none());
    /// assert_eq!(keys.count(), 1);
    /// ```
    pub fn told(&self) -> (Option<&Notice>, impl Iterator<Item = (&str, Option<&Notice>)>) {
        let mut notices = self.notices.iter();
        let of_groups = if self.groups.is_empty() { None } else { notices.next() };
        (of_groups, self.keys.iter().map(move |key| (&**key, notices.next())))
    }
}

/// What is asked when an update of the source has ended.
///
/// # Examples
///
/// ```
/// use cachex::store::{Group, Notice, Reading, Settling};
///
/// let (groups, invalidated) = (vec![Group::tag("user:7")], vec![Group::tag("users")]);
/// let update = Settling { since: Reading(1), groups, life: None, invalidated, notice: Notice::default() };
/// assert_ne!(update.groups, update.invalidated);
/// ```
#[derive(Clone, Debug)]
pub struct Settling {
    /// The clock from before the update.
    pub since: Reading,
    /// All that the value belongs to, …
    pub groups: Vec<Group>,
    /// … and how long that is kept at least.
    pub life: Option<Duration>,
    /// What the update invalidates.
    pub invalidated: Vec<Group>,
    /// What other processes are told of that.
    pub notice: Notice,
}

/// What other processes are told, in two parts between which the store puts its clock.
///
/// # Examples
///
/// ```
/// use cachex::store::{Notice, Reading};
///
/// let notice = Notice { head: vec![1], tail: vec![2] };
/// assert_eq!(notice.at(Reading(7)), [1, 0, 0, 0, 0, 0, 0, 0, 7, 2]);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Notice {
    /// What comes before the clock.
    pub head: Vec<u8>,
    /// What comes after it.
    pub tail: Vec<u8>,
}

impl Notice {
    /// Returns a notice that says nothing.
    pub(crate) fn silent() -> Self {
        let (head, tail) = told::Notice { origin: 0, number: 0, subject: told::Subject::Heartbeat }.parts();
        Self { head, tail }
    }

    /// Returns the bytes that are handed to [`Listener::noticed`](super::Listener::noticed): `head`, the clock as eight bytes, the highest first, and `tail`. Where the
    /// clock was not stepped, it is 0.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::store::{Notice, Reading};
    ///
    /// assert_eq!(Notice::default().at(Reading(1)), [0, 0, 0, 0, 0, 0, 0, 1]);
    /// ```
    #[must_use]
    pub fn at(&self, clock: Reading) -> Vec<u8> {
        [&self.head[..], &clock.0.to_be_bytes(), &self.tail].concat()
    }
}

//! Values, leases and notes of updates, each in a file of its key.

use std::io;
use std::time::Duration;

use super::directory::{Directory, Locked};
use super::record::{self, Record};
use super::{life_after, millis, now_ms};
use crate::store::{Lease, mark};

const VALUES: &str = "values";
const LEASES: &str = "leases";
/// Which update of a key is under way, in the form of a lease that nobody waits for.
pub(super) const UPDATES: &str = "updates";

/// Who may store the value of a key.
struct Held {
    token: u64,
    /// How long it was granted for, in ms: if the time of day is set back, it ends all the same.
    span: u64,
    /// Whether others wait for the value, and are to be told.
    is_waited_for: bool,
}

impl Held {
    fn new(token: u64, span: Duration, is_waited_for: bool) -> Self {
        Self { token, span: millis(span), is_waited_for }
    }
}

/// Reads the value of a key; what is no value any more is not there.
pub(super) fn value(directory: &Directory, key: &str) -> io::Result<Seen> {
    let Some(bytes) = directory.read(&directory.place(VALUES, key.as_bytes()))? else { return Ok(Seen::Nothing) };
    Ok(match record::open(&bytes, key.as_bytes()) {
        Some(Record { ends_at, payload }) if ends_at.is_none_or(|end| end > now_ms()) => Seen::Value(payload),
        Some(_expired) => Seen::Nothing,
        None => Seen::Unreadable,
    })
}

/// What is in the file of a value.
pub(super) enum Seen {
    Value(Vec<u8>),
    Nothing,
    /// It was cut off, altered, or is of somebody else.
    Unreadable,
}

impl Seen {
    pub(super) fn value(self) -> Option<Vec<u8>> {
        match self {
            Self::Value(value) => Some(value),
            Self::Nothing | Self::Unreadable => None,
        }
    }
}

/// Removes what is in the place of a value, if it still can't be read.
pub(super) fn remove_unreadable(locked: &Locked<'_>, key: &str) -> io::Result<()> {
    if matches!(value(locked.directory(), key)?, Seen::Unreadable) { remove_value(locked, key) } else { Ok(()) }
}

pub(super) fn store(locked: &Locked<'_>, key: &str, value: &[u8], life: Option<Duration>) -> io::Result<()> {
    let sealed = record::seal(key.as_bytes(), life_after(life), value);
    locked.replace(&locked.directory().place(VALUES, key.as_bytes()), &sealed)
}

pub(super) fn remove_value(locked: &Locked<'_>, key: &str) -> io::Result<()> {
    locked.remove(&locked.directory().place(VALUES, key.as_bytes()))
}

/// Grants the lease of a key, if nobody has it and there is no other value than the one of that mark.
pub(super) fn lease(locked: &Locked<'_>, key: &str, token: u64, span: Duration, seen: &[u8]) -> io::Result<Lease> {
    let stored = value(locked.directory(), key)?.value();
    let stored = stored.as_deref().map(mark).unwrap_or_default();
    if !stored.is_empty() && stored != seen {
        return Ok(Lease::Stored);
    }
    match held(locked, LEASES, key)? {
        None => {
            hold(locked, LEASES, key, &Held::new(token, span, false), life_after(Some(span)))?;
            Ok(Lease::Granted)
        }
        Some((held, ends_at)) => {
            if !held.is_waited_for {
                hold(locked, LEASES, key, &Held { is_waited_for: true, ..held }, ends_at)?;
            }
            Ok(Lease::Held)
        }
    }
}

/// Whether a lease is that of `token`; and whether others wait for the value.
pub(super) fn is_held(locked: &Locked<'_>, key: &str, token: u64) -> io::Result<Option<bool>> {
    Ok(held(locked, LEASES, key)?.filter(|(held, _)| held.token == token).map(|(held, _)| held.is_waited_for))
}

/// Puts off the end of a lease.
pub(super) fn renew(locked: &Locked<'_>, key: &str, token: u64, span: Duration) -> io::Result<bool> {
    let Some(is_waited_for) = is_held(locked, key, token)? else { return Ok(false) };
    hold(locked, LEASES, key, &Held::new(token, span, is_waited_for), life_after(Some(span)))?;
    Ok(true)
}

pub(super) fn end_lease(locked: &Locked<'_>, key: &str) -> io::Result<()> {
    locked.remove(&locked.directory().place(LEASES, key.as_bytes()))
}

/// Notes that an update of a key begins, in the place of another one.
pub(super) fn announce(locked: &Locked<'_>, key: &str, token: u64, span: Duration) -> io::Result<()> {
    hold(locked, UPDATES, key, &Held::new(token, span, false), life_after(Some(span)))
}

/// Whether the note of an update is that of `token`.
pub(super) fn is_announced(locked: &Locked<'_>, key: &str, token: u64) -> io::Result<bool> {
    Ok(held(locked, UPDATES, key)?.is_some_and(|(held, _)| held.token == token))
}

/// Ends whatever is under way: lease and note go, and so nothing from before is stored.
pub(super) fn end_all(locked: &Locked<'_>, key: &str) -> io::Result<()> {
    end_lease(locked, key)?;
    locked.remove(&locked.directory().place(UPDATES, key.as_bytes()))
}

fn held(locked: &Locked<'_>, kind: &str, key: &str) -> io::Result<Option<(Held, Option<u64>)>> {
    let Some(bytes) = locked.read(&locked.directory().place(kind, key.as_bytes()))? else { return Ok(None) };
    let Some(Record { ends_at, payload }) = record::open(&bytes, key.as_bytes()) else { return Ok(None) };
    let number = |at: usize| payload.get(at..)?.first_chunk().map(|bytes| u64::from_be_bytes(*bytes));
    let (Some(token), Some(span), Some(waited)) = (number(0), number(8), payload.get(16)) else { return Ok(None) };
    let now = now_ms();
    let is_there = ends_at.is_some_and(|end| end > now && end - now <= span.max(1));
    Ok(is_there.then_some((Held { token, span, is_waited_for: *waited == 1 }, ends_at)))
}

fn hold(locked: &Locked<'_>, kind: &str, key: &str, held: &Held, ends_at: Option<u64>) -> io::Result<()> {
    let numbers = [held.token, held.span].map(u64::to_be_bytes).concat();
    let payload = [&numbers[..], &[u8::from(held.is_waited_for)]].concat();
    let sealed = record::seal(key.as_bytes(), ends_at, &payload);
    locked.replace(&locked.directory().place(kind, key.as_bytes()), &sealed)
}

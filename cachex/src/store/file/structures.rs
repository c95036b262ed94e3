//! Structures and locks, each key's in a file of its own, changed under the lock of the directory.
//!
//! They are not copies of something: a file that can't be read is an error, and stays until the structure is removed. Times are those of the day, so
//! a clock that is set back lets them live longer. Nothing is forced to the disk: what was done in the last seconds may be lost when the machine
//! loses power, though not when a process is killed.

use std::io::{self, ErrorKind};
use std::time::Duration;

use super::directory::Locked;
use super::{File, record};
use crate::store::structures::Structures;
use crate::store::{Doing, StoreError, StoreErrorKind};
use crate::structure::{Answer, Operation, OtherKind, Record};
use crate::time::{Clock, SystemClock};

/// The folder of their files.
pub(super) const STRUCTURES: &str = "structures";

impl Structures for File {
    fn operate<'a>(&'a self, key: &'a str, operation: &'a Operation, life: Option<Duration>) -> Doing<'a, Answer> {
        let (key, operation) = (key.to_owned(), operation.clone());
        Box::pin(async move {
            let answer = self.locked(move |locked| apply(locked, &key, &operation, life)).await?;
            answer.map_err(|OtherKind| StoreError::new(StoreErrorKind::OtherKind, "another kind of structure is there"))
        })
    }
}

/// Does what is asked in one step: the file is replaced as a whole, or stays as it is.
fn apply(
    locked: &Locked<'_>,
    key: &str,
    operation: &Operation,
    life: Option<Duration>,
) -> io::Result<Result<Answer, OtherKind>> {
    let place = locked.directory().place(STRUCTURES, key.as_bytes());
    let before = match locked.read(&place)? {
        None => Record::default(),
        Some(bytes) => match read(&bytes, key) {
            Some(record) => record,
            None if matches!(operation, Operation::Remove) => {
                locked.remove(&place)?;
                return Ok(Ok(Answer::Flag(true)));
            }
            // Break this (begin anew) and a counter that was spoiled says 0.
            None => return Err(io::Error::new(ErrorKind::InvalidData, "a structure can't be read")),
        },
    };
    let now = u64::try_from(SystemClock.unix_time().as_micros()).unwrap_or(u64::MAX);
    let mut after = before.clone();
    let answer = after.apply(operation, life, now);
    if after.is_over(now) {
        locked.remove(&place)?;
    } else if after != before {
        locked.replace(&place, &written(&after, key)?)?;
    }
    Ok(answer)
}

fn read(bytes: &[u8], key: &str) -> Option<Record> {
    postcard::from_bytes(&record::open(bytes, key.as_bytes())?.payload).ok()
}

fn written(structure: &Record, key: &str) -> io::Result<Vec<u8>> {
    let payload = postcard::to_stdvec(structure).map_err(io::Error::other)?;
    // In full milliseconds, and not before it is so.
    let ends_at = structure.over_at().map(|at| at.div_ceil(1_000));
    Ok(record::seal(key.as_bytes(), ends_at, &payload))
}

//! What operations do: a record is all that a key has, and changes by one pure function.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::lock::{Lock, micros};
use super::{Answer, Operation, OtherKind};

/// The structure of a key, and its lock. Its times are microseconds of the clock of whoever keeps it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    content: Option<Content>,
    lock: Lock,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Content {
    body: Body,
    ends_at: Option<u64>,
}

/// A structure; an empty list, set or hash is none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Body {
    Counter(i64),
    List(VecDeque<Vec<u8>>),
    Set(BTreeSet<Vec<u8>>),
    Hash(BTreeMap<String, Vec<u8>>),
}

impl Record {
    /// Does what is asked, at this time. A structure that begins with it lives for `life`, or for good.
    pub(crate) fn apply(
        &mut self,
        operation: &Operation,
        life: Option<Duration>,
        now: u64,
    ) -> Result<Answer, OtherKind> {
        if let Some(answer) = self.lock.apply(operation, now) {
            return Ok(answer);
        }
        if self.content.as_ref().is_some_and(|content| content.is_over(now)) {
            self.content = None;
        }
        match operation {
            Operation::Remove => Ok(Answer::Flag(self.content.take().is_some())),
            Operation::Expire(ttl) => Ok(Answer::Flag(self.expire(*ttl, now))),
            Operation::Left => Ok(self.left(now)),
            change if is_change(change) => self.change(change, life, now),
            look => self.content.as_ref().map_or_else(|| Ok(nothing(look)), |content| content.body.look(look)),
        }
    }

    /// Whether there is no structure, and nobody has the lock: all there is to remember then is the last token.
    pub(crate) fn is_idle(&self, now: u64) -> bool {
        self.content.as_ref().is_none_or(|content| content.is_over(now)) && !self.lock.is_taken(now)
    }

    /// Whether there is nothing left that is to be remembered, nor a token.
    #[cfg(feature = "remote")]
    pub(crate) fn is_over(&self, now: u64) -> bool {
        self.is_idle(now) && self.lock.is_forgotten(now)
    }

    /// Returns when there will be nothing left that is to be remembered; nothing if there always will.
    #[cfg(feature = "remote")]
    pub(crate) fn over_at(&self) -> Option<u64> {
        let content = self.content.as_ref().map_or(Some(0), |content| content.ends_at)?;
        Some(content.max(self.lock.forgotten_at()))
    }

    fn change(&mut self, operation: &Operation, life: Option<Duration>, now: u64) -> Result<Answer, OtherKind> {
        let begin = || Content { body: empty(operation), ends_at: life.map(|life| now.saturating_add(micros(life))) };
        let mut content = self.content.take().unwrap_or_else(begin);
        let answer = content.body.change(operation);
        // A list that has lost its last item is gone, and with it its time.
        self.content = Some(content).filter(|content| !content.body.is_empty());
        answer
    }

    fn expire(&mut self, ttl: Duration, now: u64) -> bool {
        let Some(mut content) = self.content.take() else { return false };
        content.ends_at = Some(now.saturating_add(micros(ttl)));
        self.content = Some(content).filter(|content| !content.is_over(now));
        true
    }

    fn left(&self, now: u64) -> Answer {
        match &self.content {
            None => Answer::Missing,
            Some(Content { ends_at, .. }) => {
                Answer::Left(ends_at.map(|at| Duration::from_micros(at.saturating_sub(now))))
            }
        }
    }
}

impl Content {
    fn is_over(&self, now: u64) -> bool {
        self.ends_at.is_some_and(|at| at <= now)
    }
}

impl Body {
    fn is_empty(&self) -> bool {
        match self {
            Self::Counter(_) => false,
            Self::List(items) => items.is_empty(),
            Self::Set(members) => members.is_empty(),
            Self::Hash(fields) => fields.is_empty(),
        }
    }

    fn change(&mut self, operation: &Operation) -> Result<Answer, OtherKind> {
        match (self, operation) {
            (Self::Counter(number), Operation::Count(by)) => {
                let sum = i128::from(*number).saturating_add(*by).clamp(i64::MIN.into(), i64::MAX.into());
                *number = i64::try_from(sum).expect("it was brought within the range");
                Ok(Answer::Number(*number))
            }
            (Self::List(items), Operation::Push(item)) => {
                items.push_back(item.clone());
                Ok(Answer::Number(items.len() as i64))
            }
            (Self::List(items), Operation::Pop(head)) => match items.front() {
                Some(first) if !first.starts_with(head) => Err(OtherKind),
                _ => Ok(items.pop_front().map_or(Answer::Missing, Answer::Bytes)),
            },
            (Self::Set(members), Operation::Add(member)) => Ok(Answer::Flag(members.insert(member.clone()))),
            (Self::Hash(fields), Operation::Put(field, value)) => {
                Ok(Answer::Flag(fields.insert(field.clone(), value.clone()).is_none()))
            }
            _ => Err(OtherKind),
        }
    }

    fn look(&self, operation: &Operation) -> Result<Answer, OtherKind> {
        match (self, operation) {
            (Self::Counter(number), Operation::Counter) => Ok(Answer::Number(*number)),
            (Self::List(items), Operation::Length) => Ok(Answer::Number(items.len() as i64)),
            (Self::Set(members), Operation::Members) => Ok(Answer::Many(members.iter().cloned().collect())),
            (Self::Set(members), Operation::Contains(member)) => Ok(Answer::Flag(members.contains(member))),
            (Self::Hash(fields), Operation::Field(field)) => {
                Ok(fields.get(field).map_or(Answer::Missing, |value| Answer::Bytes(value.clone())))
            }
            (Self::Hash(fields), Operation::Fields) => {
                let pairs = fields.iter().map(|(field, value)| (field.clone(), value.clone()));
                Ok(Answer::Pairs(pairs.collect()))
            }
            _ => Err(OtherKind),
        }
    }
}

fn is_change(operation: &Operation) -> bool {
    use Operation::{Add, Count, Pop, Push, Put};
    matches!(operation, Count(_) | Push(_) | Pop(_) | Add(_) | Put(..))
}

/// Returns what a change begins with where there is nothing.
fn empty(operation: &Operation) -> Body {
    match operation.kind() {
        "counter" => Body::Counter(0),
        "list" => Body::List(VecDeque::new()),
        "set" => Body::Set(BTreeSet::new()),
        _ => Body::Hash(BTreeMap::new()),
    }
}

/// Returns what a look brings where there is nothing.
fn nothing(operation: &Operation) -> Answer {
    match operation {
        Operation::Length => Answer::Number(0),
        Operation::Contains(_) => Answer::Flag(false),
        Operation::Members => Answer::Many(Vec::new()),
        Operation::Fields => Answer::Pairs(Vec::new()),
        _ => Answer::Missing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000;

    fn token(answer: Result<Answer, OtherKind>) -> u64 {
        match answer {
            Ok(Answer::Token(token)) => token,
            other => panic!("no token: {other:?}"),
        }
    }

    #[test]
    fn tokens_grow_whatever_the_clock_does() {
        let mut record = Record::default();
        let ttl = Duration::from_secs(1);
        let mut last = 0;
        for (owner, now) in [(1, 10 * SECOND), (2, 11 * SECOND), (3, 9 * SECOND), (4, 9 * SECOND)] {
            let next = token(record.apply(&Operation::Lock(owner, ttl), None, now));
            assert!(next > last, "{next} after {last}");
            assert_eq!(record.apply(&Operation::Release(owner), None, now), Ok(Answer::Flag(true)));
            last = next;
        }
    }

    #[test]
    fn the_end_of_a_lock_is_put_off_and_never_put_earlier() {
        let mut record = Record::default();
        token(record.apply(&Operation::Lock(1, Duration::from_secs(10)), None, 0));
        assert_eq!(record.apply(&Operation::Renew(1, Duration::from_secs(1)), None, 0), Ok(Answer::Flag(true)));
        assert_eq!(record.apply(&Operation::Lock(2, Duration::from_secs(1)), None, 9 * SECOND), Ok(Answer::Missing));
        assert_eq!(
            record.apply(&Operation::Renew(1, Duration::from_secs(10)), None, 9 * SECOND),
            Ok(Answer::Flag(true))
        );
        assert_eq!(record.apply(&Operation::Lock(2, Duration::from_secs(1)), None, 18 * SECOND), Ok(Answer::Missing));
        token(record.apply(&Operation::Lock(2, Duration::from_secs(1)), None, 19 * SECOND));
        assert_eq!(
            record.apply(&Operation::Renew(1, Duration::from_secs(1)), None, 19 * SECOND),
            Ok(Answer::Flag(false))
        );
        assert_eq!(record.apply(&Operation::Release(1), None, 19 * SECOND), Ok(Answer::Flag(false)));
    }

    #[cfg(feature = "remote")]
    #[test]
    fn a_record_is_forgotten_when_neither_structure_nor_token_is_of_use() {
        let mut record = Record::default();
        assert!(record.is_over(0));
        let _counted = record.apply(&Operation::Count(1), Some(Duration::from_secs(1)), 0);
        assert!(!record.is_over(SECOND - 1));
        assert!(record.is_over(SECOND));
        let memory = micros(super::super::lock::MEMORY_OF_TOKENS);
        token(record.apply(&Operation::Lock(1, Duration::from_secs(1)), None, SECOND));
        assert!(!record.is_over(3 * SECOND), "its token is remembered");
        assert!(!record.is_over(2 * SECOND + memory - 1));
        assert!(record.is_over(2 * SECOND + memory));
        // From when it is given back, and not from when it would have ended.
        token(record.apply(&Operation::Lock(2, Duration::from_secs(1000)), None, 2 * SECOND));
        assert_eq!(record.apply(&Operation::Release(2), None, 3 * SECOND), Ok(Answer::Flag(true)));
        assert!(!record.is_over(3 * SECOND + memory - 1));
        assert!(record.is_over(3 * SECOND + memory));
    }

    #[cfg(feature = "remote")]
    #[test]
    fn a_token_that_is_ahead_of_the_clock_is_remembered_until_it_is_not() {
        let mut record = Record::default();
        let memory = micros(super::super::lock::MEMORY_OF_TOKENS);
        let ahead = token(record.apply(&Operation::Lock(1, Duration::from_secs(1)), None, 3 * memory));
        // The clock is set back.
        assert_eq!(record.apply(&Operation::Release(1), None, 0), Ok(Answer::Flag(true)));
        assert!(!record.is_over(2 * memory));
        assert!(token(record.apply(&Operation::Lock(2, Duration::from_secs(1)), None, 2 * memory)) > ahead);
    }
}

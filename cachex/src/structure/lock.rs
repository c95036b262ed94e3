//! The lock of a key: who has it, until when, and the highest token that was given.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Answer, Operation};

/// How long after the end of a lock its last token is remembered, and after the time that the token itself names. After that the clock alone sees to it that tokens grow: only one
/// that is set back by more than this can give the same again. It is not longer since each key that was ever locked takes room for as long.
pub(crate) const MEMORY_OF_TOKENS: Duration = Duration::from_secs(600);

/// A lock; its times are microseconds of the clock of whoever keeps it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Lock {
    /// Who has it, and until when.
    holder: Option<(u64, u64)>,
    token: u64,
    /// Until when the token is remembered.
    remembered_until: u64,
}

impl Lock {
    /// Does what is asked of a lock; nothing if that was something else.
    pub(super) fn apply(&mut self, operation: &Operation, now: u64) -> Option<Answer> {
        match operation {
            Operation::Lock(owner, ttl) => Some(self.grant(*owner, micros(*ttl), now)),
            Operation::Renew(owner, ttl) => Some(Answer::Flag(self.renew(*owner, micros(*ttl), now))),
            Operation::Release(owner) => Some(Answer::Flag(self.release(*owner, now))),
            _ => None,
        }
    }

    /// Whether there is nothing to remember of it.
    #[cfg(feature = "remote")]
    pub(super) fn is_forgotten(&self, now: u64) -> bool {
        !self.is_taken(now) && self.remembered_until <= now
    }

    /// Returns when there will be nothing to remember of it.
    #[cfg(feature = "remote")]
    pub(super) fn forgotten_at(&self) -> u64 {
        self.holder.map_or(0, |(_, until)| until).max(self.remembered_until)
    }

    pub(super) fn is_taken(&self, now: u64) -> bool {
        self.holder.is_some_and(|(_, until)| now < until)
    }

    fn grant(&mut self, owner: u64, ttl: u64, now: u64) -> Answer {
        if self.is_taken(now) {
            return Answer::Missing;
        }
        let until = now.saturating_add(ttl);
        self.holder = Some((owner, until));
        // Break this (leave out the first) and a clock that was set back, or did not move, gives a token again.
        self.token = (self.token + 1).max(now);
        self.remember_from(until);
        Answer::Token(self.token)
    }

    fn renew(&mut self, owner: u64, ttl: u64, now: u64) -> bool {
        match &mut self.holder {
            Some((holder, until)) if *holder == owner && now < *until => {
                *until = (*until).max(now.saturating_add(ttl));
                let until = *until;
                self.remember_from(until);
                true
            }
            _ => false,
        }
    }

    fn release(&mut self, owner: u64, now: u64) -> bool {
        let is_held = self.is_taken(now) && self.holder.is_some_and(|(holder, _)| holder == owner);
        if is_held {
            self.holder = None;
            self.remember_from(now);
        }
        is_held
    }

    fn remember_from(&mut self, end: u64) {
        // Break this (leave out the token) and one that was given before the clock was set back is forgotten while it is ahead.
        self.remembered_until = end.max(self.token).saturating_add(micros(MEMORY_OF_TOKENS));
    }
}

/// Returns a span in microseconds.
pub(super) fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}

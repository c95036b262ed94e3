//! Structures that are shared as they are, and locks: an operation on a key goes in, an answer or an error comes out.
//!
//! Reading order: this file (who is asked), [`memory`] (where they are kept without a second tier), [`counters`], [`collections`], [`lifetime`] (the
//! API), [`guard`] and [`held`] (locks).
//!
//! With a second tier they are there and nowhere else, so all processes see one; what can't be reached is an error, and never an answer.

#[cfg(feature = "structures")]
mod collections;
mod counters;
mod guard;
mod held;
mod lifetime;
pub(super) mod memory;

use std::time::Duration;

pub use guard::LockGuard;

use super::Engine;
use crate::error::Error;
use crate::key::Key;
use crate::runtime;
use crate::structure::{Answer, Operation};

impl Engine {
    /// Asks whoever keeps the structures.
    async fn operate(&self, key: &Key, operation: &Operation) -> Result<Answer, Error> {
        #[cfg(feature = "remote")]
        if let Some(remote) = &self.remote {
            return remote.operate(key, operation, self.life_of_structure(key)).await;
        }
        self.operate_here(key, operation)
    }

    /// As [`operate`](Self::operate), on the caller's thread.
    fn operate_blocking(&self, key: &Key, operation: &Operation) -> Result<Answer, Error> {
        self.block_on(self.operate(key, operation))
    }

    /// Waits for an answer on the caller's thread.
    fn block_on<T>(&self, asked: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        #[cfg(feature = "remote")]
        if self.remote.is_some() {
            let own = "asked by a blocking call on the thread that would bring the answer, as from an observer";
            return runtime::block_elsewhere(asked).unwrap_or_else(|| Err(Error::unavailable(own)));
        }
        runtime::block_on(asked)
    }

    fn operate_here(&self, key: &Key, operation: &Operation) -> Result<Answer, Error> {
        let answer = self.structures.apply(key, operation, self.life_of_structure(key), self.clock());
        answer.map_err(|_other| Error::other_structure(operation.kind()))
    }

    /// Returns how long a structure lives that begins now.
    fn life_of_structure(&self, key: &Key) -> Option<Duration> {
        self.method(key.region()).policy().ttl
    }
}

/// What a store says that answers something else than it was asked.
fn unexpected() -> Error {
    Error::unavailable("the store gave an answer of another kind than was asked for")
}

fn number(answer: Answer) -> Result<i64, Error> {
    if let Answer::Number(number) = answer { Ok(number) } else { Err(unexpected()) }
}

fn flag(answer: Answer) -> Result<bool, Error> {
    if let Answer::Flag(flag) = answer { Ok(flag) } else { Err(unexpected()) }
}

//! What a store is asked that keeps structures and locks.
//!
//! What each operation means is said, and done, by [`Record::apply`](crate::structure::Record::apply); a store does the same in one step, for all that ask
//! it. What it answers is true: where it can't know, it is an error.

use std::fmt;
use std::time::Duration;

use super::Doing;
use crate::structure::{Answer, Operation};

/// A store of structures and locks.
///
/// Its timeouts are those of the other things a store is asked. Where something of another kind is there, the error says so.
pub trait Structures: Send + Sync + fmt::Debug {
    /// Does what is asked of a key. A structure that begins with it lives for `life`, or for good.
    fn operate<'a>(&'a self, key: &'a str, operation: &'a Operation, life: Option<Duration>) -> Doing<'a, Answer>;
}

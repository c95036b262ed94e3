//! A text that is sent over a connection that blocks.

use std::sync::Arc;

use diesel::QueryResult;

use crate::analyses::Script;
use crate::state::{Depth, State};
use crate::track::Outcome;

/// A text that is sent. Dropped before it has ended, what it may have written is told, and again with the next answer: the user's own instrumentation hears of it once it is done, and may panic.
pub(crate) struct Sent<'conn> {
    state: &'conn mut State,
    script: Arc<Script>,
    /// What is taken to have become of it.
    outcome: Outcome,
}

impl<'conn> Sent<'conn> {
    /// Notes that a text is about to be sent.
    ///
    /// # Errors
    ///
    /// It is to be refused.
    pub(crate) fn begin(state: &'conn mut State, script: Arc<Script>, depth: Depth) -> QueryResult<Self> {
        state.before(&script, depth)?.wait();
        Ok(Self { state, script, outcome: Outcome::Unknown })
    }

    /// Tells what is written by it already, though rows are still to be read.
    pub(crate) fn tell_early(&mut self) {
        if self.script.has_effects {
            self.state.tell_early(&self.script).wait();
        }
    }

    /// Returns what has become of it, by what the connection within returned.
    pub(crate) fn outcome<R>(&self, done: &QueryResult<R>) -> Outcome {
        self.state.outcome(done)
    }

    /// Notes what has become of it. It ends when it is dropped.
    pub(crate) fn note(&mut self, outcome: Outcome) {
        self.outcome = outcome;
    }

    /// Ends it, and waits until what it has written is told.
    pub(crate) fn ended<R>(mut self, done: QueryResult<R>) -> QueryResult<R> {
        self.note(self.outcome(&done));
        drop(self);
        done
    }
}

impl Drop for Sent<'_> {
    fn drop(&mut self) {
        // Break this (leave it out) and what a statement wrote at whose end somebody panicked stays.
        self.state.after(&self.script, self.outcome).wait();
    }
}

//! A text on its way to the server.

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use diesel::QueryResult;

use crate::analyses::Script;
use crate::state::{Depth, State};
use crate::told::Told;
use crate::track::Outcome;

/// A text on its way to the server. Dropped before the answer has come, what it may have written is told, and again with the next answer.
pub(crate) struct Flight<'conn> {
    state: &'conn mut State,
    script: Arc<Script>,
    told: Told,
    /// What is taken to have become of it, if it is dropped.
    outcome: Option<Outcome>,
    has_failed: bool,
}

impl<'conn> Flight<'conn> {
    /// Notes that a text is about to be sent.
    ///
    /// # Errors
    ///
    /// It is to be refused.
    pub(crate) fn begin(state: &'conn mut State, script: Arc<Script>, depth: Depth) -> QueryResult<Self> {
        let told = state.before(&script, depth)?;
        Ok(Self { state, script, told, outcome: Some(Outcome::Unknown), has_failed: false })
    }

    /// Notes that something is about to be done within.
    pub(crate) fn within(state: &'conn mut State, script: Arc<Script>, depth: Depth) -> Self {
        let told = state.before_within(&script, depth);
        Self { state, script, told, outcome: Some(Outcome::Unknown), has_failed: false }
    }

    pub(crate) fn has_effects(&self) -> bool {
        self.script.has_effects
    }

    /// Notes what has become of it so far: that it failed is not forgotten.
    pub(crate) fn note(&mut self, outcome: Outcome) {
        if !self.has_failed {
            self.has_failed = outcome != Outcome::Done;
            self.outcome = Some(outcome);
        }
    }

    /// Notes what has become of it, by what the connection within returned.
    pub(crate) fn hear<R>(&mut self, done: &QueryResult<R>) {
        self.note(self.state.outcome(done));
    }

    /// Ends it.
    pub(crate) fn end(&mut self) {
        if let Some(outcome) = self.outcome.take() {
            self.told.add(self.state.after(&self.script, outcome));
        }
    }

    /// Waits until what it has written is told.
    pub(crate) fn poll_told(&mut self, context: &mut Context<'_>) -> Poll<()> {
        self.told.poll(context)
    }

    /// As [`ended`](Self::ended), of something that no server has answered.
    pub(crate) async fn ended_within(mut self) {
        self.outcome = None;
        self.told.add(self.state.after_within(&self.script));
        std::future::poll_fn(|context| self.poll_told(context)).await;
    }

    /// Ends it, and waits until what it has written is told.
    pub(crate) async fn ended<R>(mut self, done: QueryResult<R>) -> QueryResult<R> {
        self.hear(&done);
        self.end();
        std::future::poll_fn(|context| self.poll_told(context)).await;
        done
    }
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        // Break this (leave it out) and what a statement wrote whose future was dropped stays.
        match self.outcome.take() {
            None => {}
            Some(outcome) => drop(self.state.after(&self.script, outcome)),
        }
    }
}

impl fmt::Debug for Flight<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Flight").field("outcome", &self.outcome).finish_non_exhaustive()
    }
}

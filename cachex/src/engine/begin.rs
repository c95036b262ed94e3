//! What is to be done for a call: the look-up and its verdict, for annotated methods, registered loaders and calls by hand.

use std::sync::Arc;

use super::Engine;
use super::job::{Caller, Job};
use super::lookup::Found;
use super::methods::Method;
use super::plan::{Plan, Reach, plan};
use crate::entry::tags::TagCells;
use crate::entry::{Entry, Freshness};
use crate::key::KeyRef;
use crate::method::keep::Keep;
use crate::method::shape::Shape;
use crate::method::value_rules::ValueRules;
use crate::policy::Policy;
use crate::tag::Tags;

/// What is looked up for a call, and how.
#[derive(Clone, Copy)]
pub(crate) struct Look<'a, S, K> {
    pub(crate) engine: &'a Arc<Engine>,
    pub(crate) method: &'a Arc<Method>,
    pub(crate) at: KeyRef<'a>,
    pub(crate) shape: S,
    pub(crate) keep: K,
    pub(crate) is_bypassed: bool,
}

/// Why a call has no answer yet.
pub(crate) enum Unanswered<V> {
    /// The cache is not to be used.
    Bypassed,
    /// There is no fresh entry; at most one that may answer if need be.
    NotFresh(Option<Found<V>>),
}

impl<S: Shape, K: Keep<S::Value>> Look<'_, S, K> {
    /// Answers with a fresh entry. This is all that happens on a hit.
    #[inline]
    pub(crate) fn hit(&self) -> Result<S::Output, Unanswered<S::Value>> {
        let counters = &self.method.counters;
        if self.is_bypassed || !self.method.is_enabled() {
            counters.bypasses.one();
            return Err(Unanswered::Bypassed);
        }
        let tally = counters.tally();
        let found = if tally.is_sampled() { self.look_timed() } else { self.look() };
        match found {
            Some(Found { value, freshness: Freshness::Fresh, .. }) => {
                tally.hit();
                Ok(self.shape.output(value))
            }
            found => Err(Unanswered::NotFresh(found)),
        }
    }

    #[inline]
    fn look(&self) -> Option<Found<S::Value>> {
        self.engine.lookup(self.method, self.at, self.keep)
    }

    #[cold]
    fn look_timed(&self) -> Option<Found<S::Value>> {
        self.method.counters.timed(|| self.look())
    }
}

/// A call, as the engine sees it.
pub(crate) struct Asked<'a, S: Shape, K> {
    pub(crate) look: Look<'a, S, K>,
    pub(crate) rules: ValueRules<S>,
    pub(crate) caller: Caller,
    pub(crate) reach: Reach,
    /// In place of the method's own.
    pub(crate) policy: Option<Policy>,
}

/// What is to be done for a call.
pub(crate) enum Begun<S: Shape, K> {
    /// There is a value.
    Answer(S::Output),
    /// There is a value, and a new one is to be loaded in the background.
    AnswerAndRefresh(S::Output, Job<S, K>),
    /// There is a value, and a new one is to be loaded here unless somebody does.
    RefreshHere(S::Value, Entry, Job<S, K>),
    /// A value is to be loaded; an expired entry may stand in.
    Load(Option<Entry>, Job<S, K>),
    /// The cache is not to be used.
    Bypass,
}

impl<S: Shape, K: Keep<S::Value>> Asked<'_, S, K> {
    /// Looks up, and decides.
    pub(crate) fn begin(self) -> Begun<S, K> {
        match self.look.hit() {
            Ok(output) => Begun::Answer(output),
            Err(unanswered) => self.go_on(unanswered),
        }
    }

    /// Decides what is to be done where there was no hit.
    pub(crate) fn go_on(self, unanswered: Unanswered<S::Value>) -> Begun<S, K> {
        let Unanswered::NotFresh(found) = unanswered else { return Begun::Bypass };
        let Self { look: Look { engine, method, at, shape, keep, .. }, rules, caller, .. } = self;
        let job = Job {
            engine: engine.clone(),
            method: method.clone(),
            key: at.to_key(),
            shape,
            keep,
            rules,
            policy: self.policy.map_or_else(|| method.policy(), Arc::new),
            tags: Tags::new(),
            cells: TagCells::default(),
            caller,
        };
        match (plan(found.as_ref().map(|found| found.freshness), self.reach), found) {
            (Plan::AnswerAndRefresh, Some(found)) => {
                method.counters.tally().stale_hit();
                Begun::AnswerAndRefresh(shape.output(found.value), job)
            }
            (Plan::RefreshHere, Some(Found { value, not_fresh: Some(entry), .. })) => {
                Begun::RefreshHere(value, entry, job)
            }
            (_, found) => {
                method.counters.misses.one();
                Begun::Load(found.and_then(|found| found.not_fresh), job)
            }
        }
    }
}

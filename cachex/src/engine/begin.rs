//! What is to be done for a call: the look-up and its verdict, for annotated methods, registered loaders and calls by hand.

use std::sync::Arc;

use super::Engine;
use super::job::{Caller, Job};
use super::lookup::Found;
use super::methods::Method;
use super::plan::{Plan, Reach, plan};
use crate::entry::Entry;
use crate::entry::tags::TagCells;
use crate::key::KeyRef;
use crate::method::keep::Keep;
use crate::method::shape::Shape;
use crate::method::value_rules::ValueRules;
use crate::policy::Policy;
use crate::tag::Tags;

/// A call, as the engine sees it.
pub(crate) struct Asked<'a, S: Shape, K> {
    pub(crate) engine: &'a Arc<Engine>,
    pub(crate) method: &'a Arc<Method>,
    pub(crate) at: KeyRef<'a>,
    pub(crate) shape: S,
    pub(crate) keep: K,
    pub(crate) rules: ValueRules<S>,
    pub(crate) caller: Caller,
    pub(crate) reach: Reach,
    /// In place of the method's own.
    pub(crate) policy: Option<Policy>,
    pub(crate) is_bypassed: bool,
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
    #[inline]
    pub(crate) fn begin(self) -> Begun<S, K> {
        let Self { engine, method, at, shape, keep, reach, .. } = self;
        if self.is_bypassed || !method.is_enabled() {
            method.counters.bypasses.one();
            return Begun::Bypass;
        }
        let sample = method.counters.sample();
        let found = engine.lookup(method, at, keep);
        if let Some(stopwatch) = sample {
            method.counters.note_sample(stopwatch);
        }
        match (plan(found.as_ref().map(|found| found.freshness), reach), found) {
            (Plan::Answer, Some(found)) => {
                method.counters.hit();
                Begun::Answer(shape.output(found.value))
            }
            (verdict, found) => self.begin_load(verdict, found),
        }
    }

    /// The other half, out of the path of a hit.
    #[cold]
    fn begin_load(self, verdict: Plan, found: Option<Found<S::Value>>) -> Begun<S, K> {
        let Self { engine, method, at, shape, keep, rules, caller, .. } = self;
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
        match (verdict, found) {
            (Plan::AnswerAndRefresh, Some(found)) => {
                method.counters.stale_hit();
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

//! What is to be done for a call: the look-up and its verdict, for annotated methods, registered loaders and calls by hand.

use std::sync::Arc;

use super::Engine;
use super::job::{Caller, Job};
use super::lookup::{Found, Looked};
use super::methods::Method;
use super::plan::{Plan, Reach, plan};
use crate::entry::Entry;
use crate::entry::tags::TagCells;
use crate::key::{Key, KeyRef};
use crate::method::keep::Keep;
use crate::method::shape::Shape;
use crate::method::value_rules::ValueRules;
use crate::observe::event::Event;
use crate::policy::Policy;
use crate::tag::Tags;
use crate::time::stopwatch::Stopwatch;

/// What is looked up for a call, and how.
pub(crate) struct Look<'a, K> {
    pub(crate) engine: &'a Engine,
    pub(crate) method: &'a Method,
    pub(crate) at: KeyRef<'a>,
    pub(crate) keep: K,
    pub(crate) is_bypassed: bool,
}

/// Why a call has no answer yet.
pub(crate) enum Unanswered<V> {
    /// The cache is not to be used.
    Bypassed,
    /// There is no fresh entry; at most one that may answer if need be.
    NotFresh(Option<Found<V>>),
    /// The entry holds a value of another type.
    OtherType,
}

impl<K: Copy> Look<'_, K> {
    /// Answers with the value of a fresh entry. This is all that happens on a hit.
    #[inline(always)]
    pub(crate) fn hit<V>(&self) -> Result<V, Unanswered<V>>
    where
        K: Keep<V>,
    {
        if self.is_bypassed || !self.method.is_enabled() {
            return self.bypass();
        }
        let tally = self.method.counters.tally();
        if tally.is_sampled() {
            // A copy: what lies at an address is not in registers.
            return Look { ..*self }.hit_timed();
        }
        match self.engine.hit(self.method, self.at, self.keep) {
            Some(value) => {
                tally.hit();
                Ok(value)
            }
            None => Look { ..*self }.look_closely(),
        }
    }

    #[cold]
    #[inline(never)]
    fn hit_timed<V>(self) -> Result<V, Unanswered<V>>
    where
        K: Keep<V>,
    {
        let stopwatch = Stopwatch::start();
        let looked = self.engine.look(self.method, self.at, self.keep);
        self.method.counters.note_look(stopwatch);
        self.answer(looked)
    }

    #[cold]
    #[inline(never)]
    fn look_closely<V>(self) -> Result<V, Unanswered<V>>
    where
        K: Keep<V>,
    {
        self.answer(self.engine.look_closely(self.method, self.at, self.keep))
    }

    fn answer<V>(&self, looked: Looked<V>) -> Result<V, Unanswered<V>> {
        match looked {
            Looked::Fresh(value) => {
                self.method.counters.tally().hit();
                Ok(value)
            }
            Looked::NotFresh(found) => Err(Unanswered::NotFresh(Some(found))),
            Looked::OtherType => Err(Unanswered::OtherType),
            Looked::Nothing => Err(Unanswered::NotFresh(None)),
        }
    }

    #[cold]
    fn bypass<V>(&self) -> Result<V, Unanswered<V>> {
        self.method.counters.bypasses.one();
        Err(Unanswered::Bypassed)
    }
}

/// A call that may have to load, as the engine sees it.
pub(crate) struct Asked<'a, S: Shape, K> {
    pub(crate) engine: &'a Arc<Engine>,
    pub(crate) method: &'a Arc<Method>,
    pub(crate) shape: S,
    pub(crate) keep: K,
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
    pub(crate) fn begin(self, key: &Key) -> Begun<S, K> {
        let Self { engine, method, keep, .. } = self;
        let look = Look { engine, method, at: engine.key_ref_of(key), keep, is_bypassed: false };
        match look.hit() {
            Ok(value) => Begun::Answer(self.shape.output(value)),
            Err(unanswered) => self.go_on(key.clone(), unanswered),
        }
    }

    /// Decides what is to be done where there was no hit.
    pub(crate) fn go_on(self, key: Key, unanswered: Unanswered<S::Value>) -> Begun<S, K> {
        let found = match unanswered {
            Unanswered::Bypassed => return Begun::Bypass,
            Unanswered::NotFresh(found) => found,
            Unanswered::OtherType => {
                self.engine.tell(|| Event::TypeMismatch(key.clone()));
                None
            }
        };
        let Self { engine, method, shape, keep, rules, caller, .. } = self;
        let job = Job {
            engine: engine.clone(),
            method: method.clone(),
            key,
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
            (Plan::RefreshHere, Some(found)) => Begun::RefreshHere(found.value, found.entry, job),
            (_, found) => {
                method.counters.tally().miss();
                Begun::Load(found.map(|found| found.entry), job)
            }
        }
    }
}

//! What is to be done for a call: the look-up and its verdict, for annotated methods, registered loaders and calls by hand.

use std::sync::Arc;

use super::Engine;
use super::job::{Caller, Job};
use super::lookup::{Found, Looked};
use super::methods::Method;
use super::plan::{Plan, Reach, plan};
use super::sample;
use super::subject::Borrowed;
use crate::entry::stamp::Stamp;
use crate::entry::tags::TagIds;
use crate::entry::{Entry, EntryParts};
use crate::key::{Key, KeyRef};
use crate::method::keep::Keep;
use crate::method::shape::Shape;
use crate::method::value_rules::ValueRules;
use crate::observe::event::Event;
use crate::policy::Policy;
use crate::raw::table::Sought;
use crate::tag::Tags;
use crate::time::stopwatch::Stopwatch;

/// What is looked up for a call, and how.
pub(crate) struct Look<'a, K> {
    pub(crate) engine: &'a Engine,
    pub(crate) method: &'a Method,
    pub(crate) at: KeyRef<'a>,
    pub(crate) keep: K,
}

/// Why there was no plain hit.
#[derive(Clone, Copy, Debug)]
pub enum NoHit {
    /// The cache is not to be used.
    Bypassed,
    /// There is no entry.
    Nothing,
    /// There is no fresh entry about which nothing is rare, and the use of what there is was noted; or nothing was looked up, where
    /// that takes more than a plain hit does.
    NotPlain,
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

impl Engine {
    /// Answers with the value of a fresh entry about which nothing is rare. This is all that happens on a hit.
    // It lends nothing to a function that is not part of it: what is lent may be kept, so it has to lie in memory.
    #[inline(always)]
    pub(crate) fn plain_hit<V, K: Keep<V>>(
        &self,
        method: &Method,
        sought: impl Sought<EntryParts>,
        keep: K,
    ) -> Result<V, NoHit> {
        let value = self.hit(method, sought, keep)?;
        if method.counters.hit() {
            sample::time_next();
        }
        Ok(value)
    }
}

impl<K: Copy> Look<'_, K> {
    /// Looks more closely where there was no plain hit.
    pub(crate) fn go_on<V>(&self, why: NoHit) -> Result<V, Unanswered<V>>
    where
        K: Keep<V>,
    {
        let counters = &self.method.counters;
        if matches!(why, NoHit::Bypassed) || !self.method.is_enabled() {
            counters.bypasses.one();
            return Err(Unanswered::Bypassed);
        }
        if !self.method.is_kept_here() {
            return Err(Unanswered::NotFresh(None));
        }
        if self.method.floor.get() == Stamp::latest() {
            self.engine.reopen(self.method);
        }
        let looked = if sample::is_next_timed() {
            let stopwatch = Stopwatch::start();
            let looked = self.engine.look(self.method, self.at, self.keep);
            // Of a hit only: it is hits that are counted towards the next one that is timed.
            if let Looked::Fresh(_) = looked {
                counters.note_look(stopwatch);
            }
            looked
        } else if matches!(why, NoHit::Nothing) {
            Looked::Nothing
        } else {
            self.engine.look_closely(self.method, self.at, self.keep)
        };
        match looked {
            Looked::Fresh(value) => {
                if counters.hit() {
                    sample::time_next();
                }
                Ok(value)
            }
            Looked::NotFresh(found) => Err(Unanswered::NotFresh(Some(found))),
            Looked::OtherType => Err(Unanswered::OtherType),
            Looked::Nothing => Err(Unanswered::NotFresh(None)),
        }
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
pub(crate) enum Begun<U, S: Shape, K> {
    /// There is a value.
    Answer(S::Output),
    /// There is a value, and a new one is to be loaded in the background.
    AnswerAndRefresh(S::Output, Job<U, S, K>),
    /// There is a value, and a new one is to be loaded here unless somebody does.
    RefreshHere(S::Value, Entry, Job<U, S, K>),
    /// A value is to be loaded; an expired entry may stand in.
    Load(Option<Entry>, Job<U, S, K>),
    /// The cache is not to be used.
    Bypass,
}

impl<'a, S: Shape, K: Keep<S::Value>> Asked<'a, S, K> {
    /// Looks up, and decides.
    pub(crate) fn begin(self, key: &'a Key) -> Begun<Borrowed<'a>, S, K> {
        let Self { engine, method, keep, .. } = self;
        let at = key.at();
        let look = Look { engine, method, at, keep };
        match engine.plain_hit(method, at, keep).or_else(|why| look.go_on(why)) {
            Ok(value) => Begun::Answer(self.shape.output(value)),
            Err(unanswered) => self.go_on(at, unanswered),
        }
    }

    /// Decides what is to be done where there was no hit.
    pub(crate) fn go_on(self, at: KeyRef<'a>, unanswered: Unanswered<S::Value>) -> Begun<Borrowed<'a>, S, K> {
        let found = match unanswered {
            Unanswered::Bypassed => return Begun::Bypass,
            Unanswered::NotFresh(found) => found,
            Unanswered::OtherType => {
                self.engine.tell(|| Event::TypeMismatch(at.key()));
                None
            }
        };
        let Self { engine, method, shape, keep, rules, caller, .. } = self;
        let freshness = found.as_ref().map(|found| found.freshness);
        let (found, held) = match found {
            Some(Found { value, entry, held, .. }) => (Some((value, entry)), Some(held)),
            None => (None, None),
        };
        let mut job = Job {
            subject: Borrowed { engine, method, at },
            shape,
            keep,
            rules,
            policy: self.policy.map_or_else(|| method.changed_policy(), |own| Some(Arc::new(own))),
            tags: Tags::new(),
            tag_ids: TagIds::new(),
            held,
            caller,
        };
        match (plan(freshness, self.reach), found) {
            (Plan::AnswerAndRefresh, Some((value, _))) => {
                method.counters.tally().stale_hit();
                job.held = None;
                Begun::AnswerAndRefresh(shape.output(value), job)
            }
            (Plan::RefreshHere, Some((value, entry))) => Begun::RefreshHere(value, entry, job),
            (_, found) => {
                method.counters.tally().miss();
                Begun::Load(found.map(|(_, entry)| entry), job)
            }
        }
    }
}

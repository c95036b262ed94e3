//! A load's job: all it needs to know, and what may be decided for it.

use std::sync::Arc;

use super::flight::{Follow, Ticket};
use super::horizon::HeldStamp;
use super::subject::{Borrowed, Owned, Subject};
use super::{Landing, nesting};
use crate::entry::stamp::Stamp;
use crate::entry::tags::TagIds;
use crate::entry::{Entry, Freshness};
use crate::method::keep::Keep;
use crate::method::shape::Shape;
use crate::method::value_rules::ValueRules;
use crate::observe::event::Event;
use crate::policy::Policy;
use crate::raw::grace::pinned;
use crate::tag::Tags;

/// All that a load needs to know.
#[derive(Debug)]
pub(crate) struct Job<U, S: Shape, K> {
    pub(crate) subject: U,
    pub(crate) shape: S,
    pub(crate) keep: K,
    pub(crate) rules: ValueRules<S>,
    /// The rules, unless they are the first ones of the method.
    pub(crate) policy: Option<Arc<Policy>>,
    /// The tags made of the arguments.
    pub(crate) tags: Tags,
    /// Their numbers.
    pub(crate) tag_ids: TagIds,
    /// For the entry that may answer if the load fails, if there is one.
    pub(crate) held: Option<HeldStamp>,
    pub(crate) caller: Caller,
}

/// How the caller waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Caller {
    /// It gives its thread to others.
    Async,
    /// It keeps its thread.
    Blocking,
}

impl<'a, S: Shape, K> Job<Borrowed<'a>, S, K> {
    /// Makes the job of a write: its value is appraised as a loaded one is.
    pub(crate) fn of_write(subject: Borrowed<'a>, shape: S, keep: K, rules: ValueRules<S>, tags: Tags) -> Self {
        let policy = subject.method.changed_policy();
        let (tag_ids, caller) = (subject.engine.tag_ids(&tags), Caller::Blocking);
        Self { subject, shape, keep, rules, policy, tags, tag_ids, held: None, caller }
    }

    /// Makes a job of it that may outlive the call.
    pub(crate) fn owned(self) -> Job<Owned, S, K> {
        let Self { subject, shape, keep, rules, policy, tags, tag_ids, held, caller } = self;
        Job { subject: subject.owned(), shape, keep, rules, policy, tags, tag_ids, held, caller }
    }
}

impl<U: Subject, S: Shape, K: Keep<S::Value>> Job<U, S, K> {
    /// Returns the rules that were in force when the call began.
    pub(crate) fn policy(&self) -> &Policy {
        self.policy.as_deref().unwrap_or_else(|| self.subject.method().first_policy())
    }

    /// Looks up the numbers of the tags, once these are known.
    pub(crate) fn note_tags(&mut self) {
        // Most methods have none but those that their annotation names as they are, which the method knows.
        if !self.tags.is_empty() {
            self.tag_ids = self.subject.engine().tag_ids(&self.tags);
        }
    }

    /// Whether the caller may have to go before the load has ended.
    pub(crate) fn is_bounded_in_time(&self, has_fallback: bool) -> bool {
        let gives_up = self.policy().timeout.is_some() && self.rules.timed_out.is_some();
        gives_up || (has_fallback && self.policy().soft_timeout.is_some())
    }

    /// Whether a load that began at `stamp` saw all that the caller must see.
    // Break this (`true`) and the race suite shows a read older than a finished invalidation.
    pub(super) fn may_join(&self, stamp: Stamp) -> bool {
        let (engine, method) = (self.subject.engine(), self.subject.method());
        engine.epoch.allows(stamp)
            && method.epoch.allows(stamp)
            && engine.tags.were_current(method.constants(), stamp)
            && engine.tags.were_current(&self.tag_ids, stamp)
    }

    /// Whether the caller can wait for that flight without waiting for itself.
    pub(super) fn may_wait(&self, follow: &Follow<Landing>) -> Option<nesting::Edge> {
        // An async load that was last polled on this very thread may need the thread to go on; and so may one in the
        // background that was not polled yet. Break this and a blocking caller on a runtime of one thread waits for ever.
        if self.caller == Caller::Blocking && follow.flight().may_need(nesting::thread()) {
            return None;
        }
        nesting::may_wait(follow.flight().id())
    }

    /// Returns what the flight of another brought, if it is right for this caller as well.
    pub(super) fn accept(&self, landing: Landing, ticket: &Ticket<Landing>) -> Option<S::Output> {
        match landing {
            Landing::Value(entry) => self.current_value(&entry, ticket),
            // The leader may have found an entry before it was removed, and we have come after: only what is there counts.
            // Break one of these (answer with the entry) and a follower sees a removed value.
            Landing::Found => self.find_fresh().map(|value| self.shape.output(value)),
            Landing::FellBack(entry) if self.is_still_there(&entry) => self.fall_back(&entry, ticket),
            Landing::FellBack(_) => None,
            // `&*`: a plain `&` would pass the `Arc` itself as the error, which fits no type.
            Landing::Failed(error) => self.rules.share_err.and_then(|share| (share.receive)(&*error)),
        }
    }

    /// Answers with an expired entry, if it is still right.
    pub(super) fn fall_back(&self, entry: &Entry, ticket: &Ticket<Landing>) -> Option<S::Output> {
        let output = self.fallback_value(entry, ticket)?;
        self.note_fallback();
        Some(output)
    }

    /// Returns the value of an expired entry, if it is still right, and that can be told.
    pub(super) fn fallback_value(&self, entry: &Entry, ticket: &Ticket<Landing>) -> Option<S::Output> {
        let value = self.current_value(entry, ticket)?;
        // Afterwards: then all that was invalidated before was known when it was asked.
        self.held.as_ref().is_none_or(HeldStamp::is_good).then_some(value)
    }

    /// Counts and tells that an expired entry answers.
    pub(super) fn note_fallback(&self) {
        self.subject.method().counters.fallbacks.one();
        self.subject.engine().tell(|| Event::FellBack(self.subject.at().key()));
    }

    /// Returns the value of an entry, if nothing that it depends on was invalidated since its load began.
    pub(super) fn current_value(&self, entry: &Entry, ticket: &Ticket<Landing>) -> Option<S::Output> {
        let (engine, method) = (self.subject.engine(), self.subject.method());
        let is_current = ticket.allows(entry.stamp()) && engine.is_current(method, entry);
        is_current.then(|| self.keep.value(entry)).flatten().map(|value| self.shape.output(value))
    }

    /// Returns the value of a fresh entry, if there is one by now.
    pub(super) fn find_fresh(&self) -> Option<S::Value> {
        let (engine, method) = (self.subject.engine(), self.subject.method());
        // One look, and not first one for what most hits are: here most find nothing.
        let entry = pinned(|pin| {
            let entry = engine.tier.find_again(pin, self.subject.at())?;
            (engine.freshness(method, &entry) == Freshness::Fresh).then(|| Entry::clone(&entry))
        });
        self.keep.value(&entry?)
    }

    /// Whether an entry was not taken out, and is right.
    fn is_still_there(&self, entry: &Entry) -> bool {
        let (engine, method) = (self.subject.engine(), self.subject.method());
        // Within one pin: what was invalidated is not forgotten meanwhile.
        pinned(|pin| {
            let present = engine.tier.peek_pinned(pin, self.subject.at());
            present.is_some_and(|present| present.is_same(entry) && engine.is_current(method, &present))
        })
    }
}

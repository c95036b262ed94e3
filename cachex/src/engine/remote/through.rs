//! A load that asks L2 first.

use std::future::Future;
use std::ops::Deref;
use std::sync::Arc;

use super::Remote;
use super::lookup::{Answer, Asking};
use super::permit::Permit;
use crate::config::Guard;
use crate::engine::Landing;
use crate::engine::attempt::{Attempt, Place};
use crate::engine::job::{Caller, Job};
use crate::engine::subject::Subject;
use crate::entry::Entry;
use crate::method::keep::Keep;
use crate::method::shape::Shape;
use crate::runtime;

impl<U: Subject, S: Shape, K: Keep<S::Value>> Job<U, S, K> {
    /// Returns L2, if values of the method are kept there.
    pub(in crate::engine) fn remote(&self) -> Option<&Arc<Remote>> {
        // A blocking caller on our own thread (an observer, say) would wait for itself.
        let may_wait = self.caller == Caller::Async || !runtime::is_own_thread();
        self.subject.engine().remote.as_ref().filter(|_| may_wait && self.is_shared())
    }

    /// Whether values of the method are kept in L2, if there is one.
    pub(crate) fn is_shared(&self) -> bool {
        self.policy().keeps_remotely() && self.keep.schema().is_some()
    }

    /// Takes what L2 has, or nothing and the right to store there what is loaded.
    pub(in crate::engine) async fn ask_remote(
        &self,
        remote: &Arc<Remote>,
        place: &Place,
        wants_fresh: bool,
        may_wait: bool,
    ) -> Answer {
        let (at, policy, stamp) = (self.subject.at(), self.policy(), place.ticket().stamp());
        // What is not kept here is refreshed by who finds it there.
        let wants_fresh = wants_fresh || !policy.keeps_in_memory();
        let method = self.subject.method();
        let asking = Asking { at, method, tags: &self.tags, policy, stamp, wants_fresh, may_wait };
        method.note_schema(self.keep.schema());
        remote.ask::<S::Value, K>(self.subject.engine(), asking, self.keep).await
    }

    /// Makes an entry from L2 one here, if nothing was invalidated since it was asked for. Returns the value, or the place back if a
    /// write is under way behind a fence.
    ///
    /// What was invalidated meanwhile answers all the same: the call began before that, and whatever was invalidated before the call was
    /// known to L2 when the value was read there.
    pub(in crate::engine) fn promote(&self, mut entry: Entry, place: Place) -> Result<S::Output, Place> {
        let (engine, method) = (self.subject.engine(), self.subject.method());
        let ticket = place.ticket();
        if engine.is_fenced(method, &entry) {
            return Err(place);
        }
        let Some(value) = self.keep.value(&entry) else { return Err(place) };
        let now = engine.now();
        if engine.remote.as_ref().is_some_and(|remote| remote.is_without(Guard::Promotion)) {
            entry.set_stamp(engine.sequence.now());
        }
        engine.store_loaded(method, &entry, ticket, now);
        place.land(Landing::Value(entry));
        Ok(self.shape.output(value))
    }

    /// Hands to L2 what was loaded.
    pub(in crate::engine) fn share(&self, permit: Option<Permit>, entry: &Entry, value: &S::Value) {
        let Some(permit) = permit else { return };
        let (engine, at) = (self.subject.engine(), self.subject.at());
        if let Some(portion) = engine.portion(at, self.policy(), entry, (self.keep, value)) {
            permit.store(portion);
        }
    }
}

/// Loads, or takes what L2 has.
pub(in crate::engine) async fn through<U, S, K, J, F>(
    job: J,
    place: Place,
    (fallback, wants_fresh): (Option<Entry>, bool),
    load: F,
) -> S::Output
where
    U: Subject,
    S: Shape,
    K: Keep<S::Value>,
    J: Deref<Target = Job<U, S, K>> + Unpin,
    F: Future<Output = S::Output> + Unpin,
{
    let remote = job.remote().cloned();
    let answer = match &remote {
        Some(remote) => {
            // Who loads for itself does so for not having to wait; and who has a stale value need not.
            let may_wait = matches!(place, Place::Leading(_)) && !(wants_fresh && fallback.is_some());
            job.ask_remote(remote, &place, wants_fresh, may_wait).await
        }
        None => Answer::Load(None),
    };
    let (mut place, mut fallback) = (place, fallback);
    let permit = match answer {
        Answer::Load(permit) => permit,
        Answer::Replace(permit, old) => {
            fallback = fallback.or(Some(old));
            Some(permit)
        }
        Answer::Held => {
            remote.iter().for_each(|remote| remote.counters.misses.one());
            match fallback.as_ref().filter(|_| wants_fresh).and_then(|stale| job.keep.value(stale)) {
                // Another process loads: what is there is stale, and good until then.
                Some(value) => return job.shape.output(value),
                None => None,
            }
        }
        Answer::Found(entry) => match job.promote(entry, place) {
            Ok(output) => return output,
            Err(back) => {
                place = back;
                None
            }
        },
    };
    Attempt::new(job, place, fallback, load).with(permit).await
}

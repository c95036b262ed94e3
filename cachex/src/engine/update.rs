//! Writes of the source that give an entry its new value.
//!
//! Two updates of one key may overlap, and nobody but the source knows which wrote last. So an update that meets another
//! write of its key, or an invalidation of its tags, between its beginning and its end keeps nothing and removes the entry:
//! the next call loads what the source really holds.

use std::sync::Arc;
use std::time::Duration;

use super::Engine;
use super::Landing;
use super::delivery::Delivery;
use super::flight::Ticket;
use super::job::Job;
use super::methods::Method;
use super::subject::{Borrowed, Subject};
use crate::entry::{Entry, tags};
use crate::method::keep::Keep;
use crate::method::shape::Shape;
use crate::tag::Tags;
use crate::time::Timestamp;

/// An update of the source under way.
#[derive(Debug)]
pub(crate) struct Writing {
    engine: Arc<Engine>,
    method: Arc<Method>,
    ticket: Ticket<Landing>,
}

impl Writing {
    /// Begins before the source is written.
    pub(crate) fn begin(subject: Borrowed<'_>) -> Self {
        let Borrowed { engine, method, at } = subject;
        Self { ticket: engine.alone(at), engine: engine.clone(), method: method.clone() }
    }

    /// Ends a write that failed.
    pub(crate) fn cancel(self) {}

    /// Whether the entry is in that cache.
    pub(crate) fn is_in(&self, engine: &Arc<Engine>) -> bool {
        Arc::ptr_eq(&self.engine, engine)
    }

    /// Ends a write: invalidates `tags`, then makes `entry` the entry if nothing came between.
    pub(crate) fn end(self, entry: Option<Entry>, tags: &Tags) -> Delivery {
        // In L2 the entry goes, whatever becomes of it here: what is written there is written with the clock from before, which an
        // invalidation of its own tags has moved on.
        if self.engine.has_remote() {
            // As in `Engine::sent`.
            self.engine.at_next(|stamp| self.engine.raise_tags(tags, stamp));
        }
        let delivery = self.engine.send(tags, &[&self.ticket.at().key()]);
        let (engine, at, now) = (&self.engine, self.ticket.at(), self.engine.now());
        // What is not kept is dropped once the order is no longer held: the drop of a value is code of users.
        let (gone, _not_kept) = engine.at_next(|stamp| {
            let began = self.ticket.stamp();
            // Break this (`true`) and the older of two overlapping updates stays.
            let is_undisturbed = self.ticket.allows(began)
                && engine.epoch.allows(began)
                && self.method.epoch.allows(began)
                && self.method.constants_allow(began)
                && entry.as_ref().is_none_or(|entry| tags::allow(entry.tags(), began));
            engine.raise_tags(tags, stamp);
            let is_kept = is_undisturbed && self.method.is_kept_here();
            let (kept, not_kept) = if is_kept { (entry, None) } else { (None, entry) };
            (engine.put(&engine.flights.hold(at), kept, stamp, now), not_kept)
        });
        engine.settle(&self.method, at, gone, now);
        delivery
    }
}

impl<U: Subject, S: Shape, K: Keep<S::Value>> Job<U, S, K> {
    /// Makes the entry of a value that was returned by a write; nothing if it is not to be kept.
    pub(crate) fn written(&self, output: &S::Output, now: Timestamp) -> Option<Entry> {
        let value = self.shape.value(output)?;
        let stamp = self.subject.engine().sequence.now();
        let appraised = self.appraise(stamp, value, Some(Duration::ZERO), now)?;
        appraised.is_kept.then_some(appraised.entry)
    }
}

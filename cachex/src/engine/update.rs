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
#[cfg(feature = "remote")]
use super::remote::{updating::Announced, values::Portion};
use super::subject::{Borrowed, Subject};
use crate::entry::Entry;
use crate::entry::stamp::Stamp;
use crate::method::keep::Keep;
use crate::method::shape::Shape;
#[cfg(feature = "remote")]
use crate::runtime;
use crate::tag::Tags;
use crate::time::Timestamp;

/// An update of the source under way.
#[derive(Debug)]
pub(crate) struct Writing {
    engine: Arc<Engine>,
    method: Arc<Method>,
    ticket: Ticket<Landing>,
    #[cfg(feature = "remote")]
    announced: Option<Announced>,
}

/// What a write has made: an entry, unless it is not to be kept, and the same as L2 keeps it.
#[derive(Debug, Default)]
pub(crate) struct Written {
    entry: Option<Entry>,
    #[cfg(feature = "remote")]
    portion: Option<Portion>,
}

impl Writing {
    /// Begins before the source is written.
    pub(crate) fn begin(subject: Borrowed<'_>) -> Self {
        let Borrowed { engine, method, at } = subject;
        Self {
            ticket: engine.alone(at),
            engine: engine.clone(),
            method: method.clone(),
            #[cfg(feature = "remote")]
            announced: None,
        }
    }

    /// Ends a write that failed.
    pub(crate) fn cancel(self) {}

    /// Whether the entry is in that cache.
    pub(crate) fn is_in(&self, engine: &Arc<Engine>) -> bool {
        Arc::ptr_eq(&self.engine, engine)
    }

    /// Tells L2 of it, before the source is written: else its value is not kept there.
    #[cfg(feature = "remote")]
    pub(crate) async fn announce(&mut self) {
        self.announced = self.engine.announce(self.ticket.at()).await;
    }

    /// As [`announce`](Self::announce), for callers that block.
    #[cfg(feature = "remote")]
    pub(crate) fn announce_blocking(&mut self) {
        let _announced = runtime::block_elsewhere(self.announce());
    }

    /// Ends a write: invalidates `tags`, then makes `written` the entry if nothing came between.
    #[cfg_attr(not(feature = "remote"), expect(unused_mut, reason = "nothing is announced"))]
    pub(crate) fn end(mut self, written: Written, tags: &Tags) -> Delivery {
        #[cfg(feature = "remote")]
        if let (Some(announced), Some(portion)) = (self.announced.take(), written.portion) {
            let settled = announced.begin_settling(self.ticket.at().key(), portion, tags);
            // What came between here is known there as well, or about to be: it would be refused, after two questions.
            let is_undisturbed = self.end_here(written.entry, tags, Some(self.ticket.stamp()));
            return if is_undisturbed { settled.write(&self.engine) } else { settled.give_up() };
        }
        let mut since = Some(self.ticket.stamp());
        if self.engine.has_remote() {
            // As in `Engine::sent`. What has come between is looked at here: after this the tags have moved by our own hand.
            since = self.engine.at_next(|stamp| {
                let is_undisturbed = self.is_undisturbed_since(self.ticket.stamp(), written.entry.as_ref());
                self.engine.raise_tags(tags, stamp);
                // Break this (the stamp of the ticket) and an update that invalidates a tag of its own entry never keeps it.
                is_undisturbed.then_some(stamp)
            });
        }
        let delivery = self.engine.send(tags, &[&self.ticket.at().key()]);
        self.end_here(written.entry, tags, since);
        delivery
    }

    /// Whether nothing that the entry depends on was invalidated later than that.
    fn is_undisturbed_since(&self, since: Stamp, entry: Option<&Entry>) -> bool {
        self.ticket.allows(since)
            && self.engine.epoch.allows(since)
            && self.method.epoch.allows(since)
            && self.engine.tags.allow(self.method.constants(), since)
            && entry.is_none_or(|entry| self.engine.tags.allow(entry.tags(), since))
    }

    /// Ends it in this process. Up to `since` nothing came between; something did if there is no such time. Returns whether nothing has until now.
    fn end_here(&self, entry: Option<Entry>, tags: &Tags, since: Option<Stamp>) -> bool {
        let (engine, at, now) = (&self.engine, self.ticket.at(), self.engine.now());
        // What is not kept is dropped once the order is no longer held: the drop of a value is code of users.
        let (gone, _not_kept, is_undisturbed) = engine.at_next(|stamp| {
            // Break this (`true`) and the older of two overlapping updates stays.
            let is_undisturbed = since.is_some_and(|since| self.is_undisturbed_since(since, entry.as_ref()));
            engine.raise_tags(tags, stamp);
            let is_kept = is_undisturbed && self.method.is_kept_here();
            let (kept, not_kept) = if is_kept { (entry, None) } else { (None, entry) };
            (engine.put(&engine.flights.hold(at), kept, stamp, now), not_kept, is_undisturbed)
        });
        engine.settle(&self.method, at, gone, now);
        is_undisturbed
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

    /// As [`written`](Self::written), with what L2 is to keep.
    pub(crate) fn update(&self, output: &S::Output) -> Written {
        let engine = self.subject.engine();
        let entry = self.written(output, engine.now());
        #[cfg(feature = "remote")]
        let portion = entry
            .as_ref()
            .zip(self.shape.value(output))
            .and_then(|(entry, value)| engine.portion(self.subject.at(), self.policy(), entry, (self.keep, value)));
        Written {
            entry,
            #[cfg(feature = "remote")]
            portion,
        }
    }
}

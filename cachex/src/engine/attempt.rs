//! One run of a loader, wherever it is polled: in the call, or in the background once the call has ended.

use std::future::Future;
use std::ops::Deref;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use super::Landing;
use super::flight::{Lead, Ticket};
use super::job::Job;
use super::nesting::{self, Frame};
#[cfg(feature = "remote")]
use super::remote::permit::Permit;
use super::subject::Subject;
use crate::entry::Entry;
use crate::method::keep::Keep;
use crate::method::shape::Shape;
use crate::observe::event::Event;
use crate::runtime;
use crate::time::stopwatch::Stopwatch;

/// The place of a load in the table of flights.
#[derive(Debug)]
pub(super) enum Place {
    /// Others may wait for it.
    Leading(Lead<Landing>),
    /// Nobody waits for it.
    Alone(Ticket<Landing>),
}

impl Place {
    pub(super) fn ticket(&self) -> &Ticket<Landing> {
        match self {
            Self::Leading(lead) => lead.ticket(),
            Self::Alone(ticket) => ticket,
        }
    }

    pub(super) fn land(self, landing: Landing) {
        if let Self::Leading(lead) = self {
            lead.land(landing);
        }
    }
}

/// A load under way. Its future stores the value, answers the followers, and ends with what the caller is to get.
/// Dropped before its end, the duty to load passes to a follower.
///
/// `J` is a [`Job`], borrowed from the call or shared with it; `F` is the load, pinned where it stays.
pub(super) struct Attempt<J, F> {
    job: J,
    place: Option<Place>,
    fallback: Option<Entry>,
    stopwatch: Option<Stopwatch>,
    /// The right to store the value in L2 as well.
    #[cfg(feature = "remote")]
    permit: Option<Permit>,
    load: F,
}

impl<U, S, K, J, F> Attempt<J, F>
where
    U: Subject,
    S: Shape,
    K: Keep<S::Value>,
    J: Deref<Target = Job<U, S, K>>,
{
    pub(super) fn new(job: J, place: Place, fallback: Option<Entry>, load: F) -> Self {
        let stopwatch = job.subject.method().counters.tally().load_timer();
        Self {
            job,
            place: Some(place),
            fallback,
            stopwatch,
            #[cfg(feature = "remote")]
            permit: None,
            load,
        }
    }

    /// Stores the value in L2 as well, if there is a permit.
    #[cfg(feature = "remote")]
    pub(super) fn with(self, permit: Option<Permit>) -> Self {
        Self { permit, ..self }
    }

    fn end(&mut self, output: S::Output) -> S::Output {
        let place = self.place.take().expect("an attempt ends once");
        let took = self.stopwatch.map(Stopwatch::elapsed);
        self.job.subject.method().counters.tally().load(took);
        let load = Loaded {
            place,
            fallback: self.fallback.as_ref(),
            took,
            #[cfg(feature = "remote")]
            permit: self.permit.take(),
        };
        self.job.settle(load, output)
    }
}

/// What was loaded is to be settled with.
pub(super) struct Loaded<'a> {
    pub(super) place: Place,
    pub(super) fallback: Option<&'a Entry>,
    pub(super) took: Option<Duration>,
    #[cfg(feature = "remote")]
    pub(super) permit: Option<Permit>,
}

impl<U: Subject, S: Shape, K: Keep<S::Value>> Job<U, S, K> {
    /// Stores what was loaded and answers the followers. Returns what the caller is to get.
    #[inline]
    pub(super) fn settle(&self, load: Loaded<'_>, output: S::Output) -> S::Output {
        let (engine, method) = (self.subject.engine(), self.subject.method());
        if self.shape.is_failure(&output) {
            method.counters.load_errors.one();
            engine.tell(|| Event::LoadFailed(self.subject.at().key()));
        }
        let Loaded { place, fallback, took, .. } = load;
        let Some(value) = self.shape.value(&output) else { return self.fail(place, fallback, output) };
        let now = engine.now();
        if let Some(appraised) = self.appraise(place.ticket().stamp(), value, took, now) {
            if appraised.is_kept {
                #[cfg(feature = "remote")]
                if engine.remote.is_some() {
                    self.share(load.permit, &appraised.entry, value);
                }
                engine.store_loaded(method, &appraised.entry, place.ticket(), now);
            }
            place.land(Landing::Value(appraised.entry));
        }
        output
    }

    /// Ends a load that has nothing to keep: an expired entry answers for it, or its error does, or a follower tries again.
    fn fail(&self, place: Place, fallback: Option<&Entry>, output: S::Output) -> S::Output {
        if let Some(entry) = fallback
            && let Some(value) = self.fall_back(entry, place.ticket())
        {
            place.land(Landing::FellBack(entry.clone()));
            return value;
        }
        if let Some(error) = self.rules.share_err.and_then(|share| (share.publish)(&output)) {
            place.land(Landing::Failed(error));
        }
        output
    }
}

impl<U, S, K, J, F> Future for Attempt<J, F>
where
    U: Subject,
    S: Shape,
    K: Keep<S::Value>,
    J: Deref<Target = Job<U, S, K>> + Unpin,
    F: Future<Output = S::Output> + Unpin,
{
    type Output = S::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<S::Output> {
        let this = &mut *self;
        // To the end of the poll: also what the user's rules and clones do is part of the load.
        let _frame = match &this.place {
            Some(Place::Leading(lead)) => {
                lead.flight().note_thread(nesting::thread());
                Some(Frame::enter(lead.flight().id()))
            }
            // Nobody can wait for it.
            Some(Place::Alone(_)) | None => None,
        };
        let unfinished = Unfinished { job: &*this.job, stopwatch: this.stopwatch };
        let polled = Pin::new(&mut this.load).poll(cx);
        // It did not panic.
        std::mem::forget(unfinished);
        let output = ready!(polled);
        Poll::Ready(this.end(output))
    }
}

/// Accounts for a load that panics.
pub(super) struct Unfinished<'a, U: Subject, S: Shape, K> {
    pub(super) job: &'a Job<U, S, K>,
    pub(super) stopwatch: Option<Stopwatch>,
}

impl<U: Subject, S: Shape, K> Drop for Unfinished<'_, U, S, K> {
    fn drop(&mut self) {
        let subject = &self.job.subject;
        subject.method().counters.tally().load(self.stopwatch.map(Stopwatch::elapsed));
        subject.method().counters.load_errors.one();
        subject.engine().tell(|| Event::LoadFailed(subject.at().key()));
    }
}

/// Lets an attempt go on in the background, whose caller has stopped waiting.
pub(super) fn go_on<A: Future + Send + 'static>(attempt: A) {
    runtime::spawn(async move {
        drop(attempt.await);
    });
}

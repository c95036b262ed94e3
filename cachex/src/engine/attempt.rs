//! One run of a loader, wherever it is polled: in the call, or in the background once the call has ended.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use super::Landing;
use super::flight::{Flight, Lead, Ticket};
use super::job::Job;
use super::nesting::{self, Frame};
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
    fn ticket(&self) -> &Ticket<Landing> {
        match self {
            Self::Leading(lead) => lead.ticket(),
            Self::Alone(ticket) => ticket,
        }
    }

    fn land(self, landing: Landing) {
        if let Self::Leading(lead) = self {
            lead.land(landing);
        }
    }
}

/// A load under way. Its future stores the value, answers the followers, and ends with what the caller is to get.
/// Dropped before its end, the duty to load passes to a follower.
pub(super) struct Attempt<S: Shape, K, F> {
    job: Arc<Job<S, K>>,
    place: Option<Place>,
    fallback: Option<Entry>,
    stopwatch: Stopwatch,
    /// None if nobody can wait for it.
    flight: Option<Arc<Flight<Landing>>>,
    // Boxed, so that it can be pinned without unsafe code; this is the path of a miss.
    load: Pin<Box<F>>,
}

impl<S: Shape, K: Keep<S::Value>, F: Future<Output = S::Output>> Attempt<S, K, F> {
    pub(super) fn new(job: Arc<Job<S, K>>, place: Place, fallback: Option<Entry>, load: F) -> Self {
        let flight = match &place {
            Place::Leading(lead) => Some(lead.flight().clone()),
            Place::Alone(_) => None,
        };
        let stopwatch = Stopwatch::start();
        Self { job, place: Some(place), fallback, stopwatch, flight, load: Box::pin(load) }
    }

    fn end(&mut self, output: S::Output) -> S::Output {
        let place = self.place.take().expect("an attempt ends once");
        let took = self.stopwatch.elapsed();
        let job = &*self.job;
        job.method.counters.note_load(took);
        if job.shape.is_failure(&output) {
            job.method.counters.load_errors.one();
            job.engine.tell(|| Event::LoadFailed(job.key.clone()));
        }
        let Some(value) = job.shape.value(&output) else { return self.fail(place, output) };
        if let Some(appraised) = job.appraise(place.ticket().stamp(), value, took) {
            if appraised.is_kept {
                job.engine.store_loaded(&job.method, &appraised.entry, place.ticket());
            }
            place.land(Landing::Value(appraised.entry));
        }
        output
    }

    /// Ends a load that has nothing to keep: an expired entry answers for it, or its error does, or a follower tries again.
    fn fail(&self, place: Place, output: S::Output) -> S::Output {
        let job = &*self.job;
        if let Some(entry) = &self.fallback
            && let Some(value) = job.fall_back(entry, place.ticket())
        {
            place.land(Landing::FellBack(entry.clone()));
            return value;
        }
        if let Some(error) = job.rules.share_err.and_then(|share| (share.publish)(&output)) {
            place.land(Landing::Failed(error));
        }
        output
    }
}

impl<S: Shape, K: Keep<S::Value>, F: Future<Output = S::Output>> Future for Attempt<S, K, F> {
    type Output = S::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<S::Output> {
        // To the end of the poll: also what the user's rules and clones do is part of the load.
        let _frame = self.flight.as_ref().map(|flight| {
            flight.note_thread(nesting::thread());
            Frame::enter(flight.id())
        });
        let output = ready!(self.load.as_mut().poll(cx));
        Poll::Ready(self.end(output))
    }
}

// All that is polled in place is boxed.
impl<S: Shape, K, F> Unpin for Attempt<S, K, F> {}

impl<S: Shape, K, F> Drop for Attempt<S, K, F> {
    fn drop(&mut self) {
        if self.place.is_some() && std::thread::panicking() {
            self.job.method.counters.note_load(self.stopwatch.elapsed());
            self.job.method.counters.load_errors.one();
            self.job.engine.tell(|| Event::LoadFailed(self.job.key.clone()));
        }
    }
}

/// What happens to an attempt whose caller stops waiting.
pub(super) trait Beyond<A> {
    fn go_on(self, attempt: A);
}

/// The load borrows from its call: it ends with it.
#[derive(Clone, Copy, Debug)]
pub(super) struct EndsWithCall;

impl<A> Beyond<A> for EndsWithCall {
    fn go_on(self, _attempt: A) {}
}

/// The load owns what it needs: it goes on in the background.
#[derive(Clone, Copy, Debug)]
pub(super) struct GoesOn;

impl<A: Future + Send + 'static> Beyond<A> for GoesOn {
    fn go_on(self, attempt: A) {
        runtime::spawn(async move {
            drop(attempt.await);
        });
    }
}

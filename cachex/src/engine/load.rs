//! The path of a miss, the same for async and blocking callers: join or lead a flight, wait or load, within the time the
//! caller has.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use super::attempt::{Attempt, Place, go_on};
use super::flight::{Follow, Joined, Lead, Ticket, Waited};
use super::job::Job;
#[cfg(feature = "remote")]
use super::remote::through::through;
use super::subject::Subject;
use super::{Landing, nesting};
use crate::entry::Entry;
use crate::error::Error;
use crate::method::keep::Keep;
use crate::method::shape::Shape;
use crate::observe::event::Event;
use crate::time::Timestamp;

/// How long the caller waits.
#[derive(Clone, Copy, Debug)]
struct Patience {
    /// Until an expired entry may answer.
    soft: Option<Timestamp>,
    /// Until it gives up.
    hard: Option<(Timestamp, Duration)>,
}

impl Patience {
    const ENDLESS: Self = Self { soft: None, hard: None };
}

impl<U: Subject, S: Shape, K: Keep<S::Value>> Job<U, S, K> {
    /// Loads, or waits for who does. The load ends with the call.
    // Borrowed, as the load is pinned: neither is moved on the way, and nothing of it is allocated.
    pub(crate) async fn run<F>(&mut self, fallback: Option<Entry>, load: F) -> S::Output
    where
        F: Future<Output = S::Output>,
    {
        self.note_tags();
        let place = match self.enter(0) {
            Start::Place(place) => place,
            // Boxed: few have to wait, and every load would carry the room for it.
            Start::Follow(follow) => match Box::pin(self.follow(follow, fallback.as_ref(), Patience::ENDLESS)).await {
                Ok(place) => place,
                Err(output) => return output,
            },
        };
        let place = match self.look_again(place) {
            Ok(place) => place,
            Err(output) => return output,
        };
        #[cfg(feature = "remote")]
        if self.remote().is_some() {
            return Box::pin(through(&*self, place, (fallback, false), pin!(load))).await;
        }
        Attempt::new(&*self, place, fallback, pin!(load)).await
    }

    /// Loads, or waits for who does, as long as the method's rules allow. The load goes on without the caller.
    pub(crate) async fn run_detached<F>(mut self, fallback: Option<Entry>, load: F) -> S::Output
    where
        U: 'static,
        S: 'static,
        K: 'static,
        F: Future<Output = S::Output> + Send + 'static,
    {
        let now = self.subject.engine().now();
        let patience = Patience {
            soft: self.policy().soft_timeout.filter(|_| fallback.is_some()).map(|span| now.after(span)),
            hard: self.policy().timeout.map(|span| (now.after(span), span)),
        };
        self.note_tags();
        let place = match self.enter(0) {
            Start::Place(place) => place,
            // Boxed: see `run`.
            Start::Follow(follow) => match Box::pin(self.follow(follow, fallback.as_ref(), patience)).await {
                Ok(place) => place,
                Err(output) => return output,
            },
        };
        let place = match self.look_again(place) {
            Ok(place) => place,
            Err(output) => return output,
        };
        let job = Arc::new(self);
        #[cfg(feature = "remote")]
        let mut attempt = Box::pin(through(job.clone(), place, (fallback.clone(), false), Box::pin(load)));
        #[cfg(not(feature = "remote"))]
        let mut attempt = Attempt::new(job.clone(), place, fallback.clone(), Box::pin(load));
        match job.within(&mut attempt, fallback.as_ref(), patience).await {
            Ok(output) => output,
            Err(output) => {
                go_on(attempt);
                output
            }
        }
    }

    /// Loads a new value for a stale entry in the call, unless somebody does already; the stale value answers then, and also
    /// if the load fails.
    pub(crate) async fn refresh_here<F>(&mut self, stale: Entry, value: S::Value, load: F) -> S::Output
    where
        F: Future<Output = S::Output>,
    {
        self.note_tags();
        match self.lead_only() {
            None => {
                self.subject.method().counters.tally().stale_hit();
                self.shape.output(value)
            }
            Some(lead) => {
                self.subject.method().counters.tally().miss();
                self.subject.method().counters.refreshes.one();
                #[cfg(feature = "remote")]
                if self.remote().is_some() {
                    let place = Place::Leading(lead);
                    return Box::pin(through(&*self, place, (Some(stale), true), pin!(load))).await;
                }
                Attempt::new(&*self, Place::Leading(lead), Some(stale), pin!(load)).await
            }
        }
    }

    /// Takes the duty to load a new value for a stale entry in the background, unless somebody has it already.
    pub(crate) fn lead_refresh(&self) -> Option<Lead<Landing>> {
        let lead = self.lead_only()?;
        self.subject.method().counters.refreshes.one();
        Some(lead)
    }

    /// Loads in the background.
    pub(crate) fn refresh<F>(mut self, lead: Lead<Landing>, load: F)
    where
        U: 'static,
        S: 'static,
        K: 'static,
        F: Future<Output = S::Output> + Send + 'static,
    {
        self.note_tags();
        #[cfg(feature = "remote")]
        go_on(through(Arc::new(self), Place::Leading(lead), (None, true), Box::pin(load)));
        #[cfg(not(feature = "remote"))]
        go_on(Attempt::new(Arc::new(self), Place::Leading(lead), None, Box::pin(load)));
    }

    /// Joins a flight or begins one. Who was turned away twice loads for itself: its answer then depends on nobody.
    pub(super) fn enter(&self, turned_away: usize) -> Start {
        if !self.policy().single_flight || turned_away > 1 {
            return Start::Place(self.alone());
        }
        let engine = self.subject.engine();
        let is_current = |stamp| self.may_join(stamp);
        match engine.flights.join(self.subject.at(), &engine.sequence, nesting::thread(), is_current) {
            Joined::Lead(lead) => Start::Place(Place::Leading(lead)),
            Joined::Follow(follow) => Start::Follow(follow),
        }
    }

    pub(super) fn alone(&self) -> Place {
        Place::Alone(self.ticket())
    }

    /// Takes a place in the table of flights that nobody joins.
    fn ticket(&self) -> Ticket<Landing> {
        self.subject.engine().alone(self.subject.at())
    }

    pub(super) fn lead_only(&self) -> Option<Lead<Landing>> {
        let engine = self.subject.engine();
        engine.flights.lead_only(self.subject.at(), &engine.sequence)
    }

    /// Waits for the loads of others, until one is good for this caller, or it is to load itself.
    async fn follow(
        &self,
        mut follow: Follow<Landing>,
        fallback: Option<&Entry>,
        patience: Patience,
    ) -> Result<Place, S::Output> {
        let mut turned_away = 0;
        let arrival = follow.joined_at();
        loop {
            let Some(_edge) = self.may_wait(&follow) else { return Ok(self.alone()) };
            if turned_away == 0 {
                self.subject.method().counters.followers.one();
            }
            let is_later = follow.flight().is_after(arrival);
            match self.wait(&mut follow, fallback, patience).await? {
                Waited::TakeOver(lead) => return Ok(Place::Leading(lead)),
                // Break this (drop the condition) and where nothing is kept here a call is answered with what was read before it began, and
                // invalidated by another process since.
                Waited::Landed(landing, ticket) if self.may_take(&landing, is_later) => {
                    if let Some(output) = self.accept(landing, &ticket) {
                        return Err(output);
                    }
                }
                Waited::Landed(..) => {}
            }
            turned_away += 1;
            follow = match self.enter(turned_away) {
                Start::Place(place) => return Ok(place),
                Start::Follow(follow) => follow,
            };
        }
    }

    /// Whether the landing of a flight is good for this call, which may have begun later than the flight.
    ///
    /// Who keeps nothing here is not to depend on when the notices of other processes come: what it is answered with was asked for after it
    /// has come. So it waits for the next flight, which all who have waited so share.
    pub(super) fn may_take(&self, landing: &Landing, is_later: bool) -> bool {
        is_later || self.policy().keeps_in_memory() || matches!(landing, Landing::Failed(_))
    }

    /// Looks up again: another may have loaded it between our look-up and our flight.
    pub(super) fn look_again(&self, place: Place) -> Result<Place, S::Output> {
        let Place::Leading(lead) = place else { return Ok(place) };
        let Some(found) = self.find_fresh() else { return Ok(Place::Leading(lead)) };
        lead.land(Landing::Found);
        Err(self.shape.output(found))
    }

    async fn wait(
        &self,
        follow: &mut Follow<Landing>,
        fallback: Option<&Entry>,
        patience: Patience,
    ) -> Result<Waited<Landing>, S::Output> {
        let mut wait = follow.wait(&self.subject.engine().sequence);
        self.within(&mut wait, fallback, patience).await
    }

    /// Waits for `future`, but no longer than the caller can: then its error is what the caller gets.
    // `T` is named by itself. As `F::Output` it would have the compiler compare what the load and the shape return, in the
    // state of a future, where `'static` is forgotten: with `&'static str` in either, no caller could be spawned.
    async fn within<T, F: Future<Output = T> + Unpin>(
        &self,
        future: &mut F,
        fallback: Option<&Entry>,
        patience: Patience,
    ) -> Result<T, S::Output> {
        if let (Some(until), Some(entry)) = (patience.soft, fallback) {
            if let Some(output) = self.until(future, until).await {
                return Ok(output);
            }
            let ticket = self.ticket();
            if let Some(value) = self.fall_back(entry, &ticket) {
                return Err(value);
            }
        }
        let (Some((until, span)), Some(timed_out)) = (patience.hard, self.rules.timed_out) else {
            return Ok(future.await);
        };
        if let Some(output) = self.until(future, until).await {
            return Ok(output);
        }
        self.subject.method().counters.timeouts.one();
        self.subject.engine().tell(|| Event::TimedOut(self.subject.at().key()));
        let ticket = self.ticket();
        let value = fallback.and_then(|entry| self.fall_back(entry, &ticket));
        Err(value.unwrap_or_else(|| timed_out(Error::timeout(self.subject.method().region.name(), span))))
    }

    async fn until<T, F: Future<Output = T> + Unpin>(&self, future: &mut F, until: Timestamp) -> Option<T> {
        let mut sleep = self.subject.engine().clock().sleep(until);
        poll_fn(|cx| {
            if let Poll::Ready(output) = Pin::new(&mut *future).poll(cx) {
                return Poll::Ready(Some(output));
            }
            sleep.as_mut().poll(cx).map(|()| None)
        })
        .await
    }
}

/// Where a caller stands at first.
pub(super) enum Start {
    Place(Place),
    Follow(Follow<Landing>),
}

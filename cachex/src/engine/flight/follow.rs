//! Waiting for the load of another.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::{Flight, Lead, Phase, Ticket};
use crate::entry::stamp::Sequence;
use crate::sync::lock;

/// A place among those who wait. Dropped, it changes nothing for the others.
#[derive(Debug)]
pub(crate) struct Follow<L: Clone> {
    // Taken when the wait ends.
    ticket: Option<Ticket<L>>,
    waker: Option<u64>,
    /// The number of the last flight that had begun by then.
    joined_at: u64,
}

/// How a wait ended.
#[derive(Debug)]
pub(crate) enum Waited<L: Clone> {
    Landed(L, Ticket<L>),
    TakeOver(Lead<L>),
}

impl<L: Clone> Follow<L> {
    pub(super) fn new(ticket: Ticket<L>, joined_at: u64) -> Self {
        Self { ticket: Some(ticket), waker: None, joined_at }
    }

    /// Returns what flights are compared with that begin later than this place was taken.
    pub(crate) fn joined_at(&self) -> u64 {
        self.joined_at
    }

    pub(crate) fn flight(&self) -> &Flight<L> {
        &self.ticket.as_ref().expect("a wait ends once").flight
    }

    /// Waits until the flight has landed, or has lost its leader and it is ours to load.
    pub(crate) fn wait<'a>(&'a mut self, sequence: &'a Sequence) -> Wait<'a, L> {
        Wait { follow: self, sequence }
    }

    fn take_ticket(&mut self) -> Ticket<L> {
        self.ticket.take().expect("a wait ends once")
    }
}

/// The future of [`Follow::wait`].
#[derive(Debug)]
pub(crate) struct Wait<'a, L: Clone> {
    follow: &'a mut Follow<L>,
    sequence: &'a Sequence,
}

impl<L: Clone> Future for Wait<'_, L> {
    type Output = Waited<L>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Waited<L>> {
        let sequence = self.sequence;
        let follow = &mut *self.follow;
        let flight = follow.ticket.as_ref().expect("a wait ends once").flight.clone();
        let mut state = lock(&flight.state);
        match &state.phase {
            Phase::Landed(landing) => {
                let landing = landing.clone();
                let _waker = Flight::leave(&mut state, follow.waker);
                drop(state);
                Poll::Ready(Waited::Landed(landing, follow.take_ticket()))
            }
            // Closed is none that is waited for: this one would take over as well.
            Phase::Vacant | Phase::Closed => {
                let mut ticket = follow.take_ticket();
                // A new load begins here: it sees what was written up to now.
                ticket.stamp = sequence.now();
                state.phase = Phase::Loading(ticket.stamp);
                let _waker = Flight::leave(&mut state, follow.waker);
                drop(state);
                Poll::Ready(Waited::TakeOver(Lead { ticket, has_landed: false }))
            }
            Phase::Loading(_) => {
                let known = follow.waker.and_then(|id| state.wakers.iter_mut().find(|waker| waker.0 == id));
                let replaced = match known {
                    Some((_, waker)) if waker.will_wake(cx.waker()) => None,
                    Some((_, waker)) => Some(std::mem::replace(waker, cx.waker().clone())),
                    None => {
                        let id = state.next_waker;
                        state.next_waker += 1;
                        state.wakers.push((id, cx.waker().clone()));
                        follow.waker = Some(id);
                        None
                    }
                };
                // Dropped without the lock; see `leave`.
                drop(state);
                drop(replaced);
                Poll::Pending
            }
        }
    }
}

impl<L: Clone> Drop for Follow<L> {
    fn drop(&mut self) {
        let Some(ticket) = &self.ticket else { return };
        // Declared first, so that it is dropped last.
        let _waker;
        let mut state = lock(&ticket.flight.state);
        _waker = Flight::leave(&mut state, self.waker);
        if state.followers == 0 && matches!(state.phase, Phase::Vacant) {
            state.phase = Phase::Closed;
        }
    }
}

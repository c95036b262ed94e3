//! A place in the table of flights, and leading one.

use std::sync::Arc;

use super::{Flight, Home, NONE, Phase, Shard};
use crate::entry::stamp::Stamp;
use crate::key::KeyRef;
use crate::sync::{Ordering, lock};

/// A place at a flight: keeps it in the table, and knows when the key was invalidated.
#[derive(Debug)]
pub(crate) struct Ticket<L: Clone> {
    pub(super) home: Home<L>,
    pub(super) flight: Arc<Flight<L>>,
    pub(super) stamp: Stamp,
    pub(super) has_left: bool,
}

/// The duty to load. Dropped without [`land`](Self::land), it passes to a follower.
#[derive(Debug)]
pub(crate) struct Lead<L: Clone> {
    pub(super) ticket: Ticket<L>,
    pub(super) has_landed: bool,
}

impl<L: Clone> Ticket<L> {
    /// Returns the logical clock from before the load.
    pub(crate) fn stamp(&self) -> Stamp {
        self.stamp
    }

    /// Whether the key was not invalidated since `stamp`, and it was not given up to know what was.
    // Break this (drop the second condition) and a load that was given up is kept, whatever was invalidated since it began.
    pub(crate) fn allows(&self, stamp: Stamp) -> bool {
        self.flight.epoch.allows(stamp) && !self.flight.is_given_up.load(Ordering::Acquire)
    }

    /// Returns the key by which the tier is asked.
    pub(crate) fn at(&self) -> KeyRef<'_> {
        self.flight.at()
    }

    /// Gives the place up if nobody else has one: nobody can join then. Returns whether it was so.
    fn leave_if_only(&mut self) -> bool {
        self.has_left = self.leave(|users| users == 1);
        self.has_left
    }

    fn leave(&self, is_to_leave: impl FnOnce(usize) -> bool) -> bool {
        let mut shard = lock(&self.home);
        let Shard { listed, spare, .. } = &mut *shard;
        let listed = listed.find_entry(self.flight.at().hash, |listed| Arc::ptr_eq(&listed.flight, &self.flight));
        let Ok(mut listed) = listed else { unreachable!("a flight stays in the table while it has users") };
        if !is_to_leave(listed.get().users) {
            return false;
        }
        listed.get_mut().users -= 1;
        if listed.get().users == 0 {
            // Not the last hold: `self` has one.
            let (gone, _) = listed.remove();
            // A flight that was joined may still hold what it landed, which is not dropped under the lock. A long key would keep
            // its memory.
            if !gone.was_joined && gone.flight.key.is_short() {
                *spare = Some(gone.flight);
            }
        }
        true
    }
}

impl<L: Clone> Drop for Ticket<L> {
    fn drop(&mut self) {
        if !self.has_left {
            self.leave(|_| true);
        }
    }
}

impl<L: Clone> Lead<L> {
    pub(crate) fn ticket(&self) -> &Ticket<L> {
        &self.ticket
    }

    pub(crate) fn flight(&self) -> &Flight<L> {
        &self.ticket.flight
    }

    /// Answers the followers and ends the flight.
    pub(crate) fn land(mut self, landing: L) {
        self.has_landed = true;
        if self.ticket.leave_if_only() {
            return;
        }
        let wakers = {
            let mut state = lock(&self.ticket.flight.state);
            state.phase = Phase::Landed(landing);
            std::mem::take(&mut state.wakers)
        };
        wakers.into_iter().for_each(|(_, waker)| waker.wake());
    }
}

impl<L: Clone> Drop for Lead<L> {
    fn drop(&mut self) {
        if self.has_landed {
            return;
        }
        let wakers = {
            let mut state = lock(&self.ticket.flight.state);
            state.phase = if state.followers == 0 { Phase::Closed } else { Phase::Vacant };
            // Who takes over is running: until then no thread is needed.
            self.flight().note_thread(NONE);
            std::mem::take(&mut state.wakers)
        };
        // All are woken: if only one were and it was dropped just then, nobody would take over.
        wakers.into_iter().for_each(|(_, waker)| waker.wake());
    }
}

//! The connections for commands to one server: those on our own thread, and those beside its callers.
//!
//! Beside a caller values are read, and nothing else is done. All that changes something goes over our own connections: it does not depend on whether the runtime of others goes on,
//! and what is done about one key is done in the order in which it was asked, also if an answer was not waited for. Nor does a blocking call read there: it would wait
//! for what its own thread is to do next. A reader whose connection is gone takes one of ours.

use std::sync::Arc;

use super::greeting::Greeting;
use super::link::{Ends, Leading, Link, Timing};
use super::target::Target;
use crate::runtime::Callers;
use crate::store::Listener;

/// How a server is connected with.
#[derive(Clone, Debug)]
pub(super) struct Means {
    pub(super) timing: Timing,
    /// For commands: so many on our own thread, and as many beside callers.
    pub(super) connections: usize,
    /// The runtime of callers, if one is known.
    pub(super) callers: Option<Callers>,
}

/// Which connection a command takes.
#[derive(Clone, Copy)]
pub(super) struct Lane {
    /// The same for all that is about one key.
    pub(super) number: usize,
    pub(super) side: Side,
}

/// Where the connection is driven.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// On our own thread.
    Own,
    /// Beside the caller, if that is possible: for what only reads.
    Near,
}

/// Connections that are watched; dropped, they are closed.
pub(super) struct Lanes {
    own: Vec<Link>,
    near: Option<Near>,
}

/// Connections that are driven where callers are.
struct Near {
    callers: Callers,
    links: Vec<Link>,
}

impl Lanes {
    /// Begins to connect.
    pub(super) fn begin(
        target: &Target,
        means: &Means,
        greeting: impl Fn() -> Greeting,
        listener: &Arc<dyn Listener>,
    ) -> Self {
        let Means { timing, connections, callers } = means;
        let link = |callers: Option<&Callers>, listener: &Arc<dyn Listener>| {
            let ends = Ends { target: target.clone(), callers: callers.cloned() };
            Link::begin(ends, *timing, greeting(), listener.clone())
        };
        let own = (0..*connections).map(|_| link(None, listener)).collect();
        let near = callers.as_ref().map(|callers| {
            let listener: Arc<dyn Listener> = Arc::new(Beside(listener.clone()));
            let links = (0..*connections).map(|_| link(Some(callers), &listener)).collect();
            Near { callers: callers.clone(), links }
        });
        Self { own, near }
    }

    /// Whether the server can be reached by whoever asks.
    pub(super) fn is_up(&self) -> bool {
        self.own.iter().all(Link::is_up)
    }

    /// Returns the server that all are to be with.
    pub(super) fn leading(&self) -> Leading {
        self.own[0].leading()
    }

    /// Returns the connections on our own thread.
    pub(super) fn own(&self) -> &[Link] {
        &self.own
    }

    /// Returns the connection for who asks now.
    pub(super) fn link(&self, lane: Lane) -> &Link {
        let near = self.near.as_ref().filter(|near| lane.side == Side::Near && near.callers.are_here());
        let near = near.map(|near| &near.links[lane.number % near.links.len()]);
        let own = self.own_link(lane.number);
        // Break this (drop the condition) and calls do without Redis while a runtime that stood still has no connection.
        let Some(near) = near.filter(|link| link.is_up()) else { return own };
        // One of them was led elsewhere meanwhile, or does not know yet that its server is gone: what is invalidated over ours is to be seen.
        if !near.is_with(own) {
            if own.is_up() {
                near.leave();
            }
            return own;
        }
        near
    }
}

impl Lanes {
    /// Returns our own connection of a number: it is with the same server as the first one.
    // Break this (don't look) and where a name comes to lead to another server, one of them invalidates what is read over another.
    fn own_link(&self, number: usize) -> &Link {
        let (first, own) = (&self.own[0], &self.own[number % self.own.len()]);
        if std::ptr::eq(first, own) || !first.is_up() || !own.is_up() || own.is_with(first) {
            return own;
        }
        own.leave();
        first
    }
}

/// Listens to connections that are there beside others: what these say is not said again.
struct Beside(Arc<dyn Listener>);

impl Listener for Beside {
    fn up(&self) {}

    fn down(&self) {
        // It may have been with a server that was given up: nobody knows when it is connected again, if it ever is, and with which.
        self.0.replaced();
    }

    fn replaced(&self) {
        // Values are read over them as well.
        self.0.replaced();
    }

    fn troubled(&self, why: &str) {
        self.0.troubled(why);
    }

    fn listening(&self) {}

    fn missed(&self) {}

    fn noticed(&self, _notice: &[u8]) {}
}

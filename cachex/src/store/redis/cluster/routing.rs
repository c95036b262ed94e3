//! A command on its way to the master of its slot.

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use redis::{Cmd, ErrorKind, RedisError, ServerErrorKind, Value};

use super::super::address::Place;
use super::super::lanes::Lane;
use super::super::trouble::LinkError;
use super::slots::SLOTS;
use super::{Cluster, Master};
use crate::runtime;
use crate::time::stopwatch::Deadline;

/// Nobody has this slot.
const NOBODY: u16 = u16::MAX;
/// Before what concerns a slot on its way is tried again: twice as long each time.
const FIRST_PAUSE: Duration = Duration::from_millis(2);

/// Who has which slot.
#[derive(Default)]
pub(super) struct Routes {
    /// The index of the master of each.
    slots: Vec<u16>,
    masters: Vec<Arc<Master>>,
    places: Vec<Place>,
    epoch: u64,
}

impl Routes {
    pub(super) fn new(masters: Vec<(Arc<Master>, Vec<RangeInclusive<u16>>)>, places: Vec<Place>, epoch: u64) -> Self {
        let mut slots = vec![NOBODY; SLOTS];
        for (index, (_, ranges)) in (0..NOBODY).zip(&masters) {
            for range in ranges {
                slots[usize::from(*range.start())..=usize::from(*range.end())].fill(index);
            }
        }
        Self { slots, masters: masters.into_iter().map(|(master, _)| master).collect(), places, epoch }
    }

    pub(super) fn masters(&self) -> &[Arc<Master>] {
        &self.masters
    }

    pub(super) fn places(&self) -> &[Place] {
        &self.places
    }

    pub(super) fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Returns a slot of each master that has any.
    pub(super) fn slot_of_each(&self) -> Vec<u16> {
        let slot = |index| self.slots.iter().position(|master| usize::from(*master) == index);
        (0..self.masters.len()).filter_map(slot).filter_map(|slot| u16::try_from(slot).ok()).collect()
    }

    /// Whether the master of a slot can be reached.
    pub(super) fn is_up(&self, slot: u16) -> bool {
        self.master(slot).is_some_and(|master| master.lanes.is_up())
    }

    /// Whether it can be reached by the connection of a number.
    pub(super) fn is_up_by(&self, slot: u16, number: usize) -> bool {
        let own = self.master(slot).map_or(&[][..], |master| master.lanes.own());
        !own.is_empty() && own[number % own.len()].is_up()
    }

    fn master(&self, slot: u16) -> Option<&Arc<Master>> {
        self.masters.get(usize::from(*self.slots.get(usize::from(slot))?))
    }

    /// Returns the master that `from` calls by an address.
    fn master_at(&self, address: &str, from: &Master) -> Option<&Arc<Master>> {
        let (host, port) = address.rsplit_once(':')?;
        let host = if host.is_empty() { &from.node.at.host } else { host };
        let port = port.parse::<u16>().ok()?;
        let is_it = |place: &Place| place.host == host && place.port == port;
        self.masters.iter().find(|master| master.node.names.iter().any(is_it))
    }
}

impl Cluster {
    /// Sends a command to the master of a slot, by one of the links with it.
    ///
    /// What concerns several keys of a slot that is just being moved is refused as long as some are here and some there: it is tried again, for
    /// until the deadline.
    pub(in crate::store::redis) async fn send(
        &self,
        slot: u16,
        lane: Lane,
        command: &Cmd,
        deadline: Deadline,
    ) -> Result<Value, LinkError> {
        let mut pause = FIRST_PAUSE;
        loop {
            match self.send_once(slot, lane, command, deadline).await {
                Err(LinkError::Redis(error))
                    if is_server_error(&error, ServerErrorKind::TryAgain) && pause < deadline.left() =>
                {
                    runtime::sleep(pause).await;
                    pause *= 2;
                }
                answer => return answer,
            }
        }
    }

    async fn send_once(&self, slot: u16, lane: Lane, command: &Cmd, deadline: Deadline) -> Result<Value, LinkError> {
        let routes = self.routes();
        let master = routes.master(slot).ok_or(LinkError::Down)?;
        let error = match master.lanes.link(lane).send(command, deadline).await {
            Err(LinkError::Redis(error)) if error.is_cluster_error() => error,
            answer => return answer,
        };
        let is_ask = is_server_error(&error, ServerErrorKind::Ask);
        if let Some((address, _)) = error.redirect_node() {
            // Where it is asked to go once, the slot is still on its way.
            if !is_ask {
                self.stale.notify_one();
            }
            let Some(other) = routes.master_at(address, master) else { return self.lost() };
            let link = other.lanes.link(lane);
            let answer =
                if is_ask { link.send_asking(command, deadline).await } else { link.send(command, deadline).await };
            return match answer {
                Err(LinkError::Redis(error)) if error.redirect_node().is_some() => self.lost(),
                answer => answer,
            };
        }
        if is_server_error(&error, ServerErrorKind::TryAgain) { Err(LinkError::Redis(error)) } else { self.lost() }
    }

    /// Nothing was done, and where it is to be done is to be found out.
    fn lost(&self) -> Result<Value, LinkError> {
        self.stale.notify_one();
        Err(LinkError::Down)
    }
}

fn is_server_error(error: &RedisError, kind: ServerErrorKind) -> bool {
    error.kind() == ErrorKind::Server(kind)
}

//! A cluster: each command goes to the master of its key's slot.
//!
//! Reading order: this file (what there is, and how it is kept up to date), [`routing`] (a command on its way), [`topology`] (who has which slots), [`slots`] (of a key), [`ears`](crate::store::ears)
//! (notices of all masters).
//!
//! The client's own cluster connection is not used: it may hang while it connects, and one dead node has it subscribe again and again
//! everywhere.
//!
//! What must hold, besides what holds of every store:
//!
//! 1. A value and the clocks of its groups are in different slots, and asked for at once. That is safe in whichever order they are read: both
//!    are read after the read began, and an invalidation that had returned by then is in either answer. It has moved a clock on, which never goes
//!    back, or it has taken the value away. What is invalidated later is not promised to this read, and its notice finds it under way.
//! 2. A master is used only by connections on which it was greeted ([`greeting`](super::greeting)): what is noted of it is kept beside the clock, so that a
//!    node that comes back from a snapshot, or a replica in its master's place, is noticed also if it has values alone.
//! 3. A master whose epoch has changed may have been something else in between: its connections are made anew.
//! 4. All masters are listened to, for the way from one to another can lose notices; whatever is heard twice is harmless. When one is lost, or
//!    there is another one, notices may have been lost until all are listened to again.

mod routing;
mod slots;
mod topology;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock, Weak};
use std::time::Duration;

use redis::{AsyncConnectionConfig, Cmd, FromRedisValue, Value};
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::timeout;

use super::address::{Manner, Place};
use super::greeting::Greeting;
use super::lanes::{Lanes, Means};
use super::link::{Backoff, Timing, answer};
use super::names::Names;
use super::subscription::Subscription;
use super::target::{Purpose, Target, connect_to};
use super::trouble::LinkError;
use crate::runtime;
use crate::store::ears::Ears;
use crate::store::{Listener, StoreError};
use crate::time::stopwatch::Deadline;
use routing::Routes;
pub(super) use slots::slot;
use topology::{Node, Topology};

/// Between two looks at the topology, at least.
const SHORTEST_LOOK: Duration = Duration::from_millis(20);

/// What a cluster is made of.
pub(super) struct Setup {
    pub(super) seeds: Vec<Place>,
    pub(super) manner: Manner,
    /// Of each master.
    pub(super) means: Means,
}

/// A cluster, as it is now.
pub(super) struct Cluster {
    setup: Setup,
    names: Arc<Names>,
    clock_slot: u16,
    routes: RwLock<Arc<Routes>>,
    /// The topology is to be looked at now.
    stale: Arc<Notify>,
    ears: Arc<Ears>,
    listener: Arc<dyn Listener>,
    /// Which master is asked next.
    turn: AtomicUsize,
    /// Masters so far.
    masters: AtomicU64,
    watch: OnceLock<AbortHandle>,
}

/// A master, and what connects with it.
struct Master {
    node: Node,
    /// Tells it from the same one with other connections.
    number: u64,
    lanes: Lanes,
    _subscription: Subscription,
}

impl Cluster {
    /// Begins to work.
    pub(super) fn begin(setup: Setup, names: Arc<Names>, listener: Arc<dyn Listener>) -> Arc<Self> {
        let cluster = Arc::new(Self {
            clock_slot: slot(&names.clock()),
            setup,
            names,
            routes: RwLock::default(),
            stale: Arc::default(),
            ears: Arc::new(Ears::new(listener.clone())),
            listener,
            turn: AtomicUsize::new(0),
            masters: AtomicU64::new(0),
            watch: OnceLock::new(),
        });
        let watching = keep_watching(Arc::downgrade(&cluster), cluster.stale.clone(), cluster.setup.means.timing);
        cluster.watch.get_or_init(|| runtime::spawn_own(watching));
        cluster
    }

    /// Whether the master of the clock can be reached.
    pub(super) fn is_up(&self) -> bool {
        self.routes().is_up(self.clock_slot)
    }

    /// Whether it can be reached by the connection of a number.
    pub(super) fn is_up_by(&self, number: usize) -> bool {
        self.routes().is_up_by(self.clock_slot, number)
    }

    /// Whether all masters can be reached, but those that are known to have failed.
    pub(super) fn is_whole(&self) -> bool {
        let routes = self.routes();
        let masters = routes.masters();
        routes.is_up(self.clock_slot) && masters.iter().all(|master| master.lanes.is_up())
    }

    /// Whether the masters of the clock and of a slot can be reached, by the connections of these numbers.
    // Break this (want all connections) and one of them that is made anew holds up removals that go over another one.
    pub(super) fn reaches(&self, slot: u16, [clock, number]: [usize; 2]) -> bool {
        let routes = self.routes();
        routes.is_up_by(self.clock_slot, clock) && routes.is_up_by(slot, number)
    }

    /// Returns a slot of each master.
    pub(super) fn slot_of_each(&self) -> Vec<u16> {
        self.routes().slot_of_each()
    }

    fn routes(&self) -> Arc<Routes> {
        self.routes.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Looks at the topology. Returns whether anybody could tell it.
    async fn refresh(self: &Arc<Self>) -> bool {
        match self.seen().await {
            Ok(topology) => {
                self.adopt(topology);
                true
            }
            Err(failed) => {
                self.listener.troubled(&StoreError::from(failed).to_string());
                false
            }
        }
    }

    /// Asks one after the other until one knows of no less than we do; else returns the newest view there is.
    async fn seen(&self) -> Result<Topology, LinkError> {
        let known = self.routes();
        let (mut newest, mut failed) = (None::<Topology>, LinkError::Down);
        let command = nodes();
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let masters = known.masters();
        let masters = (0..masters.len()).map(|step| &masters[(turn + step) % masters.len()]);
        for (master, link) in masters.map(|master| (master, &master.lanes.own()[0])).filter(|(_, link)| link.is_up()) {
            let place = &master.node.at;
            match link.send(&command, self.deadline()).await.and_then(|nodes| self.view(nodes, place)) {
                Ok(topology) if topology.epoch >= known.epoch() => return Ok(topology),
                Ok(topology) => newest = Some(newer(newest, topology)),
                Err(error) => failed = error,
            }
        }
        if let Some(topology) = newest {
            return Ok(topology);
        }
        let places: BTreeSet<_> = known.places().iter().chain(&self.setup.seeds).collect();
        for place in places {
            match self.ask(place, &command).await.and_then(|nodes| self.view(nodes, place)) {
                Ok(topology) if topology.epoch >= known.epoch() => return Ok(topology),
                Ok(topology) => newest = Some(newer(newest, topology)),
                Err(error) => failed = error,
            }
        }
        newest.ok_or(failed)
    }

    /// Asks a node that there is no link to.
    async fn ask(&self, place: &Place, command: &Cmd) -> Result<Value, LinkError> {
        let Setup { manner, means: Means { timing, .. }, .. } = &self.setup;
        let client = manner.client(place).map_err(LinkError::Redis)?;
        let config = AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
        let connection = connect_to(&client, Purpose::Commands, &config, *timing).await?;
        match answer(connection, command, *timing).await {
            Some(Err(error)) if error.detail().is_some_and(|detail| detail.contains("cluster support disabled")) => {
                let Place { host, port } = place;
                Err(LinkError::Unfit(format!(
                    "the server at {host}:{port} is not a node of a cluster; write \"redis://{host}:{port}\" in `redis.url`"
                )))
            }
            Some(answer) => answer.map_err(LinkError::Redis),
            None => Err(LinkError::Silent(timing.command)),
        }
    }

    /// By when an answer is to come.
    pub(super) fn deadline(&self) -> Deadline {
        Deadline::after(self.setup.means.timing.command)
    }

    fn view(&self, nodes: Value, asked: &Place) -> Result<Topology, LinkError> {
        let nodes = String::from_redis_value(nodes).map_err(|error| LinkError::Redis(error.into()))?;
        let topology = Topology::read(&nodes, &asked.host, self.setup.manner.has_tls());
        if topology.masters.iter().all(|node| node.slots.is_empty()) {
            let Place { host, port } = asked;
            return Err(LinkError::Unfit(format!("the node at {host}:{port} knows no master that has slots")));
        }
        Ok(topology)
    }

    /// Makes a topology the one that is used.
    fn adopt(self: &Arc<Self>, topology: Topology) {
        let old = self.routes();
        let mut masters = Vec::new();
        for node in topology.masters {
            // Break this (reuse whatever the epoch is) and a master that was something else in between is used without a greeting.
            let is_it = |master: &&Arc<Master>| {
                let known = &master.node;
                (&known.id, &known.at, known.epoch) == (&node.id, &node.at, node.epoch)
            };
            let slots = node.slots.clone();
            let known = old.masters().iter().find(is_it).cloned();
            masters.push((known.unwrap_or_else(|| Arc::new(self.connect(node))), slots));
        }
        let numbers: BTreeSet<_> = masters.iter().map(|(master, _)| master.number).collect();
        let routes = Arc::new(Routes::new(masters, topology.places, topology.epoch));
        *self.routes.write().unwrap_or_else(PoisonError::into_inner) = routes;
        // Then, so that who is told finds it so. Nothing was sent to a master that is new: its connections are made by this thread.
        self.ears.want(numbers.clone());
        for gone in old.masters().iter().filter(|master| !numbers.contains(&master.number)) {
            gone.lanes.own().iter().filter(|link| link.is_up()).for_each(|_| self.listener.down());
        }
    }

    /// Begins to connect with a master.
    fn connect(self: &Arc<Self>, node: Node) -> Master {
        let number = self.masters.fetch_add(1, Ordering::Relaxed);
        let Setup { manner, means, .. } = &self.setup;
        let target = Target::Node { manner: Box::new(manner.clone()), at: node.at.clone() };
        let greeting = || Greeting::of_node(&self.names, Arc::downgrade(self));
        let watcher: Arc<dyn Listener> =
            Arc::new(Watcher { stale: self.stale.clone(), listener: self.listener.clone() });
        let lanes = Lanes::begin(&target, means, greeting, &watcher);
        let channel = self.names.channel();
        let ends = (target, lanes.leading());
        let subscription = Subscription::begin(ends, means.timing, channel, self.ears.ear(number));
        Master { node, number, lanes, _subscription: subscription }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.watch.get().iter().for_each(|watch| watch.abort());
    }
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster").finish_non_exhaustive()
    }
}

fn nodes() -> Cmd {
    let mut command = redis::cmd("CLUSTER");
    command.arg("NODES");
    command
}

fn newer(one: Option<Topology>, other: Topology) -> Topology {
    match one {
        Some(one) if one.epoch >= other.epoch => one,
        _ => other,
    }
}

/// Looks at the topology now and then, and whenever it is known to be another one.
async fn keep_watching(cluster: Weak<Cluster>, stale: Arc<Notify>, timing: Timing) {
    let mut backoff = Backoff::new();
    loop {
        let Some(known) = cluster.upgrade() else { return };
        let is_known = known.refresh().await;
        drop(known);
        if is_known {
            backoff.succeeded();
            runtime::pause(SHORTEST_LOOK).await;
            let _told = timeout(timing.ping_interval, stale.notified()).await;
        } else {
            runtime::pause(backoff.next()).await;
        }
    }
}

/// Has the topology looked at when a connection breaks.
struct Watcher {
    stale: Arc<Notify>,
    listener: Arc<dyn Listener>,
}

impl Listener for Watcher {
    fn up(&self) {
        self.listener.up();
    }

    fn down(&self) {
        self.stale.notify_one();
        self.listener.down();
    }

    fn replaced(&self) {
        self.listener.replaced();
    }

    fn troubled(&self, why: &str) {
        self.listener.troubled(why);
    }

    fn listening(&self) {}

    fn missed(&self) {}

    fn noticed(&self, _notice: &[u8]) {}
}

//! Redis and Valkey as a store.
//!
//! Reading order: this file (the store), [`address`] and [`tls`] (where it is, and how it is spoken to), [`target`], [`sentinel`] and [`cluster`] (which server that is at the time),
//! [`lanes`], [`link`] and [`beside`] (connections that are watched, and where they are driven; with [`ticks`], its timer, [`trouble`], what may fail, and [`retries`], what is asked again), [`greeting`] (what is asked of a server first), [`subscription`] (the
//! notices), [`commands`] and [`scripts`] (what is done in one step), [`walk`] (what is done in many), [`structures`] (counters, lists, sets, hashes, locks), [`index`] (which key has which tags), [`names`] (the keys in Redis).

mod address;
mod beside;
mod cluster;
mod commands;
mod greeting;
mod index;
mod lanes;
mod link;
mod names;
mod retries;
mod scripts;
mod sentinel;
mod structures;
mod subscription;
mod target;
mod ticks;
mod tls;
mod trouble;
mod walk;

use std::fmt;
use std::hash::BuildHasher;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, OnceLock};

use redis::{Cmd, RedisConnectionInfo, Value};

use super::Listener;
use crate::error::Error;
use crate::runtime::Callers;
use crate::time::stopwatch::Deadline;
use address::{Address, Manner, Place};
use cluster::{Cluster, Setup, slot};
use greeting::Greeting;
use lanes::{Lane, Lanes, Means, Side};
pub(crate) use link::Timing;
use names::Names;
use retries::Retries;
use sentinel::Sentinels;
use subscription::Subscription;
use target::Target;
pub(crate) use tls::TlsOptions;
use trouble::LinkError;

/// Where a server is, and how it is used.
#[derive(Clone)]
pub(crate) struct Options<'a> {
    pub(crate) url: &'a str,
    pub(crate) prefix: &'a str,
    pub(crate) namespace: &'a str,
    pub(crate) connections: usize,
    /// Of a hundred questions, so many may be asked again.
    pub(crate) retry_budget: u32,
    pub(crate) timing: Timing,
    pub(crate) tls: TlsOptions<'a>,
    /// As whom sentinels are spoken to.
    pub(crate) sentinel_username: Option<&'a str>,
    pub(crate) sentinel_password: Option<&'a str>,
    /// The runtime of callers, to have connections there as well.
    pub(crate) callers: Option<Callers>,
}

/// What is to be seen as long as it is so.
const INSECURE: &str = "`redis.tls_insecure` is on: whoever answers is taken for redis; name its certificate's issuer in `redis.tls_ca` instead";

/// A Redis or Valkey server, or a cluster of them.
pub(crate) struct Redis {
    names: Arc<Names>,
    means: Means,
    plan: Plan,
    retries: Retries,
    warning: Option<&'static str>,
    /// Tell our writes from those of others.
    tokens: AtomicU64,
    wiring: OnceLock<Wiring>,
}

/// What is connected with.
enum Plan {
    Server(Target),
    Cluster { seeds: Vec<Place>, manner: Box<Manner> },
}

/// What is connected.
enum Wiring {
    /// Each connection has its part of the keys: what is done about one key is done in the order in which it is asked.
    Server {
        lanes: Lanes,
        _subscription: Subscription,
    },
    Cluster(Arc<Cluster>),
}

impl Redis {
    /// Makes a store that does not connect before it is started.
    pub(crate) fn new(options: &Options<'_>) -> Result<Self, Error> {
        let plan = match address::read(options.url, &options.tls)? {
            Address::One(client) => Plan::Server(Target::One(Box::new(client))),
            Address::Sentinels { at, master, manner } => {
                let user = sentinel_user(options);
                Plan::Server(Target::Master(Arc::new(Sentinels::new(at, master, manner, user))))
            }
            Address::Cluster { seeds, manner } => Plan::Cluster { seeds, manner: Box::new(manner) },
        };
        let Options { timing, connections, .. } = *options;
        Ok(Self {
            names: Arc::new(Names::new(options.prefix, options.namespace)),
            means: Means { timing, connections, callers: options.callers.clone() },
            plan,
            retries: Retries::of(options.retry_budget),
            warning: options.tls.is_insecure.then_some(INSECURE),
            tokens: AtomicU64::new(foldhash::quality::RandomState::default().hash_one(std::process::id())),
            wiring: OnceLock::new(),
        })
    }

    fn begin_to_work(&self, listener: Arc<dyn Listener>) {
        self.wiring.get_or_init(|| match &self.plan {
            Plan::Server(target) => {
                let lanes = Lanes::begin(target, &self.means, || Greeting::new(&self.names), &listener);
                let channel = self.names.channel();
                let ends = (target.clone(), lanes.leading());
                let subscription = Subscription::begin(ends, self.means.timing, channel, listener.clone());
                Wiring::Server { lanes, _subscription: subscription }
            }
            Plan::Cluster { seeds, manner } => {
                let manner = Manner::clone(manner);
                let setup = Setup { seeds: seeds.clone(), manner, means: self.means.clone() };
                Wiring::Cluster(Cluster::begin(setup, self.names.clone(), listener))
            }
        });
    }

    /// Sends a command about the key of that name, or about the clock.
    async fn send(&self, name: &str, command: &Cmd) -> Result<Value, LinkError> {
        self.send_by(self.deadline(), name, command).await
    }

    /// The same, as one of several steps.
    async fn send_by(&self, deadline: Deadline, name: &str, command: &Cmd) -> Result<Value, LinkError> {
        self.send_over(Lane { number: self.number(name), side: Side::Own }, deadline, name, command).await
    }

    /// As [`send`](Self::send), what changes nothing: it may be answered beside the caller.
    async fn ask(&self, name: &str, command: &Cmd) -> Result<Value, LinkError> {
        let (deadline, number) = (self.deadline(), self.number(name));
        let first = self.send_over(Lane { number, side: Side::Near }, deadline, name, command).await;
        match &first {
            Ok(_) => self.retries.answered(),
            // Break this (leave it out) and who asks over a connection that nobody knows to be gone loads from the source.
            Err(error) if self.has_other_lanes() && error.is_of_connection() && self.retries.take() => {
                let other = Lane { number: number.wrapping_add(1), side: Side::Own };
                return self.send_over(other, deadline, name, command).await;
            }
            Err(_) => {}
        }
        first
    }

    /// Whether there is more than one connection with a server.
    fn has_other_lanes(&self) -> bool {
        self.means.connections > 1 || self.means.callers.is_some()
    }

    async fn send_over(&self, lane: Lane, deadline: Deadline, name: &str, command: &Cmd) -> Result<Value, LinkError> {
        match self.wiring.get() {
            Some(Wiring::Server { lanes, .. }) => lanes.link(lane).send(command, deadline).await,
            Some(Wiring::Cluster(cluster)) => {
                // Boxed: all else would carry the room for it.
                Box::pin(cluster.send(self.slot(name), lane, command, deadline)).await
            }
            None => Err(LinkError::Down),
        }
    }

    /// Returns the number of the connection for what is about the key of that name.
    fn number(&self, name: &str) -> usize {
        match self.means.connections {
            1 => 0,
            _ => foldhash::fast::FixedState::with_seed(0).hash_one(name) as usize,
        }
    }

    fn deadline(&self) -> Deadline {
        Deadline::after(self.means.timing.command)
    }

    fn slot(&self, name: &str) -> u16 {
        slot(&if name.is_empty() { self.names.clock() } else { self.names.value(name) })
    }

    /// Whether values and clocks are at different servers, as far as can be said.
    fn is_divided(&self) -> bool {
        matches!(self.plan, Plan::Cluster { .. })
    }
}

fn sentinel_user(options: &Options<'_>) -> RedisConnectionInfo {
    let user = RedisConnectionInfo::default();
    let user = options.sentinel_username.into_iter().fold(user, RedisConnectionInfo::set_username);
    options.sentinel_password.into_iter().fold(user, RedisConnectionInfo::set_password)
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The client's own shows where it connects to, and may show more.
        f.debug_struct("Redis").field("names", &self.names).field("means", &self.means).finish_non_exhaustive()
    }
}

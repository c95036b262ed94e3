//! Redis and Valkey as a store.
//!
//! Reading order: this file (the store), [`address`] and [`tls`] (where it is, and how it is spoken to), [`target`] and [`sentinel`] (which server that is at the time),
//! [`link`] (a connection that is watched; with [`ticks`], its timer, and [`trouble`], what may fail), [`greeting`] (what is asked of a server first), [`subscription`] (the
//! notices), [`commands`] and [`scripts`] (what is done in one step), [`structures`] (counters, lists, sets, hashes, locks), [`names`] (the keys in Redis).

mod address;
mod commands;
mod greeting;
mod link;
mod names;
mod scripts;
mod sentinel;
mod structures;
mod subscription;
mod target;
mod ticks;
mod tls;
mod trouble;

use std::fmt;
use std::hash::BuildHasher;
use std::sync::{Arc, OnceLock};

use redis::RedisConnectionInfo;

use super::Listener;
use crate::error::Error;
use address::Address;
use greeting::Greeting;
use link::Link;
pub(crate) use link::Timing;
use names::Names;
use sentinel::Sentinels;
use subscription::Subscription;
use target::Target;
pub(crate) use tls::TlsOptions;

/// Where a server is, and how it is used.
#[derive(Clone, Copy)]
pub(crate) struct Options<'a> {
    pub(crate) url: &'a str,
    pub(crate) prefix: &'a str,
    pub(crate) namespace: &'a str,
    pub(crate) connections: usize,
    pub(crate) timing: Timing,
    pub(crate) tls: TlsOptions<'a>,
    /// As whom sentinels are spoken to.
    pub(crate) sentinel_username: Option<&'a str>,
    pub(crate) sentinel_password: Option<&'a str>,
}

/// What is to be seen as long as it is so.
const INSECURE: &str = "`redis.tls_insecure` is on: whoever answers is taken for redis; name its certificate's issuer in `redis.tls_ca` instead";

/// A Redis or Valkey server.
pub(crate) struct Redis {
    names: Names,
    timing: Timing,
    target: Target,
    warning: Option<&'static str>,
    /// Each has its part of the keys: what is asked of one key is done in the order in which it is asked.
    links: OnceLock<Vec<Link>>,
    connections: usize,
    subscription: OnceLock<Subscription>,
}

impl Redis {
    /// Makes a store that does not connect before it is started.
    pub(crate) fn new(options: &Options<'_>) -> Result<Self, Error> {
        let target = match address::read(options.url, &options.tls)? {
            Address::One(client) => Target::One(Box::new(client)),
            Address::Sentinels { at, master, manner } => {
                let user = sentinel_user(options);
                Target::Master(Arc::new(Sentinels::new(at, master, manner, user)))
            }
        };
        let warning = options.tls.is_insecure.then_some(INSECURE);
        Ok(Self {
            names: Names::new(options.prefix, options.namespace),
            timing: options.timing,
            target,
            warning,
            links: OnceLock::new(),
            connections: options.connections,
            subscription: OnceLock::new(),
        })
    }

    fn begin_to_work(&self, listener: Arc<dyn Listener>) {
        let link = |_| Link::begin(self.target.clone(), self.timing, Greeting::new(&self.names), listener.clone());
        self.links.get_or_init(|| (0..self.connections).map(link).collect());
        let subscribe =
            || Subscription::begin(self.target.clone(), self.timing, self.names.channel(), listener.clone());
        self.subscription.get_or_init(subscribe);
    }

    /// Returns the link for something of that name.
    fn link(&self, name: &str) -> Option<&Link> {
        let links = self.links.get()?;
        let index = match links.len() {
            1 => 0,
            len => foldhash::fast::FixedState::with_seed(0).hash_one(name) as usize % len,
        };
        links.get(index)
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
        f.debug_struct("Redis")
            .field("names", &self.names)
            .field("connections", &self.connections)
            .finish_non_exhaustive()
    }
}

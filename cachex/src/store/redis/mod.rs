//! Redis and Valkey as a store.
//!
//! Reading order: this file (the store), [`link`] (a connection that is watched), [`greeting`] (what is asked of a server first), [`subscription`] (the notices), [`commands`] and [`scripts`] (what is done in one
//! step), [`structures`] (counters, lists, sets, hashes, locks), [`names`] (the keys in Redis).

mod commands;
mod greeting;
mod link;
mod names;
mod scripts;
mod structures;
mod subscription;

use std::fmt;
use std::hash::BuildHasher;
use std::sync::{Arc, OnceLock};

use redis::{Client, IntoConnectionInfo};

use super::Listener;
use crate::error::Error;
use greeting::Greeting;
use link::Link;
pub(crate) use link::Timing;
use names::Names;
use subscription::Subscription;

/// Where a server is, and how it is used.
#[derive(Clone, Copy)]
pub(crate) struct Options<'a> {
    pub(crate) url: &'a str,
    pub(crate) prefix: &'a str,
    pub(crate) namespace: &'a str,
    pub(crate) connections: usize,
    pub(crate) timing: Timing,
}

/// A Redis or Valkey server.
pub(crate) struct Redis {
    names: Names,
    timing: Timing,
    client: Client,
    /// Each has its part of the keys: what is asked of one key is done in the order in which it is asked.
    links: OnceLock<Vec<Link>>,
    connections: usize,
    subscription: OnceLock<Subscription>,
}

impl Redis {
    /// Makes a store that does not connect before it is started.
    pub(crate) fn new(options: &Options<'_>) -> Result<Self, Error> {
        if options.url.starts_with("rediss:") {
            let text = "`redis.url` asks for TLS, which is not there yet; go through a tunnel, or write `redis://`";
            return Err(Error::configuration(text));
        }
        let connection = options.url.into_connection_info().map(|info| {
            // Answers are small, and waited for.
            let tcp = info.tcp_settings().clone().set_nodelay(true);
            info.set_tcp_settings(tcp)
        });
        let client = connection.and_then(Client::open).map_err(|error| {
            let text = "`redis.url` is not the URL of a Redis server; write for example \"redis://localhost:6379\"";
            Error::configuration_from(text, error)
        })?;
        Ok(Self {
            names: Names::new(options.prefix, options.namespace),
            timing: options.timing,
            client,
            links: OnceLock::new(),
            connections: options.connections,
            subscription: OnceLock::new(),
        })
    }

    fn begin_to_work(&self, listener: Arc<dyn Listener>) {
        let link = |_| Link::begin(self.client.clone(), self.timing, Greeting::new(&self.names), listener.clone());
        self.links.get_or_init(|| (0..self.connections).map(link).collect());
        let subscribe =
            || Subscription::begin(self.client.clone(), self.timing, self.names.channel(), listener.clone());
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

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The client's own shows where it connects to, and may show more.
        f.debug_struct("Redis")
            .field("names", &self.names)
            .field("connections", &self.connections)
            .finish_non_exhaustive()
    }
}

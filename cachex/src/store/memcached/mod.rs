//! Memcached as a store.
//!
//! Reading order: this file (the store, and why nothing wrong is taken from it), [`wire`] (a connection, and the protocol), [`pool`] (connections at
//! hand, and whether the server is there), [`item`] (what is in an item), [`names`] (what items are called), [`commands`] (the contract).
//!
//! Memcached has no scripts, and drops any item at any time. But it gives each item that it stores a number, later than all that
//! it gave before to any item (`cas unique`), and tells it. So the clock is the server's own: a reading is the time of the server's start and that number. It can't be
//! evicted, it needs no clocks of machines that agree, and each reading is later than all that were drawn before, also than those of a server that was there before.
//! But numbers may be stored in another order than they were drawn in: newer servers draw one before they wait for the item.
//!
//! - The clock of a group is the number of the group's item, which is empty. **An invalidation** reads the item and stores it anew over the very one that it has seen, or adds it where there is none,
//!   and again if it was another one by then. **A load** adds the items of its groups
//!   that are not there, then stores an item to draw a number: its stamp.
//! - **A value is valid** iff each of its groups has an item whose number is not above the stamp. Each number that takes the place of another one was drawn after that was seen, and so is
//!   above it. Let an invalidation have returned before a value is read. Its number *i* was drawn after it began, and the item that is found then has that number or a higher one; or none is found, which is a miss. So the
//!   stamp is above *i*: it was drawn after the invalidation, and the load began after it.
//! - What is left: an item that is added while there is none has seen nothing. If a server drops the item of a group between an invalidation and the moment at which it stores a number that it drew before that, of one that adds the
//!   item, then a load from before the invalidation is taken for valid. For that an item that was just stored has to be dropped while a server that draws early is within one command.
//! - **`mint`** gives a load the stamp it has, if each group has an item whose number is not above it: no invalidation of the group can have come since, or its item would have a
//!   higher number, or none would be there. Else it adds what is missing, and refuses.
//! - **The lease** of a key is in the key's own item, before the value. All that is stored there is stored over the very item that was read (by its number), or
//!   added where there is none, and then it is a lease and nothing more. So a removal of the key, which is one `delete`, makes worthless whatever was read before it; and
//!   a command that arrives late, when its sender has long given up, stores nothing after a removal. An item that is evicted takes the lease along: a load is not stored, or a second one begins.
//!
//! Limits:
//!
//! - There are no notices, so it is never [`listening`](super::Listener::listening): L1 keeps what it is given for `outage_ttl`, a second unless it is set, and so long another process may be stale.
//! - Ends of leases, and the exact ends of values, are times of day of the client: where clocks differ, leases end too early or too late, and so do values by less than a second.
//! - A server that starts within the second in which another one at its address started, and a server whose time of day was set back between two starts, may give numbers
//!   again. So may one whose numbers are switched off (`-C`), which is noticed, and refused.
//! - A server is known by its address, the number of its process and the time of its start. All connections are to the one that is watched, and every `ping_interval` it is seen whether the name still leads
//!   there. Where it leads to another one, everything is invalidated there before it is used: it may be one that was used before, and was not told of what was invalidated meanwhile. But until all processes have
//!   noticed, for about `ping_interval`, some use the one and some the other, and then one may read what another one has invalidated; so it is for good if a process ends that alone has used the other one meanwhile. And
//!   where a server takes the place of one that started later, a write by hand that is under way in that moment may keep a stamp of that one.
//! - A proxy between us and several servers would mix their numbers: name the servers themselves, the [ring](super::ring) is for that.

mod commands;
mod item;
mod names;
mod pool;
mod wire;

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::task::AbortHandle;

use super::{Group, Listener};
use crate::error::Error;
use crate::runtime;
use names::Names;
use pool::Pool;

/// Where a server is, and how it is used.
#[derive(Clone, Copy)]
pub(crate) struct Options<'a> {
    pub(crate) url: &'a str,
    pub(crate) prefix: &'a str,
    pub(crate) namespace: &'a str,
    pub(crate) connections: usize,
    pub(crate) connect_timeout: Duration,
    pub(crate) timeout: Duration,
    pub(crate) ping_interval: Duration,
}

/// A memcached server.
pub(crate) struct Memcached {
    names: Names,
    pool: Arc<Pool>,
    watching: OnceLock<AbortHandle>,
}

impl Memcached {
    /// Makes a store that does not connect before it is started.
    pub(crate) fn new(options: &Options<'_>) -> Result<Self, Error> {
        let address = address(options.url).ok_or_else(|| {
            let text =
                "`memcached.url` is not the address of a server; write for example \"memcached://localhost:11211\"";
            Error::configuration(text)
        })?;
        let names = Names::new(options.prefix, options.namespace);
        let everything = names.group(&Group::all());
        Ok(Self { names, pool: Arc::new(Pool::new(address, everything, options)), watching: OnceLock::new() })
    }

    fn begin_to_work(&self, listener: Arc<dyn Listener>) {
        self.watching.get_or_init(|| runtime::spawn_own(pool::keep_watching(self.pool.clone(), listener)));
    }
}

impl Drop for Memcached {
    fn drop(&mut self) {
        self.watching.get().into_iter().for_each(AbortHandle::abort);
    }
}

impl fmt::Debug for Memcached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memcached").field("names", &self.names).finish_non_exhaustive()
    }
}

/// Returns host and port: `memcached://host:port`, where the port and what is before the host may be left out.
fn address(url: &str) -> Option<String> {
    let address = url.strip_prefix("memcached://").or_else(|| url.strip_prefix("tcp://")).unwrap_or(url);
    let address = address.strip_suffix('/').unwrap_or(address);
    let is_host = |host: &str| !host.is_empty() && !host.contains(['/', '@', ' ', '?', '#']);
    let bare = address.strip_prefix('[').map_or(address, |rest| rest.split_once(']').map_or("", |(_, port)| port));
    match bare.rsplit_once(':') {
        Some((_, port)) => port.parse::<u16>().is_ok_and(|port| port > 0).then(|| address.to_owned()),
        None => Some(format!("{address}:11211")),
    }
    .filter(|address| is_host(address) && !address.starts_with(':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_host_and_a_port() {
        for (url, is) in [
            ("memcached://localhost:1", Some("localhost:1")),
            ("localhost", Some("localhost:11211")),
            ("10.0.0.1:7/", Some("10.0.0.1:7")),
            ("memcached://[::1]", Some("[::1]:11211")),
            ("[::1]:7", Some("[::1]:7")),
            ("redis://localhost", None),
            ("localhost:port", None),
            (":7", None),
            ("", None),
        ] {
            assert_eq!(address(url).as_deref(), is, "{url}");
        }
    }
}

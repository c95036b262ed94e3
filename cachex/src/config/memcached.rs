//! What is set of memcached.

use std::time::Duration;

/// Memcached as the second tier: `[memcached]` in a configuration. Needs the feature `memcached`, and a server of version 1.6 or later.
///
/// Memcached can't tell processes of each other's invalidations: so an entry stays in memory for `remote.outage_ttl` at most, which is one second here unless it is set, and so long another
/// process may be stale.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use cachex::MemcachedSettings;
///
/// let mut memcached = MemcachedSettings::new(["memcached://localhost:11211"]);
/// memcached.timeout = Duration::from_millis(100);
/// assert_eq!(memcached.prefix, "cx");
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct MemcachedSettings {
    /// Where the servers are, as `memcached://host:port`; in a configuration `url` where there is one, and `urls` with commas between them where there are several. Of several each has its part
    /// of the keys, by a [`Ring`](crate::store::Ring), and all programs must have the same ones. A name must lead to one server: where it comes to lead to another one, everything is invalidated there, and it takes each process
    /// about `ping_interval` to notice.
    pub urls: Vec<String>,
    /// What the names of all items begin with, before the namespace. Default: `cx`.
    pub prefix: String,
    /// Connections to each server, of which one at a time has each. They are made as they are needed. Default: 8.
    pub connections: usize,
    /// How long it may take to connect. Default: one second.
    pub connect_timeout: Duration,
    /// How long a call waits for an answer. Then it goes on without. Default: 250 ms.
    pub timeout: Duration,
    /// How often a server is asked whether it is still there. Default: one second.
    pub ping_interval: Duration,
}

impl MemcachedSettings {
    /// Starts with the servers, and the default for all else.
    ///
    /// # Examples
    ///
    /// ```
    /// let memcached = cachex::MemcachedSettings::new(["memcached://one:11211", "memcached://two:11211"]);
    /// assert_eq!(memcached.urls.len(), 2);
    /// ```
    #[must_use]
    pub fn new<U: Into<String>>(urls: impl IntoIterator<Item = U>) -> Self {
        Self {
            urls: urls.into_iter().map(Into::into).collect(),
            prefix: "cx".to_owned(),
            connections: 8,
            connect_timeout: Duration::from_secs(1),
            timeout: Duration::from_millis(250),
            ping_interval: Duration::from_secs(1),
        }
    }
}

//! What is set of Redis.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// Redis or Valkey as the second tier: `[redis]` in a configuration. Needs the feature `redis`.
///
/// Redis is version 6 or later, for notices need its protocol RESP3, and scripts `KEEPTTL`; or any version of Valkey.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use cachex::RedisSettings;
///
/// let mut redis = RedisSettings::new("redis://localhost:6379");
/// redis.timeout = Duration::from_millis(100);
/// assert_eq!(redis.prefix, "cx");
/// ```
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct RedisSettings {
    /// Where it is, as `redis://user:password@host:port/database` or `redis+unix:///path`; a master that sentinels know, as
    /// `redis+sentinel://user:password@host:port,host:port/name/database`; a cluster, as `redis+cluster://user:password@host:port,host:port`. With `rediss` for `redis` it is over TLS, which needs the feature `redis-tls`. It may hold
    /// a password, and is not shown by `Debug`.
    pub url: String,
    /// What the names of all keys there begin with, before the namespace. Default: `cx`.
    pub prefix: String,
    /// Connections for commands, to each master of a cluster; another one is for the notices of other processes. Default: 1.
    pub connections: usize,
    /// How many of a hundred questions may be asked again, over another connection, where the one broke that was to bring the answer; 0 is none. It has an effect where there are several connections, or
    /// those beside callers ([`Builder::runtime`](crate::Builder::runtime)). What changes something is never sent twice. Default: 10.
    pub retry_budget: u32,
    /// How long it may take to connect. Default: one second.
    pub connect_timeout: Duration,
    /// How long an answer may take. Then the call goes on without it. Default: 250 ms.
    pub timeout: Duration,
    /// How often a quiet connection is asked whether it is still there. Another process may be stale for so long and `timeout`,
    /// if its connection is cut off without a word. Default: one second.
    pub ping_interval: Duration,
    /// A file in PEM with the certificates of those who are trusted to vouch for the server. Default: who vouches for the servers of
    /// the web.
    pub tls_ca: Option<PathBuf>,
    /// A file in PEM with our own certificate, for servers that ask for one; with `tls_key`.
    pub tls_certificate: Option<PathBuf>,
    /// A file in PEM with the private key of `tls_certificate`.
    pub tls_key: Option<PathBuf>,
    /// Whether whoever answers is taken for the server: encrypted, but open to whoever is in between. While it is on,
    /// [`RemoteStats::warning`](crate::RemoteStats::warning) says so. Default: `false`.
    pub tls_insecure: bool,
    /// As whom the sentinels are asked, if not as the default user.
    pub sentinel_username: Option<String>,
    /// The password for the sentinels, if they want one.
    pub sentinel_password: Option<String>,
}

impl RedisSettings {
    /// Starts with a URL, and the default for all else.
    ///
    /// # Examples
    ///
    /// ```
    /// let redis = cachex::RedisSettings::new("redis://localhost:6379");
    /// assert_eq!(redis.connections, 1);
    /// ```
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            prefix: "cx".to_owned(),
            connections: 1,
            retry_budget: 10,
            connect_timeout: Duration::from_secs(1),
            timeout: Duration::from_millis(250),
            ping_interval: Duration::from_secs(1),
            tls_ca: None,
            tls_certificate: None,
            tls_key: None,
            tls_insecure: false,
            sentinel_username: None,
            sentinel_password: None,
        }
    }
}

impl fmt::Debug for RedisSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisSettings").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

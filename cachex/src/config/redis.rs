//! What is set of Redis.

use std::fmt;
use std::time::Duration;

use crate::codec::{Codec, Compression};

/// Redis or Valkey as the second tier: `[redis]` in a configuration. Needs the feature `redis`.
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
    /// Where it is, as `redis://user:password@host:port/database` or `redis+unix:///path`. It may hold a password, and is not shown
    /// by `Debug`.
    pub url: String,
    /// What the names of all keys there begin with, before the namespace. Default: `cx`.
    pub prefix: String,
    /// Connections for commands; another one is for the notices of other processes. Default: 1.
    pub connections: usize,
    /// How long it may take to connect. Default: one second.
    pub connect_timeout: Duration,
    /// How long an answer may take. Then the call goes on without it. Default: 250 ms.
    pub timeout: Duration,
    /// How often a quiet connection is asked whether it is still there. Another process may be stale for so long and `timeout`,
    /// if its connection is cut off without a word. Default: one second.
    pub ping_interval: Duration,
    /// How long a load may go on without a sign of life of its process before another process loads. Default: 5 seconds.
    pub lease: Duration,
    /// How long a call waits for the load of another process before it loads for itself. Default: 10 seconds.
    pub lease_wait: Duration,
    /// How long an entry stays in memory at most, if that is to be shorter than its TTL. Default: as long as its TTL.
    pub l1_ttl: Option<Duration>,
    /// How long an entry stays in memory while the notices of other processes can't come in. Default: `ping_interval` and `timeout`, so
    /// that nobody is stale for longer than usual.
    pub outage_ttl: Option<Duration>,
    /// How values become bytes. Default: postcard.
    pub codec: Codec,
    /// How these become fewer. Default: lz4.
    pub compression: Compression,
    /// How hard it is tried, where there are levels. Default: that of the compression.
    pub compression_level: Option<u64>,
    /// Bytes from which on a value is compressed. Default: 512.
    pub compression_threshold: u64,
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
            connect_timeout: Duration::from_secs(1),
            timeout: Duration::from_millis(250),
            ping_interval: Duration::from_secs(1),
            lease: Duration::from_secs(5),
            lease_wait: Duration::from_secs(10),
            l1_ttl: None,
            outage_ttl: None,
            codec: Codec::default(),
            compression: Compression::default(),
            compression_level: None,
            compression_threshold: 512,
        }
    }
}

impl fmt::Debug for RedisSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisSettings").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

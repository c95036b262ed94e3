//! What is set of Redis.

use std::fmt;
use std::time::Duration;

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
        }
    }
}

impl fmt::Debug for RedisSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisSettings").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

//! What is set of the second tier, whatever it is kept in.

use std::time::Duration;

#[cfg(feature = "mutants")]
use super::Guard;
use crate::codec::{Codec, Compression};

/// How the second tier is used: `[remote]` in a configuration. What it is kept in has a section of its own, such as `[redis]`.
///
/// Default: what the fields say.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use cachex::RemoteSettings;
///
/// let remote = RemoteSettings::default();
/// assert_eq!(remote.lease, Duration::from_secs(5));
/// assert_eq!(remote.l1_ttl, None);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct RemoteSettings {
    /// How long a load may go on without a sign of life of its process before another process loads. Default: 5 seconds.
    pub lease: Duration,
    /// How long a call waits for the load of another process before it loads for itself. Default: 10 seconds.
    pub lease_wait: Duration,
    /// How long an entry stays in memory at most, if that is to be shorter than its TTL. Default: as long as its TTL.
    pub l1_ttl: Option<Duration>,
    /// How long an entry stays in memory while the notices of other processes can't come in. Default: as long as another process
    /// may be stale anyway; with Redis `redis.ping_interval` and `redis.timeout`.
    pub outage_ttl: Option<Duration>,
    /// How values become bytes. Default: postcard.
    pub codec: Codec,
    /// How these become fewer. Default: lz4.
    pub compression: Compression,
    /// How hard it is tried, where there are levels. Default: that of the compression.
    pub compression_level: Option<u64>,
    /// Bytes from which on a value is compressed. Default: 512.
    pub compression_threshold: u64,
    /// A guard that is left out, for tests.
    #[cfg(feature = "mutants")]
    #[doc(hidden)]
    pub without: Option<Guard>,
}

impl Default for RemoteSettings {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(5),
            lease_wait: Duration::from_secs(10),
            l1_ttl: None,
            outage_ttl: None,
            codec: Codec::default(),
            compression: Compression::default(),
            compression_level: None,
            compression_threshold: 512,
            #[cfg(feature = "mutants")]
            without: None,
        }
    }
}

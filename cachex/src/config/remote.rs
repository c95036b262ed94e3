//! What is set of the second tier, whatever it is kept in.

use std::time::Duration;

#[cfg(feature = "mutants")]
use super::Guard;
use crate::codec::{Codec, Compression};

/// How the second tier is used: `[remote]` in a configuration. What it is kept in has a section of its own, such as `[redis]`.
///
/// Default: what the fields say.
///
/// While what it is kept in is out of reach, up to 10 000 invalidated tags and keys are kept in memory, and delivered as soon as that can be done; with
/// more of them everything is invalidated in their place. A process that ends takes along what it could not deliver, and values from before stay valid there until
/// they expire: it ends when [`RemoteStats::undelivered`](crate::RemoteStats::undelivered) is 0, or the next one begins with [`Cache::clear`](crate::Cache::clear).
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
    /// What it is kept in. Default: that of the section which is there, `[redis]`, `[file]` or `[memcached]`; nothing if there is none.
    pub store: Option<StoreKind>,
    /// How long a load may go on without a sign of life of its process before another process loads. Default: 5 seconds.
    pub lease: Duration,
    /// How long a call waits for the load of another process before it loads for itself. Default: 10 seconds.
    pub lease_wait: Duration,
    /// How long an entry stays in memory at most, if that is to be shorter than its TTL. Default: as long as its TTL.
    pub l1_ttl: Option<Duration>,
    /// How long an entry stays in memory while the notices of other processes can't come in. Default: as long as another process
    /// may be stale anyway; with Redis `redis.ping_interval` and `redis.timeout`, in a directory `file.poll_interval` and `file.timeout`,
    /// with memcached, where they never come in, one second.
    pub outage_ttl: Option<Duration>,
    /// How values become bytes. Default: postcard.
    pub codec: Codec,
    /// How these become fewer. Default: lz4.
    pub compression: Compression,
    /// How hard it is tried, where there are levels. Default: that of the compression.
    pub compression_level: Option<u64>,
    /// Bytes from which on a value is compressed. Default: 512.
    pub compression_threshold: u64,
    /// Whether what is stored is noted in an index, of which [`Cache::tag_index`](crate::Cache::tag_index) tells which keys have a tag. Redis
    /// has one; nothing that is answered depends on it. Default: `false`.
    pub index: bool,
    /// How many keys are noted, listed or removed in one step of the index. Default: 256.
    pub index_batch: usize,
    /// How long a key is remembered in the index at most, from when its value was stored. Default: one day.
    pub index_ttl: Duration,
    /// Whether values whose tag was invalidated are removed at once, in the background, and not left until they expire; needs `index`.
    /// Default: `false`.
    pub index_reclaim: bool,
    /// A guard that is left out, for tests.
    #[cfg(feature = "mutants")]
    #[doc(hidden)]
    pub without: Option<Guard>,
}

impl Default for RemoteSettings {
    fn default() -> Self {
        Self {
            store: None,
            lease: Duration::from_secs(5),
            lease_wait: Duration::from_secs(10),
            l1_ttl: None,
            outage_ttl: None,
            codec: Codec::default(),
            compression: Compression::default(),
            compression_level: None,
            compression_threshold: 512,
            index: false,
            index_batch: 256,
            index_ttl: Duration::from_secs(24 * 60 * 60),
            index_reclaim: false,
            #[cfg(feature = "mutants")]
            without: None,
        }
    }
}

/// What a second tier is kept in: `remote.store` in a configuration, by the names shown.
///
/// # Examples
///
/// ```
/// use cachex::{Cache, RemoteSettings, StoreKind};
///
/// let mut remote = RemoteSettings::default();
/// assert_eq!(remote.store, None);
/// remote.store = Some(StoreKind::Null);
/// # #[cfg(feature = "remote")]
/// assert!(Cache::builder().remote(remote).build()?.remote_stats().is_some());
/// # Ok::<(), cachex::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StoreKind {
    /// `redis`: Redis or Valkey, [`RedisSettings`](crate::RedisSettings). Needs the feature `redis`.
    Redis,
    /// `file`: a directory that processes of one machine share, [`FileSettings`](crate::FileSettings). Needs the feature `remote`.
    File,
    /// `memcached`: [`MemcachedSettings`](crate::MemcachedSettings). Needs the feature `memcached`.
    Memcached,
    /// `null`: nothing is kept. Needs the feature `remote`.
    Null,
}

impl StoreKind {
    pub(crate) const NAMES: [(&'static str, Self); 4] =
        [("redis", Self::Redis), ("file", Self::File), ("memcached", Self::Memcached), ("null", Self::Null)];

    /// Returns its name, which is that of its section as well.
    pub(crate) fn name(self) -> &'static str {
        let found = Self::NAMES.into_iter().find(|(_, kind)| *kind == self);
        found.map(|(name, _)| name).expect("every kind has a name")
    }
}

//! Settings become a second tier.

use std::sync::Arc;
use std::time::Duration;

use super::index::IndexRules;
use super::{Remote, RemoteRules};
use crate::config::{FileSettings, Settings, StoreKind};
use crate::error::Error;
#[cfg(feature = "redis")]
use crate::runtime::Callers;
use crate::store::file::{File, Options};
use crate::store::{Guarded, Null, Store};

/// Between two heartbeats, but where a store's connection has its own measure of time.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// What is given by hand, as no file could say it.
#[derive(Debug, Default)]
pub(in crate::engine) struct Given {
    pub(in crate::engine) store: Option<Box<dyn Store>>,
    #[cfg(feature = "redis")]
    pub(in crate::engine) callers: Option<Callers>,
}

/// Returns the second tier, if one is set: by hand, or by settings.
pub(in crate::engine) fn remote(settings: &Settings, given: Given) -> Result<Option<Arc<Remote>>, Error> {
    let Some(store) = chosen(settings, given)? else { return Ok(None) };
    let heartbeat = settings.redis.as_ref().map_or(HEARTBEAT, |redis| redis.ping_interval);
    let settings = &settings.remote;
    let rules = RemoteRules {
        lease: settings.lease,
        patience: settings.lease_wait,
        l1_ttl: settings.l1_ttl,
        outage_ttl: settings.outage_ttl.unwrap_or_else(|| store.staleness()),
        heartbeat,
        codec: settings.codec,
        compression: settings.compression,
        compression_level: settings.compression_level,
        compression_threshold: settings.compression_threshold,
        index: settings.index.then_some(IndexRules {
            batch: settings.index_batch,
            ttl: settings.index_ttl,
            reclaims: settings.index_reclaim,
        }),
        #[cfg(feature = "mutants")]
        without: settings.without,
    };
    Ok(Some(Remote::new(store, rules)))
}

fn chosen(settings: &Settings, given: Given) -> Result<Option<Box<dyn Store>>, Error> {
    if let Some(store) = given.store {
        return Ok(Some(Box::new(Guarded::new(store))));
    }
    let kind = settings.store().map_err(|text| Error::configuration(format!("`remote.store` {text}")))?;
    let namespace = &settings.namespace;
    match kind {
        #[cfg(feature = "redis")]
        Some(StoreKind::Redis) => {
            settings.redis.as_ref().map(|redis| redis.open_near(namespace, given.callers)).transpose()
        }
        #[cfg(feature = "memcached")]
        Some(StoreKind::Memcached) => settings.memcached.as_ref().map(|servers| servers.open(namespace)).transpose(),
        Some(StoreKind::File) => settings.file.as_ref().map(|file| file.open(namespace)).transpose(),
        Some(StoreKind::Null) => Ok(Some(Box::new(Null))),
        // What a feature is missing for is refused by the check of the settings.
        _ => Ok(None),
    }
}

#[cfg(feature = "memcached")]
impl crate::config::MemcachedSettings {
    /// Makes a store of the settings, which connects when it is [started](Store::start). For a store over several, and for tests; a [`Cache`](crate::Cache) does
    /// this itself.
    ///
    /// # Errors
    ///
    /// An address is none.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::MemcachedSettings;
    /// use cachex::store::Store;
    ///
    /// let store = MemcachedSettings::new(["memcached://localhost:1"]).open("shop")?;
    /// assert!(!store.is_up());
    /// # Ok::<(), cachex::Error>(())
    /// ```
    pub fn open(&self, namespace: &str) -> Result<Box<dyn Store>, Error> {
        use crate::store::Ring;
        use crate::store::memcached::{Memcached, Options};

        let server = |url: &String| {
            let store = Memcached::new(&Options {
                url,
                prefix: &self.prefix,
                namespace,
                connections: self.connections,
                connect_timeout: self.connect_timeout,
                timeout: self.timeout,
                ping_interval: self.ping_interval,
            })?;
            Ok::<(String, Box<dyn Store>), Error>((url.clone(), Box::new(store)))
        };
        let mut servers = self.urls.iter().map(server).collect::<Result<Vec<_>, _>>()?;
        match servers.pop() {
            Some((_, only)) if servers.is_empty() => Ok(only),
            last => Ok(Box::new(Ring::new(servers.into_iter().chain(last))?)),
        }
    }
}

#[cfg(feature = "redis")]
impl crate::config::RedisSettings {
    /// Makes a store of the settings, which connects when it is [started](Store::start). For a store over several, and for tests; a [`Cache`](crate::Cache) does
    /// this itself.
    ///
    /// # Errors
    ///
    /// The URL is none.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::RedisSettings;
    /// use cachex::store::Store;
    ///
    /// let store = RedisSettings::new("redis://localhost:1").open("shop")?;
    /// assert!(!store.is_up());
    /// # Ok::<(), cachex::Error>(())
    /// ```
    pub fn open(&self, namespace: &str) -> Result<Box<dyn Store>, Error> {
        self.open_near(namespace, None)
    }

    /// As [`open`](Self::open), with connections beside its callers.
    fn open_near(&self, namespace: &str, callers: Option<Callers>) -> Result<Box<dyn Store>, Error> {
        use crate::store::redis::{Options, Redis, Timing, TlsOptions};

        let timing = Timing { connect: self.connect_timeout, command: self.timeout, ping_interval: self.ping_interval };
        let tls = TlsOptions {
            ca: self.tls_ca.as_deref(),
            certificate: self.tls_certificate.as_deref(),
            key: self.tls_key.as_deref(),
            is_insecure: self.tls_insecure,
        };
        let store = Redis::new(&Options {
            url: &self.url,
            prefix: &self.prefix,
            namespace,
            connections: self.connections,
            retry_budget: self.retry_budget,
            timing,
            tls,
            sentinel_username: self.sentinel_username.as_deref(),
            sentinel_password: self.sentinel_password.as_deref(),
            callers,
        })?;
        Ok(Box::new(store))
    }
}

impl FileSettings {
    /// Makes a store of the settings, which looks for its directory when it is [started](Store::start). For a store over several, and for tests; a
    /// [`Cache`](crate::Cache) does this itself.
    ///
    /// # Errors
    ///
    /// None as yet.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::FileSettings;
    /// use cachex::store::Store;
    ///
    /// let store = FileSettings::new("/var/cache/shop").open("shop")?;
    /// assert!(!store.is_up());
    /// # Ok::<(), cachex::Error>(())
    /// ```
    pub fn open(&self, namespace: &str) -> Result<Box<dyn Store>, Error> {
        Ok(Box::new(File::new(&Options {
            directory: &self.directory,
            prefix: &self.prefix,
            namespace,
            directory_mode: self.directory_mode,
            file_mode: self.file_mode,
            timeout: self.timeout,
            sweep_interval: self.sweep_interval,
            poll_interval: self.poll_interval,
        })))
    }
}

//! Settings become a second tier.

use std::sync::Arc;
use std::time::Duration;

use super::{Remote, RemoteRules};
use crate::config::Settings;
use crate::error::Error;
use crate::store::Store;

/// A store, and how late its notices are at worst: what is stored while they can't come in lives no longer, and so often it is told how
/// many there were.
struct Chosen {
    store: Box<dyn Store>,
    heartbeat: Duration,
    staleness: Duration,
}

/// Returns the second tier, if one is set.
pub(in crate::engine) fn remote(settings: &Settings) -> Result<Option<Arc<Remote>>, Error> {
    let Some(Chosen { store, heartbeat, staleness }) = chosen(settings)? else { return Ok(None) };
    let settings = &settings.remote;
    let rules = RemoteRules {
        lease: settings.lease,
        patience: settings.lease_wait,
        l1_ttl: settings.l1_ttl,
        outage_ttl: settings.outage_ttl.unwrap_or(staleness),
        heartbeat,
        codec: settings.codec,
        compression: settings.compression,
        compression_level: settings.compression_level,
        compression_threshold: settings.compression_threshold,
        #[cfg(feature = "mutants")]
        without: settings.without,
    };
    Ok(Some(Remote::new(store, rules)))
}

#[cfg_attr(not(feature = "redis"), expect(clippy::unnecessary_wraps, reason = "no store is in this build"))]
fn chosen(settings: &Settings) -> Result<Option<Chosen>, Error> {
    #[cfg(feature = "redis")]
    if let Some(redis) = &settings.redis {
        use crate::store::redis::{Options, Redis, Timing, TlsOptions};

        let timing =
            Timing { connect: redis.connect_timeout, command: redis.timeout, ping_interval: redis.ping_interval };
        let tls = TlsOptions {
            ca: redis.tls_ca.as_deref(),
            certificate: redis.tls_certificate.as_deref(),
            key: redis.tls_key.as_deref(),
            is_insecure: redis.tls_insecure,
        };
        let store = Redis::new(&Options {
            url: &redis.url,
            prefix: &redis.prefix,
            namespace: &settings.namespace,
            connections: redis.connections,
            timing,
            tls,
            sentinel_username: redis.sentinel_username.as_deref(),
            sentinel_password: redis.sentinel_password.as_deref(),
        })?;
        let staleness = redis.ping_interval + redis.timeout;
        return Ok(Some(Chosen { store: Box::new(store), heartbeat: redis.ping_interval, staleness }));
    }
    let _: &Settings = settings;
    Ok(None)
}

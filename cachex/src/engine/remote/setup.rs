//! Settings become a second tier.

use std::sync::Arc;

use super::{Remote, RemoteRules};
use crate::config::RedisSettings;
use crate::error::Error;
use crate::store::redis::{Options, Redis, Timing};

/// Returns the second tier, if one is set.
pub(in crate::engine) fn remote(redis: Option<&RedisSettings>, namespace: &str) -> Result<Option<Arc<Remote>>, Error> {
    let Some(settings) = redis else { return Ok(None) };
    let RedisSettings { connect_timeout, timeout, ping_interval, .. } = *settings;
    let store = Redis::new(&Options {
        url: &settings.url,
        prefix: &settings.prefix,
        namespace,
        connections: settings.connections,
        timing: Timing { connect: connect_timeout, command: timeout, ping_interval },
    })?;
    let rules = RemoteRules {
        lease: settings.lease,
        patience: settings.lease_wait,
        l1_ttl: settings.l1_ttl,
        outage_ttl: settings.outage_ttl.unwrap_or(ping_interval + timeout),
        heartbeat: ping_interval,
        codec: settings.codec,
        compression: settings.compression,
        compression_level: settings.compression_level,
        compression_threshold: settings.compression_threshold,
    };
    Ok(Some(Remote::new(Box::new(store), rules)))
}

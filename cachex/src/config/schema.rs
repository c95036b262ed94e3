//! Every key there is, with how it is read.

use super::tree::Value;
use super::{FileSettings, MemcachedSettings, MemorySettings, RedisSettings, RemoteSettings, Settings, StoreKind};
use crate::codec::{Codec, Compression};
use crate::policy::{MethodSettings, Tiers};
use crate::tier::MemoryEngine;
use crate::tier::memory::Eviction;

/// One key of a section of `T`.
pub(super) struct Setting<T> {
    pub(super) name: &'static str,
    /// Reads the value into its field, or says what to write instead.
    pub(super) read: fn(&Value, &mut T) -> Result<(), String>,
}

macro_rules! settings {
    ($($name:ident: $read:expr;)*) => {
        &[$(Setting {
            name: stringify!($name),
            read: |value, into| {
                into.$name = $read(value)?;
                Ok(())
            },
        }),*]
    };
}

/// The sections of the root.
pub(super) const SECTIONS: [&str; 7] = ["memory", "remote", "redis", "file", "memcached", "defaults", "methods"];

/// The keys outside of any section.
pub(super) const ROOT: &[Setting<Settings>] = settings! {
    namespace: Value::text;
};

/// The keys of `memory`.
pub(super) const MEMORY: &[Setting<MemorySettings>] = settings! {
    max_entries: Value::count;
    max_bytes: |value: &Value| value.bytes().map(Some);
    engine: |value: &Value| value.name_of("a memory engine", &MemoryEngine::NAMES);
    eviction: |value: &Value| value.name_of("an eviction policy", &Eviction::NAMES).map(Some);
    reclaim_interval: Value::span;
};

/// The keys of `remote`.
pub(super) const REMOTE: &[Setting<RemoteSettings>] = settings! {
    store: |value: &Value| value.name_of("a store", &StoreKind::NAMES).map(Some);
    lease: Value::span;
    lease_wait: Value::span;
    l1_ttl: |value: &Value| value.span().map(Some);
    outage_ttl: |value: &Value| value.span().map(Some);
    codec: |value: &Value| value.name_of("a codec", &Codec::NAMES);
    compression: |value: &Value| value.name_of("a compression", &Compression::NAMES);
    compression_level: |value: &Value| value.count().map(Some);
    compression_threshold: Value::bytes;
    index: Value::flag;
    index_batch: |value: &Value| value.count().map(|count| usize::try_from(count).unwrap_or(usize::MAX));
    index_ttl: Value::span;
    index_reclaim: Value::flag;
};

/// The keys of `redis`.
pub(super) const REDIS: &[Setting<RedisSettings>] = settings! {
    url: Value::text;
    prefix: Value::text;
    connections: |value: &Value| value.count().map(|count| usize::try_from(count).unwrap_or(usize::MAX));
    retry_budget: |value: &Value| value.count().map(|count| u32::try_from(count).unwrap_or(u32::MAX));
    connect_timeout: Value::span;
    timeout: Value::span;
    ping_interval: Value::span;
    tls_ca: |value: &Value| value.text().map(|path| Some(path.into()));
    tls_certificate: |value: &Value| value.text().map(|path| Some(path.into()));
    tls_key: |value: &Value| value.text().map(|path| Some(path.into()));
    tls_insecure: Value::flag;
    sentinel_username: |value: &Value| value.text().map(Some);
    sentinel_password: |value: &Value| value.text().map(Some);
};

/// The keys of `file`.
pub(super) const FILE: &[Setting<FileSettings>] = settings! {
    directory: |value: &Value| value.text().map(Into::into);
    prefix: Value::text;
    directory_mode: Value::mode;
    file_mode: Value::mode;
    timeout: Value::span;
    sweep_interval: Value::span;
    poll_interval: Value::span;
};

/// The keys of `memcached`.
pub(super) const MEMCACHED: &[Setting<MemcachedSettings>] = &[
    Setting { name: "url", read: read_servers },
    Setting { name: "urls", read: read_servers },
    Setting { name: "prefix", read: |value, into| value.text().map(|text| into.prefix = text) },
    Setting {
        name: "connections",
        read: |value, into| value.count().map(|count| into.connections = usize::try_from(count).unwrap_or(usize::MAX)),
    },
    Setting { name: "connect_timeout", read: |value, into| value.span().map(|span| into.connect_timeout = span) },
    Setting { name: "timeout", read: |value, into| value.span().map(|span| into.timeout = span) },
    Setting { name: "ping_interval", read: |value, into| value.span().map(|span| into.ping_interval = span) },
];

/// Reads servers, with commas between them; `url` and `urls` are two names of one setting.
fn read_servers(value: &Value, into: &mut MemcachedSettings) -> Result<(), String> {
    let text = value.text()?;
    into.urls.extend(text.split(',').map(str::trim).filter(|url| !url.is_empty()).map(str::to_owned));
    Ok(())
}

/// The keys of `defaults` and of each method.
pub(super) const METHOD: &[Setting<MethodSettings>] = settings! {
    ttl: |value: &Value| value.span().map(Some);
    tti: |value: &Value| value.span().map(Some);
    soft_ttl: |value: &Value| value.span().map(Some);
    refresh_ahead: |value: &Value| value.span().map(Some);
    grace: |value: &Value| value.span().map(Some);
    jitter: |value: &Value| value.jitter().map(Some);
    negative_ttl: |value: &Value| value.span().map(Some);
    timeout: |value: &Value| value.span().map(Some);
    soft_timeout: |value: &Value| value.span().map(Some);
    single_flight: |value: &Value| value.flag().map(Some);
    enabled: |value: &Value| value.flag().map(Some);
    tiers: |value: &Value| value.name_of("a choice of tiers", &Tiers::NAMES).map(Some);
    codec: |value: &Value| value.name_of("a codec", &Codec::NAMES).map(Some);
    compression: |value: &Value| value.name_of("a compression", &Compression::NAMES).map(Some);
    optional: Value::flag;
};

/// Returns the path of every key; those of a method as keys of `defaults`.
pub(super) fn paths() -> impl Iterator<Item = String> {
    let root = ROOT.iter().map(|setting| setting.name.to_owned());
    let memory = MEMORY.iter().map(|setting| format!("memory.{}", setting.name));
    let defaults = METHOD.iter().map(|setting| format!("defaults.{}", setting.name));
    let redis = REDIS.iter().map(|setting| format!("redis.{}", setting.name));
    let remote = REMOTE.iter().map(|setting| format!("remote.{}", setting.name));
    let file = FILE.iter().map(|setting| format!("file.{}", setting.name));
    let memcached = MEMCACHED.iter().map(|setting| format!("memcached.{}", setting.name));
    root.chain(memory).chain(remote).chain(redis).chain(file).chain(memcached).chain(defaults)
}

//! Which settings make sense: settings go in, paths and what is wrong there come out.

use std::time::Duration;

use super::read::written;
use super::{FileSettings, MemcachedSettings, RedisSettings, RemoteSettings, Settings, StoreKind};
use crate::codec::Codec;
use crate::error::Error;
use crate::policy::{MethodSettings, Policy};
use crate::tier::MemoryEngine;

/// The largest `max_bytes`: weights up to it can be added without an overflow.
const MOST_BYTES: u64 = i64::MAX as u64;
/// More connections do not make Redis faster.
const MOST_CONNECTIONS: usize = 64;
/// More keys in one step would hold up what else is asked of the store.
const MOST_AT_ONCE: usize = 1024;
/// Redis counts in milliseconds.
const SHORTEST_SPAN: Duration = Duration::from_millis(1);
/// The most entries a memory tier keeps: it numbers them in 32 bits.
const MOST_ENTRIES: u64 = u32::MAX as u64;

impl Settings {
    /// Checks settings that were made by hand; those of a file or of the environment are checked when they are read.
    ///
    /// # Errors
    ///
    /// A configuration error that lists all mistakes, one on a line, each beginning with the key.
    ///
    /// # Examples
    ///
    /// ```
    /// let mut settings = cachex::Settings::default();
    /// settings.memory.max_entries = 0;
    /// let error = settings.check().unwrap_err();
    /// assert_eq!(error.to_string(), "`memory.max_entries` is 0; a memory tier keeps at least one entry");
    /// ```
    pub fn check(&self) -> Result<(), Error> {
        let lines: Vec<_> = mistakes(self).iter().map(|(path, text)| format!("`{}` {text}", written(path))).collect();
        if lines.is_empty() { Ok(()) } else { Err(Error::configuration(lines.join("\n"))) }
    }
}

/// Returns what is wrong, with the path of the key to change.
pub(super) fn mistakes(settings: &Settings) -> Vec<(Vec<&str>, String)> {
    let mut mistakes = Vec::new();
    if settings.namespace.is_empty() {
        mistakes.push((vec!["namespace"], "is empty; write for example \"shop\"".to_owned()));
    } else if settings.namespace.chars().any(|c| c.is_control() || c.is_whitespace()) {
        mistakes.push((vec!["namespace"], "has a space or a control character; write for example \"shop\"".to_owned()));
    }
    memory(settings, &mut mistakes);
    remote(&settings.remote, &mut mistakes);
    if let Some(redis) = &settings.redis {
        self::redis(redis, &mut mistakes);
    }
    if let Some(file) = &settings.file {
        self::file(file, &mut mistakes);
    }
    if let Some(memcached) = &settings.memcached {
        self::memcached(memcached, &mut mistakes);
    }
    match settings.store() {
        Ok(Some(kind)) if settings.remote.index && kind != StoreKind::Redis => {
            let text = format!("has no effect with the store \"{}\", which keeps no index; remove it", kind.name());
            mistakes.push((vec!["remote", "index"], text));
        }
        Ok(_) => {}
        Err(text) => mistakes.push((vec!["remote", "store"], text)),
    }
    method(&["defaults"], &settings.defaults, &mut mistakes);
    if settings.defaults.optional {
        mistakes.push((vec!["defaults", "optional"], "has no effect here; set it at a method".to_owned()));
    }
    if settings.defaults.timeout.is_some() {
        let text = "can't be a default, because a method must be able to return the error; set it at a method whose \
                    annotation has `timeout`";
        mistakes.push((vec!["defaults", "timeout"], text.to_owned()));
    }
    for (name, method_settings) in &settings.methods {
        method(&["methods", name], method_settings, &mut mistakes);
    }
    mistakes
}

fn redis<'a>(redis: &'a RedisSettings, mistakes: &mut Vec<(Vec<&'a str>, String)>) {
    if !cfg!(feature = "redis") {
        let text = "needs the feature `redis` of cachex; add it to the dependency in Cargo.toml";
        mistakes.push((vec!["redis"], text.to_owned()));
        return;
    }
    let mut add = |key, text: &str| mistakes.push((vec!["redis", key], text.to_owned()));
    if redis.url.is_empty() {
        add("url", "is missing; write for example \"redis://localhost:6379\"");
    }
    if redis.prefix.is_empty() || redis.prefix.chars().any(|c| c.is_control() || c.is_whitespace()) {
        add("prefix", "is empty, or has a space or a control character; write for example \"cx\"");
    }
    if !(1..=MOST_CONNECTIONS).contains(&redis.connections) {
        add("connections", "is not between 1 and 64; write 1 unless one is known to be too few");
    }
    if redis.retry_budget > 100 {
        add("retry_budget", "is more than 100, of a hundred questions; write for example 10");
    }
    for (key, span) in
        [("connect_timeout", redis.connect_timeout), ("timeout", redis.timeout), ("ping_interval", redis.ping_interval)]
    {
        if span < SHORTEST_SPAN {
            add(key, "is shorter than 1ms; write for example \"1s\"");
        }
    }
    match (&redis.tls_certificate, &redis.tls_key) {
        (Some(_), None) => add("tls_certificate", "needs `redis.tls_key`, the file of its private key"),
        (None, Some(_)) => add("tls_key", "needs `redis.tls_certificate`, the file of the certificate"),
        _ => {}
    }
    if redis.sentinel_username.is_some() && redis.sentinel_password.is_none() {
        add("sentinel_username", "needs `redis.sentinel_password`");
    }
    let names_sentinels = redis.url.split_once("://").is_some_and(|(scheme, _)| scheme.ends_with("+sentinel"));
    if redis.sentinel_password.is_some() && !names_sentinels {
        add("sentinel_password", "has no effect without sentinels; write \"redis+sentinel://…\" in `redis.url`");
    }
}

fn file<'a>(file: &'a FileSettings, mistakes: &mut Vec<(Vec<&'a str>, String)>) {
    if !cfg!(feature = "remote") {
        let text = "needs the feature `remote` of cachex; add it to the dependency in Cargo.toml";
        mistakes.push((vec!["file"], text.to_owned()));
        return;
    }
    let mut add = |key, text: &str| mistakes.push((vec!["file", key], text.to_owned()));
    if file.directory.as_os_str().is_empty() {
        add("directory", "is missing; write for example \"/var/cache/shop\"");
    }
    if !is_folder(&file.prefix) {
        add("prefix", "is not the name of one folder; write for example \"cx\"");
    }
    if file.directory_mode & 0o700 != 0o700 {
        add("directory_mode", "keeps the program itself out; write for example \"0700\"");
    }
    if file.file_mode & 0o600 != 0o600 {
        add("file_mode", "keeps the program itself out; write for example \"0600\"");
    }
    for (key, span) in
        [("timeout", file.timeout), ("sweep_interval", file.sweep_interval), ("poll_interval", file.poll_interval)]
    {
        if span < SHORTEST_SPAN {
            add(key, "is shorter than 1ms; write for example \"1s\"");
        }
    }
}

fn memcached<'a>(memcached: &'a MemcachedSettings, mistakes: &mut Vec<(Vec<&'a str>, String)>) {
    if !cfg!(feature = "memcached") {
        let text = "needs the feature `memcached` of cachex; add it to the dependency in Cargo.toml";
        mistakes.push((vec!["memcached"], text.to_owned()));
        return;
    }
    let mut add = |key, text: &str| mistakes.push((vec!["memcached", key], text.to_owned()));
    if memcached.urls.is_empty() {
        add("url", "is missing; write for example \"memcached://localhost:11211\"");
    }
    let mut known = std::collections::BTreeSet::new();
    if !memcached.urls.iter().all(|url| known.insert(url)) {
        add("urls", "names a server twice; name each once");
    }
    if memcached.prefix.is_empty() || memcached.prefix.chars().any(|c| c.is_control() || c.is_whitespace()) {
        add("prefix", "is empty, or has a space or a control character; write for example \"cx\"");
    }
    if !(1..=MOST_CONNECTIONS).contains(&memcached.connections) {
        add("connections", "is not between 1 and 64; write for example 8");
    }
    for (key, span) in [
        ("connect_timeout", memcached.connect_timeout),
        ("timeout", memcached.timeout),
        ("ping_interval", memcached.ping_interval),
    ] {
        if span < SHORTEST_SPAN {
            add(key, "is shorter than 1ms; write for example \"1s\"");
        }
    }
}

/// Whether text names one folder, whatever the system.
fn is_folder(name: &str) -> bool {
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    !name.is_empty() && name.len() <= 64 && !name.starts_with('.') && name.chars().all(is_plain)
}

impl Settings {
    /// Returns what the second tier is kept in: what is named, or else what the one section is of. What to do, if that can't be told.
    pub(crate) fn store(&self) -> Result<Option<StoreKind>, String> {
        let there = self.sections();
        let Some(named) = self.remote.store else {
            return match there[..] {
                [] => Ok(None),
                [kind] => Ok(Some(kind)),
                [first, second, ..] => {
                    let (first, second) = (first.name(), second.name());
                    Err(format!(
                        "is missing, and there is `[{first}]` and `[{second}]`; name the one to use, as in \"{first}\""
                    ))
                }
            };
        };
        if named == StoreKind::Null || there.contains(&named) {
            return Ok(Some(named));
        }
        let name = named.name();
        Err(format!("is \"{name}\", and there is no section `[{name}]`; add it"))
    }

    fn sections(&self) -> Vec<StoreKind> {
        let redis = self.redis.as_ref().map(|_| StoreKind::Redis);
        let file = self.file.as_ref().map(|_| StoreKind::File);
        let memcached = self.memcached.as_ref().map(|_| StoreKind::Memcached);
        redis.into_iter().chain(file).chain(memcached).collect()
    }
}

fn remote<'a>(remote: &'a RemoteSettings, mistakes: &mut Vec<(Vec<&'a str>, String)>) {
    if !cfg!(feature = "remote") {
        if *remote != RemoteSettings::default() {
            mistakes.push((vec!["remote"], no_store()));
        }
        return;
    }
    let mut add = |key, text: &str| mistakes.push((vec!["remote", key], text.to_owned()));
    if remote.codec == Codec::Protobuf {
        let text = "is `protobuf`, which is for methods whose values are messages; write `codec = \"protobuf\"` in their annotations";
        add("codec", text);
    } else if !remote.codec.is_built_in() {
        add("codec", &feature_missing(remote.codec.name()));
    }
    if !remote.compression.is_built_in() {
        add("compression", &feature_missing(remote.compression.name()));
    }
    match (remote.compression_level, remote.compression.levels()) {
        (Some(_), None) => {
            add("compression_level", &format!("has no effect with `{}`; remove it", remote.compression.name()));
        }
        (Some(level), Some(levels)) if !levels.contains(&level) => {
            add("compression_level", &format!("is not between {} and {}", levels.start(), levels.end()));
        }
        _ => {}
    }
    if !(1..=MOST_AT_ONCE).contains(&remote.index_batch) {
        add("index_batch", "is not between 1 and 1024; write for example 256");
    }
    if remote.index_ttl < SHORTEST_SPAN || remote.index_ttl > crate::policy::LONGEST {
        add("index_ttl", "is shorter than 1ms, or longer than 100 years; write for example \"1d\"");
    }
    if remote.index_reclaim && !remote.index {
        add("index_reclaim", "has no effect without the index; write `index = true` beside it");
    }
    if remote.lease < SHORTEST_SPAN {
        add("lease", "is shorter than 1ms; write for example \"5s\"");
    }
}

fn no_store() -> String {
    "needs a store for the second tier, as with the feature `redis` or `remote` of cachex".to_owned()
}

fn feature_missing(name: &str) -> String {
    format!("is `{name}`, which needs the feature `{name}` of cachex; add it to the dependency in Cargo.toml")
}

fn memory<'a>(settings: &'a Settings, mistakes: &mut Vec<(Vec<&'a str>, String)>) {
    let memory = &settings.memory;
    if memory.max_entries == 0 {
        let text = "is 0; a memory tier keeps at least one entry";
        mistakes.push((vec!["memory", "max_entries"], text.to_owned()));
    } else if memory.max_entries > MOST_ENTRIES {
        let text = format!("is too large; a memory tier keeps at most {MOST_ENTRIES} entries");
        mistakes.push((vec!["memory", "max_entries"], text));
    }
    if memory.max_bytes == Some(0) {
        let text = "is 0; write for example \"256MiB\", or remove it to have no such bound";
        mistakes.push((vec!["memory", "max_bytes"], text.to_owned()));
    } else if memory.max_bytes.is_some_and(|bytes| bytes > MOST_BYTES) {
        let text = format!("is more than {MOST_BYTES}; lower it, or remove it to have no such bound");
        mistakes.push((vec!["memory", "max_bytes"], text));
    }
    if !memory.engine.is_built_in() {
        mistakes.push((vec!["memory", "engine"], not_built_in(memory.engine)));
    }
    let instead =
        memory.eviction.and_then(|eviction| memory.engine.instead_of(eviction).map(|other| (eviction, other)));
    if let Some((eviction, other)) = instead {
        let engine = memory.engine;
        let text = format!("is \"{eviction}\", which the engine \"{engine}\" does not have; write \"{other}\"");
        mistakes.push((vec!["memory", "eviction"], text));
    }
    if memory.reclaim_interval.is_zero() {
        mistakes.push((vec!["memory", "reclaim_interval"], "is zero; write for example \"1s\"".to_owned()));
    } else if memory.reclaim_interval > crate::policy::LONGEST {
        let text = "is longer than 100 years; write for example \"1s\"";
        mistakes.push((vec!["memory", "reclaim_interval"], text.to_owned()));
    }
}

/// An engine has the name of its feature.
fn not_built_in(engine: MemoryEngine) -> String {
    let usual = MemoryEngine::default();
    format!("is \"{engine}\"; turn on the feature `{engine}` of cachex, or write \"{usual}\"")
}

fn method<'a>(path: &[&'a str], settings: &MethodSettings, mistakes: &mut Vec<(Vec<&'a str>, String)>) {
    // The annotation may add what is missing here, so only what contradicts itself is a mistake.
    for mistake in settings.apply(Policy::new()).conflicts() {
        let mut path = path.to_vec();
        path.push(mistake.setting);
        mistakes.push((path, mistake.text));
    }
    let codec = settings.codec.filter(|codec| !codec.is_built_in()).map(|codec| ("codec", codec.name()));
    let compression = settings.compression.filter(|compression| !compression.is_built_in());
    for (key, name) in codec.into_iter().chain(compression.map(|compression| ("compression", compression.name()))) {
        let mut path = path.to_vec();
        path.push(key);
        let text = if cfg!(feature = "remote") { feature_missing(name) } else { no_store() };
        mistakes.push((path, text));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_without_its_feature_is_refused_by_name() {
        let mut settings = Settings::default();
        settings.memory.engine = MemoryEngine::Moka;
        let refused = "`memory.engine` is \"moka\"; turn on the feature `moka` of cachex, or write \"cachex\"";
        let message = settings.check().map_err(|error| error.to_string());
        let text = not_built_in(MemoryEngine::Moka);
        assert_eq!(format!("`memory.engine` {text}"), refused);
        assert_eq!(message, if cfg!(feature = "moka") { Ok(()) } else { Err(refused.to_owned()) });
    }
}

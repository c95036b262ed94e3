//! What a program is set to: files and the environment go in, checked [`Settings`] come out.
//!
//! Reading order: [`tree`] (values with their places), [`toml`], [`yaml`], [`environment`] and [`embed`] (the sources),
//! [`schema`] (every key), [`scalar`] (single values), [`remote`], [`mod@redis`], [`mod@file`] and [`mod@memcached`] (what is set of the second tier, and of what it is kept in), [`guard`] (what tests leave out), [`read`] (tree to settings), [`check`] (what makes sense),
//! [`load`] (which sources there are).

mod check;
mod embed;
mod environment;
mod file;
#[cfg(feature = "remote")]
mod guard;
mod load;
mod memcached;
mod read;
mod redis;
mod remote;
mod scalar;
mod schema;
#[cfg(feature = "toml")]
mod toml;
mod tree;
#[cfg(feature = "yaml")]
mod yaml;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::policy::MethodSettings;
use crate::tier::MemoryEngine;
use crate::tier::memory::Eviction;
pub use file::FileSettings;
#[cfg(feature = "remote")]
pub use guard::Guard;
pub use memcached::MemcachedSettings;
pub use redis::RedisSettings;
pub use remote::{RemoteSettings, StoreKind};
use tree::Place;

/// How a cache is set up: what [`load`](Self::load) reads from `cachex.toml` and the environment.
///
/// It can be a part of a program's own configuration as well, since it implements serde's `Deserialize`.
///
/// Default: namespace `cachex`, 100 000 entries in memory, and every method as annotated.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use cachex::Settings;
///
/// # #[cfg(feature = "toml")] {
/// let settings = Settings::from_toml_str(
///     r#"
///     namespace = "shop"
///     [memory]
///     max_entries = 5_000
///     max_bytes = "256MiB"
///     [methods."shop::Users::find"]
///     ttl = "10m"
///     "#,
/// )?;
/// assert_eq!(settings.namespace, "shop");
/// assert_eq!(settings.memory.max_bytes, Some(256 * 1024 * 1024));
/// assert_eq!(settings.methods["shop::Users::find"].ttl, Some(Duration::from_secs(600)));
///
/// let error = Settings::from_toml_str("[memory]\nmax_entrys = 5").unwrap_err();
/// assert_eq!(error.to_string(), "line 2: unknown key `memory.max_entrys`; did you mean `memory.max_entries`?");
/// # }
/// # Ok::<_, cachex::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Settings {
    /// What all keys of the program begin with, so that programs can share a store; without spaces.
    /// Default: `cachex`.
    pub namespace: String,
    /// Settings for every method, where neither its annotation nor its own settings say anything.
    /// `timeout` and `optional` are refused here: they only make sense at a method. Default: nothing is set.
    pub defaults: MethodSettings,
    /// The memory tier.
    pub memory: MemorySettings,
    /// Settings of single methods by their full name, such as `shop::Users::find`. Default: none.
    pub methods: BTreeMap<String, MethodSettings>,
    /// How the second tier is used, if there is one.
    pub remote: RemoteSettings,
    /// Redis or Valkey as the second tier. Default: none, entries live in memory only.
    pub redis: Option<RedisSettings>,
    /// A directory as the second tier. Default: none.
    pub file: Option<FileSettings>,
    /// Memcached as the second tier. Default: none.
    pub memcached: Option<MemcachedSettings>,
    /// Where the settings of each method were written, for messages of who knows which methods there are.
    pub(crate) places: Places,
}

/// Where the settings of methods were written. All are equal: where something was written does not change what it says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Places(BTreeMap<String, Section>);

/// Where the settings of one method were written.
#[derive(Clone, Debug)]
struct Section {
    /// The first mention of the method.
    whole: Place,
    /// Each setting of its own: one of the file may be overlaid by the environment.
    settings: BTreeMap<String, Place>,
}

impl Places {
    /// Returns the start of a message on a method, such as `cachex.toml:9: `; empty if its settings were made by hand.
    pub(crate) fn start(&self, method: &str) -> String {
        self.0.get(method).map_or_else(String::new, |section| section.whole.to_string())
    }

    /// Returns the start of a message on one setting of a method. What is wrong with it may be due to another that `text`
    /// names, and only one of them be written here: the annotation has the other.
    pub(crate) fn start_of(&self, method: &str, setting: &str, text: &str) -> String {
        let Some(section) = self.0.get(method) else { return String::new() };
        let is_named = |(name, _): &(&String, &Place)| text.contains(&format!("`{name}`"));
        let named = || section.settings.iter().find(is_named).map(|(_, place)| place);
        section.settings.get(setting).or_else(named).unwrap_or(&section.whole).to_string()
    }
}

impl PartialEq for Places {
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            namespace: "cachex".to_owned(),
            defaults: MethodSettings::new(),
            memory: MemorySettings::default(),
            remote: RemoteSettings::default(),
            redis: None,
            file: None,
            memcached: None,
            methods: BTreeMap::new(),
            places: Places::default(),
        }
    }
}

/// How the memory tier is set up.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// let memory = cachex::MemorySettings::default();
/// assert_eq!(memory.max_entries, 100_000);
/// assert_eq!(memory.max_bytes, None);
/// assert_eq!(memory.reclaim_interval, Duration::from_secs(1));
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct MemorySettings {
    /// How many entries are kept at most: 1 to 4 294 967 295. Default: 100 000.
    pub max_entries: u64,
    /// How many bytes all values weigh together at most. Default: no bound.
    pub max_bytes: Option<u64>,
    /// Who decides which entries are kept; `moka` needs the feature of this name. Default: `cachex`.
    pub engine: MemoryEngine,
    /// Which entry goes when there is no room. Default: S3-FIFO, or with the engine `moka` LFU, beside which it has only LRU.
    pub eviction: Option<Eviction>,
    /// How often expired and invalidated entries are reclaimed. Default: 1 second.
    pub reclaim_interval: Duration,
}

impl MemorySettings {
    /// Returns the policy that is set, or else the usual one of the engine.
    pub(crate) fn eviction(&self) -> Eviction {
        self.eviction.unwrap_or(self.engine.usual_eviction())
    }
}

impl Default for MemorySettings {
    fn default() -> Self {
        Self {
            max_entries: 100_000,
            max_bytes: None,
            engine: MemoryEngine::default(),
            eviction: None,
            reclaim_interval: Duration::from_secs(1),
        }
    }
}

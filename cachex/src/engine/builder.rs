//! How a cache is set up.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::cache::Cache;
use super::dynamic::Loaders;
use super::fence::Fences;
use super::flight::Flights;
use super::methods::Methods;
use super::registry::{Rules, check_names};
use super::{ClockInUse, Engine, reclaim};
use crate::config::Settings;
use crate::entry::stamp::{Epoch, Sequence};
use crate::entry::tags::TagClocks;
use crate::error::Error;
use crate::observe::event::{Observer, Observers};
use crate::policy::MethodSettings;
use crate::sync::Mutex;
use crate::tier::memory::{Eviction, Limits, MemoryTier};
use crate::time::{Clock, SystemClock};

/// Sets up a [`Cache`].
///
/// Default: 100 000 entries in memory, S3-FIFO eviction, the system's clock, no default TTL.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use cachex::{Cache, MethodSettings};
///
/// let cache = Cache::builder()
///     .namespace("shop")
///     .max_entries(10_000)
///     .max_bytes(64 << 20)
///     .defaults(MethodSettings::new().ttl(Duration::from_secs(300)))
///     .build()?;
/// assert_eq!(cache.namespace(), "shop");
/// # Ok::<(), cachex::Error>(())
/// ```
#[derive(Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct Builder {
    settings: Settings,
    clock: Option<Box<dyn Clock>>,
    observers: Observers,
}

impl Builder {
    pub(crate) fn new() -> Self {
        Self { settings: Settings::default(), clock: None, observers: Observers::default() }
    }

    /// Takes all settings from `settings`, for example from a file.
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self
    }

    /// Sets the namespace: what keeps programs apart that share a store. Default: `cachex`.
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.settings.namespace = namespace.into();
        self
    }

    /// Sets how many entries are kept at most. Default: 100 000.
    pub fn max_entries(mut self, entries: u64) -> Self {
        self.settings.memory.max_entries = entries;
        self
    }

    /// Sets how many bytes the entries may take, by the weight of each. Default: not bounded.
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.settings.memory.max_bytes = Some(bytes);
        self
    }

    /// Sets who leaves for room. Default: S3-FIFO.
    pub fn eviction(mut self, eviction: Eviction) -> Self {
        self.settings.memory.eviction = eviction;
        self
    }

    /// Sets how often dead entries are looked for, in real time whatever the clock; zero turns it off. Default: every second.
    pub fn reclaim_interval(mut self, interval: Duration) -> Self {
        self.settings.memory.reclaim_interval = interval;
        self
    }

    /// Sets the rules of methods that say nothing themselves, and of the manual API.
    pub fn defaults(mut self, defaults: MethodSettings) -> Self {
        self.settings.defaults = defaults;
        self
    }

    /// Sets rules for one method, above its annotation.
    pub fn method(mut self, name: impl Into<String>, settings: MethodSettings) -> Self {
        self.settings.methods.insert(name.into(), settings);
        self
    }

    /// Sets the clock. Default: [`SystemClock`].
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Some(Box::new(clock));
        self
    }

    /// Adds an observer of events.
    pub fn observer(mut self, observer: impl Observer) -> Self {
        self.observers.add(Arc::new(observer));
        self
    }

    /// Makes the cache.
    ///
    /// # Errors
    ///
    /// A setting is invalid, or contradicts another; a method is set that does not exist; two annotated methods of the program
    /// have one name. All are [configuration errors](Error::is_configuration).
    pub fn build(self) -> Result<Cache, Error> {
        self.settings.check()?;
        check_names()?;
        self.assemble()
    }

    /// Makes the cache without looking at other annotations of the program.
    pub(super) fn assemble(self) -> Result<Cache, Error> {
        let Settings { namespace, defaults, memory, methods, places } = self.settings;
        let clock = match self.clock {
            Some(clock) => ClockInUse::Injected(clock),
            None => ClockInUse::System(SystemClock),
        };
        let seed = match &clock {
            ClockInUse::System(clock) => clock.seed(),
            ClockInUse::Injected(clock) => clock.seed(),
        };
        let limits = Limits { max_entries: memory.max_entries, max_bytes: memory.max_bytes };
        let engine = Arc::new(Engine {
            namespace: namespace.into(),
            clock,
            seed,
            sequence: Sequence::new(),
            order: Mutex::new(()),
            epoch: Epoch::default(),
            tags: TagClocks::new(),
            tier: MemoryTier::new(limits, memory.eviction, seed),
            flights: Arc::new(Flights::new()),
            methods: Methods::new(),
            rules: Rules::new(defaults, BTreeMap::new()),
            fences: Fences::default(),
            loaders: Loaders::default(),
            observers: self.observers,
            is_bounded_by_bytes: limits.max_bytes.is_some(),
        });
        engine.preset(methods, &places)?;
        if memory.reclaim_interval > Duration::ZERO {
            reclaim::keep_reclaiming(&engine, memory.reclaim_interval);
        }
        Ok(Cache::new(engine))
    }
}

impl Cache {
    /// Starts to set up a cache.
    pub fn builder() -> Builder {
        Builder::new()
    }

    /// Makes a cache as a configuration file says, overlaid by `CACHEX_*` of the environment.
    ///
    /// # Errors
    ///
    /// The file can't be read, or a setting is invalid: the message names file, line and key.
    pub fn from_config(path: impl AsRef<Path>) -> Result<Self, Error> {
        Self::builder().settings(Settings::load_file(path)?).build()
    }
}

//! How a cache is set up.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::cache::Cache;
use super::dynamic::Loaders;
use super::fence::Fences;
use super::flight::Flights;
use super::horizon;
use super::methods::Methods;
use super::registry::{Rules, check_names};
#[cfg(feature = "remote")]
use super::remote;
use super::structures::memory::Shelves;
use super::{ClockInUse, Engine, reclaim};
use crate::config::{FileSettings, MemcachedSettings, RedisSettings, RemoteSettings, Settings};
use crate::entry::stamp::{Epoch, Sequence};
use crate::entry::tags::TagClocks;
use crate::error::Error;
use crate::observe::event::{Observer, Observers};
use crate::policy::MethodSettings;
#[cfg(feature = "redis")]
use crate::runtime;
#[cfg(feature = "remote")]
use crate::store::Store;
use crate::sync::Mutex;
use crate::tier::memory::Eviction;
use crate::tier::{L1, Limits, MemoryEngine};
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
    #[cfg(feature = "remote")]
    given: remote::setup::Given,
}

impl Builder {
    pub(crate) fn new() -> Self {
        Self {
            settings: Settings::default(),
            clock: None,
            observers: Observers::default(),
            #[cfg(feature = "remote")]
            given: remote::setup::Given::default(),
        }
    }

    /// Takes all [`Settings`], for example from a file, in place of those set before; the clock and observers stay.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::{Cache, Settings};
    ///
    /// let mut settings = Settings::default();
    /// settings.namespace = "shop".to_owned();
    /// let cache = Cache::builder().settings(settings).build()?;
    /// assert_eq!(cache.namespace(), "shop");
    /// # Ok::<(), cachex::Error>(())
    /// ```
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self
    }

    /// Sets the namespace: what keeps programs apart that share a store; without spaces. Default: `cachex`.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::Cache;
    ///
    /// assert_eq!(Cache::builder().namespace("shop").build()?.namespace(), "shop");
    /// assert!(Cache::builder().namespace("my shop").build().is_err());
    /// # Ok::<(), cachex::Error>(())
    /// ```
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.settings.namespace = namespace.into();
        self
    }

    /// Sets how many entries are kept at most: 1 to 4 294 967 295. Default: 100 000.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::{Cache, EntryOptions, Key};
    ///
    /// let cache = Cache::builder().max_entries(10).build()?;
    /// for number in 0..100_u64 {
    ///     cache.blocking().set(&Key::entity("number", &number), number, &EntryOptions::new())?;
    /// }
    /// assert_eq!(cache.stats().entries, 10);
    /// # Ok::<(), cachex::Error>(())
    /// ```
    pub fn max_entries(mut self, entries: u64) -> Self {
        self.settings.memory.max_entries = entries;
        self
    }

    /// Sets how many bytes the entries may weigh together: 1 to 9 223 372 036 854 775 807. Default: not bounded.
    ///
    /// An entry weighs 160 bytes, its key, and its value: what `weight` in the annotation says, else an
    /// estimate: what serialization sees of it, at least its own size (with `local`, its own size). A value is weighed once,
    /// when it is loaded, and what `weight` says is taken at its word. An entry that is heavier than all entries may be is not
    /// kept, and what its key had before is removed; its calls are answered.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::{Cache, EntryOptions, Key};
    ///
    /// let cache = Cache::builder().max_bytes(1_000).build()?;
    /// cache.blocking().set(&Key::new("small"), vec![0_u8; 100], &EntryOptions::new())?;
    /// // Weighs more than the whole cache may.
    /// cache.blocking().set(&Key::new("large"), vec![0_u8; 1_000], &EntryOptions::new())?;
    /// assert!(cache.blocking().exists(&Key::new("small")));
    /// assert!(!cache.blocking().exists(&Key::new("large")));
    /// # Ok::<(), cachex::Error>(())
    /// ```
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.settings.memory.max_bytes = Some(bytes);
        self
    }

    /// Makes Redis or Valkey the second tier. Needs the feature `redis`.
    ///
    /// # Examples
    ///
    /// A server need not be there: until it is, and whenever it is not, the cache works on its memory.
    ///
    /// ```
    /// use cachex::{Cache, EntryOptions, Key, RedisSettings};
    ///
    /// # #[cfg(feature = "redis")]
    /// # {
    /// // Nobody is there.
    /// let cache = Cache::builder().namespace("shop").redis(RedisSettings::new("redis://localhost:1")).build()?;
    /// cache.blocking().set(&Key::new("a"), 1, &EntryOptions::new())?;
    /// assert_eq!(cache.blocking().get::<i32>(&Key::new("a"))?, Some(1));
    /// # }
    /// # Ok::<(), cachex::Error>(())
    /// ```
    pub fn redis(mut self, redis: RedisSettings) -> Self {
        self.settings.redis = Some(redis);
        self
    }

    /// Makes a directory the second tier, which processes of one machine share. Needs the feature `remote`.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use cachex::{Cache, EntryOptions, FileSettings, Key};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), cachex::Error> {
    /// # #[cfg(feature = "remote")]
    /// # {
    /// # let directory = std::env::temp_dir().join(format!("cachex-file-{}", std::process::id()));
    /// let cache = Cache::builder().namespace("shop").file(FileSettings::new(&directory)).build()?;
    /// cache.connected(Duration::from_secs(10)).await?;
    /// cache.set(&Key::new("a"), 1, &EntryOptions::new()).await?;
    /// assert_eq!(cache.get::<i32>(&Key::new("a")).await?, Some(1));
    /// # }
    /// # Ok(())
    /// # }
    /// ```
    pub fn file(mut self, file: FileSettings) -> Self {
        self.settings.file = Some(file);
        self
    }

    /// Makes memcached the second tier. Needs the feature `memcached`.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::{Cache, EntryOptions, Key, MemcachedSettings};
    ///
    /// # #[cfg(feature = "memcached")]
    /// # {
    /// // Nobody is there.
    /// let cache = Cache::builder().memcached(MemcachedSettings::new(["memcached://localhost:1"])).build()?;
    /// cache.blocking().set(&Key::new("a"), 1, &EntryOptions::new())?;
    /// assert_eq!(cache.blocking().get::<i32>(&Key::new("a"))?, Some(1));
    /// # }
    /// # Ok::<(), cachex::Error>(())
    /// ```
    pub fn memcached(mut self, memcached: MemcachedSettings) -> Self {
        self.settings.memcached = Some(memcached);
        self
    }

    /// Makes a store of your own the second tier, whatever the settings say; [`store`](crate::store) has what it must hold to.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::{Cache, store::Null};
    ///
    /// let cache = Cache::builder().store(Null).build()?;
    /// assert!(cache.remote_stats().is_some());
    /// # Ok::<(), cachex::Error>(())
    /// ```
    #[cfg(feature = "remote")]
    pub fn store(mut self, store: impl Store) -> Self {
        self.given.store = Some(Box::new(store));
        self
    }

    /// Gives Redis connections on the runtime whose tasks use the cache, beside those on the thread of cachex. Default: none.
    ///
    /// What a call that is awaited in a task of this runtime reads from Redis is then read there, and need not go to another thread and back. All else goes
    /// on over the thread of cachex, as it does without this: blocking calls, those from elsewhere, all that changes something, invalidations, and the
    /// notices of other processes. So a runtime that stands still or is overloaded makes no other process stale; and when it ends, or its connections do
    /// not answer within `timeout`, its calls go over the thread of cachex as well.
    ///
    /// It takes a runtime of any kind, with an I/O driver (`enable_io`; else the connections are not made, and
    /// [`RemoteStats::last_error`](crate::RemoteStats::last_error) says so). To each server there are [`connections`](RedisSettings::connections) more. A task that blocks
    /// its thread, other than in `block_in_place`, may hold up answers to other tasks for `timeout` at most: then they go on without. Another second tier
    /// than that of [`redis`](Self::redis) makes no use of this.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::{Cache, EntryOptions, Key, RedisSettings};
    ///
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), cachex::Error> {
    /// let redis = RedisSettings::new("redis://localhost:1");
    /// let cache = Cache::builder().redis(redis).runtime(tokio::runtime::Handle::current()).build()?;
    /// // Nobody is there: as ever, the cache works on its memory.
    /// cache.set(&Key::new("a"), 1, &EntryOptions::new()).await?;
    /// assert_eq!(cache.get::<i32>(&Key::new("a")).await?, Some(1));
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "redis")]
    pub fn runtime(mut self, runtime: tokio::runtime::Handle) -> Self {
        self.given.callers = Some(runtime::Callers::new(runtime));
        self
    }

    /// Sets how the second tier is used, whatever it is kept in.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use cachex::{Cache, RedisSettings, RemoteSettings};
    ///
    /// # #[cfg(feature = "redis")]
    /// # {
    /// let mut remote = RemoteSettings::default();
    /// remote.l1_ttl = Some(Duration::from_secs(60));
    /// let cache = Cache::builder().redis(RedisSettings::new("redis://localhost:1")).remote(remote).build()?;
    /// assert!(cache.remote_stats().is_some());
    /// # }
    /// # Ok::<(), cachex::Error>(())
    /// ```
    pub fn remote(mut self, remote: RemoteSettings) -> Self {
        self.settings.remote = remote;
        self
    }

    /// Sets who decides which entries the memory tier keeps. Default: [`MemoryEngine::Cachex`].
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::{Cache, MemoryEngine};
    ///
    /// let built = Cache::builder().memory_engine(MemoryEngine::Moka).build();
    /// // Without the feature `moka` of cachex the error says what to do.
    /// assert_eq!(built.is_ok(), cfg!(feature = "moka"));
    /// ```
    pub fn memory_engine(mut self, engine: MemoryEngine) -> Self {
        self.settings.memory.engine = engine;
        self
    }

    /// Sets which entry leaves for room. Default: [`Eviction::S3Fifo`]; [`Eviction::Lfu`] of [`MemoryEngine::Moka`], which has
    /// only this and [`Eviction::Lru`].
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::{Cache, EntryOptions, Eviction, Key};
    ///
    /// let cache = Cache::builder().max_entries(2).eviction(Eviction::Fifo).build()?;
    /// for name in ["first", "second", "third"] {
    ///     cache.blocking().set(&Key::new(name), 1, &EntryOptions::new())?;
    /// }
    /// assert!(!cache.blocking().exists(&Key::new("first")));
    /// assert!(cache.blocking().exists(&Key::new("third")));
    /// # Ok::<(), cachex::Error>(())
    /// ```
    pub fn eviction(mut self, eviction: Eviction) -> Self {
        self.settings.memory.eviction = Some(eviction);
        self
    }

    /// Sets how often dead entries are looked for, in real time whatever the clock: more than zero. Default: every
    /// second.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use cachex::Cache;
    ///
    /// assert!(Cache::builder().reclaim_interval(Duration::from_millis(100)).build().is_ok());
    /// assert!(Cache::builder().reclaim_interval(Duration::ZERO).build().is_err());
    /// ```
    pub fn reclaim_interval(mut self, interval: Duration) -> Self {
        self.settings.memory.reclaim_interval = interval;
        self
    }

    /// Sets the rules of methods that say nothing themselves, of registered loaders, and of the manual API. Default:
    /// none.
    ///
    /// `timeout` and `optional` are refused here: they only make sense at a method.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use cachex::{Cache, EntryOptions, Key, MethodSettings, Ttl};
    /// use cachex::time::ManualClock;
    ///
    /// let minute = Duration::from_secs(60);
    /// let cache = Cache::builder().clock(ManualClock::new()).defaults(MethodSettings::new().ttl(minute)).build()?;
    /// cache.blocking().set(&Key::new("a"), 1, &EntryOptions::new())?;
    /// assert_eq!(cache.blocking().ttl_of(&Key::new("a")), Some(Ttl::Left(minute)));
    /// # Ok::<(), cachex::Error>(())
    /// ```
    pub fn defaults(mut self, defaults: MethodSettings) -> Self {
        self.settings.defaults = defaults;
        self
    }

    /// Sets rules for one method by its full name, above its annotation. Default: none.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use cachex::{Cache, MethodSettings, cached};
    ///
    /// #[cached(ttl = "1m", name = "tripled")]
    /// fn tripled(x: u64) -> u64 {
    ///     3 * x
    /// }
    ///
    /// let hour = Duration::from_secs(3600);
    /// let cache = Cache::builder().method("tripled", MethodSettings::new().ttl(hour)).build()?;
    /// let methods = cache.methods();
    /// assert!(methods.iter().any(|method| method.name == "tripled" && method.policy.ttl == Some(hour)));
    /// # Ok::<(), cachex::Error>(())
    /// ```
    pub fn method(mut self, name: impl Into<String>, settings: MethodSettings) -> Self {
        self.settings.methods.insert(name.into(), settings);
        self
    }

    /// Sets the clock. Default: [`SystemClock`].
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use cachex::{Cache, EntryOptions, Key};
    /// use cachex::time::ManualClock;
    ///
    /// let clock = ManualClock::new();
    /// let cache = Cache::builder().clock(clock.clone()).build()?;
    /// cache.blocking().set(&Key::new("a"), 1, &EntryOptions::new().ttl(Duration::from_secs(60)))?;
    /// clock.advance(Duration::from_secs(60));
    /// assert!(!cache.blocking().exists(&Key::new("a")));
    /// # Ok::<(), cachex::Error>(())
    /// ```
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Some(Box::new(clock));
        self
    }

    /// Adds an observer of events. Default: none.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::sync::{Arc, Mutex};
    /// use cachex::{Cache, EntryOptions, Event, Key, Observer};
    ///
    /// #[derive(Default)]
    /// struct Log(Mutex<Vec<Event>>);
    ///
    /// impl Observer for Log {
    ///     fn observe(&self, event: &Event) {
    ///         self.0.lock().expect("nobody panics with it").push(event.clone());
    ///     }
    /// }
    ///
    /// let log = Arc::new(Log::default());
    /// let cache = Cache::builder().observer(log.clone()).build()?;
    /// cache.blocking().set(&Key::new("a"), 1, &EntryOptions::new())?;
    /// assert!(cache.blocking().remove(&Key::new("a")));
    /// assert_eq!(*log.0.lock().expect("nobody panics with it"), [Event::Removed(Key::new("a"))]);
    /// # Ok::<(), cachex::Error>(())
    /// ```
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
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::Cache;
    ///
    /// let error = Cache::builder().max_entries(0).build().unwrap_err();
    /// assert!(error.is_configuration());
    /// assert_eq!(error.to_string(), "`memory.max_entries` is 0; a memory tier keeps at least one entry");
    /// ```
    pub fn build(self) -> Result<Cache, Error> {
        self.settings.check()?;
        check_names()?;
        self.assemble()
    }

    /// Makes the cache without looking at other annotations of the program.
    pub(super) fn assemble(self) -> Result<Cache, Error> {
        #[cfg(feature = "remote")]
        let remote = remote::setup::remote(&self.settings, self.given)?;
        #[cfg(feature = "structures")]
        let codec = self.settings.remote.codec;
        let Settings { namespace, defaults, memory, methods, places, .. } = self.settings;
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
            tags: TagClocks::new(limits.max_entries),
            passes: reclaim::Passes::default(),
            stamps: horizon::Stamps::default(),
            tier: L1::new(memory.engine, limits, memory.eviction(), seed),
            flights: Flights::new(),
            methods: Methods::new(),
            rules: Rules::new(defaults, BTreeMap::new()),
            fences: Fences::default(),
            loaders: Loaders::default(),
            observers: self.observers,
            is_bounded_by_bytes: limits.max_bytes.is_some(),
            structures: Shelves::default(),
            #[cfg(feature = "structures")]
            codec,
            #[cfg(feature = "remote")]
            remote,
        });
        engine.preset(methods, &places)?;
        #[cfg(feature = "remote")]
        if let Some(remote) = &engine.remote {
            remote.start(&engine);
        }
        if memory.reclaim_interval > Duration::ZERO {
            reclaim::keep_reclaiming(&engine, memory.reclaim_interval);
        }
        Ok(Cache::new(engine))
    }
}

impl Cache {
    /// Starts to set up a cache.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::Cache;
    ///
    /// let cache = Cache::builder().build()?;
    /// assert_eq!(cache.stats().entries, 0);
    /// # Ok::<(), cachex::Error>(())
    /// ```
    pub fn builder() -> Builder {
        Builder::new()
    }

    /// Makes a cache as a configuration file says, overlaid by `CACHEX_*` of the environment:
    /// [`Settings::load_file`] with [`build`](Builder::build).
    ///
    /// # Errors
    ///
    /// The file can't be read, or a setting is invalid: the message names file, line and key.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::Cache;
    ///
    /// # #[cfg(feature = "toml")] {
    /// let path = std::env::temp_dir().join(format!("cachex-{}.toml", std::process::id()));
    /// std::fs::write(&path, "namespace = 'shop'")?;
    /// assert_eq!(Cache::from_config(&path)?.namespace(), "shop");
    ///
    /// std::fs::remove_file(&path)?;
    /// assert!(Cache::from_config(&path).unwrap_err().is_configuration());
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn from_config(path: impl AsRef<Path>) -> Result<Self, Error> {
        Self::builder().settings(Settings::load_file(path)?).build()
    }
}

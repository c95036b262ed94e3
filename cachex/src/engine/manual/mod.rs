//! The manual API: entries by key, for code without an annotation.
//!
//! Reading order: this file (options, and the API for async callers), [`blocking`] (the same for others, and what is done),
//! [`calling`] (calls that load), [`loading`] (loads outside of the cache).

pub(crate) mod blocking;
pub(crate) mod calling;
pub(crate) mod loading;

use std::future::Future;
use std::time::Duration;

pub use blocking::{Blocking, Ttl};
pub use loading::Loading;

use calling::Calling;

use super::cache::Cache;
use super::job::Caller;
use crate::error::Error;
use crate::key::Key;
use crate::method::keep::CacheValue;
use crate::policy::{MethodSettings, Policy};
use crate::tag::{Tag, Tags};

/// How one entry is to be kept.
///
/// Default: as the cache's defaults say, without a tag.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use cachex::EntryOptions;
///
/// let options = EntryOptions::new().ttl(Duration::from_secs(60)).tag("users").tag("user:7".to_owned());
/// ```
#[derive(Clone, Debug, Default)]
pub struct EntryOptions {
    settings: MethodSettings,
    tags: Tags,
}

impl EntryOptions {
    /// Starts with the defaults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the age at which the entry expires.
    #[must_use]
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.settings = self.settings.ttl(ttl);
        self
    }

    /// Sets the time without an access after which the entry expires.
    #[must_use]
    pub fn tti(mut self, tti: Duration) -> Self {
        self.settings = self.settings.tti(tti);
        self
    }

    /// Adds a tag.
    #[must_use]
    pub fn tag(mut self, tag: impl Into<Tag>) -> Self {
        self.tags.add(tag);
        self
    }

    /// Sets all rules at once.
    #[must_use]
    pub fn settings(mut self, settings: MethodSettings) -> Self {
        self.settings = settings;
        self
    }

    fn policy(&self, base: &Policy) -> Result<Policy, Error> {
        let policy = self.settings.apply(base.clone());
        // A TTL of zero is how an entry is removed by a write; all else must make sense.
        match policy.ttl {
            Some(Duration::ZERO) => Ok(policy),
            _ => policy.check().map(|()| policy),
        }
    }
}

impl Cache {
    /// Returns the same operations for code that blocks.
    #[must_use]
    pub fn blocking(&self) -> Blocking<'_> {
        Blocking(self)
    }

    /// Returns the value of a key, if there is a current and unexpired one.
    ///
    /// # Errors
    ///
    /// The entry holds a value of another type.
    pub async fn get<T: CacheValue>(&self, key: &Key) -> Result<Option<T>, Error> {
        self.blocking().get(key)
    }

    /// Keeps a value, in place of the one there is; loads of the key that have begun are not kept. A TTL of zero removes.
    ///
    /// # Errors
    ///
    /// The options contradict each other.
    pub async fn set<T: CacheValue>(&self, key: &Key, value: T, options: &EntryOptions) -> Result<(), Error> {
        self.blocking().set(key, value, options)
    }

    /// Returns the value of a key; where there is none, runs `loader` once for all callers of the key and keeps its value. Of the
    /// callers that find a stale value, one loads a new one; an expired value within its grace answers if the load fails.
    ///
    /// # Errors
    ///
    /// The loader's own error; a failure is not kept.
    ///
    /// # Cancellation
    ///
    /// Dropped while it loads, the load is handed to another caller that waits for it, or cancelled if there is none.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), std::io::Error> {
    /// use cachex::{Cache, EntryOptions, Key};
    ///
    /// let cache = Cache::builder().build().expect("these settings are valid");
    /// let load = || async { Ok::<_, std::io::Error>(42) };
    /// assert_eq!(cache.get_or_load(&Key::new("answer"), &EntryOptions::new(), load).await?, 42);
    /// assert_eq!(cache.get::<i32>(&Key::new("answer")).await.expect("it is an i32"), Some(42));
    /// # Ok(())
    /// # }
    /// ```
    pub async fn get_or_load<T, E, L, F>(&self, key: &Key, options: &EntryOptions, loader: L) -> Result<T, E>
    where
        T: CacheValue,
        L: FnOnce() -> F,
        F: Future<Output = Result<T, E>>,
    {
        match self.begin_call(key, options, Caller::Async) {
            Calling::Answer(value) => Ok(value),
            calling => Box::pin(calling.end(async { loader().await })).await,
        }
    }

    /// Removes an entry; loads of the key that have begun are not kept. Returns whether there was a current one.
    pub async fn remove(&self, key: &Key) -> bool {
        self.blocking().remove(key)
    }

    /// Returns the value of a key and removes it.
    ///
    /// # Errors
    ///
    /// The entry holds a value of another type; it stays.
    pub async fn pull<T: CacheValue>(&self, key: &Key) -> Result<Option<T>, Error> {
        self.blocking().pull(key)
    }

    /// Returns the values of keys, in the order of the keys.
    ///
    /// # Errors
    ///
    /// An entry holds a value of another type.
    pub async fn get_many<T: CacheValue>(&self, keys: &[Key]) -> Result<Vec<Option<T>>, Error> {
        self.blocking().get_many(keys)
    }

    /// Keeps values.
    ///
    /// # Errors
    ///
    /// The options contradict each other.
    pub async fn set_many<T: CacheValue>(
        &self,
        entries: impl IntoIterator<Item = (Key, T)>,
        options: &EntryOptions,
    ) -> Result<(), Error> {
        self.blocking().set_many(entries, options)
    }

    /// Removes entries. Returns how many current ones there were.
    pub async fn remove_many(&self, keys: &[Key]) -> u64 {
        self.blocking().remove_many(keys)
    }

    /// Removes every entry whose readable key matches `pattern`: `*` stands for any characters, `?` for one, `\` takes the
    /// meaning from the next. Looks at every entry: tags are the quick way. Returns how many there were.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::{Cache, EntryOptions, Key};
    ///
    /// let cache = Cache::builder().build()?;
    /// let blocking = cache.blocking();
    /// blocking.set(&Key::new("prices").part(&"EUR"), 1, &EntryOptions::new())?;
    /// blocking.set(&Key::new("rates").part(&"EUR"), 2, &EntryOptions::new())?;
    /// assert_eq!(blocking.remove_matching("*prices*"), 1);
    /// # Ok::<(), cachex::Error>(())
    /// ```
    pub async fn remove_matching(&self, pattern: &str) -> u64 {
        self.blocking().remove_matching(pattern)
    }

    /// Returns whether a current and unexpired entry is there, without using it.
    pub async fn exists(&self, key: &Key) -> bool {
        self.blocking().exists(key)
    }

    /// Gives an entry a new TTL from now on. Returns whether there was a current one.
    pub async fn expire(&self, key: &Key, ttl: Duration) -> bool {
        self.blocking().expire(key, ttl)
    }

    /// Returns how long an entry has until it expires.
    pub async fn ttl_of(&self, key: &Key) -> Option<Ttl> {
        self.blocking().ttl_of(key)
    }

    /// Adds to a counter, which starts at 0 and is an `i64`, as one step. Returns the new number; a counter stays at the end of its
    /// range. Its TTL is that of its first step.
    ///
    /// # Errors
    ///
    /// The entry is not an `i64`.
    pub async fn increment(&self, key: &Key, by: i64) -> Result<i64, Error> {
        self.blocking().increment(key, by)
    }

    /// Takes from a counter; see [`increment`](Self::increment).
    ///
    /// # Errors
    ///
    /// The entry is not an `i64`.
    pub async fn decrement(&self, key: &Key, by: i64) -> Result<i64, Error> {
        self.blocking().decrement(key, by)
    }
}

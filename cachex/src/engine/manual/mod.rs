//! The manual API: entries by key, for code without an annotation.
//!
//! Reading order: [`options`], this file (the API for async callers), [`blocking`] (the same for others, and what is done),
//! [`calling`] (calls that load), [`entries`], [`loading`] (loads outside of the cache).

pub(crate) mod blocking;
pub(crate) mod calling;
mod entries;
pub(crate) mod loading;
pub(crate) mod options;

use std::future::Future;
use std::time::Duration;

pub use blocking::{Blocking, Ttl};
pub use loading::Loading;
pub use options::EntryOptions;

use super::cache::Cache;
use super::job::Caller;
use super::plan::Reach;
use crate::error::Error;
use crate::key::Key;
use crate::method::keep::CacheValue;
use crate::method::shape::Fallible;
use crate::method::value_rules::ValueRules;
use crate::tag::Tags;

impl Cache {
    /// Returns the same operations for code that blocks.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::{Cache, EntryOptions, Key};
    ///
    /// let cache = Cache::builder().build()?;
    /// cache.blocking().set(&Key::new("a"), 1, &EntryOptions::new())?;
    /// assert_eq!(cache.blocking().get::<i32>(&Key::new("a"))?, Some(1));
    /// # Ok::<(), cachex::Error>(())
    /// ```
    #[must_use]
    pub fn blocking(&self) -> Blocking<'_> {
        Blocking(self)
    }

    /// Returns the value of a key, if there is a current and unexpired one. A stale value answers, and is not
    /// refreshed.
    ///
    /// # Errors
    ///
    /// The entry holds a value of another type.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), cachex::Error> {
    /// use cachex::{Cache, EntryOptions, Key};
    ///
    /// let cache = Cache::builder().build()?;
    /// cache.set(&Key::new("a"), 1, &EntryOptions::new()).await?;
    /// assert_eq!(cache.get::<i32>(&Key::new("a")).await?, Some(1));
    /// assert_eq!(cache.get::<i32>(&Key::new("b")).await?, None);
    /// assert!(cache.get::<String>(&Key::new("a")).await.unwrap_err().is_type_mismatch());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn get<T: CacheValue>(&self, key: &Key) -> Result<Option<T>, Error> {
        let found = self.blocking().get_here(key)?;
        #[cfg(feature = "remote")]
        if found.is_none() {
            return Ok(self.engine().get_remote(key).await);
        }
        Ok(found)
    }

    /// Keeps a value, in place of the one there is; loads of the key that have begun are not kept. A TTL of zero removes.
    ///
    /// # Errors
    ///
    /// Never, in memory.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), cachex::Error> {
    /// use cachex::{Cache, EntryOptions, Key};
    ///
    /// let cache = Cache::builder().build()?;
    /// cache.set(&Key::new("a"), 1, &EntryOptions::new()).await?;
    /// cache.set(&Key::new("a"), 2, &EntryOptions::new()).await?;
    /// assert_eq!(cache.get::<i32>(&Key::new("a")).await?, Some(2));
    /// # Ok(())
    /// # }
    /// ```
    pub async fn set<T: CacheValue>(&self, key: &Key, value: T, options: &EntryOptions) -> Result<(), Error> {
        self.blocking().begin_set(key, value, options)?.await;
        Ok(())
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
        self.load_by(key, options, ValueRules::new(Fallible::new()), loader).await
    }

    /// As [`get_or_load`](Self::get_or_load), with more tags for what was loaded: `tags` adds them to those of the options. What is invalidated by one of them while it is
    /// loaded is not kept.
    ///
    /// # Errors
    ///
    /// The loader's own error; a failure is not kept.
    ///
    /// # Panics
    ///
    /// Never because of `tags`: if it panics, the value is returned, and not kept.
    ///
    /// # Cancellation
    ///
    /// As of [`get_or_load`](Self::get_or_load).
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), std::io::Error> {
    /// use cachex::{Cache, EntryOptions, Key};
    ///
    /// let cache = Cache::builder().build().expect("these settings are valid");
    /// let load = || async { Ok::<_, std::io::Error>(vec![7_u64, 8]) };
    /// let tags = |ids: &Vec<u64>, tags: &mut cachex::Tags| ids.iter().for_each(|id| tags.add(format!("user:{id}")));
    /// cache.get_or_load_tagged(&Key::new("friends"), &EntryOptions::new(), tags, load).await?;
    /// cache.invalidate_tags(["user:8"]).await;
    /// assert!(!cache.exists(&Key::new("friends")).await);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn get_or_load_tagged<T, E, L, F>(
        &self,
        key: &Key,
        options: &EntryOptions,
        tags: fn(&T, &mut Tags),
        loader: L,
    ) -> Result<T, E>
    where
        T: CacheValue,
        L: FnOnce() -> F,
        F: Future<Output = Result<T, E>>,
    {
        self.load_by(key, options, ValueRules::new(Fallible::new()).tags_with(tags), loader).await
    }

    async fn load_by<T, E, L, F>(
        &self,
        key: &Key,
        options: &EntryOptions,
        rules: ValueRules<Fallible<T, E>>,
        loader: L,
    ) -> Result<T, E>
    where
        T: CacheValue,
        L: FnOnce() -> F,
        F: Future<Output = Result<T, E>>,
    {
        let begun = self.begin_call(key, options, rules, Caller::Async, Reach::Borrowed);
        let tags = options.tags.clone();
        let prepare = |known: &mut Tags| {
            *known = tags;
            async { loader().await }
        };
        match begun.answer_async(prepare) {
            Ok(output) => output,
            Err(load) => load.await,
        }
    }

    /// Removes an entry; loads of the key that have begun are not kept. Returns whether there was a current one.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), cachex::Error> {
    /// use cachex::{Cache, EntryOptions, Key};
    ///
    /// let cache = Cache::builder().build()?;
    /// cache.set(&Key::new("a"), 1, &EntryOptions::new()).await?;
    /// assert!(cache.remove(&Key::new("a")).await);
    /// assert!(!cache.remove(&Key::new("a")).await);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn remove(&self, key: &Key) -> bool {
        self.engine().remove(key.at()).await
    }

    /// Returns the value of a key and removes it.
    ///
    /// # Errors
    ///
    /// The entry holds a value of another type; it stays.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), cachex::Error> {
    /// use cachex::{Cache, EntryOptions, Key};
    ///
    /// let cache = Cache::builder().build()?;
    /// cache.set(&Key::new("a"), 1, &EntryOptions::new()).await?;
    /// assert_eq!(cache.pull::<i32>(&Key::new("a")).await?, Some(1));
    /// assert_eq!(cache.pull::<i32>(&Key::new("a")).await?, None);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn pull<T: CacheValue>(&self, key: &Key) -> Result<Option<T>, Error> {
        #[cfg(feature = "remote")]
        let there = if self.engine().remote.is_some() { self.get::<T>(key).await? } else { None };
        #[cfg(not(feature = "remote"))]
        let there = None;
        Ok(self.blocking().begin_pull(key)?.await.or(there))
    }

    /// Returns the values of keys, in the order of the keys. The second tier, if there is one, is asked for all that are not in memory
    /// at once: that takes as long as for one.
    ///
    /// # Errors
    ///
    /// An entry holds a value of another type.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), cachex::Error> {
    /// use cachex::{Cache, EntryOptions, Key};
    ///
    /// let cache = Cache::builder().build()?;
    /// cache.set(&Key::new("a"), 1, &EntryOptions::new()).await?;
    /// let keys = [Key::new("b"), Key::new("a")];
    /// assert_eq!(cache.get_many::<i32>(&keys).await?, [None, Some(1)]);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn get_many<T: CacheValue>(&self, keys: &[Key]) -> Result<Vec<Option<T>>, Error> {
        let values = self.blocking().get_many_here(keys)?;
        #[cfg(feature = "remote")]
        let values = self.engine().get_many_remote(keys, values).await;
        Ok(values)
    }

    /// Keeps values, each as [`set`](Self::set) does; in a second tier all are written at once. Of values of one key the last one is kept.
    ///
    /// # Errors
    ///
    /// Never, in memory.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), cachex::Error> {
    /// use cachex::{Cache, EntryOptions, Key};
    ///
    /// let cache = Cache::builder().build()?;
    /// let entries = [(Key::new("a"), 1), (Key::new("b"), 2)];
    /// cache.set_many(entries, &EntryOptions::new()).await?;
    /// assert_eq!(cache.get::<i32>(&Key::new("b")).await?, Some(2));
    /// # Ok(())
    /// # }
    /// ```
    pub async fn set_many<T: CacheValue>(
        &self,
        entries: impl IntoIterator<Item = (Key, T)>,
        options: &EntryOptions,
    ) -> Result<(), Error> {
        self.blocking().begin_set_many(entries, options)?.await;
        Ok(())
    }

    /// Removes entries, in a second tier all at once. Returns how many current ones there were in memory.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), cachex::Error> {
    /// use cachex::{Cache, EntryOptions, Key};
    ///
    /// let cache = Cache::builder().build()?;
    /// cache.set(&Key::new("a"), 1, &EntryOptions::new()).await?;
    /// assert_eq!(cache.remove_many(&[Key::new("a"), Key::new("b")]).await, 1);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn remove_many(&self, keys: &[Key]) -> u64 {
        self.blocking().begin_remove_many(keys).await
    }

    /// Removes every entry whose readable key matches `pattern`: `*` stands for any characters, `?` for one, `\` takes the
    /// meaning from the next. Looks at every entry: tags are the quick way. Returns how many there were in memory.
    ///
    /// With Redis it looks at all keys there, in short steps, and then tells the other processes. Keys there do not show all of their text:
    /// what may match goes as well, as keys with text that is long or has spaces. In a cluster of Redis everything is invalidated. Once it
    /// has returned, nothing that matched before is taken from there by any process, nor stored by a load that began before; unless Redis could not be
    /// reached: then everything is invalidated as soon as it can be.
    ///
    /// # Cancellation
    ///
    /// It goes on in the background.
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
        self.engine().remove_matching(pattern).await
    }

    /// Returns whether a current and unexpired entry is there, without using it.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), cachex::Error> {
    /// use cachex::{Cache, EntryOptions, Key};
    ///
    /// let cache = Cache::builder().build()?;
    /// cache.set(&Key::new("a"), 1, &EntryOptions::new()).await?;
    /// assert!(cache.exists(&Key::new("a")).await);
    /// assert!(!cache.exists(&Key::new("b")).await);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn exists(&self, key: &Key) -> bool {
        self.ttl_of(key).await.is_some()
    }

    /// Gives an entry a new TTL from now on; when it is stale, and its `tti`, stay as they are. Returns whether there
    /// was a current and unexpired one.
    ///
    /// Where entries may stay in memory for a bounded time only (`l1_ttl`, and `outage_ttl` while notices of other processes can't come in), it ends
    /// there no later than it would have: from then on the second tier answers, which has the new TTL.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), cachex::Error> {
    /// use std::time::Duration;
    /// use cachex::time::ManualClock;
    /// use cachex::{Cache, EntryOptions, Key, Ttl};
    ///
    /// let cache = Cache::builder().clock(ManualClock::new()).build()?;
    /// cache.set(&Key::new("a"), 1, &EntryOptions::new()).await?;
    /// assert!(cache.expire(&Key::new("a"), Duration::from_secs(60)).await);
    /// assert_eq!(cache.ttl_of(&Key::new("a")).await, Some(Ttl::Left(Duration::from_secs(60))));
    /// # Ok(())
    /// # }
    /// ```
    pub async fn expire(&self, key: &Key, ttl: Duration) -> bool {
        let is_here = self.blocking().expire_here(key, ttl);
        #[cfg(feature = "remote")]
        let is_there = self.engine().expire_in_remote(key, ttl).await;
        #[cfg(not(feature = "remote"))]
        let is_there = false;
        is_here || is_there
    }

    /// Returns how long an entry has until it expires, by its TTL or for want of an access; nothing if there is no
    /// current and unexpired one.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), cachex::Error> {
    /// use cachex::{Cache, EntryOptions, Key, Ttl};
    ///
    /// let cache = Cache::builder().build()?;
    /// cache.set(&Key::new("a"), 1, &EntryOptions::new()).await?;
    /// assert_eq!(cache.ttl_of(&Key::new("a")).await, Some(Ttl::Never));
    /// assert_eq!(cache.ttl_of(&Key::new("b")).await, None);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn ttl_of(&self, key: &Key) -> Option<Ttl> {
        let here = self.blocking().end_here(key);
        #[cfg(feature = "remote")]
        let here = match here {
            None => self.engine().end_in_remote(key).await,
            here => here,
        };
        Some(self.blocking().ttl_until(here?))
    }
}

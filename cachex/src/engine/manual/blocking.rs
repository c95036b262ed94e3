//! The manual API for callers that block; async callers get the same.

use std::sync::Arc;
use std::time::Duration;

use super::EntryOptions;
use crate::engine::Engine;
use crate::engine::cache::Cache;
use crate::engine::delivery::Delivery;
use crate::engine::job::Caller;
use crate::engine::plan::Reach;
use crate::engine::sample;
use crate::engine::subject::Borrowed;
use crate::entry::Freshness;
use crate::entry::stamp::Stamp;
use crate::error::Error;
use crate::key::Key;
use crate::method::keep::{CacheValue, Portable};
use crate::method::shape::Fallible;
use crate::method::value_rules::ValueRules;
use crate::tag::Tags;
use crate::time::Timestamp;
use crate::time::stopwatch::Stopwatch;

/// The manual API for callers that block: each operation as in [`Cache`].
///
/// # Examples
///
/// ```
/// use cachex::{Cache, Key};
///
/// let cache = Cache::builder().build()?;
/// let hits = Key::new("page hits");
/// assert_eq!(cache.blocking().increment(&hits, 2)?, 2);
/// assert_eq!(cache.blocking().decrement(&hits, 1)?, 1);
/// # Ok::<(), cachex::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Blocking<'a>(pub(super) &'a Cache);

/// How long an entry has until it expires.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use cachex::time::ManualClock;
/// use cachex::{Cache, EntryOptions, Key, Ttl};
///
/// let cache = Cache::builder().clock(ManualClock::new()).build()?;
/// let minute = Duration::from_secs(60);
/// cache.blocking().set(&Key::new("a"), 1, &EntryOptions::new().ttl(minute))?;
/// assert_eq!(cache.blocking().ttl_of(&Key::new("a")), Some(Ttl::Left(minute)));
/// # Ok::<(), cachex::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ttl {
    /// It never expires.
    Never,
    /// It expires after this span.
    Left(Duration),
}

impl Blocking<'_> {
    pub(in crate::engine) fn engine(&self) -> &Arc<Engine> {
        self.0.engine()
    }

    pub(in crate::engine) fn cache(&self) -> &Cache {
        self.0
    }

    /// As [`Cache::get`].
    ///
    /// # Errors
    ///
    /// The entry holds a value of another type.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::{Cache, EntryOptions, Key};
    ///
    /// let cache = Cache::builder().build()?;
    /// cache.blocking().set(&Key::new("a"), 1, &EntryOptions::new())?;
    /// assert_eq!(cache.blocking().get::<i32>(&Key::new("a"))?, Some(1));
    /// assert_eq!(cache.blocking().get::<i32>(&Key::new("b"))?, None);
    /// assert!(cache.blocking().get::<String>(&Key::new("a")).unwrap_err().is_type_mismatch());
    /// # Ok::<(), cachex::Error>(())
    /// ```
    pub fn get<T: CacheValue>(&self, key: &Key) -> Result<Option<T>, Error> {
        let found = self.get_here(key)?;
        #[cfg(feature = "remote")]
        if found.is_none() {
            return Ok(crate::runtime::block_elsewhere(self.engine().get_remote(key)).flatten());
        }
        Ok(found)
    }

    /// As [`get`](Self::get), from memory.
    pub(super) fn get_here<T: CacheValue>(&self, key: &Key) -> Result<Option<T>, Error> {
        let method = self.engine().method(key.region());
        let tally = method.counters.tally();
        let stopwatch = sample::is_next_timed().then(Stopwatch::start);
        let found = self.engine().usable(method, key.at());
        // As for annotated methods: of a hit only.
        if let (Some(stopwatch), Some(_)) = (stopwatch, &found) {
            method.counters.note_look(stopwatch);
        }
        let value = match &found {
            None => Ok(None),
            Some((entry, _)) => entry.value::<T>().cloned().map(Some).ok_or_else(|| wrong_type::<T>(key)),
        };
        match (&value, found) {
            (Ok(_), Some((_, Freshness::Stale))) => tally.stale_hit(),
            (Ok(_), Some(_)) => {
                if tally.hit() {
                    sample::time_next();
                }
            }
            _ => method.counters.tally().miss(),
        }
        value
    }

    /// As [`Cache::set`].
    ///
    /// # Errors
    ///
    /// Never, in memory.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::{Cache, EntryOptions, Key};
    ///
    /// let cache = Cache::builder().build()?;
    /// cache.blocking().set(&Key::new("a"), 1, &EntryOptions::new())?;
    /// cache.blocking().set(&Key::new("a"), 2, &EntryOptions::new())?;
    /// assert_eq!(cache.blocking().get::<i32>(&Key::new("a"))?, Some(2));
    /// # Ok::<(), cachex::Error>(())
    /// ```
    pub fn set<T: CacheValue>(&self, key: &Key, value: T, options: &EntryOptions) -> Result<(), Error> {
        self.begin_set(key, value, options)?.wait();
        Ok(())
    }

    /// As [`set`](Self::set), here at once.
    pub(super) fn begin_set<T: CacheValue>(
        &self,
        key: &Key,
        value: T,
        options: &EntryOptions,
    ) -> Result<Delivery, Error> {
        let engine = self.engine();
        let method = engine.method(key.region());
        let policy = options.policy(&method.policy());
        let at = key.at();
        let entry = engine.manual_entry(at, value, &policy, &options.tags, Stamp::default());
        let subject = Borrowed { engine, method, at };
        Ok(engine.write_through::<T, _>(subject, entry, (Portable, &policy), engine.now()))
    }

    /// As [`Cache::get_or_load`]; the loader runs on the caller's thread.
    ///
    /// # Errors
    ///
    /// The loader's own error; a failure is not kept.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::{Cache, EntryOptions, Key};
    ///
    /// let cache = Cache::builder().build()?;
    /// let load = || Ok::<_, cachex::Error>(42);
    /// assert_eq!(cache.blocking().get_or_load(&Key::new("answer"), &EntryOptions::new(), load)?, 42);
    /// assert_eq!(cache.blocking().get::<i32>(&Key::new("answer"))?, Some(42));
    /// # Ok::<(), cachex::Error>(())
    /// ```
    pub fn get_or_load<T, E, L>(&self, key: &Key, options: &EntryOptions, loader: L) -> Result<T, E>
    where
        T: CacheValue,
        L: FnOnce() -> Result<T, E>,
    {
        self.load_by(key, options, ValueRules::new(Fallible::new()), loader)
    }

    /// As [`Cache::get_or_load_tagged`]; the loader runs on the caller's thread.
    ///
    /// # Errors
    ///
    /// The loader's own error; a failure is not kept.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::{Cache, EntryOptions, Key};
    ///
    /// let cache = Cache::builder().build()?;
    /// let load = || Ok::<_, cachex::Error>(vec![7_u64, 8]);
    /// let tags = |ids: &Vec<u64>, tags: &mut cachex::Tags| ids.iter().for_each(|id| tags.add(format!("user:{id}")));
    /// cache.blocking().get_or_load_tagged(&Key::new("friends"), &EntryOptions::new(), tags, load)?;
    /// cache.invalidate_tags(["user:8"]).wait();
    /// assert!(!cache.blocking().exists(&Key::new("friends")));
    /// # Ok::<(), cachex::Error>(())
    /// ```
    pub fn get_or_load_tagged<T, E, L>(
        &self,
        key: &Key,
        options: &EntryOptions,
        tags: fn(&T, &mut Tags),
        loader: L,
    ) -> Result<T, E>
    where
        T: CacheValue,
        L: FnOnce() -> Result<T, E>,
    {
        self.load_by(key, options, ValueRules::new(Fallible::new()).tags_with(tags), loader)
    }

    fn load_by<T, E, L>(
        &self,
        key: &Key,
        options: &EntryOptions,
        rules: ValueRules<Fallible<T, E>>,
        loader: L,
    ) -> Result<T, E>
    where
        T: CacheValue,
        L: FnOnce() -> Result<T, E>,
    {
        let begun = self.0.begin_call(key, options, rules, Caller::Blocking, Reach::Borrowed);
        begun.answer(|tags| {
            tags.clone_from(&options.tags);
            loader
        })
    }

    /// As [`Cache::remove`].
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::{Cache, EntryOptions, Key};
    ///
    /// let cache = Cache::builder().build()?;
    /// cache.blocking().set(&Key::new("a"), 1, &EntryOptions::new())?;
    /// assert!(cache.blocking().remove(&Key::new("a")));
    /// assert!(!cache.blocking().remove(&Key::new("a")));
    /// # Ok::<(), cachex::Error>(())
    /// ```
    #[must_use = "use `let _ =` if it does not matter whether there was one"]
    pub fn remove(&self, key: &Key) -> bool {
        self.engine().remove(key.at()).wait()
    }

    /// As [`Cache::pull`].
    ///
    /// # Errors
    ///
    /// The entry holds a value of another type; it stays.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::{Cache, EntryOptions, Key};
    ///
    /// let cache = Cache::builder().build()?;
    /// cache.blocking().set(&Key::new("a"), 1, &EntryOptions::new())?;
    /// assert_eq!(cache.blocking().pull::<i32>(&Key::new("a"))?, Some(1));
    /// assert_eq!(cache.blocking().pull::<i32>(&Key::new("a"))?, None);
    /// # Ok::<(), cachex::Error>(())
    /// ```
    pub fn pull<T: CacheValue>(&self, key: &Key) -> Result<Option<T>, Error> {
        #[cfg(feature = "remote")]
        let there = if self.engine().remote.is_some() { self.get::<T>(key)? } else { None };
        #[cfg(not(feature = "remote"))]
        let there = None;
        Ok(self.begin_pull(key)?.wait().or(there))
    }

    /// Removes the entry here, and then in L2; returns what was here.
    pub(super) fn begin_pull<T: CacheValue>(&self, key: &Key) -> Result<Delivery<Option<T>>, Error> {
        let engine = self.engine();
        let method = engine.method(key.region());
        let at = key.at();
        let delivery = engine.send_key(at);
        // Held beyond the write: if it is the last of the entry, its value is not dropped while the order is held.
        let mut found = None;
        engine.try_write(method, at, || {
            found = engine.usable(method, at);
            match &found {
                Some((entry, _)) if entry.value::<T>().is_none() => Err(wrong_type::<T>(key)),
                _ => Ok((None, ())),
            }
        })?;
        Ok(delivery.returning(found.and_then(|(entry, _)| entry.value::<T>().cloned())))
    }

    /// As [`Cache::get_many`].
    ///
    /// # Errors
    ///
    /// An entry holds a value of another type.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::{Cache, EntryOptions, Key};
    ///
    /// let cache = Cache::builder().build()?;
    /// cache.blocking().set(&Key::new("a"), 1, &EntryOptions::new())?;
    /// let keys = [Key::new("b"), Key::new("a")];
    /// assert_eq!(cache.blocking().get_many::<i32>(&keys)?, [None, Some(1)]);
    /// # Ok::<(), cachex::Error>(())
    /// ```
    pub fn get_many<T: CacheValue>(&self, keys: &[Key]) -> Result<Vec<Option<T>>, Error> {
        let values = self.get_many_here(keys)?;
        #[cfg(feature = "remote")]
        let values = self.get_many_elsewhere(keys, values);
        Ok(values)
    }

    /// As [`get_many`](Self::get_many), from memory.
    pub(super) fn get_many_here<T: CacheValue>(&self, keys: &[Key]) -> Result<Vec<Option<T>>, Error> {
        keys.iter().map(|key| self.get_here(key)).collect()
    }

    /// As [`get_many`](Self::get_many), of those that are not in memory.
    #[cfg(feature = "remote")]
    fn get_many_elsewhere<T: CacheValue>(&self, keys: &[Key], values: Vec<Option<T>>) -> Vec<Option<T>> {
        if crate::runtime::is_own_thread() {
            return values;
        }
        crate::runtime::block_on(self.engine().get_many_remote(keys, values))
    }

    /// As [`Cache::set_many`].
    ///
    /// # Errors
    ///
    /// Never, in memory.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::{Cache, EntryOptions, Key};
    ///
    /// let cache = Cache::builder().build()?;
    /// let entries = [(Key::new("a"), 1), (Key::new("b"), 2)];
    /// cache.blocking().set_many(entries, &EntryOptions::new())?;
    /// assert_eq!(cache.blocking().get::<i32>(&Key::new("b"))?, Some(2));
    /// # Ok::<(), cachex::Error>(())
    /// ```
    pub fn set_many<T: CacheValue>(
        &self,
        entries: impl IntoIterator<Item = (Key, T)>,
        options: &EntryOptions,
    ) -> Result<(), Error> {
        self.begin_set_many(entries, options)?.wait();
        Ok(())
    }

    /// Keeps values in memory; what is returned ends when the second tier has them.
    pub(super) fn begin_set_many<T: CacheValue>(
        &self,
        entries: impl IntoIterator<Item = (Key, T)>,
        options: &EntryOptions,
    ) -> Result<Delivery, Error> {
        let mut all = Delivery::done();
        for (key, value) in entries {
            all = all.and(self.begin_set(&key, value, options)?);
        }
        Ok(all)
    }

    /// As [`Cache::remove_many`].
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::{Cache, EntryOptions, Key};
    ///
    /// let cache = Cache::builder().build()?;
    /// cache.blocking().set(&Key::new("a"), 1, &EntryOptions::new())?;
    /// assert_eq!(cache.blocking().remove_many(&[Key::new("a"), Key::new("b")]), 1);
    /// # Ok::<(), cachex::Error>(())
    /// ```
    pub fn remove_many(&self, keys: &[Key]) -> u64 {
        self.begin_remove_many(keys).wait()
    }

    /// Removes entries from memory; what is returned ends when the second tier knows.
    pub(super) fn begin_remove_many(&self, keys: &[Key]) -> Delivery<u64> {
        let (mut all, mut removed) = (Delivery::done(), 0);
        for key in keys {
            let one = self.engine().remove(key.at());
            removed += u64::from(one.here());
            all = all.and(one.returning(()));
        }
        all.returning(removed)
    }

    /// As [`Cache::remove_matching`].
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::{Cache, EntryOptions, Key};
    ///
    /// let cache = Cache::builder().build()?;
    /// cache.blocking().set(&Key::new("prices").part("EUR"), 1, &EntryOptions::new())?;
    /// cache.blocking().set(&Key::new("prices").part("USD"), 2, &EntryOptions::new())?;
    /// assert_eq!(cache.blocking().remove_matching("prices(\"E*"), 1);
    /// # Ok::<(), cachex::Error>(())
    /// ```
    pub fn remove_matching(&self, pattern: &str) -> u64 {
        self.engine().remove_matching(pattern).wait()
    }

    /// As [`Cache::exists`].
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::{Cache, EntryOptions, Key};
    ///
    /// let cache = Cache::builder().build()?;
    /// cache.blocking().set(&Key::new("a"), 1, &EntryOptions::new())?;
    /// assert!(cache.blocking().exists(&Key::new("a")));
    /// assert!(!cache.blocking().exists(&Key::new("b")));
    /// # Ok::<(), cachex::Error>(())
    /// ```
    #[must_use]
    pub fn exists(&self, key: &Key) -> bool {
        self.ttl_of(key).is_some()
    }

    /// As [`Cache::expire`].
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use cachex::time::ManualClock;
    /// use cachex::{Cache, EntryOptions, Key, Ttl};
    ///
    /// let cache = Cache::builder().clock(ManualClock::new()).build()?;
    /// cache.blocking().set(&Key::new("a"), 1, &EntryOptions::new())?;
    /// assert!(cache.blocking().expire(&Key::new("a"), Duration::from_secs(60)));
    /// assert_eq!(cache.blocking().ttl_of(&Key::new("a")), Some(Ttl::Left(Duration::from_secs(60))));
    /// # Ok::<(), cachex::Error>(())
    /// ```
    #[must_use = "use `let _ =` if it does not matter whether there was one"]
    pub fn expire(&self, key: &Key, ttl: Duration) -> bool {
        let is_here = self.expire_here(key, ttl);
        #[cfg(feature = "remote")]
        let is_there = crate::runtime::block_elsewhere(self.engine().expire_in_remote(key, ttl)).unwrap_or(false);
        #[cfg(not(feature = "remote"))]
        let is_there = false;
        is_here || is_there
    }

    pub(super) fn expire_here(&self, key: &Key, ttl: Duration) -> bool {
        let engine = self.engine();
        let Some(entry) = self.engine().peek(key.at()) else { return false };
        let end = engine.now().after(ttl);
        #[cfg(feature = "remote")]
        let end = engine.longest_here(&entry, end);
        engine.tier.expire_at(key.at(), &entry, end);
        true
    }

    /// As [`Cache::ttl_of`].
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::{Cache, EntryOptions, Key, Ttl};
    ///
    /// let cache = Cache::builder().build()?;
    /// cache.blocking().set(&Key::new("a"), 1, &EntryOptions::new())?;
    /// assert_eq!(cache.blocking().ttl_of(&Key::new("a")), Some(Ttl::Never));
    /// assert_eq!(cache.blocking().ttl_of(&Key::new("b")), None);
    /// # Ok::<(), cachex::Error>(())
    /// ```
    #[must_use]
    pub fn ttl_of(&self, key: &Key) -> Option<Ttl> {
        let here = self.end_here(key);
        #[cfg(feature = "remote")]
        let here = here.or_else(|| crate::runtime::block_elsewhere(self.engine().end_in_remote(key)).flatten());
        Some(self.ttl_until(here?))
    }

    pub(super) fn end_here(&self, key: &Key) -> Option<Timestamp> {
        Some(self.engine().peek(key.at())?.deadline())
    }

    pub(super) fn ttl_until(&self, end: Timestamp) -> Ttl {
        match end {
            Timestamp::NEVER => Ttl::Never,
            end => Ttl::Left(end.since(self.engine().now())),
        }
    }
}

fn wrong_type<T>(key: &Key) -> Error {
    Error::other_type(key.region().name(), std::any::type_name::<T>())
}

//! The public handle of a cache.

use std::fmt;
use std::sync::Arc;

use super::Engine;
use super::delivery::Delivery;
use crate::entry::Stamp;
use crate::error::Error;
use crate::key::{CacheKey, Key, KeyBytes, KeyWriter};
use crate::observe::Stats;
use crate::tag::{Tag, Tags};

/// A cache: several can live in one program. Cloning makes another handle to the same cache.
///
/// # Examples
///
/// ```
/// use cachex::{Cache, EntryOptions, Key};
///
/// let cache = Cache::builder().build()?;
/// let key = Key::entity("user", &7);
/// cache.blocking().set(&key, "Ada".to_owned(), &EntryOptions::new().tag("users"))?;
/// assert_eq!(cache.blocking().get::<String>(&key)?.as_deref(), Some("Ada"));
///
/// cache.invalidate_tags(["users"]);
/// assert_eq!(cache.blocking().get::<String>(&key)?, None);
/// # Ok::<(), cachex::Error>(())
/// ```
#[derive(Clone)]
pub struct Cache(Arc<Engine>);

impl Cache {
    pub(crate) fn new(engine: Arc<Engine>) -> Self {
        Self(engine)
    }

    #[inline]
    pub(crate) fn engine(&self) -> &Arc<Engine> {
        &self.0
    }

    /// Returns the namespace: what the keys of this program begin with in a store that it shares with others.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::Cache;
    ///
    /// assert_eq!(Cache::builder().build()?.namespace(), "cachex");
    /// assert_eq!(Cache::builder().namespace("shop").build()?.namespace(), "shop");
    /// # Ok::<(), cachex::Error>(())
    /// ```
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.0.namespace
    }

    /// Invalidates every entry that carries one of `tags`: when this returns, none of them answers, and no load that began
    /// before is kept. A tag that no entry carries is no error. Costs the same whatever the number of entries. Await what is returned
    /// to know that a second tier has it as well.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::{Cache, EntryOptions, Key};
    ///
    /// let cache = Cache::builder().build()?;
    /// cache.blocking().set(&Key::new("a"), 1, &EntryOptions::new().tag("users").tag("user:7"))?;
    /// cache.invalidate_tags(["user:7", "user:8"]);
    /// assert!(!cache.blocking().exists(&Key::new("a")));
    /// # Ok::<(), cachex::Error>(())
    /// ```
    pub fn invalidate_tags<T: Into<Tag>>(&self, tags: impl IntoIterator<Item = T>) -> Delivery {
        self.0.invalidate_tags(&tags.into_iter().collect())
    }

    /// As [`invalidate_tags`](Self::invalidate_tags), with tags that were put together before: nothing is copied. For who invalidates the same ones again and again.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::{Cache, EntryOptions, Key, Tags};
    ///
    /// let cache = Cache::builder().build()?;
    /// let of_users: Tags = ["users", "counts"].into_iter().collect();
    /// cache.blocking().set(&Key::new("a"), 1, &EntryOptions::new().tag("counts"))?;
    /// cache.invalidate_each(&of_users);
    /// assert!(!cache.blocking().exists(&Key::new("a")));
    /// # Ok::<(), cachex::Error>(())
    /// ```
    pub fn invalidate_each(&self, tags: &Tags) -> Delivery {
        self.0.invalidate_tags(tags)
    }

    /// Invalidates every entry, and every load that has begun. As for [`invalidate_tags`](Self::invalidate_tags), await what is
    /// returned for a second tier.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::{Cache, EntryOptions, Key};
    ///
    /// let cache = Cache::builder().build()?;
    /// cache.blocking().set(&Key::new("a"), 1, &EntryOptions::new())?;
    /// cache.clear();
    /// assert_eq!(cache.stats().entries, 0);
    /// # Ok::<(), cachex::Error>(())
    /// ```
    pub fn clear(&self) -> Delivery {
        self.0.clear()
    }

    /// Invalidates the entry of one call of a method: `arguments` is what the method's key is made of, in order, as a tuple: the
    /// scope of its `self`, then its arguments. Of a generic method, all instances are meant that this process has called.
    ///
    /// Returns, once a second tier has it as well, whether there was such an entry in memory.
    ///
    /// # Errors
    ///
    /// No method of that name is annotated or registered.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::{Cache, cached};
    ///
    /// #[cached(ttl = "1m", name = "square")]
    /// fn square(x: u64) -> u64 {
    ///     x * x
    /// }
    ///
    /// assert_eq!(square(3), 9);
    /// assert!(cachex::installed().invalidate_method("square", (3_u64,))?.wait());
    /// assert!(!cachex::installed().invalidate_method("square", (3_u64,))?.wait());
    /// # Ok::<(), cachex::Error>(())
    /// ```
    pub fn invalidate_method(&self, name: &str, arguments: impl KeyParts) -> Result<Delivery<bool>, Error> {
        self.0.check_name(name)?;
        let mut bytes = KeyBytes::new();
        let mut parts = KeyWriter::keeping(&mut bytes);
        arguments.encode_parts(&mut parts);
        let mut found = false;
        let mut delivery = Delivery::done();
        for method in self.0.methods_named(name) {
            let removal = self.0.remove(Key::written(method.region, &parts).at());
            found |= removal.here();
            delivery = delivery.and(removal.returning(()));
        }
        if self.0.methods_named(name).next().is_none() {
            // Its keys can't be named here: all of them go.
            delivery = self.0.send_named(name);
            // It may have been called for the first time meanwhile. Break this (drop the line) and what it has read before stays here.
            self.0.methods_named(name).for_each(|method| self.0.invalidate_method_here(method));
        }
        Ok(delivery.returning(found))
    }

    /// Invalidates every entry of a method, of all instances of a generic one. In a second tier, those of instances that this process
    /// has not called stay. As for [`invalidate_tags`](Self::invalidate_tags), await what is returned.
    ///
    /// # Errors
    ///
    /// No method of that name is annotated or registered.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::cached;
    ///
    /// #[cached(name = "halved")]
    /// fn halved(x: u64) -> u64 {
    ///     x / 2
    /// }
    ///
    /// assert_eq!((halved(4), halved(6)), (2, 3));
    /// cachex::installed().invalidate_method_all("halved")?;
    /// assert!(!halved_remove(&4));
    /// # Ok::<(), cachex::Error>(())
    /// ```
    pub fn invalidate_method_all(&self, name: &str) -> Result<Delivery, Error> {
        self.0.check_name(name)?;
        let all = self.0.methods_named(name).map(|method| self.0.invalidate_method(method));
        Ok(all.fold(self.0.send_named(name), Delivery::and))
    }

    /// Reads the cache's logical clock, which every invalidation moves on. [`begin_load`](Self::begin_load) takes one for a
    /// load of your own.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::Cache;
    ///
    /// let cache = Cache::builder().build()?;
    /// let before = cache.stamp();
    /// cache.invalidate_tags(["users"]);
    /// assert!(cache.stamp() > before);
    /// # Ok::<(), cachex::Error>(())
    /// ```
    #[must_use]
    pub fn stamp(&self) -> Stamp {
        self.0.sequence.now()
    }

    /// Returns what was counted since the cache was made, all methods and the manual API together; `entries` and
    /// `weight` are those of now, dead entries that are not yet reclaimed among them.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::{Cache, EntryOptions, Key};
    ///
    /// let cache = Cache::builder().build()?;
    /// cache.blocking().set(&Key::new("a"), 1, &EntryOptions::new())?;
    /// assert_eq!(cache.blocking().get::<i32>(&Key::new("a"))?, Some(1));
    /// assert_eq!((cache.stats().entries, cache.stats().hits), (1, 1));
    /// # Ok::<(), cachex::Error>(())
    /// ```
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.0.trim();
        let mut all = Stats::default();
        for method in self.0.methods.iter() {
            all.add(&Stats::read(&method.counters));
        }
        all.entries = self.0.tier.len();
        all.weight = self.0.tier.weight();
        all
    }

    /// Returns the number of tags that are remembered: those that are fenced, and those that were invalidated until that matters to no entry
    /// and no load any more, which a [`reclaim`](Self::reclaim) finds out. Of a tag that nobody has invalidated nothing is kept. Where tags are invalidated
    /// faster than that is found out, some hundred thousand are remembered, and what was loaded before the others counts as invalidated.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::{Cache, EntryOptions, Key};
    ///
    /// let cache = Cache::builder().build()?;
    /// cache.blocking().set(&Key::new("a"), 1, &EntryOptions::new().tag("users"))?;
    /// assert_eq!(cache.known_tags(), 0);
    /// cache.invalidate_tags(["users"]);
    /// assert_eq!(cache.known_tags(), 1);
    /// cache.reclaim();
    /// assert_eq!(cache.known_tags(), 0);
    /// # Ok::<(), cachex::Error>(())
    /// ```
    #[must_use]
    pub fn known_tags(&self) -> usize {
        self.0.tags.len()
    }

    /// Returns the number of keys that are being loaded or waited for.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::{Cache, EntryOptions, Key};
    ///
    /// let cache = Cache::builder().build()?;
    /// let load = || Ok::<_, cachex::Error>(cache.loads_in_flight());
    /// assert_eq!(cache.blocking().get_or_load(&Key::new("a"), &EntryOptions::new(), load)?, 1);
    /// assert_eq!(cache.loads_in_flight(), 0);
    /// # Ok::<(), cachex::Error>(())
    /// ```
    #[must_use]
    pub fn loads_in_flight(&self) -> usize {
        self.0.flights.len()
    }
}

impl AsRef<Self> for Cache {
    fn as_ref(&self) -> &Self {
        self
    }
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache").field("namespace", &self.0.namespace).field("entries", &self.0.tier.len()).finish()
    }
}

/// Parts of a key, in order: a tuple of [`CacheKey`]s, up to eight.
///
/// # Examples
///
/// ```
/// use cachex::{Cache, KeyParts, cached};
///
/// #[cached(name = "product")]
/// fn product(x: u64, y: u64) -> u64 {
///     x * y
/// }
///
/// fn forget(cache: &Cache, arguments: impl KeyParts) -> Result<bool, cachex::Error> {
///     Ok(cache.invalidate_method("product", arguments)?.wait())
/// }
///
/// assert_eq!(product(2, 3), 6);
/// assert!(forget(cachex::installed(), (2_u64, 3_u64))?);
/// # Ok::<(), cachex::Error>(())
/// ```
pub trait KeyParts {
    /// Appends the parts one after the other.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::{CacheKey, KeyParts, KeyWriter};
    ///
    /// let (mut parts, mut one_by_one) = (KeyWriter::new(), KeyWriter::new());
    /// (7_u8, "a").encode_parts(&mut parts);
    /// 7_u8.encode(&mut one_by_one);
    /// "a".encode(&mut one_by_one);
    /// assert_eq!(parts.as_bytes(), one_by_one.as_bytes());
    /// ```
    fn encode_parts(&self, out: &mut KeyWriter<'_>);
}

macro_rules! key_parts {
    ($(($($name:ident),*);)*) => {$(
        impl<$($name: CacheKey),*> KeyParts for ($($name,)*) {
            #[expect(non_snake_case, reason = "the parts go by the names of their types")]
            fn encode_parts(&self, out: &mut KeyWriter<'_>) {
                let ($($name,)*) = self;
                $($name.encode(out);)*
            }
        }
    )*};
}

key_parts! {
    (A);
    (A, B);
    (A, B, C);
    (A, B, C, D);
    (A, B, C, D, E);
    (A, B, C, D, E, F);
    (A, B, C, D, E, F, G);
    (A, B, C, D, E, F, G, H);
}

impl KeyParts for () {
    fn encode_parts(&self, _: &mut KeyWriter<'_>) {}
}

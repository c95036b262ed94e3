//! The public handle of a cache.

use std::fmt;
use std::sync::Arc;

use super::Engine;
use crate::entry::Stamp;
use crate::error::Error;
use crate::key::{CacheKey, Key, KeyWriter};
use crate::observe::Stats;
use crate::tag::Tag;

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

    /// Returns the namespace.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.0.namespace
    }

    /// Invalidates every entry that carries one of `tags`: when this returns, none of them answers, and no load that began
    /// before is kept. A tag that no entry carries is no error. Costs the same whatever the number of entries.
    pub fn invalidate_tags<T: Into<Tag>>(&self, tags: impl IntoIterator<Item = T>) {
        self.0.invalidate_tags(&tags.into_iter().collect());
    }

    /// Invalidates every entry, and every load that has begun.
    pub fn clear(&self) {
        self.0.clear();
    }

    /// Invalidates the entry of one call of a method: `arguments` is what the method's key is made of, in order, as a tuple: the
    /// scope of its `self`, then its arguments. Of a generic method, all instances are meant.
    ///
    /// Returns whether there was such an entry.
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
    /// assert!(cachex::installed().invalidate_method("square", (3_u64,))?);
    /// assert!(!cachex::installed().invalidate_method("square", (3_u64,))?);
    /// # Ok::<(), cachex::Error>(())
    /// ```
    pub fn invalidate_method(&self, name: &str, arguments: impl KeyParts) -> Result<bool, Error> {
        self.0.check_name(name)?;
        let mut parts = KeyWriter::new();
        arguments.encode_parts(&mut parts);
        let mut found = false;
        for method in self.0.methods_named(name) {
            found |= self.0.remove(&Key::from_parts(method.region, parts.as_bytes()));
        }
        Ok(found)
    }

    /// Invalidates every entry of a method, of all instances of a generic one.
    ///
    /// # Errors
    ///
    /// No method of that name is annotated or registered.
    pub fn invalidate_method_all(&self, name: &str) -> Result<(), Error> {
        self.0.check_name(name)?;
        self.0.methods_named(name).for_each(|method| self.0.invalidate_method(method));
        Ok(())
    }

    /// Reads the cache's logical clock, which every invalidation moves on. [`begin_load`](Self::begin_load) takes one for a
    /// load of your own.
    #[must_use]
    pub fn stamp(&self) -> Stamp {
        self.0.sequence.now()
    }

    /// Returns what was counted, all methods and the manual API together.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let mut all = Stats::default();
        for method in self.0.methods.iter() {
            all.add(&Stats::read(&method.counters));
        }
        all.entries = self.0.tier.len();
        all.weight = self.0.tier.weight();
        all
    }

    /// Returns the number of tags that are remembered: those that an entry carries, and those invalidated since the last
    /// [`reclaim`](Self::reclaim).
    #[must_use]
    pub fn known_tags(&self) -> usize {
        self.0.tags.len()
    }

    /// Returns the number of keys that are being loaded or waited for.
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
pub trait KeyParts {
    /// Appends the parts one after the other.
    fn encode_parts(&self, out: &mut KeyWriter);
}

macro_rules! key_parts {
    ($(($($name:ident),*);)*) => {$(
        impl<$($name: CacheKey),*> KeyParts for ($($name,)*) {
            #[expect(non_snake_case, reason = "the parts go by the names of their types")]
            fn encode_parts(&self, out: &mut KeyWriter) {
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
    fn encode_parts(&self, _: &mut KeyWriter) {}
}

//! What users ask the index.

use std::time::Duration;

use crate::engine::cache::Cache;
use crate::engine::remote::Remote;
use crate::engine::remote::values::millis;
use crate::error::Error;
use crate::key::Key;
use crate::method::Region;
use crate::store::index::{Index, Page};
use crate::store::{StoreError, StoreErrorKind};
use crate::tag::Tag;
use crate::tier::remote::name;

/// The index of the second tier: which keys have a tag, and which tags a key has. See [`Cache::tag_index`].
///
/// It is kept in the background, by the processes that have `remote.index` on, and remembers a key for `remote.index_ttl` at most. So a key may not be in it yet, or not any more,
/// and one that is in it may have no value any more. Nothing that a cache answers depends on it.
///
/// # Errors
///
/// The second tier [could not answer](Error::is_unavailable), or [not in time](Error::is_uncertain).
///
/// # Examples
///
/// All keys of a tag. (Here nobody is at the address.)
///
/// ```
/// use cachex::{Cache, IndexCursor, RedisSettings, RemoteSettings};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), cachex::Error> {
/// # #[cfg(feature = "redis")]
/// # {
/// let mut remote = RemoteSettings::default();
/// remote.index = true;
/// let cache = Cache::builder().redis(RedisSettings::new("redis://localhost:1")).remote(remote).build()?;
/// let index = cache.tag_index()?;
/// let mut next = Some(IndexCursor::default());
/// while let Some(from) = next {
///     match index.keys("users", from).await {
///         Ok(page) => {
///             for key in &page.items {
///                 println!("{} for {:?}", key.name, key.left);
///             }
///             next = page.next;
///         }
///         Err(error) => {
///             assert!(error.is_unavailable());
///             break;
///         }
///     }
/// }
/// # }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct TagIndex<'c> {
    cache: &'c Cache,
    remote: &'c Remote,
    store: &'c dyn Index,
}

/// A place in a listing. The default is its beginning.
///
/// # Examples
///
/// ```
/// use cachex::IndexCursor;
///
/// assert_eq!(IndexCursor::default(), IndexCursor::default());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IndexCursor(u64);

/// A part of a listing: about `remote.index_batch` items, or none. What is there all the time is in some part, and may be in two.
///
/// # Examples
///
/// ```
/// use cachex::{IndexPage, IndexedKey};
///
/// assert!(IndexPage::<IndexedKey>::default().next.is_none());
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct IndexPage<T> {
    /// What is listed.
    pub items: Vec<T>,
    /// Where the listing goes on; nothing if that was all.
    pub next: Option<IndexCursor>,
}

impl<T> Default for IndexPage<T> {
    fn default() -> Self {
        Self { items: Vec::new(), next: None }
    }
}

/// A key that the index knows.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use cachex::IndexedKey;
///
/// let key = IndexedKey::default();
/// assert_eq!((key.key, key.left), (None, Duration::ZERO));
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct IndexedKey {
    /// What it is called in the store: what of it is short and safe to show, and a digest.
    pub name: String,
    /// The key, if its method was used in this process.
    pub key: Option<Key>,
    /// How long it is still remembered.
    pub left: Duration,
}

/// A tag that the index knows.
///
/// # Examples
///
/// ```
/// assert_eq!(cachex::IndexedTag::new("users", 2).keys, 2);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct IndexedTag {
    /// The tag.
    pub tag: Tag,
    /// Keys that have it.
    pub keys: u64,
}

impl IndexedTag {
    /// Makes one.
    ///
    /// # Examples
    ///
    /// ```
    /// assert_eq!(cachex::IndexedTag::new("users", 2).tag.as_str(), "users");
    /// ```
    #[must_use]
    pub fn new(tag: impl Into<Tag>, keys: u64) -> Self {
        Self { tag: tag.into(), keys }
    }
}

/// How large the index is.
///
/// # Examples
///
/// ```
/// let stats = cachex::IndexStats::default();
/// assert_eq!((stats.tags, stats.keys, stats.mappings), (0, 0, 0));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct IndexStats {
    /// Tags.
    pub tags: u64,
    /// Keys that have tags.
    pub keys: u64,
    /// Pairs of a key and one of its tags.
    pub mappings: u64,
}

impl Cache {
    /// Returns the index of the second tier: which keys have a tag, and which tags a key has. It is kept in Redis where `remote.index` is on.
    ///
    /// # Errors
    ///
    /// There is [none](Error::is_unsupported); the error says what to do.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::{Cache, RedisSettings};
    ///
    /// # #[cfg(feature = "redis")]
    /// # {
    /// let cache = Cache::builder().redis(RedisSettings::new("redis://localhost:1")).build()?;
    /// let error = cache.tag_index().unwrap_err();
    /// assert!(error.is_unsupported());
    /// assert_eq!(error.to_string(), "the index of the second tier is off; write `index = true` under `[remote]`");
    /// # }
    /// # Ok::<(), cachex::Error>(())
    /// ```
    pub fn tag_index(&self) -> Result<TagIndex<'_>, Error> {
        let Some(remote) = &self.engine().remote else {
            return Err(Error::no_index("there is no second tier that could have an index; use redis as one"));
        };
        let Some(store) = remote.store.index() else {
            return Err(Error::no_index("the store of the second tier keeps no index; use redis for one"));
        };
        if remote.index.is_none() {
            return Err(Error::no_index("the index of the second tier is off; write `index = true` under `[remote]`"));
        }
        Ok(TagIndex { cache: self, remote, store })
    }
}

impl TagIndex<'_> {
    /// Lists keys that have a tag.
    ///
    /// # Errors
    ///
    /// As of [all questions](Self).
    ///
    /// # Examples
    ///
    /// ```
    /// # use cachex::{Cache, IndexCursor, RedisSettings, RemoteSettings};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), cachex::Error> {
    /// # #[cfg(feature = "redis")]
    /// # {
    /// # let mut remote = RemoteSettings::default();
    /// # remote.index = true;
    /// // Nobody is there.
    /// let cache = Cache::builder().redis(RedisSettings::new("redis://localhost:1")).remote(remote).build()?;
    /// let page = cache.tag_index()?.keys("users", IndexCursor::default()).await;
    /// assert!(page.unwrap_err().is_unavailable());
    /// # }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn keys(&self, tag: &str, from: IndexCursor) -> Result<IndexPage<IndexedKey>, Error> {
        let engine = self.cache.engine();
        // Keys by hand are known also where none was used yet.
        let _met = engine.method(Region::manual());
        let page = self.answer(self.store.keys(tag, from.0, self.batch()).await)?;
        let (names, next) = self.current(page);
        let keys: Vec<_> = names.iter().map(|(name, _)| name.clone()).collect();
        let notes = self.answer(self.store.notes(&keys).await)?;
        let items = names.into_iter().zip(notes).map(|((name, left), note)| {
            let key = note.and_then(|note| engine.keys_of(&note.method, &note.arguments).into_iter().next());
            // A note may be of another program, or lie: a key that is none of this name is not told.
            let key = key.filter(|key| *crate::tier::remote::name::name(key.at()) == *name);
            IndexedKey { name: name.into(), key, left }
        });
        Ok(IndexPage { items: items.collect(), next })
    }

    /// Lists tags, and how many keys each has.
    ///
    /// # Errors
    ///
    /// As of [all questions](Self).
    ///
    /// # Examples
    ///
    /// ```
    /// # use cachex::{Cache, IndexCursor, RedisSettings, RemoteSettings};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), cachex::Error> {
    /// # #[cfg(feature = "redis")]
    /// # {
    /// # let mut remote = RemoteSettings::default();
    /// # remote.index = true;
    /// // Nobody is there.
    /// let cache = Cache::builder().redis(RedisSettings::new("redis://localhost:1")).remote(remote).build()?;
    /// assert!(cache.tag_index()?.tags(IndexCursor::default()).await.is_err());
    /// # }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn tags(&self, from: IndexCursor) -> Result<IndexPage<IndexedTag>, Error> {
        let page = self.answer(self.store.tags(from.0, self.batch()).await)?;
        let (names, next) = self.current(page);
        let tags: Vec<_> = names.into_iter().map(|(name, _)| name).collect();
        let counts = self.answer(self.store.counts(&tags).await)?;
        let items = tags.into_iter().zip(counts).filter(|(_, keys)| *keys > 0);
        Ok(IndexPage { items: items.map(|(tag, keys)| IndexedTag::new(String::from(tag), keys)).collect(), next })
    }

    /// Returns the tags of a key; none if it is not known.
    ///
    /// # Errors
    ///
    /// As of [all questions](Self).
    ///
    /// # Examples
    ///
    /// ```
    /// # use cachex::{Cache, Key, RedisSettings, RemoteSettings};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), cachex::Error> {
    /// # #[cfg(feature = "redis")]
    /// # {
    /// # let mut remote = RemoteSettings::default();
    /// # remote.index = true;
    /// // Nobody is there.
    /// let cache = Cache::builder().redis(RedisSettings::new("redis://localhost:1")).remote(remote).build()?;
    /// assert!(cache.tag_index()?.tags_of(&Key::new("a")).await.is_err());
    /// # }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn tags_of(&self, key: &Key) -> Result<Vec<Tag>, Error> {
        let notes = self.answer(self.store.notes(&[name::name(key.at()).into()]).await)?;
        let tags = notes.into_iter().flatten().flat_map(|note| note.tags);
        Ok(tags.map(|tag| Tag::from(String::from(tag))).collect())
    }

    /// Returns how many keys have a tag; those that have expired of late may count.
    ///
    /// # Errors
    ///
    /// As of [all questions](Self).
    ///
    /// # Examples
    ///
    /// ```
    /// # use cachex::{Cache, RedisSettings, RemoteSettings};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), cachex::Error> {
    /// # #[cfg(feature = "redis")]
    /// # {
    /// # let mut remote = RemoteSettings::default();
    /// # remote.index = true;
    /// // Nobody is there.
    /// let cache = Cache::builder().redis(RedisSettings::new("redis://localhost:1")).remote(remote).build()?;
    /// assert!(cache.tag_index()?.count("users").await.is_err());
    /// # }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn count(&self, tag: &str) -> Result<u64, Error> {
        Ok(self.answer(self.store.counts(&[tag.into()]).await)?.into_iter().sum())
    }

    /// Counts what the index has. It walks over all tags, and over all keys that the servers have, whatever they are of, in short steps: this takes time.
    ///
    /// # Errors
    ///
    /// As of [all questions](Self).
    ///
    /// # Examples
    ///
    /// ```
    /// # use cachex::{Cache, RedisSettings, RemoteSettings};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), cachex::Error> {
    /// # #[cfg(feature = "redis")]
    /// # {
    /// # let mut remote = RemoteSettings::default();
    /// # remote.index = true;
    /// // Nobody is there.
    /// let cache = Cache::builder().redis(RedisSettings::new("redis://localhost:1")).remote(remote).build()?;
    /// assert!(cache.tag_index()?.stats().await.is_err());
    /// # }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn stats(&self) -> Result<IndexStats, Error> {
        let mut stats = IndexStats::default();
        let mut next = Some(IndexCursor::default());
        while let Some(from) = next {
            let page = self.tags(from).await?;
            stats.tags += page.items.len() as u64;
            stats.mappings += page.items.iter().map(|tag| tag.keys).sum::<u64>();
            next = page.next;
        }
        stats.keys = self.answer(self.store.len().await)?;
        Ok(stats)
    }

    fn batch(&self) -> usize {
        self.remote.index.as_ref().map_or(1, |index| index.rules.batch)
    }

    /// Returns what of a page has not expired, and for how long, and where the next one begins.
    fn current(&self, page: Page) -> (Vec<(Box<str>, Duration)>, Option<IndexCursor>) {
        let now = millis(self.cache.engine().clock().unix_time());
        let left = |(name, until): (Box<str>, u64)| {
            until.checked_sub(now).filter(|left| *left > 0).map(|left| (name, Duration::from_millis(left)))
        };
        let next = (page.next != 0).then_some(IndexCursor(page.next));
        (page.names.into_iter().filter_map(left).collect(), next)
    }

    fn answer<T>(&self, answer: Result<T, StoreError>) -> Result<T, Error> {
        answer.map_err(|failed| match failed.kind() {
            StoreErrorKind::Unknown => Error::uncertain(failed),
            _ => Error::unavailable(failed),
        })
    }
}

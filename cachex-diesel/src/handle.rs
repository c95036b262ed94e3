//! What connections share: the cache, and what is known of the tables.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use cachex::{Cache, Delivery, Fence, Tag, Tags};
use diesel::QueryResult;
use diesel::result::Error;
use foldhash::fast::RandomState;

use crate::analyses::Analyses;
use crate::builder::DieselCacheBuilder;
use crate::event::{DieselEvent, Observer};
use crate::lex::{Name, Writes};
use crate::registry::Registry;
use crate::row;
use crate::stats::{Counters, DieselStats};

/// What is done with a statement of which it is not known what it writes: `CALL`, `DO`, `EXECUTE`, and whatever is no SQL that is known.
///
/// # Examples
///
/// ```
/// use cachex_diesel::OnUnknown;
///
/// assert_eq!(OnUnknown::default(), OnUnknown::InvalidateAll);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnUnknown {
    /// All queries are invalidated, and what depends on a table, or view, that is registered.
    #[default]
    InvalidateAll,
    /// It is refused, with [`diesel::result::Error::QueryBuilderError`].
    Refuse,
    /// It counts as one that writes nothing. What it writes stays in the cache as it was: only for statements that are known better than that.
    Ignore,
}

/// What is done while the second tier of the cache, where there is one, does not take invalidations, as far as is known.
///
/// # Examples
///
/// ```
/// use cachex_diesel::OnCacheError;
///
/// assert_eq!(OnCacheError::default(), OnCacheError::Bypass);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnCacheError {
    /// The database is written and read as if there were no cache. What is written is told to the second tier once that is back; until then other processes may answer from what
    /// they have in memory, for as long as the cache bounds that (`outage_ttl`).
    #[default]
    Bypass,
    /// Writes, and queries that are to be kept, are refused before they are sent, with [`diesel::result::Error::QueryBuilderError`]: for programs that would rather not write what other
    /// processes can't be told of, and whose database does not bear all that the cache answers. What begins and ends transactions is never refused, nor is what is read directly. A write that has
    /// begun before is not undone: what it wrote is told as with [`Bypass`](Self::Bypass).
    Refuse,
}

/// What others see of a write between its commit and its invalidation. Whoever writes never sees anything from before.
///
/// # Examples
///
/// ```
/// use cachex_diesel::Consistency;
///
/// assert_eq!(Consistency::default(), Consistency::AfterCommit);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Consistency {
    /// They may be answered from before the write, until the invalidation that follows the commit: some microseconds, or with a second tier the time to its server and back. So who reads the new rows
    /// from the database, and then the same from the cache, may see the old ones once more.
    #[default]
    AfterCommit,
    /// In this process they are not: while a write, or a commit, is under way nothing answers that depends on what it writes, and the database is asked. A writer without an end counts as done after the
    /// lease. In other processes they may be, as with `AfterCommit`. What it costs: each write makes misses while it lasts.
    Fenced {
        /// How long a write, or a commit, takes at most.
        lease: Duration,
    },
}

/// What cached queries do within a transaction. What they read there is never kept: it may be rolled back, or be from before what others have committed since.
///
/// # Examples
///
/// ```
/// use cachex_diesel::TransactionReads;
///
/// assert_eq!(TransactionReads::default(), TransactionReads::Bypass);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum TransactionReads {
    /// They ask the database.
    #[default]
    Bypass,
    /// They are answered from what is kept, if there is something, and the transaction has written none of the tables that they read; else they ask the database. What they see may have been committed
    /// after the transaction began: that fits `READ COMMITTED`, and not what promises one state of the database for a whole transaction (`REPEATABLE READ`, `SERIALIZABLE`, SQLite).
    ReadClean,
}

/// A cache, and the tables whose writes invalidate what is in it. A cheap handle, shared by all connections.
///
/// # Examples
///
/// ```
/// use cachex::Cache;
/// use cachex_diesel::DieselCache;
///
/// let db = DieselCache::builder(Cache::builder().build()?).table("users", |table| table.tag("people")).build();
/// assert_eq!(db.tables(), ["users"]);
/// # Ok::<(), cachex::Error>(())
/// ```
#[derive(Clone)]
pub struct DieselCache(pub(crate) Arc<Shared>);

pub(crate) struct Shared {
    pub(crate) cache: Cache,
    pub(crate) database: Box<str>,
    pub(crate) registry: RwLock<Registry>,
    /// How often that was changed.
    pub(crate) version: AtomicU64,
    /// What is invalidated where some tables are written in no scope.
    pub(crate) tags: RwLock<HashMap<BTreeSet<Name>, Known, RandomState>>,
    pub(crate) analyses: Analyses,
    pub(crate) on_unknown: OnUnknown,
    pub(crate) on_cache_error: OnCacheError,
    pub(crate) consistency: Consistency,
    pub(crate) transaction_reads: TransactionReads,
    /// How long what was sent, and nobody waited for, may go on in a server after its connection is gone.
    pub(crate) lease: Duration,
    pub(crate) observer: Observer,
    pub(crate) is_introspected: AtomicBool,
    pub(crate) counters: Counters,
}

/// Tags, as the registry had it.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    version: u64,
    tags: Arc<Tags>,
}

/// What a statement invalidates that commits itself, in no scope: remembered with it.
#[derive(Debug, Default)]
pub(crate) struct Alone(RwLock<Option<Known>>);

/// Sets of tables whose tags are remembered.
const MOST_KNOWN: usize = 1024;

impl DieselCache {
    /// Begins to make one over a cache.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::Cache;
    /// use cachex_diesel::DieselCache;
    ///
    /// let db = DieselCache::builder(Cache::builder().build()?).database("main").build();
    /// assert_eq!(db.tag("users").as_str(), "main/users");
    /// # Ok::<(), cachex::Error>(())
    /// ```
    #[must_use]
    pub fn builder(cache: Cache) -> DieselCacheBuilder {
        DieselCacheBuilder::new(cache)
    }

    /// Makes this the one of connections that are [established](diesel::Connection::establish) by themselves, as by a pool.
    ///
    /// # Errors
    ///
    /// There is one already: it is returned.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::Cache;
    /// use cachex_diesel::DieselCache;
    ///
    /// let db = DieselCache::builder(Cache::builder().build()?).build();
    /// assert!(db.clone().install().is_ok());
    /// assert!(db.install().is_err());
    /// # Ok::<(), cachex::Error>(())
    /// ```
    pub fn install(self) -> Result<(), Self> {
        INSTALLED.set(self)
    }

    pub(crate) fn installed() -> Option<Self> {
        INSTALLED.get().cloned()
    }

    /// Returns the cache.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::Cache;
    /// use cachex_diesel::DieselCache;
    ///
    /// let db = DieselCache::builder(Cache::builder().namespace("shop").build()?).build();
    /// assert_eq!(db.cache().namespace(), "shop");
    /// # Ok::<(), cachex::Error>(())
    /// ```
    #[must_use]
    pub fn cache(&self) -> &Cache {
        &self.0.cache
    }

    /// Returns the tables that are registered.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::Cache;
    /// use cachex_diesel::DieselCache;
    ///
    /// let db = DieselCache::builder(Cache::builder().build()?).table("public.\"Users\"", |table| table).build();
    /// assert_eq!(db.tables(), ["users"]);
    /// # Ok::<(), cachex::Error>(())
    /// ```
    #[must_use]
    pub fn tables(&self) -> Vec<String> {
        self.registry().tables().map(|(name, _)| name.to_string()).collect()
    }

    /// Returns the tag of a table: what a method depends on that reads it, as in `#[cached(tags = ["users"])]`. It is the name of the table without its schema, in small
    /// letters; after the name of the [database](DieselCacheBuilder::database) and a `/`, if one is set.
    ///
    /// To invalidate it by hand is not what a write does: queries of rows by their keys do not depend on it where these are invalidated [one by one](crate::TableOptions::rows), and a table may have more tags.
    /// [`invalidate`](Self::invalidate) does all of it.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::Cache;
    /// use cachex_diesel::DieselCache;
    ///
    /// let db = DieselCache::builder(Cache::builder().build()?).build();
    /// assert_eq!(db.tag("public.\"Users\"").as_str(), "users");
    /// # Ok::<(), cachex::Error>(())
    /// ```
    #[must_use]
    pub fn tag(&self, table: &str) -> Tag {
        self.tag_of(&crate::registry::canonical(table), None)
    }

    /// Returns the tag of a row of a table whose rows are invalidated [one by one](crate::TableOptions::rows). What depends on it is to have the tag of any of
    /// its rows, `users#*`, as well: a write that does not say which rows it is about invalidates that one.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::Cache;
    /// use cachex_diesel::DieselCache;
    ///
    /// let db = DieselCache::builder(Cache::builder().build()?).table("users", |table| table.rows("id")).build();
    /// assert_eq!(db.row_tag("users", 7).as_str(), "users#7");
    /// # Ok::<(), cachex::Error>(())
    /// ```
    #[must_use]
    pub fn row_tag(&self, table: &str, key: i64) -> Tag {
        self.tag_of(&row_name(&crate::registry::canonical(table), &key.to_string()), None)
    }

    /// Returns what happened so far.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::Cache;
    /// use cachex_diesel::DieselCache;
    ///
    /// let db = DieselCache::builder(Cache::builder().build()?).build();
    /// db.invalidate(["users"]);
    /// assert_eq!(db.stats().invalidations, 1);
    /// # Ok::<(), cachex::Error>(())
    /// ```
    #[must_use]
    pub fn stats(&self) -> DieselStats {
        self.0.counters.read()
    }

    /// Invalidates what depends on tables, as a write of them does: for what was written around the wrapper.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::{Cache, EntryOptions, Key};
    /// use cachex_diesel::DieselCache;
    ///
    /// let db = DieselCache::builder(Cache::builder().build()?).build();
    /// let key = Key::new("names");
    /// db.cache().blocking().set(&key, 1, &EntryOptions::new().tag(db.tag("users")))?;
    /// db.invalidate(["users"]).wait();
    /// assert!(!db.cache().blocking().exists(&key));
    /// # Ok::<(), cachex::Error>(())
    /// ```
    pub fn invalidate<'a>(&self, tables: impl IntoIterator<Item = &'a str>) -> Delivery {
        let tables = tables.into_iter().map(crate::registry::canonical).collect();
        self.tell(&Writes::Tables(tables), None)
    }

    /// Invalidates what depends on these rows of a table, or on all of them, as a write of them does: for what was written around the wrapper. If its rows are not
    /// invalidated [one by one](crate::TableOptions::rows), it is as [`invalidate`](Self::invalidate).
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::{Cache, EntryOptions, Key};
    /// use cachex_diesel::DieselCache;
    ///
    /// let db = DieselCache::builder(Cache::builder().build()?).table("users", |table| table.rows("id")).build();
    /// for id in [7, 8] {
    ///     let options = EntryOptions::new().tag(db.row_tag("users", id));
    ///     db.cache().blocking().set(&Key::entity("name", &id), "Ada".to_owned(), &options)?;
    /// }
    /// db.invalidate_rows("users", [7]).wait();
    /// assert!(!db.cache().blocking().exists(&Key::entity("name", &7_i64)));
    /// assert!(db.cache().blocking().exists(&Key::entity("name", &8_i64)));
    /// # Ok::<(), cachex::Error>(())
    /// ```
    pub fn invalidate_rows(&self, table: &str, keys: impl IntoIterator<Item = i64>) -> Delivery {
        let table = crate::registry::canonical(table);
        let mut rows = keys.into_iter().map(|key| row::of(&table, key)).chain([row::none_of(&table)]).collect();
        row::bound(&mut rows);
        self.tell(&Writes::Tables(rows), None)
    }

    /// Invalidates what depends on any table of the database.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::{Cache, EntryOptions, Key};
    /// use cachex_diesel::DieselCache;
    ///
    /// let db = DieselCache::builder(Cache::builder().build()?).table("users", |table| table).build();
    /// let key = Key::new("names");
    /// db.cache().blocking().set(&key, 1, &EntryOptions::new().tag(db.tag("users")))?;
    /// db.invalidate_all().wait();
    /// assert!(!db.cache().blocking().exists(&key));
    /// # Ok::<(), cachex::Error>(())
    /// ```
    pub fn invalidate_all(&self) -> Delivery {
        self.tell(&Writes::Unknown, None)
    }

    /// Whether nothing is to be written or kept now.
    ///
    /// # Errors
    ///
    /// It is so.
    // Break this (return) and what other processes can't be told of is written all the same.
    pub(crate) fn check_reach(&self) -> QueryResult<()> {
        if self.0.on_cache_error == OnCacheError::Bypass || self.0.cache.can_deliver() {
            return Ok(());
        }
        self.0.counters.refused.fetch_add(1, Ordering::Relaxed);
        self.0.observer.tell(|| DieselEvent::CacheOutOfReach);
        let why = "the second tier of the cache is out of reach, and `OnCacheError::Refuse` is set: try again when `DieselCache::health` says \
                   that it is connected, or leave it at `OnCacheError::Bypass`";
        Err(Error::QueryBuilderError(why.into()))
    }

    /// Invalidates what was written.
    pub(crate) fn tell(&self, writes: &Writes, scope: Option<&str>) -> Delivery {
        self.0.counters.invalidations.fetch_add(1, Ordering::Relaxed);
        self.0.cache.invalidate_each(&self.tags_of(writes, scope))
    }

    /// As [`tell`](Self::tell), of what a statement wrote, in no scope.
    pub(crate) fn tell_alone(&self, alone: &Alone, writes: &Writes) -> Delivery {
        self.0.counters.invalidations.fetch_add(1, Ordering::Relaxed);
        let known = alone.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.as_ref().filter(|known| known.version == self.version()) {
            return self.0.cache.invalidate_each(&known.tags);
        }
        drop(known);
        // Before: what is changed meanwhile makes them old.
        let version = self.version();
        let tags = self.tags_of(writes, None);
        *alone.0.write().unwrap_or_else(PoisonError::into_inner) = Some(Known { version, tags: tags.clone() });
        self.0.cache.invalidate_each(&tags)
    }

    /// Hides what is being written.
    pub(crate) fn fence(&self, writes: &Writes, scope: Option<&str>, lease: Duration) -> Fence {
        self.0.cache.fence(self.tags_of(writes, scope).iter().cloned(), lease)
    }

    /// Returns what is invalidated by writes.
    fn tags_of(&self, writes: &Writes, scope: Option<&str>) -> Arc<Tags> {
        // Rows are many, and so are scopes.
        let Writes::Tables(tables) = writes else { return self.made_tags_of(writes, scope) };
        if scope.is_some() || tables.iter().any(|name| row::apart(name).1.is_some_and(|key| !key.is_empty())) {
            return self.made_tags_of(writes, scope);
        }
        let known = self.0.tags.read().unwrap_or_else(PoisonError::into_inner).get(tables).cloned();
        if let Some(known) = known.filter(|known| known.version == self.version()) {
            return known.tags;
        }
        // Before: what is changed meanwhile makes them old.
        let version = self.version();
        let tags = self.made_tags_of(writes, None);
        let mut all = self.0.tags.write().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MOST_KNOWN {
            all.clear();
        }
        all.insert(tables.clone(), Known { version, tags: tags.clone() });
        tags
    }

    fn made_tags_of(&self, writes: &Writes, scope: Option<&str>) -> Arc<Tags> {
        let registry = self.registry();
        let mut tags = BTreeSet::new();
        let mut add = |name: &Name, rows: Option<Vec<&str>>| {
            let table = registry.known(name);
            let is_shared = table.is_some_and(|table| table.is_shared);
            let scope = if is_shared { None } else { Some(scope.unwrap_or(ANY_SCOPE)) };
            let mut add = |name: &str| {
                // Also of a scope: an unscoped query may name its tables with their schema.
                tags.insert(self.tag_of(name, None).as_str().to_owned());
                // And one that is in none may write in any.
                tags.extend(scope.map(|scope| self.tag_of(name, Some(scope)).as_str().to_owned()));
            };
            add(name);
            if table.is_some_and(|table| table.key.is_some()) {
                rows.unwrap_or_else(|| vec![row::ANY]).into_iter().for_each(|key| add(&row_name(name, key)));
            }
            tags.extend(table.into_iter().flat_map(|table| &table.tags).map(|tag| tag.as_str().to_owned()));
        };
        let is_all = match writes {
            Writes::Tables(tables) => {
                let written = registry.written(tables);
                written.iter().for_each(|name| add(name, registry.rows(name, tables, &written)));
                !registry.is_known_of(&written)
            }
            Writes::Unknown => true,
        };
        if is_all {
            registry.names().iter().for_each(|name| add(name, None));
            tags.insert(self.tag_of_all().as_str().to_owned());
        }
        Arc::new(tags.into_iter().collect())
    }

    /// Returns the tag of a table as it is seen in a scope.
    pub(crate) fn tag_of(&self, table: &str, scope: Option<&str>) -> Tag {
        let Shared { database, .. } = &*self.0;
        let slash = if database.is_empty() { "" } else { "/" };
        match scope {
            None => format!("{database}{slash}{table}").into(),
            Some(scope) => format!("{database}{slash}{table}@{scope}").into(),
        }
    }

    /// Returns the tag of all queries.
    pub(crate) fn tag_of_all(&self) -> Tag {
        self.tag_of("*", None)
    }

    pub(crate) fn registry(&self) -> std::sync::RwLockReadGuard<'_, Registry> {
        self.0.registry.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes what is known of the tables.
    pub(crate) fn change_registry<T>(&self, change: impl FnOnce(&mut Registry) -> T) -> T {
        let mut registry = self.0.registry.write().unwrap_or_else(PoisonError::into_inner);
        let changed = change(&mut registry);
        // Within the lock, so that what was made of the former one never counts as of this one.
        self.0.version.fetch_add(1, Ordering::SeqCst);
        changed
    }

    /// Returns how often the registry was changed.
    pub(crate) fn version(&self) -> u64 {
        self.0.version.load(Ordering::SeqCst)
    }
}

/// Returns what the tag of a row is made of.
pub(crate) fn row_name(table: &str, key: &str) -> String {
    format!("{table}{}{key}", row::SIGN)
}

/// Stands for all scopes.
pub(crate) const ANY_SCOPE: &str = "*";

static INSTALLED: OnceLock<DieselCache> = OnceLock::new();

impl fmt::Debug for DieselCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DieselCache")
            .field("database", &self.0.database)
            .field("tables", &self.tables())
            .finish_non_exhaustive()
    }
}

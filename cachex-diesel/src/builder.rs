//! What is to be known of a database.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, RwLock};
use std::time::Duration;

use cachex::{Cache, Tag};

use crate::analyses::Analyses;
use crate::event::{DieselEvent, Observer};
use crate::handle::{Consistency, DieselCache, OnCacheError, OnUnknown, Shared, TransactionReads};
use crate::lex::Writes;
use crate::registry::{Registry, Table, canonical};
use crate::stats::Counters;

/// Makes a [`DieselCache`].
///
/// # Examples
///
/// ```
/// use cachex::Cache;
/// use cachex_diesel::DieselCache;
///
/// let db = DieselCache::builder(Cache::builder().build()?)
///     .table("users", |table| table.tag("people"))
///     .view("active_users", ["users"])
///     .cascade("users", ["posts"])
///     .build();
/// assert_eq!(db.tables(), ["users"]);
/// # Ok::<(), cachex::Error>(())
/// ```
#[derive(Debug)]
pub struct DieselCacheBuilder {
    cache: Cache,
    database: Box<str>,
    registry: Registry,
    on_unknown: OnUnknown,
    on_cache_error: OnCacheError,
    consistency: Consistency,
    transaction_reads: TransactionReads,
    lease: Duration,
    observer: Observer,
}

/// How a table is cached; see [`DieselCacheBuilder::table`].
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use cachex::Cache;
/// use cachex_diesel::DieselCache;
///
/// let cache = Cache::builder().build()?;
/// let db = DieselCache::builder(cache)
///     .table("users", |table| table.ttl(Duration::from_secs(60)).tag("people"))
///     .table("audit", |table| table.no_cache())
///     .build();
/// assert_eq!(db.tables(), ["audit", "users"]);
/// # Ok::<(), cachex::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct TableOptions(Table);

impl TableOptions {
    /// Keeps queries of this table for no longer than this.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let options = cachex_diesel::TableOptions::default().ttl(Duration::from_secs(60));
    /// assert!(format!("{options:?}").contains("60s"));
    /// ```
    #[must_use]
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.0.ttl = Some(ttl);
        self
    }

    /// Invalidates this tag as well when the table is written: that of methods, say, which are tagged otherwise.
    ///
    /// # Examples
    ///
    /// ```
    /// let options = cachex_diesel::TableOptions::default().tag("people");
    /// assert!(format!("{options:?}").contains("people"));
    /// ```
    #[must_use]
    pub fn tag(mut self, tag: impl Into<Tag>) -> Self {
        self.0.tags.insert(tag.into());
        self
    }

    /// Keeps no query of this table.
    ///
    /// # Examples
    ///
    /// ```
    /// let options = cachex_diesel::TableOptions::default().no_cache();
    /// assert!(format!("{options:?}").contains("is_left_out: true"));
    /// ```
    #[must_use]
    pub fn no_cache(mut self) -> Self {
        self.0.is_left_out = true;
        self
    }

    /// Has the rows of this table invalidated one by one, by its primary key: a column of integers. A write through Diesel that names them by binds (`find`, `filter(id.eq(…))`,
    /// `filter(id.eq_any(…))`, `save_changes`) then invalidates what was read by these keys, and what depends on the whole table, as lists and counts; what was read by other keys
    /// stays. So does all that was read by a key where rows are inserted. Any other write invalidates all of it, as without this.
    ///
    /// What is cached by hand, or by a method, of one row has two tags for it: `#[cached(tags = ["users#{id}", "users#*"])]`, and where there may be no such row the table's, `users`, as
    /// well.
    ///
    /// It counts on the column being unique, and on no statement changing, or reading, other rows of the table than it names. Of triggers, foreign keys, and `ON CONFLICT REPLACE` in a table of SQLite,
    /// [`introspect`](DieselCache::introspect) or [`cascade`](DieselCacheBuilder::cascade) has to tell; it is not for tables with row level security whose policies read the table.
    ///
    /// All programs that write the table through a wrapper need to have it: one without it tells the others of the table only. And the table's tag alone, invalidated by hand, does not reach what was read by a
    /// key: `db.invalidate(["users"])` does, or the tags `users` and `users#*`. A table whose name has a `#` is invalidated as a whole.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "sqlite")] {
    /// use std::time::Duration;
    ///
    /// use cachex::Cache;
    /// use cachex_diesel::{CachedExt, DieselCache};
    /// use diesel::prelude::*;
    ///
    /// diesel::table! {
    ///     users {
    ///         id -> Integer,
    ///         name -> Text,
    ///     }
    /// }
    ///
    /// let db = DieselCache::builder(Cache::builder().build()?).model::<users::table>(|table| table.rows("id")).build();
    /// let mut connection = db.wrap(SqliteConnection::establish(":memory:")?);
    /// diesel::sql_query("CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL)").execute(&mut connection)?;
    /// diesel::insert_into(users::table).values([users::name.eq("Ada"), users::name.eq("Bob")]).execute(&mut connection)?;
    ///
    /// let mut name = |id: i32, writes: bool| {
    ///     if writes {
    ///         diesel::update(users::table.find(id)).set(users::name.eq("Eve")).execute(&mut connection)?;
    ///     }
    ///     users::table.find(id).select(users::name).cached(Duration::from_secs(60)).first::<String>(&mut connection)
    /// };
    /// assert_eq!((name(1, false)?, name(2, false)?), ("Ada".to_owned(), "Bob".to_owned()));
    /// assert_eq!((name(1, true)?, name(2, false)?), ("Eve".to_owned(), "Bob".to_owned()));
    /// assert_eq!(db.stats().loads, 3);
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn rows(mut self, key: &str) -> Self {
        self.0.key = Some(crate::registry::canonical(key));
        self
    }

    /// Says that all scopes have this table in common: a write in one of them invalidates what others have of it. See
    /// [`CachingConnection::set_cache_scope`](crate::CachingConnection::set_cache_scope).
    ///
    /// # Examples
    ///
    /// ```
    /// let options = cachex_diesel::TableOptions::default().shared();
    /// assert!(format!("{options:?}").contains("is_shared: true"));
    /// ```
    #[must_use]
    pub fn shared(mut self) -> Self {
        self.0.is_shared = true;
        self
    }
}

impl DieselCacheBuilder {
    pub(crate) fn new(cache: Cache) -> Self {
        Self {
            cache,
            database: Box::default(),
            registry: Registry::default(),
            on_unknown: OnUnknown::default(),
            on_cache_error: OnCacheError::default(),
            consistency: Consistency::default(),
            transaction_reads: TransactionReads::default(),
            lease: Duration::from_secs(60),
            observer: Observer::default(),
        }
    }

    /// Names the database, where a cache is used for several: tables of a name are told apart by it. Default: none.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::Cache;
    /// use cachex_diesel::DieselCache;
    ///
    /// let db = DieselCache::builder(Cache::builder().build()?).database("billing").build();
    /// assert_eq!(db.tag("users").as_str(), "billing/users");
    /// # Ok::<(), cachex::Error>(())
    /// ```
    #[must_use]
    pub fn database(mut self, name: &str) -> Self {
        self.database = name.into();
        self
    }

    /// Registers a table: only queries of tables and views that are known are cached, for nobody could say what makes others wrong.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::Cache;
    /// use cachex_diesel::DieselCache;
    ///
    /// let db = DieselCache::builder(Cache::builder().build()?).table("shop.users", |table| table).build();
    /// assert_eq!(db.tables(), ["users"]);
    /// # Ok::<(), cachex::Error>(())
    /// ```
    #[must_use]
    pub fn table(mut self, name: &str, options: impl FnOnce(TableOptions) -> TableOptions) -> Self {
        let table = self.registry.table(name);
        *table = options(TableOptions(table.clone())).0;
        self
    }

    /// As [`table`](Self::table), for a table that Diesel knows.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::Cache;
    /// use cachex_diesel::DieselCache;
    ///
    /// diesel::table! {
    ///     #[sql_name = "Users"]
    ///     people {
    ///         id -> Integer,
    ///     }
    /// }
    ///
    /// let db = DieselCache::builder(Cache::builder().build()?).model::<people::table>(|table| table).build();
    /// assert_eq!(db.tables(), ["users"]);
    /// # Ok::<(), cachex::Error>(())
    /// ```
    #[cfg(any(feature = "sqlite", feature = "postgres-backend", feature = "mysql-backend"))]
    #[must_use]
    pub fn model<T>(self, options: impl FnOnce(TableOptions) -> TableOptions) -> Self
    where
        T: diesel::query_source::Table + Default + diesel::query_builder::QueryFragment<crate::backend::Naming>,
    {
        let name = crate::backend::sql::<crate::backend::Naming, T>(&T::default());
        self.table(&name.unwrap_or_default(), options)
    }

    /// Says what a view reads: a write of that invalidates queries of the view.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::Cache;
    /// use cachex_diesel::DieselCache;
    ///
    /// let db = DieselCache::builder(Cache::builder().build()?).table("users", |table| table).view("names", ["users"]).build();
    /// assert_eq!(db.tables(), ["users"]);
    /// # Ok::<(), cachex::Error>(())
    /// ```
    #[must_use]
    pub fn view<'a>(mut self, name: &str, reads: impl IntoIterator<Item = &'a str>) -> Self {
        self.registry.view(name, reads);
        self
    }

    /// Says that a write of `from` writes these as well: by a foreign key with `ON DELETE CASCADE`, or a trigger.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::{Cache, EntryOptions, Key};
    /// use cachex_diesel::DieselCache;
    ///
    /// let db = DieselCache::builder(Cache::builder().build()?).cascade("users", ["posts"]).build();
    /// let key = Key::new("posts");
    /// db.cache().blocking().set(&key, 1, &EntryOptions::new().tag("posts"))?;
    /// db.invalidate(["users"]).wait();
    /// assert!(!db.cache().blocking().exists(&key));
    /// # Ok::<(), cachex::Error>(())
    /// ```
    #[must_use]
    pub fn cascade<'a>(mut self, from: &str, to: impl IntoIterator<Item = &'a str>) -> Self {
        self.registry.cascade(from, to);
        self
    }

    /// Says that a function writes these tables when it is called in a statement; if none is named, any table.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::Cache;
    /// use cachex_diesel::DieselCache;
    ///
    /// let cache = Cache::builder().build()?;
    /// let db = DieselCache::builder(cache).function("purge_old", ["audit"]).function("rebuild", []).build();
    /// assert!(db.tables().is_empty());
    /// # Ok::<(), cachex::Error>(())
    /// ```
    #[must_use]
    pub fn function<'a>(mut self, name: &str, writes: impl IntoIterator<Item = &'a str>) -> Self {
        let tables: BTreeSet<_> = writes.into_iter().map(canonical).collect();
        let writes = if tables.is_empty() { Writes::Unknown } else { Writes::Tables(tables) };
        self.registry.function(name, writes);
        self
    }

    /// Says that a function reads these tables when it is called in a query: a write of them invalidates it.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "sqlite")] {
    /// use std::time::Duration;
    ///
    /// use cachex::Cache;
    /// use cachex_diesel::{CachedExt, DieselCache};
    /// use diesel::prelude::*;
    ///
    /// const HOUR: Duration = Duration::from_secs(3600);
    /// let cache = Cache::builder().build()?;
    /// let db = DieselCache::builder(cache).table("users", |table| table).function_reads("abs", ["users"]).build();
    /// let mut connection = db.wrap(SqliteConnection::establish(":memory:")?);
    /// let one = || diesel::select(diesel::dsl::sql::<diesel::sql_types::Integer>("abs(-1)")).cached(HOUR);
    /// assert_eq!(one().get_result::<i32>(&mut connection)?, 1);
    /// db.invalidate(["users"]).wait();
    /// assert_eq!(one().get_result::<i32>(&mut connection)?, 1);
    /// assert_eq!(db.stats().loads, 2);
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn function_reads<'a>(mut self, name: &str, reads: impl IntoIterator<Item = &'a str>) -> Self {
        self.registry.reader(name, reads);
        self
    }

    /// Has this called for what nobody may have expected: on the thread of whoever caused it, which it is not to hold up. It is not to use the connection. A panic is caught and ignored.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::Cache;
    /// use cachex_diesel::DieselCache;
    ///
    /// let db = DieselCache::builder(Cache::builder().build()?).on_event(|event| eprintln!("{event}")).build();
    /// assert_eq!(db.stats().unknown, 0);
    /// # Ok::<(), cachex::Error>(())
    /// ```
    #[must_use]
    pub fn on_event(mut self, observer: impl Fn(&DieselEvent) + Send + Sync + 'static) -> Self {
        self.observer = Observer::new(observer);
        self
    }

    /// Says what is done with a statement of which it is not known what it writes.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::Cache;
    /// use cachex_diesel::{DieselCache, OnUnknown};
    ///
    /// let db = DieselCache::builder(Cache::builder().build()?).on_unknown(OnUnknown::Refuse).build();
    /// assert_eq!(db.stats().unknown, 0);
    /// # Ok::<(), cachex::Error>(())
    /// ```
    #[must_use]
    pub fn on_unknown(mut self, on_unknown: OnUnknown) -> Self {
        self.on_unknown = on_unknown;
        self
    }

    /// Says what is done while the second tier of the cache does not take invalidations.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::Cache;
    /// use cachex_diesel::{DieselCache, OnCacheError};
    ///
    /// let db = DieselCache::builder(Cache::builder().build()?).on_cache_error(OnCacheError::Refuse).build();
    /// assert_eq!(db.stats().refused, 0);
    /// # Ok::<(), cachex::Error>(())
    /// ```
    #[must_use]
    pub fn on_cache_error(mut self, on_cache_error: OnCacheError) -> Self {
        self.on_cache_error = on_cache_error;
        self
    }

    /// Says what others see between a commit and its invalidation.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use cachex::Cache;
    /// use cachex_diesel::{Consistency, DieselCache};
    ///
    /// let fenced = Consistency::Fenced { lease: Duration::from_secs(10) };
    /// let db = DieselCache::builder(Cache::builder().build()?).consistency(fenced).build();
    /// assert_eq!(db.stats().invalidations, 0);
    /// # Ok::<(), cachex::Error>(())
    /// ```
    #[must_use]
    pub fn consistency(mut self, consistency: Consistency) -> Self {
        self.consistency = consistency;
        self
    }

    /// Says what cached queries do within a transaction.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::Cache;
    /// use cachex_diesel::{DieselCache, TransactionReads};
    ///
    /// let db = DieselCache::builder(Cache::builder().build()?).transaction_reads(TransactionReads::ReadClean).build();
    /// assert_eq!(db.stats().cached, 0);
    /// # Ok::<(), cachex::Error>(())
    /// ```
    #[must_use]
    pub fn transaction_reads(mut self, transaction_reads: TransactionReads) -> Self {
        self.transaction_reads = transaction_reads;
        self
    }

    /// Says how long a statement may go on in the server after nobody waits for it any more and its connection is gone, as when the future of an async one is dropped, and the connection then. What it
    /// may write is not kept meanwhile, and invalidated at the end. Default: a minute.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use cachex::Cache;
    /// use cachex_diesel::DieselCache;
    ///
    /// let db = DieselCache::builder(Cache::builder().build()?).lease(Duration::from_secs(300)).build();
    /// assert_eq!(db.stats().invalidations, 0);
    /// # Ok::<(), cachex::Error>(())
    /// ```
    #[must_use]
    pub fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    /// Makes it.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::Cache;
    /// use cachex_diesel::DieselCache;
    ///
    /// let db = DieselCache::builder(Cache::builder().build()?).build();
    /// assert!(db.tables().is_empty());
    /// # Ok::<(), cachex::Error>(())
    /// ```
    #[must_use]
    pub fn build(self) -> DieselCache {
        DieselCache(Arc::new(Shared {
            cache: self.cache,
            database: self.database,
            registry: RwLock::new(self.registry),
            version: AtomicU64::new(0),
            tags: RwLock::default(),
            analyses: Analyses::default(),
            on_unknown: self.on_unknown,
            on_cache_error: self.on_cache_error,
            consistency: self.consistency,
            transaction_reads: self.transaction_reads,
            lease: self.lease,
            observer: self.observer,
            is_introspected: AtomicBool::new(false),
            counters: Counters::default(),
        }))
    }
}

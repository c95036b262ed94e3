//! Queries whose rows are kept.

use std::any::type_name;
use std::collections::BTreeSet;
use std::ops::DerefMut;
use std::sync::atomic::Ordering;
use std::time::Duration;

use cachex::{CacheValue, EntryOptions, Key, Tag};
use diesel::QueryResult;
use diesel::connection::{AnsiTransactionManager, Connection};
use diesel::query_builder::{AsQuery, Query, QueryFragment, QueryId};
use diesel::query_dsl::RunQueryDsl;
use diesel::query_dsl::methods::{LimitDsl, LoadQuery};
use diesel::result::{DatabaseErrorKind, Error};

use crate::analyses::Script;
use crate::backend::{CacheBackend, sql};
use crate::connection::CachingConnection;
use crate::event::DieselEvent;
use crate::handle::{ANY_SCOPE, DieselCache, TransactionReads};
use crate::lex::{Name, Writes};
use crate::state::State;
use crate::stats::Reason;

/// A query whose rows are kept, and answer until one of the tables that it reads is written. See [`CachedExt::cached`].
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use cachex_diesel::CachedExt;
///
/// diesel::table! {
///     users {
///         id -> Integer,
///     }
/// }
///
/// let query = users::table.cached(Duration::from_secs(60)).tag("people");
/// assert!(format!("{query:?}").contains("people"));
/// ```
#[derive(Clone, Debug)]
#[must_use = "a query does nothing until it is loaded"]
pub struct Cached<Q> {
    query: Q,
    options: Options,
}

#[derive(Clone, Debug)]
pub(crate) struct Options {
    ttl: Duration,
    tags: Vec<Tag>,
    is_forced: bool,
}

/// Has a query kept.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use cachex_diesel::CachedExt;
///
/// diesel::table! {
///     users {
///         id -> Integer,
///     }
/// }
///
/// let query = users::table.cached(Duration::from_secs(60));
/// assert!(format!("{query:?}").contains("60s"));
/// ```
pub trait CachedExt: AsQuery + Sized {
    /// Keeps the rows of this query for at most so long. They answer the same query, with the same binds and into the same type, on each connection of the
    /// [`DieselCache`], until a table that it reads is written; many who ask at once ask the database once.
    ///
    /// The database is asked, and nothing kept, where that could be wrong: within a transaction; of a query that locks, writes, or gives another result each time
    /// (see [`Cached::force`]); of one that reads something that is not [registered](crate::DieselCacheBuilder::table); after the session was changed, until
    /// [`CachingConnection::set_cache_scope`].
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
    /// const MINUTE: Duration = Duration::from_secs(60);
    /// let db = DieselCache::builder(Cache::builder().build()?).table("users", |table| table).build();
    /// let mut connection = db.wrap(SqliteConnection::establish(":memory:")?);
    /// diesel::sql_query("CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL)").execute(&mut connection)?;
    ///
    /// let names = users::table.select(users::name);
    /// assert!(names.cached(MINUTE).load::<String>(&mut connection)?.is_empty());
    /// diesel::insert_into(users::table).values(users::name.eq("Ada")).execute(&mut connection)?;
    /// assert_eq!(names.cached(MINUTE).load::<String>(&mut connection)?, ["Ada"]);
    /// assert_eq!(names.cached(MINUTE).load::<String>(&mut connection)?, ["Ada"]);
    /// assert_eq!((db.stats().cached, db.stats().loads), (3, 2));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    fn cached(self, ttl: Duration) -> Cached<Self::Query> {
        Cached { query: self.as_query(), options: Options { ttl, tags: Vec::new(), is_forced: false } }
    }
}

impl<Q: AsQuery> CachedExt for Q {}

impl<Q> Cached<Q> {
    /// Invalidates it also with this tag.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use cachex_diesel::CachedExt;
    ///
    /// diesel::table! {
    ///     users {
    ///         id -> Integer,
    ///     }
    /// }
    ///
    /// let query = users::table.cached(Duration::from_secs(60)).tag("reports");
    /// assert!(format!("{query:?}").contains("reports"));
    /// ```
    pub fn tag(mut self, tag: impl Into<Tag>) -> Self {
        self.options.tags.push(tag.into());
        self
    }

    /// Keeps it although it may give another result each time, as with `now()` in it.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use cachex_diesel::CachedExt;
    ///
    /// diesel::table! {
    ///     users {
    ///         id -> Integer,
    ///     }
    /// }
    ///
    /// let query = users::table.cached(Duration::from_secs(60)).force();
    /// assert!(format!("{query:?}").contains("is_forced: true"));
    /// ```
    pub fn force(mut self) -> Self {
        self.options.is_forced = true;
        self
    }

    /// Loads it over a connection that is made, or taken from a pool, only if it has to be asked for: where the cache answers, it is not. It answers as on a connection in no
    /// [scope](CachingConnection::set_cache_scope).
    ///
    /// # Errors
    ///
    /// Those of the query; that there is no connection, as [`DatabaseErrorKind::UnableToSendCommand`].
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(all(feature = "sqlite", feature = "r2d2"))] {
    /// use std::time::Duration;
    ///
    /// use cachex::Cache;
    /// use cachex_diesel::{CachedExt, CachingConnection, DieselCache};
    /// use diesel::prelude::*;
    /// use diesel::r2d2::{ConnectionManager, Pool};
    ///
    /// let db = DieselCache::builder(Cache::builder().build()?).build();
    /// let manager = ConnectionManager::<CachingConnection<SqliteConnection>>::new(":memory:");
    /// let pool = Pool::builder().max_size(1).connection_customizer(Box::new(db.customizer())).build(manager)?;
    ///
    /// let one = || diesel::select(1.into_sql::<diesel::sql_types::Integer>()).cached(Duration::from_secs(60)).tag("one");
    /// assert_eq!(one().load_by::<i32, _, _>(&db, || pool.get())?, [1]);
    /// let _taken = pool.get()?; // the only one
    /// assert_eq!(one().load_by::<i32, _, _>(&db, || pool.get())?, [1]);
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn load_by<'query, U, C, E>(
        self,
        db: &DieselCache,
        connect: impl FnOnce() -> Result<C, E>,
    ) -> QueryResult<Vec<U>>
    where
        C: CacheAware,
        Q: QueryFragment<C::Server> + QueryId + LoadQuery<'query, C, U>,
        U: CacheValue,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let kept = kept_without_connection::<C::Server, Q, U>(db, &self.query, self.options.clone());
        if let Some(Plan { db, key, .. }) = kept
            && let Ok(Some(rows)) = db.0.cache.blocking().get::<Vec<U>>(&key)
        {
            db.0.counters.hit();
            return Ok(rows);
        }
        self.internal_load(&mut connect().map_err(unconnected)?)?.collect()
    }

    #[cfg(feature = "async")]
    pub(crate) fn into_parts(self) -> (Q, Options) {
        (self.query, self.options)
    }

    #[cfg(feature = "async")]
    pub(crate) fn of_parts(query: Q, options: Options) -> Self {
        Self { query, options }
    }
}

/// A connection that knows of a cache: a [`CachingConnection`], or what leads to one, as that of a pool.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "sqlite")] {
/// use cachex_diesel::{CacheAware, CachingConnection};
///
/// fn is_aware<C: CacheAware>() -> bool {
///     true
/// }
///
/// assert!(is_aware::<CachingConnection<diesel::SqliteConnection>>());
/// # }
/// ```
pub trait CacheAware {
    /// The server.
    type Server: CacheBackend;

    #[doc(hidden)]
    fn state(&mut self) -> Seen<'_>;
}

/// What is known of a connection.
#[doc(hidden)]
#[derive(Debug)]
pub struct Seen<'a>(pub(crate) &'a mut State);

impl<C> CacheAware for CachingConnection<C>
where
    C: Connection<TransactionManager = AnsiTransactionManager>,
    C::Backend: CacheBackend,
{
    type Server = C::Backend;

    fn state(&mut self) -> Seen<'_> {
        Seen(&mut self.state)
    }
}

impl<P> CacheAware for P
where
    P: DerefMut,
    P::Target: CacheAware,
{
    type Server = <P::Target as CacheAware>::Server;

    fn state(&mut self) -> Seen<'_> {
        self.deref_mut().state()
    }
}

impl<Q: Query> Query for Cached<Q> {
    type SqlType = Q::SqlType;
}

impl<Q: LimitDsl> LimitDsl for Cached<Q> {
    type Output = Cached<Q::Output>;

    fn limit(self, limit: i64) -> Self::Output {
        Cached { query: self.query.limit(limit), options: self.options }
    }
}

impl<Q, C: CacheAware> RunQueryDsl<C> for Cached<Q> {}

impl<'query, Q, C, U> LoadQuery<'query, C, U> for Cached<Q>
where
    C: CacheAware,
    Q: QueryFragment<C::Server> + QueryId + LoadQuery<'query, C, U>,
    U: CacheValue,
{
    type RowIter<'conn>
        = std::iter::Map<std::vec::IntoIter<U>, fn(U) -> QueryResult<U>>
    where
        C: 'conn;

    fn internal_load(self, connection: &mut C) -> QueryResult<Self::RowIter<'_>> {
        let Self { query, options } = self;
        let plan = plan::<C::Server, Q, U>(connection.state().0, &query, options)?;
        let load = |connection: &mut C| query.internal_load(connection)?.collect::<QueryResult<Vec<U>>>();
        let rows = match plan {
            None => load(connection)?,
            Some(Plan { db, key, is_kept: false, .. }) => match db.0.cache.blocking().get::<Vec<U>>(&key) {
                Ok(Some(rows)) => {
                    db.0.counters.hits.fetch_add(1, Ordering::Relaxed);
                    rows
                }
                _ => {
                    db.0.counters.bypass(Reason::InTransaction);
                    load(connection)?
                }
            },
            Some(Plan { db, key, options, .. }) => {
                let mut is_hit = true;
                let rows = db.0.cache.blocking().get_or_load(&key, &options, || {
                    is_hit = false;
                    db.0.counters.loads.fetch_add(1, Ordering::Relaxed);
                    load(connection)
                })?;
                db.0.counters.hits.fetch_add(u64::from(is_hit), Ordering::Relaxed);
                rows
            }
        };
        Ok(rows.into_iter().map(Ok))
    }
}

/// How a query is kept.
pub(crate) struct Plan {
    pub(crate) db: DieselCache,
    pub(crate) key: Key,
    pub(crate) options: EntryOptions,
    /// Whether what is loaded is kept; else only what is kept already answers.
    pub(crate) is_kept: bool,
}

/// Returns how a query is kept; nothing, if it is not.
pub(crate) fn plan<DB, Q, U>(state: &State, query: &Q, options: Options) -> QueryResult<Option<Plan>>
where
    DB: CacheBackend,
    Q: QueryFragment<DB> + QueryId,
{
    let Some(db) = state.db().cloned() else { return Ok(None) };
    db.0.counters.cached.fetch_add(1, Ordering::Relaxed);
    match plan_of::<DB, Q, U>(state, db.clone(), query, options)? {
        Ok(plan) => Ok(Some(plan)),
        Err(why) => {
            db.0.counters.bypass(why);
            Ok(None)
        }
    }
}

/// Returns how a query is kept on a connection that nothing was done with.
pub(crate) fn kept_without_connection<DB, Q, U>(db: &DieselCache, query: &Q, options: Options) -> Option<Plan>
where
    DB: CacheBackend,
    Q: QueryFragment<DB> + QueryId,
{
    let state = State::new(<DB as crate::backend::sealed::Known>::DIALECT, Some(db.clone()));
    // What goes wrong is told when there is a connection.
    plan_of::<DB, Q, U>(&state, db.clone(), query, options).ok()?.ok()
}

/// Returns the error of a query for which there was no connection.
pub(crate) fn unconnected<E: Into<Box<dyn std::error::Error + Send + Sync>>>(error: E) -> Error {
    let why = error.into().to_string();
    Error::DatabaseError(DatabaseErrorKind::UnableToSendCommand, Box::new(why))
}

fn plan_of<DB, Q, U>(state: &State, db: DieselCache, query: &Q, options: Options) -> QueryResult<Result<Plan, Reason>>
where
    DB: CacheBackend,
    Q: QueryFragment<DB> + QueryId,
{
    let script = state.script::<DB, Q>(query)?;
    let tables = match tables_of(state, &db, &script, &options) {
        Ok(tables) => tables,
        Err(why) => return Ok(Err(why)),
    };
    // What is read in a transaction may be rolled back, or be from before what others have committed since.
    // Break this (say false) and it is kept.
    let is_in_transaction = state.tracker().is_in_transaction();
    if is_in_transaction && !(reads_clean(&db) && is_clean(state, &db, &tables)) {
        return Ok(Err(Reason::InTransaction));
    }
    let key = key::<DB, Q, U>(state, &db, query, &options)?;
    let ttl = db.ttl_of(&tables).map_or(options.ttl, |most| most.min(options.ttl));
    let mut entry = EntryOptions::new().ttl(ttl).tag(db.tag_of_all());
    for table in &tables {
        entry = tags(state, &db, table).into_iter().fold(entry, EntryOptions::tag);
    }
    entry = options.tags.into_iter().fold(entry, EntryOptions::tag);
    Ok(Ok(Plan { key, db, options: entry, is_kept: !is_in_transaction }))
}

/// Returns the tables that a query reads.
///
/// # Errors
///
/// It is not to be kept.
fn tables_of(state: &State, db: &DieselCache, script: &Script, options: &Options) -> Result<BTreeSet<Name>, Reason> {
    let [statement] = &*script.statements else { return Err(Reason::NotPlain) };
    let registry = db.registry();
    let is_own = |name: &Name| statement.own.contains(name);
    let is_known = statement.reads.iter().all(|name| registry.knows(name) || is_own(name));
    let tables = registry.read(&statement.reads);
    let is_left_out = tables.iter().any(|name| registry.known(name).is_some_and(|table| table.is_left_out));
    match () {
        // Of all the reasons this one is told first.
        () if state.tracker().is_in_transaction() && !reads_clean(db) => Err(Reason::InTransaction),
        () if state.is_changed() => Err(Reason::SessionChanged),
        () if !statement.is_plain_query || script.has_effects => Err(Reason::NotPlain),
        () if statement.is_volatile && !options.is_forced => Err(Reason::Volatile),
        () if !is_known => {
            let name = statement.reads.iter().find(|name| !registry.knows(name) && !is_own(name));
            db.0.observer.tell(|| DieselEvent::Unregistered { name: name.cloned().unwrap_or_default() });
            Err(Reason::Unregistered)
        }
        () if is_left_out => Err(Reason::LeftOut),
        () if tables.is_empty() && options.tags.is_empty() => Err(Reason::WithoutTable),
        () => Ok(tables),
    }
}

fn reads_clean(db: &DieselCache) -> bool {
    db.0.transaction_reads == TransactionReads::ReadClean
}

/// Whether the transaction has written none of these.
// Break this (say true) and it does not see what it has written itself.
fn is_clean(state: &State, db: &DieselCache, tables: &BTreeSet<Name>) -> bool {
    match state.tracker().written() {
        Some(Writes::Tables(written)) => {
            let registry = db.registry();
            let written = registry.written(&written);
            registry.is_known_of(&written) && written.is_disjoint(tables)
        }
        Some(Writes::Unknown) | None => false,
    }
}

/// Returns what makes wrong what a connection reads of a table.
fn tags(state: &State, db: &DieselCache, table: &Name) -> Vec<Tag> {
    let is_shared = db.registry().known(table).is_some_and(|table| table.is_shared);
    match state.scope() {
        Some(scope) if !is_shared => vec![db.tag_of(table, Some(scope)), db.tag_of(table, Some(ANY_SCOPE))],
        _ => vec![db.tag_of(table, None)],
    }
}

/// Returns the key: whatever makes the rows, or what they become, another thing.
fn key<DB, Q, U>(state: &State, db: &DieselCache, query: &Q, options: &Options) -> QueryResult<Key>
where
    DB: CacheBackend,
    Q: QueryFragment<DB> + QueryId,
{
    let mut binds = Vec::new();
    DB::binds(query, &mut binds)?;
    let text = sql::<DB, Q>(query)?;
    let parts = (DB::NAME, &*db.0.database, state.scope(), type_name::<U>());
    // Who asks for other tags, or a shorter life, is not answered by what was kept without.
    let mut tags: Vec<_> = options.tags.iter().map(|tag| tag.as_str().to_owned()).collect();
    tags.sort_unstable();
    Ok(Key::composite("diesel", &(parts, (tags, options.ttl), text, binds)))
}

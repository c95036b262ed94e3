//! Models by their types: registered, and invalidated by hand where they are written around the wrapper.

use std::time::Duration;

use cachex::{CacheValue, Delivery, EntryOptions, Key, Tag};
use diesel::associations::HasTable;
use diesel::dsl::Find;
use diesel::query_builder::{Query, QueryFragment, QueryId};
use diesel::query_dsl::methods::{FindDsl, LoadQuery};
use diesel::query_source::Table;
use diesel::{QueryResult, RunQueryDsl};

use crate::backend::{Naming, sql};
use crate::handle::DieselCache;
use crate::query::{CacheAware, CachedExt};
use crate::registry::canonical;

/// Of a table that says nothing of how long it is kept: a thousand years.
const FOREVER: Duration = Duration::from_secs(1_000 * 365 * 24 * 60 * 60);

impl DieselCache {
    /// Registers the table of a model while the program runs: queries of it are kept for at most so long, and a write of it invalidates these tags as well. What was said of the table before
    /// (that nothing is to be kept, say) stays, but for the time; tags are added.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use cachex::{Cache, EntryOptions, Key};
    /// use cachex_diesel::DieselCache;
    ///
    /// diesel::table! {
    ///     users {
    ///         id -> Integer,
    ///     }
    /// }
    ///
    /// let db = DieselCache::builder(Cache::builder().build()?).build();
    /// db.register_model_with_defaults::<users::table>(Duration::from_secs(60), ["people"]);
    /// assert_eq!(db.tables(), ["users"]);
    ///
    /// let key = Key::new("how many");
    /// db.cache().blocking().set(&key, 1, &EntryOptions::new().tag("people"))?;
    /// db.invalidate(["users"]).wait();
    /// assert!(!db.cache().blocking().exists(&key));
    /// # Ok::<(), cachex::Error>(())
    /// ```
    pub fn register_model_with_defaults<T>(&self, ttl: Duration, tags: impl IntoIterator<Item = impl Into<Tag>>)
    where
        T: Table + Default + QueryFragment<Naming>,
    {
        self.change_registry(|registry| {
            let table = registry.table(&name(&T::default()));
            table.ttl = Some(ttl);
            table.tags.extend(tags.into_iter().map(Into::into));
        });
    }

    /// Invalidates what a new row makes wrong, where it was written around the wrapper: by another program that told of it, say. At once, also within a transaction; of what is written
    /// through a [`CachingConnection`](crate::CachingConnection), nothing need be said.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::{Cache, EntryOptions, Key};
    /// use cachex_diesel::DieselCache;
    /// use diesel::prelude::*;
    ///
    /// diesel::table! {
    ///     users {
    ///         id -> Integer,
    ///     }
    /// }
    ///
    /// #[derive(Identifiable)]
    /// struct User {
    ///     id: i32,
    /// }
    ///
    /// let db = DieselCache::builder(Cache::builder().build()?).build();
    /// let key = Key::new("how many");
    /// db.cache().blocking().set(&key, 1, &EntryOptions::new().tag(db.tag("users")))?;
    /// db.invalidate_on_create(&User { id: 7 }).wait();
    /// assert!(!db.cache().blocking().exists(&key));
    /// # Ok::<(), cachex::Error>(())
    /// ```
    pub fn invalidate_on_create<M>(&self, _model: &M) -> Delivery
    where
        M: HasTable<Table: QueryFragment<Naming>>,
    {
        // No row that was there is another one for that.
        self.invalidate_rows(&name(&M::table()), [])
    }

    /// As [`invalidate_on_create`](Self::invalidate_on_create), of a row that was changed. Where rows are invalidated one by one, all of the table are;
    /// [`invalidate_rows`](Self::invalidate_rows) leaves others.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::{Cache, EntryOptions, Key};
    /// use cachex_diesel::DieselCache;
    /// use diesel::prelude::*;
    ///
    /// diesel::table! {
    ///     users {
    ///         id -> Integer,
    ///     }
    /// }
    ///
    /// #[derive(Identifiable)]
    /// struct User {
    ///     id: i32,
    /// }
    ///
    /// let db = DieselCache::builder(Cache::builder().build()?).build();
    /// let key = Key::new("names");
    /// db.cache().blocking().set(&key, 1, &EntryOptions::new().tag(db.tag("users")))?;
    /// db.invalidate_on_update(&User { id: 7 }).wait();
    /// assert!(!db.cache().blocking().exists(&key));
    /// # Ok::<(), cachex::Error>(())
    /// ```
    pub fn invalidate_on_update<M>(&self, model: &M) -> Delivery
    where
        M: HasTable<Table: QueryFragment<Naming>>,
    {
        self.invalidate_table_of(model)
    }

    /// As [`invalidate_on_update`](Self::invalidate_on_update), of a row that is gone.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::{Cache, EntryOptions, Key};
    /// use cachex_diesel::DieselCache;
    /// use diesel::prelude::*;
    ///
    /// diesel::table! {
    ///     users {
    ///         id -> Integer,
    ///     }
    /// }
    ///
    /// #[derive(Identifiable)]
    /// struct User {
    ///     id: i32,
    /// }
    ///
    /// let db = DieselCache::builder(Cache::builder().build()?).build();
    /// let key = Key::new("names");
    /// db.cache().blocking().set(&key, 1, &EntryOptions::new().tag(db.tag("users")))?;
    /// db.invalidate_on_delete(&User { id: 7 }).wait();
    /// assert!(!db.cache().blocking().exists(&key));
    /// # Ok::<(), cachex::Error>(())
    /// ```
    pub fn invalidate_on_delete<M>(&self, model: &M) -> Delivery
    where
        M: HasTable<Table: QueryFragment<Naming>>,
    {
        self.invalidate_table_of(model)
    }

    /// Returns the row of a key: from the cache, or from the database, whose row is kept as long as its table says, until it is written. The same query, written out, with
    /// [`cached`](crate::CachedExt::cached) does that as well.
    ///
    /// # Errors
    ///
    /// Those of the query.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "sqlite")] {
    /// use cachex::Cache;
    /// use cachex_diesel::DieselCache;
    /// use diesel::connection::SimpleConnection;
    /// use diesel::prelude::*;
    /// use serde::{Deserialize, Serialize};
    ///
    /// diesel::table! {
    ///     users {
    ///         id -> Integer,
    ///         name -> Text,
    ///     }
    /// }
    ///
    /// #[derive(Clone, Debug, Deserialize, PartialEq, Queryable, Serialize)]
    /// struct User {
    ///     id: i32,
    ///     name: String,
    /// }
    ///
    /// let db = DieselCache::builder(Cache::builder().build()?).model::<users::table>(|table| table).build();
    /// let mut connection = db.wrap(SqliteConnection::establish(":memory:")?);
    /// connection.batch_execute("CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL); INSERT INTO users VALUES (1, 'Ada')")?;
    /// for _ in 0..2 {
    ///     let ada = db.read_through::<users::table, User, _, _>(&mut connection, 1)?;
    ///     assert_eq!(ada.map(|user| user.name), Some("Ada".to_owned()));
    ///     assert_eq!(db.read_through::<users::table, User, _, _>(&mut connection, 2)?, None);
    /// }
    /// assert_eq!(db.stats().loads, 2);
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn read_through<'query, T, M, I, C>(&self, connection: &mut C, id: I) -> QueryResult<Option<M>>
    where
        T: Table + Default + QueryFragment<Naming> + FindDsl<I>,
        Find<T, I>: Query + QueryFragment<C::Server> + QueryId + LoadQuery<'query, C, M>,
        C: CacheAware,
        M: CacheValue,
    {
        let ttl = self.registry().ttl_of([&canonical(&name(&T::default()))]).unwrap_or(FOREVER);
        let mut rows = FindDsl::find(T::default(), id).cached(ttl).load::<M>(connection)?;
        Ok(rows.pop())
    }

    /// Keeps what `load` returns for at most so long, and until one of these tables is written: what is made of several queries, say. `load` is run once for all who ask at once. It is not to be called within a
    /// transaction: what is read there may be rolled back.
    ///
    /// # Errors
    ///
    /// That of `load`; it is not kept.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use cachex::{Cache, Key};
    /// use cachex_diesel::DieselCache;
    ///
    /// let db = DieselCache::builder(Cache::builder().build()?).build();
    /// let report = || {
    ///     let load = || diesel::QueryResult::Ok("made of two queries".to_owned());
    ///     db.cache_query_result(&Key::new("report"), Duration::from_secs(60), ["users", "posts"], load)
    /// };
    /// assert_eq!(report()?, report()?);
    /// db.invalidate(["posts"]).wait();
    /// assert_eq!(report()?, "made of two queries");
    /// assert_eq!(db.cache().stats().loads, 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn cache_query_result<'a, R, E>(
        &self,
        key: &Key,
        ttl: Duration,
        tables: impl IntoIterator<Item = &'a str>,
        load: impl FnOnce() -> Result<R, E>,
    ) -> Result<R, E>
    where
        R: CacheValue,
    {
        let tags = tables.into_iter().map(|table| self.tag(table));
        let options = tags.fold(EntryOptions::new().ttl(ttl).tag(self.tag_of_all()), EntryOptions::tag);
        self.cache().blocking().get_or_load(key, &options, load)
    }

    /// Which row it was is not known: a model may have a key of any type.
    fn invalidate_table_of<M>(&self, _model: &M) -> Delivery
    where
        M: HasTable<Table: QueryFragment<Naming>>,
    {
        self.invalidate([&*name(&M::table())])
    }
}

/// Returns how a table is written in SQL.
fn name<T: QueryFragment<Naming>>(table: &T) -> String {
    sql::<Naming, T>(table).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    diesel::table! {
        users {
            id -> Integer,
        }
    }

    #[test]
    fn tags_of_a_model_that_is_registered_again_are_those_it_has() {
        let db = DieselCache::builder(cachex::Cache::builder().build().unwrap()).build();
        for tag in ["people", "names", "people"] {
            db.register_model_with_defaults::<users::table>(FOREVER, [tag]);
        }
        assert_eq!(db.registry().known("users").map(|table| table.tags.len()), Some(2));
    }
}

//! Models by their types: registered, and invalidated by hand where they are written around the wrapper.

use std::sync::PoisonError;
use std::time::Duration;

use cachex::{Delivery, Tag};
use diesel::associations::HasTable;
use diesel::query_builder::QueryFragment;
use diesel::query_source::Table;

use crate::backend::{Naming, sql};
use crate::handle::DieselCache;

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
        let mut registry = self.0.registry.write().unwrap_or_else(PoisonError::into_inner);
        let table = registry.table(&name(&T::default()));
        table.ttl = Some(ttl);
        table.tags.extend(tags.into_iter().map(Into::into));
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
    pub fn invalidate_on_create<M>(&self, model: &M) -> Delivery
    where
        M: HasTable<Table: QueryFragment<Naming>>,
    {
        self.invalidate_table_of(model)
    }

    /// As [`invalidate_on_create`](Self::invalidate_on_create), of a row that was changed.
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

    /// As [`invalidate_on_create`](Self::invalidate_on_create), of a row that is gone.
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

    /// Which row it was does not matter, as long as tables are the smallest thing that has a tag.
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

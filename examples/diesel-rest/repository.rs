//! The posts, as the rest of the program sees them. Methods that read are annotated, with the tables that they read as tags. Methods that write are not: the connection sees what is
//! written, and invalidates it when it is committed.

use std::sync::Arc;

use cachex::{Cache, CacheScope, MethodSettings, cached};
use cachex_diesel::DieselCache;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::r2d2::ManageConnection;
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::database::{AnyConnection, Connector, Place, Pool};
use crate::schema::{REMOVE, posts, revisions};

/// How many posts are listed.
pub(crate) const LISTED: usize = 20;
const CONNECTIONS: u32 = 4;

#[derive(Clone, Debug, PartialEq, Queryable, Selectable, Serialize, Deserialize)]
pub(crate) struct Post {
    pub(crate) id: i32,
    pub(crate) title: String,
    pub(crate) body: String,
    pub(crate) edits: i32,
}

#[derive(Clone, Debug, PartialEq, Queryable, Selectable, Serialize, Deserialize)]
pub(crate) struct Revision {
    pub(crate) number: i32,
    pub(crate) title: String,
}

/// What is written.
#[derive(Clone, Debug, Insertable, AsChangeset, Serialize, Deserialize)]
#[diesel(table_name = posts)]
pub(crate) struct Draft {
    pub(crate) title: String,
    pub(crate) body: String,
}

/// What the cache did so far.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Numbers {
    pub(crate) hits: u64,
    pub(crate) misses: u64,
    /// How often a method read from the database.
    pub(crate) loads: u64,
    pub(crate) hit_rate: f64,
    /// Writes that invalidated something.
    pub(crate) invalidations: u64,
}

/// Whether the methods are cached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Caching {
    On,
    Off,
}

/// Which tables a database may have in the beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tables {
    /// Those that are missing are made.
    Any,
    /// None of ours.
    New,
}

/// The posts of a database.
#[derive(Clone, CacheScope)]
pub(crate) struct Posts {
    #[scope(cache)]
    cache: Cache,
    db: DieselCache,
    pool: Pool,
}

impl Posts {
    /// Opens a database, with the tables in it.
    pub(crate) fn open(place: &Place, tables: Tables, caching: Caching) -> Result<Self, Error> {
        // In a configuration file this is `[defaults]` with `enabled = false`.
        let settings = MethodSettings::new().enabled(caching == Caching::On);
        let cache = Cache::builder().namespace("diesel-rest").defaults(settings).build()?;
        let db = DieselCache::builder(cache.clone()).build();
        let connector = Connector::new(place.clone(), db.clone());
        // Before the pool is there, which tries again and again.
        let connected = connector.connect();
        let mut connection = connected.map_err(|error| format!("{place} can't be opened: {error}"))?;
        connection.introspect(&db)?;
        let is_ours = |table: &String| ["posts", "revisions"].contains(&table.as_str());
        if tables == Tables::New && db.tables().iter().any(is_ours) {
            return Err(format!("{place} has a table `posts` or `revisions` already; give a database without").into());
        }
        connection.make_tables()?;
        connection.introspect(&db)?;
        let pool = Pool::builder().max_size(CONNECTIONS).build(connector)?;
        Ok(Self { cache, db, pool })
    }

    /// Removes the tables, and all that is in them.
    pub(crate) fn remove_tables(&self) -> Result<(), Error> {
        Ok(self.pool.get()?.batch_execute(REMOVE)?)
    }

    /// Returns the newest posts.
    #[cached(ttl = "5m", tags = ["posts"])]
    pub(crate) async fn newest(&self) -> Result<Arc<[Post]>, Error> {
        let read = |connection: &mut AnyConnection| {
            let newest = posts::table.order(posts::id.desc()).limit(LISTED as i64);
            newest.select(Post::as_select()).load(connection)
        };
        Ok(self.blocking(read).await?.into())
    }

    /// Returns one post. That there is none is kept as well: who writes it invalidates that too.
    #[cached(ttl = "5m", negative_ttl = "5m", tags = ["posts"])]
    pub(crate) async fn find(&self, id: i32) -> Result<Option<Post>, Error> {
        let read = move |connection: &mut AnyConnection| {
            posts::table.find(id).select(Post::as_select()).first(connection).optional()
        };
        self.blocking(read).await
    }

    /// Returns what a post was called after each edit. No method that deletes posts names this tag: that they take their revisions with them, the database says.
    #[cached(ttl = "5m", tags = ["revisions"])]
    pub(crate) async fn revisions(&self, id: i32) -> Result<Arc<[Revision]>, Error> {
        let read = move |connection: &mut AnyConnection| {
            let of_post = revisions::table.filter(revisions::post_id.eq(id)).order(revisions::number);
            of_post.select(Revision::as_select()).load(connection)
        };
        Ok(self.blocking(read).await?.into())
    }

    pub(crate) async fn create(&self, draft: Draft) -> Result<Post, Error> {
        let write = move |connection: &mut AnyConnection| {
            let insert = diesel::insert_into(posts::table).values(&draft);
            insert.returning(posts::all_columns).get_result(connection)
        };
        self.blocking(write).await
    }

    /// Writes both tables; they are invalidated as one, once both are committed. Returns nothing if there is no such post.
    pub(crate) async fn update(&self, id: i32, draft: Draft) -> Result<Option<Post>, Error> {
        let write = move |connection: &mut AnyConnection| {
            connection.transaction(|connection| {
                let update = diesel::update(posts::table.find(id)).set((&draft, posts::edits.eq(posts::edits + 1)));
                let post: Option<Post> = update.returning(posts::all_columns).get_result(connection).optional()?;
                if let Some(post) = &post {
                    let revision =
                        (revisions::post_id.eq(id), revisions::number.eq(post.edits), revisions::title.eq(&post.title));
                    diesel::insert_into(revisions::table).values(revision).execute(connection)?;
                }
                Ok(post)
            })
        };
        self.blocking(write).await
    }

    /// Returns whether there was such a post.
    pub(crate) async fn delete(&self, id: i32) -> Result<bool, Error> {
        let write = move |connection: &mut AnyConnection| diesel::delete(posts::table.find(id)).execute(connection);
        Ok(self.blocking(write).await? > 0)
    }

    pub(crate) fn numbers(&self) -> Numbers {
        let stats = self.cache.stats();
        Numbers {
            hits: stats.hits,
            misses: stats.misses,
            // With the cache off nothing is loaded into it: each call reads.
            loads: stats.loads + stats.bypasses,
            hit_rate: stats.hit_rate(),
            invalidations: self.db.stats().invalidations,
        }
    }

    /// Diesel blocks, and so it must not run where the tasks run. A hit does not come here; and what was begun here goes on when nobody waits for it any more: a write invalidates what it wrote
    /// all the same.
    async fn blocking<R: Send + 'static>(
        &self,
        work: impl FnOnce(&mut AnyConnection) -> QueryResult<R> + Send + 'static,
    ) -> Result<R, Error> {
        let pool = self.pool.clone();
        tokio::task::spawn_blocking(move || Ok(work(&mut *pool.get()?)?)).await?
    }
}

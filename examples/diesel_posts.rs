//! A blog with Diesel, on SQLite: posts are written, published and deleted as in any program that uses Diesel, and nothing says what to invalidate. What is cached is
//! right all the same: the rows of a query, and the result of an annotated method that asks for more than one.
//!
//! `cargo run --example diesel_posts`

use std::error::Error;
use std::time::Duration;

use cachex::{Cache, CacheScope, cached};
use cachex_diesel::{CachedExt, CachingConnection, DieselCache};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::r2d2::{ConnectionManager, Pool, PooledConnection};
use serde::{Deserialize, Serialize};

use schema::posts;

mod schema {
    diesel::table! {
        posts {
            id -> Integer,
            title -> Text,
            published -> Bool,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Queryable, Selectable, Serialize, Deserialize)]
struct Post {
    id: i32,
    title: String,
    published: bool,
}

#[derive(Insertable)]
#[diesel(table_name = posts)]
struct NewPost<'a> {
    title: &'a str,
    published: bool,
}

/// The one line in which a program says that its connections know of a cache.
type Sqlite = CachingConnection<SqliteConnection>;
type Connections = Pool<ConnectionManager<Sqlite>>;
const MINUTES: Duration = Duration::from_secs(300);

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// The posts, as a program sees them.
#[derive(CacheScope)]
struct Blog {
    #[scope(cache)]
    cache: Cache,
    db: DieselCache,
    pool: Connections,
}

impl Blog {
    fn open(directory: &std::path::Path) -> Outcome<Self> {
        let cache = Cache::builder().build()?;
        // Of what is not named here no rows are kept, and writes to it invalidate its tag all the same.
        let db = DieselCache::builder(cache.clone()).model::<posts::table>(|posts| posts.ttl(MINUTES)).build();
        let file = directory.join("blog.db");
        let manager = ConnectionManager::new(file.to_string_lossy());
        let pool = Pool::builder().max_size(2).connection_customizer(Box::new(db.customizer())).build(manager)?;
        pool.get()?.batch_execute(
            "CREATE TABLE posts (id INTEGER PRIMARY KEY, title TEXT NOT NULL, published BOOLEAN NOT NULL DEFAULT FALSE)",
        )?;
        Ok(Self { cache, db, pool })
    }

    fn connection(&self) -> Outcome<PooledConnection<ConnectionManager<Sqlite>>> {
        Ok(self.pool.get()?)
    }

    /// What is to be read. The rows are kept until a write touches their table.
    fn published(&self) -> Outcome<Vec<Post>> {
        let query = posts::table.filter(posts::published.eq(true)).order(posts::id).select(Post::as_select());
        Ok(query.cached(MINUTES).load(&mut self.connection()?)?)
    }

    /// What is told of the blog. The tag is that of the table.
    #[cached(ttl = "5m", tags = ["posts"])]
    fn summary(&self) -> Outcome<String> {
        println!("  (counted)");
        let mut connection = self.connection()?;
        let all: i64 = posts::table.count().get_result(&mut connection)?;
        let published: i64 = posts::table.filter(posts::published.eq(true)).count().get_result(&mut connection)?;
        Ok(format!("{published} of {all} posts are published"))
    }

    fn write(&self, title: &str) -> Outcome<Post> {
        let post = NewPost { title, published: false };
        let insert = diesel::insert_into(posts::table).values(&post).returning(Post::as_returning());
        Ok(insert.get_result(&mut self.connection()?)?)
    }

    fn publish(&self, id: i32) -> Outcome<Post> {
        let update = diesel::update(posts::table.find(id)).set(posts::published.eq(true));
        Ok(update.returning(Post::as_returning()).get_result(&mut self.connection()?)?)
    }

    /// Publishes all or none.
    fn publish_all(&self, ids: &[i32]) -> Outcome<()> {
        self.connection()?.transaction(|connection| {
            for id in ids {
                let found = diesel::update(posts::table.find(id)).set(posts::published.eq(true)).execute(connection)?;
                if found == 0 {
                    return Err(format!("there is no post {id}").into());
                }
            }
            Ok(())
        })
    }

    fn delete(&self, part_of_title: &str) -> Outcome<usize> {
        let meant = posts::table.filter(posts::title.like(format!("%{part_of_title}%")));
        Ok(diesel::delete(meant).execute(&mut self.connection()?)?)
    }
}

fn main() -> Outcome<()> {
    let directory = tempfile::tempdir()?;
    let blog = Blog::open(directory.path())?;

    let first = blog.write("Diesel and a cache")?;
    let second = blog.write("A draft")?;
    assert!(blog.published()?.is_empty());
    println!("{}", blog.summary()?);
    assert_eq!(blog.summary()?, "0 of 2 posts are published", "kept: nothing is counted");

    println!("publish \"{}\"", blog.publish(first.id)?.title);
    assert_eq!(blog.published()?.len(), 1);
    println!("{}", blog.summary()?);

    println!("publish it all, and one that is not there");
    let refused = blog.publish_all(&[second.id, 99]).expect_err("there are two posts");
    println!("  {refused}: rolled back");
    // What was rolled back invalidated nothing.
    assert_eq!(blog.summary()?, "1 of 2 posts are published");
    blog.publish_all(&[first.id, second.id])?;
    assert_eq!(blog.published()?.len(), 2);
    println!("{}", blog.summary()?);

    println!("delete {} post", blog.delete("draft")?);
    assert_eq!(blog.published()?, [Post { id: first.id, title: first.title, published: true }]);
    println!("{}", blog.summary()?);

    for _ in 0..10 {
        blog.published()?;
    }
    let stats = blog.db.stats();
    assert_eq!((stats.loads, stats.bypasses), (4, 0), "once for each write that changed something");
    println!("the list was read {} times, and the database was asked {} times", stats.hits + stats.loads, stats.loads);
    Ok(())
}

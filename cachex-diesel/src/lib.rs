//! Writes through Diesel invalidate what they touched, at commit.
//!
//! ```
//! # #[cfg(feature = "sqlite")] {
//! use std::time::Duration;
//!
//! use cachex::{Cache, cached};
//! use cachex_diesel::{CachedExt, DieselCache};
//! use diesel::prelude::*;
//!
//! diesel::table! {
//!     users {
//!         id -> Integer,
//!         name -> Text,
//!     }
//! }
//!
//! #[cached(ttl = "1h", tags = ["users"])] // the tag of the table
//! fn report() -> String {
//!     "expensive".to_owned()
//! }
//!
//! let cache = Cache::builder().build()?;
//! cachex::install(cache.clone())?;
//! let db = DieselCache::builder(cache).table("users", |table| table.ttl(Duration::from_secs(600))).build();
//! let mut connection = db.wrap(SqliteConnection::establish(":memory:")?);
//! diesel::sql_query("CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL)").execute(&mut connection)?;
//!
//! let ada = || users::table.find(1).select(users::name).cached(Duration::from_secs(60));
//! report();
//! connection.transaction(|connection| diesel::insert_into(users::table).values(users::name.eq("Ada")).execute(connection))?;
//! // From here on `report` runs anew, and so does the query.
//! assert_eq!(ada().first::<String>(&mut connection)?, "Ada"); // asks the database
//! assert_eq!(ada().first::<String>(&mut connection)?, "Ada"); // does not
//! assert_eq!(db.stats().loads, 1);
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! - [`DieselCache`] knows the cache and the tables; [`DieselCache::wrap`] and [`DieselCache::customizer`] make connections that know of it.
//! - [`CachingConnection`] is a connection like others. What it can't do (what is only there for the type of the connection within) is done by
//!   [`CachingConnection::with_inner`], which is told what is written: `COPY … TO`, say, or on SQLite `INSERT` of a vector with `RETURNING`, as
//!   `connection.with_inner(["users"], |inner| insert.get_results(inner))`; or by [`CachingConnection::observed`], which finds it out.
//! - [`CachedExt::cached`] keeps the rows of a query.
//! - [`AsyncCachingConnection`](DieselCache::wrap_async) is the same for connections of `diesel-async`.
//!
//! # Guarantees
//!
//! What a transaction wrote is invalidated after it is committed and before the commit returns: whoever asks after that is not answered from before. What is rolled back
//! invalidates nothing. Where it is not certain what the server did, too much is invalidated rather than too little. Between the commit and its return, others may be answered from before, unless writes
//! are [fenced](Consistency::Fenced).
//!
//! That holds for what the SQL says. What it does not say is found out by [`DieselCache::introspect`], or named: views ([`DieselCacheBuilder::view`]), what foreign keys and triggers write
//! ([`DieselCacheBuilder::cascade`]), functions that write ([`DieselCacheBuilder::function`]), functions that read tables ([`DieselCacheBuilder::function_reads`]). Names of schemas are left out: tables of a name are one.
//!
//! What no text says, and nobody can name yet: functions that change the session (after one, say whose rows are seen:
//! [`CachingConnection::set_cache_scope`]), tables of MySQL whose engine knows no rollback (MyISAM: after a rollback, [`CachingConnection::invalidate`] them), a procedure of MySQL that
//! leaves a transaction open, and a connection in a scope that writes into another one by naming its schema.
//!
//! # Features
//!
//! `sqlite`, `postgres`, `mysql`: the server, with the library that Diesel needs for it; `r2d2`: pools; `migrations`: those of `diesel_migrations`. `async-sqlite`, `async-postgres`, `async-mysql`: connections of `diesel-async`; the last two
//! are written in Rust alone and need no library. `bb8`, `deadpool`, `mobc`: pools of them.
//!
//! On a machine without them, `libpq` and `libmysqlclient` are Debian's `libpq-dev` and `libmariadb-dev`, `libpq` and `mysql-client` of Homebrew; or they are built from source by
//! `pq-sys` and `mysqlclient-sys` with their feature `bundled`. SQLite is built from source by `libsqlite3-sys` with `bundled`.
//!
//! # Reading order
//!
//! `lex` (what SQL does), `track` (what a transaction wrote), `registry`, `builder` and `handle` (what is known), `analyses` and `recent` (what is remembered), `state` (of a connection), `connection`,
//! `traits`, `cursor`, `own` and `observed` (the wrapper), `sent` and `outcome` (a statement, and what became of it), `told` (what is waited for), `query` (what is kept), `model`, `stats`, `pool`, `backend`; `asynch`, the same for async connections.

#[cfg(test)]
#[path = "../../cachex/src/altered_tests.rs"]
mod altered_tests;
mod analyses;
#[cfg(feature = "async")]
mod asynch;
mod backend;
mod builder;
mod connection;
mod cursor;
mod event;
mod handle;
mod health;
mod introspect;
mod lent;
mod lex;
#[cfg(any(feature = "sqlite", feature = "postgres-backend", feature = "mysql-backend"))]
mod model;
mod observed;
mod outcome;
mod own;
mod plan;
#[cfg(feature = "r2d2")]
mod pool;
mod query;
mod recent;
mod registry;
mod row;
mod sent;
mod state;
mod stats;
mod told;
mod track;
mod traits;

#[cfg(feature = "async-postgres")]
pub use asynch::AsyncTransactionBuilder;
#[cfg(feature = "async")]
#[doc(hidden)]
pub use asynch::parts as __async_parts;
#[cfg(feature = "async")]
pub use asynch::{AsyncCachingConnection, AsyncIntrospect};
pub use backend::CacheBackend;
pub use builder::{DieselCacheBuilder, TableOptions};
pub use connection::CachingConnection;
pub use cursor::Cursor;
pub use event::DieselEvent;
pub use handle::{Consistency, DieselCache, OnCacheError, OnUnknown, TransactionReads};
pub use health::DieselHealth;
pub use introspect::{Introspect, Introspection};
pub use lent::Lent;
#[cfg(feature = "r2d2")]
pub use pool::Customizer;
pub use query::{CacheAware, Cached, CachedExt};
pub use stats::{Bypassed, DieselStats};

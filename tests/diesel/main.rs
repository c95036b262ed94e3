//! Ordinary programs of Diesel over the wrapper, on real servers.

#![expect(clippy::unwrap_used, reason = "a test ends at what it did not expect")]

mod asynch;
mod fenced;
mod migrations;
mod mysql;
mod observed;
mod odd;
mod postgres;
mod processes;
mod races;
mod rows;
mod schema;
mod sqlite;
mod transactions;
mod unreachable;
mod usual;

use std::time::Duration;

use cachex::{Cache, EntryOptions, Key};
use cachex_diesel::DieselCache;
use cachex_tests::folder::Folder;

/// Long enough for each test.
const HOUR: Duration = Duration::from_secs(3600);

/// Makes a handle over a cache of its own, with the tables of [`schema`].
fn handle() -> DieselCache {
    DieselCache::builder(Cache::builder().build().unwrap())
        .table("users", |table| table)
        .table("posts", |table| table)
        .build()
}

/// An entry that depends on a table: whether it is still there tells whether that was written.
struct Mark {
    db: DieselCache,
    key: Key,
}

impl Mark {
    fn of(db: &DieselCache, table: &str) -> Self {
        let mark = Self { db: db.clone(), key: Key::entity("mark", table) };
        mark.db.cache().blocking().set(&mark.key, (), &EntryOptions::new().tag(db.tag(table))).unwrap();
        mark
    }

    fn is_there(&self) -> bool {
        self.db.cache().blocking().exists(&self.key)
    }
}

/// A database in a file, which several connections can open.
struct Database(Folder);

impl Database {
    fn new() -> Self {
        Self(Folder::new())
    }

    fn url(&self) -> String {
        self.0.path().join("database").display().to_string()
    }
}

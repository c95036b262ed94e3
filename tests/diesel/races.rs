//! Readers and writers at once: nobody reads what is older than a write that had returned before the read began.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU64, Ordering};

use cachex_diesel::{CachedExt, CachingConnection, DieselCache, TableOptions};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::r2d2::R2D2Connection;

use crate::schema::users;
use crate::{HOUR, handle};

const ROWS: i32 = 3;
const WRITES: i32 = 150;

/// Has writers count up the ages of some users, in transactions some of which are rolled back, while readers read them by cached queries.
fn race<C>(db: &DieselCache, open: impl Fn() -> CachingConnection<C> + Sync)
where
    C: R2D2Connection + Connection<TransactionManager = diesel::connection::AnsiTransactionManager> + 'static,
    C::Backend: cachex_diesel::CacheBackend,
    CachingConnection<C>: Asked,
{
    let mut connection = open();
    for id in 0..ROWS {
        connection.add(id);
    }
    let committed: Vec<_> = (0..ROWS).map(|_| AtomicI32::new(0)).collect();
    let (is_over, reads, barrier) = (AtomicBool::new(false), AtomicU64::new(0), Barrier::new(4));
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..3)
            .map(|reader| {
                let (committed, is_over, reads, open, barrier) = (&committed, &is_over, &reads, &open, &barrier);
                scope.spawn(move || {
                    let mut connection = open();
                    barrier.wait();
                    let mut id = reader;
                    while !is_over.load(Ordering::SeqCst) {
                        id = (id + 1) % ROWS;
                        let least = committed[id as usize].load(Ordering::SeqCst);
                        let age = connection.age(id);
                        assert!(age >= least, "a read of {age} after {least} was committed");
                        reads.fetch_add(1, Ordering::Relaxed);
                    }
                })
            })
            .collect();
        let mut connection = open();
        barrier.wait();
        // Unless all readers have ended, for something was stale.
        let wait = |is_so: &dyn Fn() -> bool| {
            while !is_so() && readers.iter().any(|reader| !reader.is_finished()) {
                std::thread::yield_now();
            }
        };
        for number in 1..=WRITES {
            // The readers are not to come to nothing, where the server is kept busy by the writer.
            if number % 10 == 0 {
                let read = reads.load(Ordering::Relaxed);
                wait(&|| reads.load(Ordering::Relaxed) > read);
            }
            let id = number % ROWS;
            let age = committed[id as usize].load(Ordering::SeqCst) + 1;
            connection.grow(id, age, number % 4 == 0);
            if number % 4 != 0 {
                committed[id as usize].store(age, Ordering::SeqCst);
            }
        }
        // What is read after the last write is there, at the latest.
        let hits = db.stats().hits;
        wait(&|| db.stats().hits > hits);
        is_over.store(true, Ordering::SeqCst);
        readers.into_iter().for_each(|reader| reader.join().unwrap());
    });
    for id in 0..ROWS {
        assert_eq!(connection.age(id), committed[id as usize].load(Ordering::SeqCst));
    }
    assert!(db.stats().hits > 0, "{:?}", db.stats());
}

/// What the race asks of a connection.
trait Asked {
    fn add(&mut self, id: i32);
    /// By a query that is kept.
    fn age(&mut self, id: i32) -> i32;
    fn age_if_there(&mut self, id: i32) -> Option<i32>;
    /// As the database has it.
    fn true_age(&mut self, id: i32) -> i32;
    fn grow(&mut self, id: i32, age: i32, is_rolled_back: bool);
}

macro_rules! asked {
    ($connection:ty) => {
        impl Asked for CachingConnection<$connection> {
            fn add(&mut self, id: i32) {
                let user = (users::id.eq(id), users::name.eq("a"), users::age.eq(0));
                diesel::insert_into(users::table).values(user).execute(self).unwrap();
            }

            fn age(&mut self, id: i32) -> i32 {
                self.age_if_there(id).unwrap()
            }

            fn age_if_there(&mut self, id: i32) -> Option<i32> {
                let age = users::table.find(id).select(users::age).cached(HOUR).first::<Option<i32>>(self);
                age.optional().unwrap().flatten()
            }

            fn true_age(&mut self, id: i32) -> i32 {
                users::table.find(id).select(users::age).first::<Option<i32>>(self).unwrap().unwrap()
            }

            fn grow(&mut self, id: i32, age: i32, is_rolled_back: bool) {
                let _is_kept = self.transaction(|connection| {
                    diesel::update(users::table.find(id)).set(users::age.eq(age)).execute(connection)?;
                    if is_rolled_back { Err(diesel::result::Error::RollbackTransaction) } else { Ok(()) }
                });
            }
        }
    };
}

asked!(SqliteConnection);
asked!(PgConnection);

#[test]
fn nothing_stale_is_read_on_sqlite() {
    let db = handle();
    let (database, mut connection) = crate::sqlite::open(&db);
    connection.batch_execute("PRAGMA journal_mode = WAL").unwrap();
    race(&db, || open_sqlite(&db, &database.url()));
}

fn open_sqlite(db: &DieselCache, url: &str) -> CachingConnection<SqliteConnection> {
    let mut connection = db.wrap(SqliteConnection::establish(url).unwrap());
    connection.batch_execute("PRAGMA busy_timeout = 30000; PRAGMA synchronous = OFF").unwrap();
    connection
}

#[test]
fn nothing_stale_is_read_on_postgres() {
    let db = handle();
    let (server, _connection) = crate::postgres::open(&db);
    race(&db, || db.wrap(PgConnection::establish(&server.url()).unwrap()));
}

#[test]
fn nothing_stale_is_read_where_rows_are_invalidated_one_by_one() {
    let db = crate::rows::handle();
    let (server, _connection) = crate::postgres::open(&db);
    race(&db, || db.wrap(PgConnection::establish(&server.url()).unwrap()));
}

/// Makes a handle over a cache of its own, whose second tier is a server that others have as well: as another process has it.
pub(crate) fn node(server: &cachex_tests::redis::Server) -> DieselCache {
    node_at(&server.url(), |table| table)
}

/// The same, at an address, and with more said of `users`.
pub(crate) fn node_at(url: &str, users: impl FnOnce(TableOptions) -> TableOptions) -> DieselCache {
    let mut redis = cachex::RedisSettings::new(url);
    // A machine that runs all tests at once is slow: what is asked must not fail for that.
    redis.timeout = std::time::Duration::from_secs(10);
    let cache = cachex::Cache::builder().namespace("tests").redis(redis).build().unwrap();
    cachex_tests::connected(&cache).unwrap();
    DieselCache::builder(cache).table("users", users).build()
}

#[test]
fn nothing_stale_is_read_on_postgres_with_redis_as_the_cache_and_none_is_left_to_other_processes() {
    let redis = cachex_tests::redis::Server::start();
    let (db, other) = (node(&redis), node(&redis));
    let (server, _connection) = crate::postgres::open(&db);
    race_beside(&db, &other, |db| db.wrap(PgConnection::establish(&server.url()).unwrap()));
}

#[test]
fn nothing_stale_is_read_on_sqlite_with_redis_as_the_cache_and_none_is_left_to_other_processes() {
    let redis = cachex_tests::redis::Server::start();
    let (db, other) = (node(&redis), node(&redis));
    let (database, mut connection) = crate::sqlite::open(&db);
    connection.batch_execute("PRAGMA journal_mode = WAL").unwrap();
    race_beside(&db, &other, |db| open_sqlite(db, &database.url()));
}

/// Has another process fill the second tier with what it reads, while one writes and reads.
fn race_beside<C>(db: &DieselCache, other: &DieselCache, open: impl Fn(&DieselCache) -> CachingConnection<C> + Sync)
where
    C: R2D2Connection + Connection<TransactionManager = diesel::connection::AnsiTransactionManager> + 'static,
    C::Backend: cachex_diesel::CacheBackend,
    CachingConnection<C>: Asked,
{
    let (is_over, barrier) = (AtomicBool::new(false), Barrier::new(2));
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut connection = open(other);
            barrier.wait();
            let mut seen = [0; ROWS as usize];
            while !is_over.load(Ordering::SeqCst) {
                for id in 0..ROWS {
                    seen[id as usize] = connection.age_if_there(id).unwrap_or_default();
                }
            }
            // None of what it has is from before, once it has heard of the last write.
            for id in 0..ROWS {
                let age = connection.true_age(id);
                eventually(|| connection.age(id) == age);
            }
            seen
        });
        barrier.wait();
        race(db, || open(db));
        is_over.store(true, Ordering::SeqCst);
        let seen = reader.join().unwrap();
        assert!(seen.iter().all(|age| *age > 0), "it has read what was written: {seen:?}");
    });
    let stats = other.stats();
    assert!(stats.hits > 0 && stats.loads > 0, "{stats:?}");
}

#[test]
fn what_one_process_writes_is_read_by_another_and_its_rows_serve_both() {
    let redis = cachex_tests::redis::Server::start();
    let (one, other) = (node(&redis), node(&redis));
    let (server, mut first) = crate::postgres::open(&one);
    let mut second = other.wrap(PgConnection::establish(&server.url()).unwrap());
    first.add(1);
    assert_eq!(first.age(1), 0);
    // The other has it from Redis.
    eventually(|| second.age(1) == 0 && other.stats().hits > 0);
    let loads = other.stats().loads;
    first.grow(1, 5, true);
    assert_eq!((second.age(1), other.stats().loads), (0, loads));
    first.grow(1, 5, false);
    eventually(|| second.age(1) == 5);
    second.grow(1, 6, false);
    assert_eq!(second.age(1), 6);
    eventually(|| first.age(1) == 6);
}

#[test]
fn a_commit_does_not_return_before_other_processes_can_know_of_it() {
    let redis = cachex_tests::redis::Server::start();
    let db = node(&redis);
    let (server, mut connection) = crate::postgres::open(&db);
    connection.add(1);
    let mut plain = PgConnection::establish(&server.url()).unwrap();
    let mut is_committed = || users::table.find(1).select(users::age).first(&mut plain) == Ok(Some(5));
    let has_returned = AtomicBool::new(false);
    redis.freeze();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            connection.grow(1, 5, false);
            has_returned.store(true, Ordering::SeqCst);
        });
        eventually(&mut is_committed);
        // The server has done it, and much more since.
        let is_early = (0..100).any(|_| is_committed() && has_returned.load(Ordering::SeqCst));
        redis.thaw();
        assert!(!is_early);
    });
    assert!(has_returned.into_inner());
    assert_eq!(connection.age(1), 5);
}

/// Waits until something is so; it is looked at again and again, as another process makes it so.
pub(crate) fn eventually(mut is_so: impl FnMut() -> bool) {
    for _ in 0..10_000 {
        if is_so() {
            return;
        }
        std::thread::park_timeout(std::time::Duration::from_millis(1));
    }
    panic!("not so within 10 s");
}

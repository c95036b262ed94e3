//! Readers and writers at once: nobody reads what is older than a write that had returned before the read began.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU64, Ordering};

use cachex_diesel::{CachedExt, CachingConnection, DieselCache};
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
        for number in 1..=WRITES {
            let id = number % ROWS;
            let age = committed[id as usize].load(Ordering::SeqCst) + 1;
            connection.grow(id, age, number % 4 == 0);
            if number % 4 != 0 {
                committed[id as usize].store(age, Ordering::SeqCst);
            }
        }
        is_over.store(true, Ordering::SeqCst);
        readers.into_iter().for_each(|reader| reader.join().unwrap());
    });
    for id in 0..ROWS {
        assert_eq!(connection.age(id), committed[id as usize].load(Ordering::SeqCst));
    }
    let stats = db.stats();
    assert!(stats.loads < reads.load(Ordering::Relaxed), "some of the reads were hits: {stats:?}");
}

/// What the race asks of a connection.
trait Asked {
    fn add(&mut self, id: i32);
    fn age(&mut self, id: i32) -> i32;
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
                let age = users::table.find(id).select(users::age).cached(HOUR).first::<Option<i32>>(self);
                age.unwrap().unwrap()
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
    race(&db, || {
        let mut connection = db.wrap(SqliteConnection::establish(&database.url()).unwrap());
        connection.batch_execute("PRAGMA busy_timeout = 30000; PRAGMA synchronous = OFF").unwrap();
        connection
    });
}

#[test]
fn nothing_stale_is_read_on_postgres() {
    let db = handle();
    let (server, _connection) = crate::postgres::open(&db);
    race(&db, || db.wrap(PgConnection::establish(&server.url()).unwrap()));
}

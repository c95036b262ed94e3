//! A second tier that is out of reach: what is written and read is, or is refused before it is sent, as was said.

use std::sync::{Arc, Mutex};

use cachex_diesel::{CachedExt, DieselCache, DieselEvent, OnCacheError};
use cachex_tests::redis::Server;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::result::Error;

use crate::HOUR;
use crate::races::eventually;
use crate::schema::{User, users};

/// Makes a handle over a cache whose second tier is a server, and what it tells.
pub(crate) fn refusing(server: &Server, policy: OnCacheError) -> (DieselCache, Arc<Mutex<Vec<DieselEvent>>>) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let notes = seen.clone();
    let mut redis = cachex::RedisSettings::new(server.url());
    redis.timeout = std::time::Duration::from_secs(10);
    let cache = cachex::Cache::builder().namespace("tests").redis(redis).build().unwrap();
    cachex_tests::connected(&cache).unwrap();
    let db = DieselCache::builder(cache).table("users", |table| table).on_cache_error(policy);
    (db.on_event(move |event| notes.lock().unwrap().push(event.clone())).build(), seen)
}

fn insert<C>(connection: &mut C, id: i32) -> QueryResult<usize>
where
    C: diesel::connection::LoadConnection<Backend = diesel::sqlite::Sqlite>,
{
    diesel::insert_into(users::table).values((users::id.eq(id), users::name.eq("a"))).execute(connection)
}

pub(crate) fn is_refused<T>(done: &QueryResult<T>) -> bool {
    matches!(done, Err(Error::QueryBuilderError(why)) if why.to_string().contains("OnCacheError::Refuse"))
}

// Guards `check_reach`.
#[test]
fn while_the_second_tier_is_out_of_reach_writes_and_kept_queries_are_refused_before_they_are_sent() {
    let mut server = Server::start();
    let (db, seen) = refusing(&server, OnCacheError::Refuse);
    let (database, mut connection) = crate::sqlite::open(&db);
    let mut plain = SqliteConnection::establish(&database.url()).unwrap();
    let mut count = || users::table.count().get_result::<i64>(&mut plain).unwrap();
    insert(&mut connection, 1).unwrap();
    let kept = || users::table.cached(HOUR);
    assert_eq!(kept().load::<User>(&mut connection).unwrap().len(), 1);
    connection.batch_execute("BEGIN").unwrap();
    insert(&mut connection, 2).unwrap();

    server.kill();
    eventually(|| !db.cache().can_deliver());
    assert!(is_refused(&insert(&mut connection, 3)), "within a transaction");
    // What was begun is ended, either way.
    connection.batch_execute("COMMIT").unwrap();
    assert!(is_refused(&insert(&mut connection, 4)));
    assert!(is_refused(&connection.batch_execute("DELETE FROM users")));
    assert!(is_refused(&kept().load::<User>(&mut connection)));
    let connect = || SqliteConnection::establish("unasked").map(|connection| db.wrap(connection));
    assert!(is_refused(&kept().load_by::<User, _, _>(&db, connect)));
    assert!(is_refused(&connection.transaction(|connection| insert(connection, 5))), "and it is rolled back");
    assert_eq!(users::table.load::<User>(&mut connection).unwrap().len(), 2, "what is asked directly is");
    assert_eq!((count(), db.stats().refused), (2, 6));
    assert!(seen.lock().unwrap().iter().all(|event| *event == DieselEvent::CacheOutOfReach));
    assert_eq!(seen.lock().unwrap().len(), 6);
    // Who names what he writes answers for it.
    let done = connection.with_inner(["users"], |connection| insert(connection, 6));
    assert_eq!((done, count(), db.stats().refused), (Ok(1), 3, 6));

    server.run();
    eventually(|| db.cache().can_deliver());
    insert(&mut connection, 7).unwrap();
    assert_eq!(kept().load::<User>(&mut connection).unwrap().len(), 4);
}

#[test]
fn as_a_rule_they_go_to_the_database_and_others_hear_of_it_later() {
    let mut server = Server::start();
    let (db, _) = refusing(&server, OnCacheError::default());
    let (other, _) = refusing(&server, OnCacheError::default());
    let (database, mut connection) = crate::sqlite::open(&db);
    let mut second = other.wrap(SqliteConnection::establish(&database.url()).unwrap());
    let kept = || users::table.cached(HOUR);
    assert!(kept().load::<User>(&mut second).unwrap().is_empty());
    server.kill();
    eventually(|| !db.cache().can_deliver());
    insert(&mut connection, 1).unwrap();
    connection.transaction(|connection| insert(connection, 2)).unwrap();
    assert_eq!(kept().load::<User>(&mut connection).unwrap().len(), 2, "whoever writes reads it");
    server.run();
    eventually(|| kept().load::<User>(&mut second).unwrap().len() == 2);
    assert_eq!(db.stats().refused, 0);
}

//! SQLite.

use cachex::{Cache, EntryOptions, Key};
use cachex_diesel::{CachedExt, CachingConnection, DieselCache};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::r2d2::{ConnectionManager, Pool};

use crate::schema::{TABLES, User, user, users};
use crate::{Database, HOUR, Mark, handle};

pub(crate) fn open(db: &DieselCache) -> (Database, CachingConnection<SqliteConnection>) {
    let database = Database::new();
    let mut connection = db.wrap(SqliteConnection::establish(&database.url()).unwrap());
    connection.batch_execute(TABLES).unwrap();
    (database, connection)
}

mod usual {
    crate::usual::usual!(diesel::SqliteConnection, super::super::sqlite::open);
}

mod transactions {
    crate::transactions::transactions!(diesel::SqliteConnection, super::super::sqlite::open);
}

#[test]
fn a_returning_that_is_not_read_to_its_end_is_committed_when_it_is_dropped() {
    let db = handle();
    let (_database, mut connection) = open(&db);
    let mark = Mark::of(&db, "users");
    let insert = diesel::insert_into(users::table).values(user(1, "a")).returning(users::id);
    let mut rows = insert.load_iter::<i32, diesel::connection::DefaultLoadingMode>(&mut connection).unwrap();
    assert_eq!(rows.next().unwrap(), Ok(1));
    assert!(mark.is_there());
    drop(rows);
    assert!(!mark.is_there());
}

#[test]
fn connections_of_a_pool_share_what_is_kept() {
    let db = handle();
    let (database, _connection) = open(&db);
    let manager = ConnectionManager::<CachingConnection<SqliteConnection>>::new(database.url());
    let pool = Pool::builder().max_size(2).connection_customizer(Box::new(db.customizer())).build(manager).unwrap();
    let (mut one, mut other) = (pool.get().unwrap(), pool.get().unwrap());
    let all = || users::table.cached(HOUR);
    assert_eq!(all().load::<User>(&mut one), Ok(vec![]));
    assert_eq!(all().load::<User>(&mut other), Ok(vec![]));
    assert_eq!(db.stats().loads, 1);
    diesel::insert_into(users::table).values(user(1, "a")).execute(&mut one).unwrap();
    assert_eq!(all().load::<User>(&mut other), Ok(vec![user(1, "a")]));
    // One that was left within a transaction is not given to anybody else.
    one.batch_execute("BEGIN; INSERT INTO users VALUES (2, 'b', NULL)").unwrap();
    drop(one);
    let mut next = pool.get().unwrap();
    assert_eq!(users::table.count().get_result::<i64>(&mut next), Ok(1));
}

#[test]
fn what_is_remembered_of_tables_is_found_out_anew_when_they_are_registered() {
    let db = DieselCache::builder(Cache::builder().build().unwrap()).build();
    let (_database, mut connection) = open(&db);
    let c = &mut connection;
    let write = |c: &mut _| diesel::update(users::table.find(1)).set(users::name.eq("z")).execute(c).unwrap();
    let read = |c: &mut _| users::table.cached(HOUR).load::<User>(c).unwrap();
    // All is remembered that there is to be known.
    write(c);
    read(c);
    assert_eq!(db.stats().bypasses, 1);
    db.register_model_with_defaults::<users::table>(HOUR, ["people"]);
    read(c);
    read(c);
    assert_eq!((db.stats().bypasses, db.stats().loads), (1, 1));
    let key = Key::new("people");
    db.cache().blocking().set(&key, 1, &EntryOptions::new().tag("people")).unwrap();
    write(c);
    assert!(!db.cache().blocking().exists(&key));
    // From now on a view reads it, and is written with it.
    c.batch_execute("CREATE VIEW names AS SELECT name FROM users").unwrap();
    db.introspect(c).unwrap();
    let mark = Mark::of(&db, "names");
    write(c);
    assert!(!mark.is_there());
}

#[test]
fn what_happened_is_counted_and_why_something_was_not_kept() {
    let db = handle();
    let (_database, mut connection) = open(&db);
    let connection = &mut connection;
    let before = db.stats();
    let all = || users::table.cached(HOUR);
    all().load::<User>(connection).unwrap();
    all().load::<User>(connection).unwrap();
    let after = db.stats();
    assert_eq!((after.cached, after.hits, after.loads, after.bypasses), (2, 1, 1, 0));
    // The hit was no operation.
    assert_eq!(after.operations, before.operations + 1);
    let mut why = |text: &str| {
        let before = db.stats();
        diesel::sql_query(text).cached(HOUR).load::<User>(connection).unwrap();
        let now = db.stats();
        assert_eq!(now.bypasses, before.bypasses + 1);
        let (now, before) = (now.bypassed, before.bypassed);
        [
            now.in_transaction - before.in_transaction,
            now.session_changed - before.session_changed,
            now.not_plain - before.not_plain,
            now.volatile - before.volatile,
            now.unregistered - before.unregistered,
            now.left_out - before.left_out,
            now.without_table - before.without_table,
        ]
    };
    assert_eq!(why("INSERT INTO users VALUES (9, 'a', NULL) RETURNING *"), [0, 0, 1, 0, 0, 0, 0]);
    assert_eq!(why("SELECT id, name, random() AS age FROM users"), [0, 0, 0, 1, 0, 0, 0]);
    assert_eq!(why("SELECT u.id, u.name, u.age FROM users u, sqlite_master"), [0, 0, 0, 0, 1, 0, 0]);
    assert_eq!(why("SELECT 1 AS id, 'a' AS name, NULL AS age"), [0, 0, 0, 0, 0, 0, 1]);
    connection.batch_execute("BEGIN").unwrap();
    let in_transaction = db.stats().bypassed.in_transaction;
    all().load::<User>(connection).unwrap();
    assert_eq!(db.stats().bypassed.in_transaction, in_transaction + 1);
    connection.batch_execute("COMMIT; ATTACH ':memory:' AS other").unwrap();
    all().load::<User>(connection).unwrap();
    assert_eq!(db.stats().bypassed.session_changed, 1);
    connection.set_cache_scope(None);
    let left_out = DieselCache::builder(db.cache().clone()).table("users", |table| table.no_cache()).build();
    connection.attach(&left_out);
    all().load::<User>(connection).unwrap();
    assert_eq!(left_out.stats().bypassed.left_out, 1);
}

#[test]
fn what_only_the_connection_within_can_do_is_seen_by_what_is_said_of_it() {
    let db = handle();
    let (_database, mut connection) = open(&db);
    let marks = [Mark::of(&db, "users"), Mark::of(&db, "posts")];
    let insert = diesel::insert_into(users::table).values(vec![user(1, "a"), user(2, "b")]).returning(users::id);
    let ids = connection.with_inner(["users"], |inner| insert.get_results::<i32>(inner));
    assert_eq!(ids, Ok(vec![1, 2]));
    assert!(!marks[0].is_there() && marks[1].is_there());
}

#[test]
fn immediate_transactions_are_followed() {
    let db = handle();
    let (_database, mut connection) = open(&db);
    let mark = Mark::of(&db, "users");
    connection
        .immediate_transaction(|connection| {
            diesel::insert_into(users::table).values(user(1, "a")).execute(connection)?;
            assert!(mark.is_there());
            QueryResult::Ok(())
        })
        .unwrap();
    assert!(!mark.is_there());
}

#[test]
fn rows_before_the_one_that_does_not_fit_are_seen() {
    let db = handle();
    let (_database, mut connection) = open(&db);
    let text = "INSERT OR FAIL INTO users VALUES (1, 'a', NULL), (1, 'b', NULL)";
    assert_eq!(users::table.count().cached(HOUR).get_result::<i64>(&mut connection), Ok(0));
    diesel::sql_query(text).execute(&mut connection).unwrap_err();
    assert_eq!(users::table.count().cached(HOUR).get_result::<i64>(&mut connection), Ok(1));
}

#[test]
fn what_the_server_says_of_its_tables_is_followed() {
    let db = cachex_diesel::DieselCache::builder(cachex::Cache::builder().build().unwrap()).build();
    let (_database, mut connection) = open(&db);
    connection.batch_execute("CREATE TABLE log (id INTEGER)").unwrap();
    connection.batch_execute("CREATE VIEW names AS SELECT name FROM users").unwrap();
    connection
        .batch_execute("CREATE TRIGGER t AFTER INSERT ON users BEGIN INSERT INTO log VALUES (new.id); END")
        .unwrap();
    let found = db.introspect(&mut connection).unwrap();
    assert_eq!((found.tables, found.views, found.cascades, found.unknown), (3, 1, 2, 0));
    assert_eq!(db.tables(), ["log", "posts", "users"]);
    let names = |connection: &mut _| {
        #[derive(Clone, Debug, PartialEq, diesel::QueryableByName, serde::Deserialize, serde::Serialize)]
        struct Named {
            #[diesel(sql_type = diesel::sql_types::Text)]
            name: String,
        }
        let all = diesel::sql_query("SELECT name FROM names").cached(HOUR).load::<Named>(connection).unwrap();
        all.into_iter().map(|named| named.name).collect::<Vec<_>>()
    };
    for _ in 0..2 {
        assert_eq!(names(&mut connection), [""; 0]);
    }
    assert_eq!(db.stats().loads, 1);
    // The view, by its table.
    let mark = Mark::of(&db, "log");
    diesel::insert_into(users::table).values(user(1, "a")).execute(&mut connection).unwrap();
    assert_eq!(names(&mut connection), ["a"]);
    // The trigger.
    assert!(!mark.is_there());
    // The foreign key.
    let mark = Mark::of(&db, "posts");
    diesel::delete(users::table).execute(&mut connection).unwrap();
    assert!(!mark.is_there());
}

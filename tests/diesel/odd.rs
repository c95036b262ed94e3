//! What is not as it should be: a session that was changed, a statement that nobody knows, rows of another version, connections that are given on.

use std::sync::{Arc, Mutex, mpsc};

use cachex::{Cache, EntryOptions, Key};
use cachex_diesel::{CachedExt, DieselCache, DieselEvent};
use cachex_tests::{folder::Folder, postgres, redis};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment};
use diesel::r2d2::{ConnectionManager, Pool};
use diesel::sqlite::Sqlite;
use serde::{Deserialize, Serialize};

use crate::schema::{TABLES, User, user, users};
use crate::{Database, HOUR, Mark, handle};

#[test]
fn what_nobody_may_have_expected_is_told() {
    let events = Arc::new(Mutex::new(Vec::new()));
    let seen = events.clone();
    let cache = Cache::builder().build().unwrap();
    let db = DieselCache::builder(cache)
        .table("users", |table| table)
        .on_event(move |event| seen.lock().unwrap().push(event.clone()))
        .build();
    let server = postgres::Server::start();
    let mut connection = db.wrap(PgConnection::establish(&server.url()).unwrap());
    let told = || std::mem::take(&mut *events.lock().unwrap());
    connection.batch_execute(TABLES).unwrap();
    connection.batch_execute("CREATE VIEW names AS SELECT name FROM users; CREATE ROLE guest").unwrap();
    told();
    connection.batch_execute("DO $$ BEGIN DELETE FROM users WHERE name = 'a secret'; END $$").unwrap();
    // Of what it does, nothing is told but how it begins.
    assert_eq!(told(), [DieselEvent::UnknownStatement { word: "do".into() }, DieselEvent::SessionChanged]);
    connection.set_cache_scope(None);
    let names = || diesel::sql_query("SELECT 1 AS id, name, 1 AS age FROM names").cached(HOUR);
    names().load::<User>(&mut connection).unwrap();
    assert_eq!(told(), [DieselEvent::Unregistered { name: "names".into() }]);
    for change in ["SET search_path = other", "SET ROLE guest", "RESET ROLE", "SET search_path = public"] {
        connection.batch_execute(change).unwrap();
        assert_eq!(told(), [DieselEvent::SessionChanged], "{change}");
        users::table.count().cached(HOUR).get_result::<i64>(&mut connection).unwrap_or_default();
    }
    assert_eq!((db.stats().loads, db.stats().bypassed.session_changed), (0, 4));
    connection.set_cache_scope(None);
    users::table.count().cached(HOUR).get_result::<i64>(&mut connection).unwrap();
    assert_eq!(db.stats().loads, 1);
}

#[test]
fn what_was_written_is_told_before_anything_else_is_and_though_somebody_panics_who_hears_of_it() {
    let cache = Cache::builder().build().unwrap();
    let key = Key::new("mark");
    let put = || cache.blocking().set(&key, (), &EntryOptions::new().tag("users")).unwrap();
    let (sender, heard) = mpsc::channel();
    let (inner, seen) = (cache.clone(), key.clone());
    let db = DieselCache::builder(cache.clone())
        .table("users", |table| table)
        .on_event(move |_| {
            sender.send(inner.blocking().exists(&seen)).unwrap();
            panic!("of the test")
        })
        .build();
    let mut connection = db.wrap(SqliteConnection::establish(":memory:").unwrap());
    connection.batch_execute(TABLES).unwrap();
    put();
    connection.batch_execute("ATTACH ':memory:' AS other; INSERT INTO users VALUES (1, 'a', NULL)").unwrap();
    assert!(!cache.blocking().exists(&key));
    assert_eq!(heard.try_iter().collect::<Vec<_>>(), [false]);
}

/// How many rows a table has that is chosen while the program runs: of one type, whatever its text is.
#[derive(Clone, Copy, diesel::query_builder::QueryId)]
struct Count(&'static str);

impl diesel::query_builder::Query for Count {
    type SqlType = diesel::sql_types::BigInt;
}

impl QueryFragment<Sqlite> for Count {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.unsafe_to_cache_prepared();
        out.push_sql("SELECT COUNT(*) FROM ");
        out.push_identifier(self.0)
    }
}

impl<C> RunQueryDsl<C> for Count {}

/// Deletes all rows of one.
#[derive(Clone, Copy, diesel::query_builder::QueryId)]
struct Empty(&'static str);

impl QueryFragment<Sqlite> for Empty {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.unsafe_to_cache_prepared();
        out.push_sql("DELETE FROM ");
        out.push_identifier(self.0)
    }
}

impl<C> RunQueryDsl<C> for Empty {}

#[test]
fn a_query_whose_table_is_chosen_while_the_program_runs_is_known_by_its_text() {
    let db = handle();
    let mut connection = db.wrap(SqliteConnection::establish(":memory:").unwrap());
    connection.batch_execute(TABLES).unwrap();
    diesel::insert_into(users::table).values(user(1, "a")).execute(&mut connection).unwrap();
    for _ in 0..2 {
        assert_eq!(Count("users").cached(HOUR).get_result::<i64>(&mut connection), Ok(1));
        assert_eq!(Count("posts").cached(HOUR).get_result::<i64>(&mut connection), Ok(0));
    }
    assert_eq!(db.stats().loads, 2);
    assert_eq!(Empty("posts").execute(&mut connection), Ok(0));
    assert_eq!(Empty("users").execute(&mut connection), Ok(1));
    assert_eq!(Count("users").cached(HOUR).get_result::<i64>(&mut connection), Ok(0));
}

#[test]
fn a_row_of_an_older_version_of_a_model_is_loaded_anew() {
    #[derive(Clone, Debug, Deserialize, PartialEq, QueryableByName, Serialize)]
    #[diesel(table_name = users)]
    struct Person {
        id: i32,
    }
    /// As the program has it after a migration: the name of the type is the same.
    mod later {
        use super::*;
        #[derive(Clone, Debug, Deserialize, PartialEq, QueryableByName, Serialize)]
        #[diesel(table_name = users)]
        pub(super) struct Person {
            pub(super) id: i32,
            pub(super) name: String,
            pub(super) age: Option<i32>,
        }
    }
    let server = redis::Server::start();
    let database = Database::new();
    let open = || {
        let db = crate::races::node(&server);
        let connection = db.wrap(SqliteConnection::establish(&database.url()).unwrap());
        (db, connection)
    };
    let (before, mut connection) = open();
    connection.batch_execute(TABLES).unwrap();
    diesel::insert_into(users::table).values(user(1, "a")).execute(&mut connection).unwrap();
    let find = || diesel::sql_query("SELECT id, name, age FROM users").cached(HOUR);
    assert_eq!(find().load::<Person>(&mut connection).unwrap(), [Person { id: 1 }]);
    crate::races::eventually(|| before.cache().remote_stats().is_some_and(|stats| stats.stores > 0));
    let (after, mut connection) = open();
    let migrated = later::Person { id: 1, name: "a".to_owned(), age: None };
    assert_eq!(find().load::<later::Person>(&mut connection).unwrap(), [migrated]);
    assert_eq!((before.stats().loads, after.stats().loads), (1, 1));
}

#[test]
fn a_row_that_can_not_be_read_any_more_is_asked_for() {
    // Of one name, as two versions of a program have it, and with bytes that do not fit.
    fn find<U>(connection: &mut cachex_diesel::CachingConnection<SqliteConnection>) -> QueryResult<Vec<U>>
    where
        U: cachex::CacheValue + diesel::deserialize::QueryableByName<diesel::sqlite::Sqlite>,
    {
        diesel::sql_query("SELECT id, name, age FROM users").cached(HOUR).load::<U>(connection)
    }
    let server = redis::Server::start();
    let database = Database::new();
    let db = crate::races::node(&server);
    let mut connection = db.wrap(SqliteConnection::establish(&database.url()).unwrap());
    connection.batch_execute(TABLES).unwrap();
    diesel::insert_into(users::table).values(user(1, "a")).execute(&mut connection).unwrap();
    assert_eq!(find::<User>(&mut connection), Ok(vec![user(1, "a")]));
    crate::races::eventually(|| db.cache().remote_stats().is_some_and(|stats| stats.stores > 0));
    // Whoever may write there writes something else.
    let spoil = "for _, k in ipairs(redis.call('KEYS', '*')) do \
        local is_value = redis.call('TYPE', k).ok == 'string' and redis.call('STRLEN', k) > 60 \
        if is_value then redis.call('SETRANGE', k, redis.call('STRLEN', k) - 3, 'xyz') end end";
    server.command(&["EVAL", spoil, "0"]).unwrap();
    let other = crate::races::node(&server);
    let mut connection = other.wrap(SqliteConnection::establish(&database.url()).unwrap());
    assert_eq!(find::<User>(&mut connection), Ok(vec![user(1, "a")]));
    assert_eq!(other.stats().loads, 1);
}

#[test]
fn what_a_pool_lends_can_be_wrapped() {
    let db = handle();
    let database = Database::new();
    let pool = Pool::builder().max_size(1).build(ConnectionManager::<SqliteConnection>::new(database.url())).unwrap();
    let mut connection = db.wrap_lent(pool.get().unwrap());
    connection.batch_execute(TABLES).unwrap();
    let marks = [Mark::of(&db, "users"), Mark::of(&db, "posts")];
    let insert = |id: i32| diesel::insert_into(users::table).values(user(id, "a"));
    connection
        .transaction(|connection| {
            insert(1).execute(connection)?;
            assert!(marks[0].is_there());
            QueryResult::Ok(())
        })
        .unwrap();
    assert!(!marks[0].is_there() && marks[1].is_there());
    let rolled_back = connection.transaction::<(), _, _>(|connection| {
        insert(2).execute(connection)?;
        Err(diesel::result::Error::RollbackTransaction)
    });
    assert!(rolled_back.is_err());
    for _ in 0..2 {
        assert_eq!(users::table.cached(HOUR).load::<User>(&mut connection), Ok(vec![user(1, "a")]));
    }
    assert_eq!(db.stats().loads, 1);
    drop(connection);
    assert_eq!(users::table.count().get_result::<i64>(&mut pool.get().unwrap()), Ok(1));
}

#[test]
fn what_was_lent_and_left_within_a_transaction_is_rolled_back() {
    let db = handle();
    let database = Database::new();
    let pool = Pool::builder().max_size(1).build(ConnectionManager::<SqliteConnection>::new(database.url())).unwrap();
    let mut connection = db.wrap_lent(pool.get().unwrap());
    connection.batch_execute(TABLES).unwrap();
    connection.batch_execute("BEGIN; INSERT INTO users VALUES (1, 'a', NULL)").unwrap();
    drop(connection);
    let mut connection = db.wrap_lent(pool.get().unwrap());
    let count = users::table.count().cached(HOUR).get_result::<i64>(&mut connection);
    assert_eq!((count, db.stats().bypasses), (Ok(0), 0));
}

#[test]
fn health_says_what_is_registered_and_whether_the_cache_is_whole() {
    let folder = Folder::new();
    let server = redis::Server::start();
    let db = crate::races::node(&server);
    assert!(!db.health().is_introspected && db.health().is_well());
    let url = folder.path().join("database").display().to_string();
    let mut connection = db.wrap(SqliteConnection::establish(&url).unwrap());
    connection.batch_execute(TABLES).unwrap();
    db.introspect(&mut connection).unwrap();
    let health = db.health();
    assert_eq!(health.registered, ["posts", "users"]);
    assert!(health.is_introspected && health.is_connected);
    drop(server);
    crate::races::eventually(|| !db.health().is_connected);
    assert!(!db.health().is_well());
}

#[test]
fn what_is_read_and_written_side_by_side_at_each_isolation_leaves_nothing_stale() {
    let server = postgres::Server::start();
    for isolation in ["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"] {
        let db = handle();
        let open = || db.wrap(PgConnection::establish(&server.url()).unwrap());
        let (mut writer, mut reader, mut other) = (open(), open(), open());
        writer.batch_execute("DROP TABLE IF EXISTS posts; DROP TABLE IF EXISTS users").unwrap();
        writer.batch_execute(TABLES).unwrap();
        diesel::insert_into(users::table).values(user(1, "a")).execute(&mut writer).unwrap();
        let find = || users::table.find(1).select(users::name);
        let begin = format!("BEGIN ISOLATION LEVEL {isolation}");
        // A snapshot from before the write, that is still read after it.
        reader.batch_execute(&begin).unwrap();
        assert_eq!(find().cached(HOUR).first::<String>(&mut reader), Ok("a".to_owned()));
        assert_eq!(find().cached(HOUR).first::<String>(&mut other), Ok("a".to_owned()));
        writer.batch_execute(&begin).unwrap();
        diesel::update(users::table.find(1)).set(users::name.eq("b")).execute(&mut writer).unwrap();
        assert_eq!(find().cached(HOUR).first::<String>(&mut other), Ok("a".to_owned()));
        assert_eq!(find().cached(HOUR).first::<String>(&mut writer), Ok("b".to_owned()));
        writer.batch_execute("COMMIT").unwrap();
        // Whatever its snapshot shows it, it is not kept.
        let seen = find().cached(HOUR).first::<String>(&mut reader).unwrap();
        assert_eq!(seen, if isolation == "READ COMMITTED" { "b" } else { "a" });
        reader.batch_execute("COMMIT").unwrap();
        for connection in [&mut writer, &mut reader, &mut other] {
            assert_eq!(find().cached(HOUR).first::<String>(connection), Ok("b".to_owned()), "{isolation}");
        }
        assert_eq!((db.stats().loads, db.stats().bypassed.in_transaction), (2, 3));
    }
}

#[test]
fn within_a_transaction_what_is_kept_may_answer_for_tables_that_it_has_not_written() {
    let cache = Cache::builder().build().unwrap();
    let db = DieselCache::builder(cache)
        .table("users", |table| table)
        .table("posts", |table| table)
        .cascade("users", ["posts"])
        .transaction_reads(cachex_diesel::TransactionReads::ReadClean)
        .build();
    let (_server, mut connection) = crate::postgres::open(&db);
    let users = || users::table.count().cached(HOUR);
    let posts = || crate::schema::posts::table.count().cached(HOUR);
    let insert = |id: i32| diesel::insert_into(users::table).values(user(id, "a"));
    assert_eq!(users().get_result::<i64>(&mut connection), Ok(0));
    assert_eq!(posts().get_result::<i64>(&mut connection), Ok(0));
    let before = db.stats();
    connection
        .transaction(|connection| {
            assert_eq!(users().get_result::<i64>(connection), Ok(0));
            assert_eq!((db.stats().hits, db.stats().bypasses), (before.hits + 1, before.bypasses));
            insert(1).execute(connection)?;
            assert_eq!(users().get_result::<i64>(connection), Ok(1));
            // What a trigger may have written counts as well.
            assert_eq!(posts().get_result::<i64>(connection), Ok(0));
            assert_eq!((db.stats().hits, db.stats().bypasses), (before.hits + 1, before.bypasses + 2));
            // What is not kept yet is not kept by this either.
            let unseen = users::table.find(9).cached(HOUR);
            assert_eq!(unseen.load::<User>(connection), Ok(vec![]));
            QueryResult::Ok(())
        })
        .unwrap();
    assert_eq!(db.stats().loads, before.loads);
    assert_eq!(users().get_result::<i64>(&mut connection), Ok(1));
}

#[test]
fn a_server_process_that_is_killed_within_a_transaction_leaves_nothing_stale() {
    let db = handle();
    let (server, mut writer) = crate::postgres::open(&db);
    let mut reader = db.wrap(PgConnection::establish(&server.url()).unwrap());
    let mut killer = PgConnection::establish(&server.url()).unwrap();
    diesel::insert_into(users::table).values(user(1, "a")).execute(&mut writer).unwrap();
    let find = || users::table.find(1).select(users::name).cached(HOUR);
    assert_eq!(find().first::<String>(&mut reader), Ok("a".to_owned()));
    let mark = Mark::of(&db, "users");
    let done = writer.transaction(|connection| {
        diesel::update(users::table.find(1)).set(users::name.eq("b")).execute(connection)?;
        let kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state = 'idle in transaction'";
        killer.batch_execute(kill)?;
        QueryResult::Ok(())
    });
    assert!(done.is_err());
    // Nobody knows what became of the commit.
    assert!(!mark.is_there());
    assert_eq!(find().first::<String>(&mut reader), Ok("a".to_owned()));
    assert!(diesel::r2d2::R2D2Connection::is_broken(&mut writer) || writer.batch_execute("SELECT 1").is_err());
}

//! MySQL, as MariaDB.

use cachex_diesel::{CachedExt, CachingConnection, DieselCache};
use cachex_tests::mariadb::Server;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::result::Error;

use crate::schema::{TABLES, User, posts, user, users};
use crate::{HOUR, Mark, handle, races};

pub(crate) fn open(db: &DieselCache) -> (Server, CachingConnection<MysqlConnection>) {
    let server = Server::start();
    let mut connection = db.wrap(MysqlConnection::establish(&server.url()).unwrap());
    connection.batch_execute(TABLES).unwrap();
    (server, connection)
}

fn insert(connection: &mut CachingConnection<MysqlConnection>, id: i32) -> QueryResult<usize> {
    diesel::insert_into(users::table).values(user(id, "a")).execute(connection)
}

#[test]
fn writes_invalidate_their_table_and_no_other() {
    let db = handle();
    let (_server, mut connection) = open(&db);
    let mut touched = |work: fn(&mut CachingConnection<MysqlConnection>) -> QueryResult<usize>| {
        let marks = [Mark::of(&db, "users"), Mark::of(&db, "posts")];
        work(&mut connection).unwrap();
        (!marks[0].is_there(), !marks[1].is_there())
    };
    assert_eq!(touched(|c| insert(c, 1)), (true, false));
    assert_eq!(
        touched(|c| diesel::insert_into(users::table).values(vec![user(2, "b"), user(3, "c")]).execute(c)),
        (true, false)
    );
    assert_eq!(touched(|c| diesel::replace_into(users::table).values(user(1, "z")).execute(c)), (true, false));
    assert_eq!(touched(|c| diesel::insert_or_ignore_into(users::table).values(user(1, "y")).execute(c)), (true, false));
    assert_eq!(touched(|c| diesel::update(users::table.find(1)).set(users::name.eq("x")).execute(c)), (true, false));
    assert_eq!(touched(|c| Ok(user(1, "w").save_changes::<User>(c)?.name.len())), (true, false));
    assert_eq!(touched(|c| Ok(users::table.load::<User>(c)?.len())), (false, false));
    let rows = |c: &mut _| {
        let values = (posts::id.eq(1), posts::user_id.eq(1), posts::title.eq("t"));
        diesel::insert_into(posts::table).values(values).execute(c)
    };
    assert_eq!(touched(rows), (false, true));
    let both = |c: &mut _| {
        diesel::sql_query("UPDATE users JOIN posts ON posts.user_id = users.id SET users.age = 1, posts.title = 'u'")
            .execute(c)
    };
    assert_eq!(touched(both), (true, true));
    assert_eq!(touched(|c| diesel::sql_query("/*!50001 DELETE FROM posts */").execute(c)), (false, true));
    assert_eq!(touched(|c| diesel::delete(users::table).execute(c)), (true, false));
}

#[test]
fn rows_of_a_cached_query_answer_until_their_table_is_written() {
    let db = handle();
    let (_server, mut connection) = open(&db);
    insert(&mut connection, 1).unwrap();
    for _ in 0..3 {
        assert_eq!(users::table.find(1).cached(HOUR).first::<User>(&mut connection), Ok(user(1, "a")));
    }
    assert_eq!(db.stats().loads, 1);
    diesel::update(users::table.find(1)).set(users::name.eq("b")).execute(&mut connection).unwrap();
    assert_eq!(users::table.find(1).cached(HOUR).first::<User>(&mut connection), Ok(user(1, "b")));
}

#[test]
fn transactions_are_followed_also_where_a_definition_commits_them() {
    let db = handle();
    let (_server, mut connection) = open(&db);
    let mark = Mark::of(&db, "users");
    connection
        .transaction(|connection| {
            insert(connection, 1)?;
            assert!(mark.is_there());
            QueryResult::Ok(())
        })
        .unwrap();
    assert!(!mark.is_there());
    let mark = Mark::of(&db, "users");
    let rolled_back = connection.transaction::<(), _, _>(|connection| {
        insert(connection, 2)?;
        Err(Error::RollbackTransaction)
    });
    assert!(rolled_back.is_err() && mark.is_there());
    // What was written before the definition is committed by it, whatever comes then.
    let rolled_back = connection.transaction::<(), _, _>(|connection| {
        insert(connection, 3)?;
        assert!(mark.is_there());
        diesel::sql_query("CREATE TABLE others (id INT)").execute(connection)?;
        assert!(!mark.is_there());
        let mark = Mark::of(&db, "users");
        // And this at once.
        insert(connection, 4)?;
        assert!(!mark.is_there());
        Err(Error::RollbackTransaction)
    });
    assert!(rolled_back.is_err());
    let count = |connection: &mut _| users::table.count().cached(HOUR).get_result::<i64>(connection);
    assert_eq!(count(&mut connection), Ok(3));
}

#[test]
fn what_is_written_after_the_server_ended_the_transaction_is_seen() {
    let db = handle();
    let (server, mut connection) = open(&db);
    let mut other = db.wrap(MysqlConnection::establish(&server.url()).unwrap());
    insert(&mut connection, 1).unwrap();
    insert(&mut connection, 2).unwrap();
    let grow = |connection: &mut CachingConnection<MysqlConnection>, id: i32| {
        diesel::update(users::table.find(id)).set(users::age.eq(1)).execute(connection)
    };
    other.batch_execute("SET SESSION innodb_lock_wait_timeout = 50").unwrap();
    connection.batch_execute("BEGIN").unwrap();
    other.batch_execute("BEGIN").unwrap();
    grow(&mut connection, 1).unwrap();
    grow(&mut other, 2).unwrap();
    // Each waits for the other: one of them is told so, and its transaction is gone.
    let (first, second) = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| grow(&mut other, 1));
        let first = grow(&mut connection, 2);
        (first, waiting.join().unwrap())
    });
    assert!(first.is_ok() != second.is_ok(), "{first:?} {second:?}");
    let loser = if first.is_err() { &mut connection } else { &mut other };
    // It goes on as if nothing had happened: what it writes is committed at once.
    let mark = Mark::of(&db, "users");
    insert(loser, 9).unwrap();
    assert!(!mark.is_there());
    loser.batch_execute("ROLLBACK").unwrap();
    assert_eq!(users::table.find(9).count().cached(HOUR).get_result::<i64>(loser), Ok(1));
}

#[test]
fn what_the_server_says_of_its_tables_is_followed() {
    let db = cachex_diesel::DieselCache::builder(cachex::Cache::builder().build().unwrap()).build();
    let (_server, mut connection) = open(&db);
    connection.batch_execute("CREATE TABLE log (id INTEGER)").unwrap();
    connection.batch_execute("CREATE VIEW names AS SELECT name FROM users").unwrap();
    connection
        .batch_execute("CREATE TRIGGER t AFTER INSERT ON users FOR EACH ROW INSERT INTO log VALUES (new.id)")
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

#[test]
fn what_the_server_commits_after_the_connection_was_lost_is_seen() {
    let db = handle();
    let (server, mut reader) = open(&db);
    insert(&mut reader, 1).unwrap();
    let cable = server.cable();
    let mut writer = db.wrap(MysqlConnection::establish(cable.url()).unwrap());
    let [mut holder, mut plain] = [(); 2].map(|()| MysqlConnection::establish(&server.url()).unwrap());
    let name = || users::table.find(1).select(users::name);
    holder.batch_execute("BEGIN; SELECT * FROM users WHERE id = 1 FOR UPDATE").unwrap();
    let lost = std::thread::scope(|scope| {
        let waiting =
            scope.spawn(|| diesel::update(users::table.find(1)).set(users::name.eq("b")).execute(&mut writer));
        races::eventually(|| is_held(&mut plain));
        cable.cut();
        waiting.join().unwrap()
    });
    assert!(lost.is_err(), "{lost:?}");
    assert_eq!(name().cached(HOUR).first::<String>(&mut reader), Ok("a".to_owned()));
    holder.batch_execute("COMMIT").unwrap();
    races::eventually(|| name().first::<String>(&mut plain) == Ok("b".to_owned()));
    assert_eq!(name().cached(HOUR).first::<String>(&mut reader), Ok("b".to_owned()));
}

/// Whether a write waits for another session.
fn is_held(connection: &mut MysqlConnection) -> bool {
    // Not `innodb_trx`: what that tells is made anew only if nobody has asked for 100 ms.
    let waiting = "SELECT 1 FROM information_schema.processlist WHERE state = 'Updating' AND info LIKE 'UPDATE%'";
    diesel::sql_query(waiting).execute(connection) == Ok(1)
}

#[test]
fn what_the_server_refuses_leaves_the_connection_as_good_as_it_was() {
    let db = handle();
    let (_server, mut connection) = open(&db);
    connection.batch_execute("oops").unwrap_err();
    connection.set_cache_scope(None);
    for _ in 0..2 {
        assert_eq!(users::table.cached(HOUR).load::<User>(&mut connection), Ok(vec![]));
    }
    assert_eq!((db.stats().loads, db.stats().bypasses), (1, 0));
}

//! PostgreSQL.

use std::panic::{AssertUnwindSafe, catch_unwind};

use cachex_diesel::{CachedExt, CachingConnection, DieselCache};
use cachex_tests::postgres::Server;
use diesel::connection::{InstrumentationEvent, SimpleConnection};
use diesel::prelude::*;

use crate::schema::{TABLES, User, user, users};
use crate::{HOUR, Mark, handle, races};

/// Makes a connection to a database of its own.
pub(crate) fn open(db: &DieselCache) -> (Server, CachingConnection<PgConnection>) {
    let server = Server::start();
    let mut connection = db.wrap(PgConnection::establish(&server.url()).unwrap());
    connection.batch_execute(TABLES).unwrap();
    (server, connection)
}

mod usual {
    crate::usual::usual!(diesel::PgConnection, super::super::postgres::open);
}

mod transactions {
    crate::transactions::transactions!(diesel::PgConnection, super::super::postgres::open);
}

#[test]
fn what_only_this_server_has_is_followed() {
    let db = handle();
    let (_server, mut connection) = open(&db);
    let mark = Mark::of(&db, "users");
    let done = connection
        .build_transaction()
        .serializable()
        .run(|connection| diesel::insert_into(users::table).values(user(1, "a")).execute(connection));
    assert_eq!(done, Ok(1));
    assert!(!mark.is_there());
    let mark = Mark::of(&db, "users");
    let text = "WITH gone AS (DELETE FROM users RETURNING *) SELECT * FROM gone";
    assert_eq!(diesel::sql_query(text).load::<User>(&mut connection), Ok(vec![user(1, "a")]));
    assert!(!mark.is_there());
    let mark = Mark::of(&db, "users");
    connection.batch_execute("DO $$ BEGIN DELETE FROM users; END $$").unwrap();
    assert!(!mark.is_there());
    assert_eq!(db.stats().unknown, 1);
}

#[test]
fn what_is_copied_in_is_seen_when_it_is_committed() {
    use diesel::pg::CopyFormat;

    let db = handle();
    let (_server, mut connection) = open(&db);
    let count = |connection: &mut _| users::table.count().cached(HOUR).get_result::<i64>(connection).unwrap();
    let copy = |connection: &mut CachingConnection<PgConnection>, ids: std::ops::Range<i32>| {
        let rows: Vec<_> = ids.map(|id| (users::id.eq(id), users::name.eq("a"))).collect();
        ExecuteCopyFromDsl::execute(diesel::copy_from(users::table).from_insertable(rows), connection)
    };
    let text = |connection: &mut CachingConnection<PgConnection>, line: &'static str| {
        let raw = diesel::copy_from(users::table).from_raw_data(users::table, move |out| {
            out.write_all(line.as_bytes()).map_err(|error| diesel::result::Error::QueryBuilderError(error.into()))
        });
        ExecuteCopyFromDsl::execute(raw.with_format(CopyFormat::Text), connection)
    };
    assert_eq!(count(&mut connection), 0);
    let other = Mark::of(&db, "posts");
    assert_eq!(copy(&mut connection, 0..3), Ok(3));
    assert_eq!(count(&mut connection), 3);
    assert_eq!(text(&mut connection, "7\tb\t\\N\n"), Ok(1));
    assert_eq!(count(&mut connection), 4);
    assert!(other.is_there());
    // In a transaction, when that is committed, and not if it is rolled back.
    let mark = Mark::of(&db, "users");
    let rolled_back = connection.transaction::<(), _, _>(|connection| {
        copy(connection, 10..20)?;
        Err(diesel::result::Error::RollbackTransaction)
    });
    assert!(rolled_back.is_err() && mark.is_there());
    let done = connection.transaction(|connection| {
        let copied = copy(connection, 10..20);
        assert!(mark.is_there());
        copied
    });
    assert_eq!(done, Ok(10));
    assert!(!mark.is_there());
    assert_eq!(count(&mut connection), 14);
    // What fails has written nothing, and the connection goes on.
    text(&mut connection, "no number\n").unwrap_err();
    assert_eq!(count(&mut connection), 14);
    // And what it fails in is rolled back, though the server says that it is committed.
    connection.batch_execute("BEGIN").unwrap();
    connection.after_commit(|| panic!("it is not"));
    text(&mut connection, "no number\n").unwrap_err();
    connection.batch_execute("COMMIT").unwrap();
}

#[test]
fn what_comes_before_begin_in_a_text_is_seen_when_it_is_committed() {
    let db = handle();
    let (server, mut writer) = open(&db);
    let mut reader = db.wrap(PgConnection::establish(&server.url()).unwrap());
    let count = |connection: &mut _| users::table.count().cached(HOUR).get_result::<i64>(connection);
    writer.batch_execute("INSERT INTO users VALUES (1, 'a', NULL); BEGIN; DELETE FROM posts").unwrap();
    // Told already, and not yet committed: what is read here is kept.
    assert_eq!(count(&mut reader), Ok(0));
    writer.batch_execute("COMMIT").unwrap();
    assert_eq!(count(&mut reader), Ok(1));
}

#[test]
fn what_is_copied_in_is_told_though_somebody_panics_who_hears_of_it() {
    let db = handle();
    let (_server, mut connection) = open(&db);
    connection.set_instrumentation(|event: InstrumentationEvent<'_>| {
        assert!(!matches!(event, InstrumentationEvent::FinishQuery { .. }), "of the test");
    });
    let mark = Mark::of(&db, "users");
    let rows = vec![(users::id.eq(1), users::name.eq("a"))];
    let copy = diesel::copy_from(users::table).from_insertable(rows);
    let panicked = catch_unwind(AssertUnwindSafe(|| ExecuteCopyFromDsl::execute(copy, &mut connection)));
    assert!(panicked.is_err() && !mark.is_there());
}

#[test]
fn what_is_copied_in_and_committed_after_the_connection_was_lost_is_seen() {
    let db = handle();
    let (server, mut reader) = open(&db);
    let cable = server.cable();
    let mut writer = db.wrap(PgConnection::establish(cable.url()).unwrap());
    let [mut holder, mut plain] = [(); 2].map(|()| PgConnection::establish(&server.url()).unwrap());
    let count = |connection: &mut _| users::table.count().cached(HOUR).get_result::<i64>(connection);
    holder.batch_execute("BEGIN; INSERT INTO users VALUES (1, 'of another', NULL)").unwrap();
    let is_held = |plain: &mut PgConnection| {
        let waiting = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'COPY%'";
        diesel::sql_query(waiting).execute(plain) == Ok(1)
    };
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            let rows = vec![(users::id.eq(1), users::name.eq("a"))];
            ExecuteCopyFromDsl::execute(diesel::copy_from(users::table).from_insertable(rows), &mut writer)
        });
        races::eventually(|| is_held(&mut plain));
        cable.cut();
        waiting.join().unwrap().unwrap_err();
    });
    assert_eq!(count(&mut reader), Ok(0));
    holder.batch_execute("ROLLBACK").unwrap();
    races::eventually(|| users::table.count().get_result::<i64>(&mut plain) == Ok(1));
    assert_eq!(count(&mut reader), Ok(1));
}

#[test]
fn tenants_see_their_own_rows() {
    let db = handle();
    let (server, mut connection) = open(&db);
    let names = |connection: &mut CachingConnection<PgConnection>| {
        users::table.select(users::name).cached(HOUR).load::<String>(connection).unwrap()
    };
    for tenant in ["one", "two"] {
        connection.batch_execute(&format!("CREATE SCHEMA {tenant}; CREATE TABLE {tenant}.users (LIKE users)")).unwrap();
        connection.batch_execute(&format!("INSERT INTO {tenant}.users VALUES (1, 'of {tenant}', NULL)")).unwrap();
    }
    let tenant = |name: &str| {
        let mut connection = db.wrap(PgConnection::establish(&server.url()).unwrap());
        connection.batch_execute(&format!("SET search_path TO {name}")).unwrap();
        // Whose rows they are was not said yet: nothing is kept.
        let bypasses = db.stats().bypasses;
        assert_eq!(names(&mut connection), [format!("of {name}")]);
        assert_eq!(db.stats().bypasses, bypasses + 1);
        connection.set_cache_scope(Some(name));
        connection
    };
    let (mut one, mut two) = (tenant("one"), tenant("two"));
    for _ in 0..2 {
        assert_eq!(names(&mut one), ["of one"]);
        assert_eq!(names(&mut two), ["of two"]);
        assert_eq!(names(&mut connection), [""; 0]);
    }
    let loads = db.stats().loads;
    diesel::update(users::table).set(users::name.eq("new")).execute(&mut one).unwrap();
    assert_eq!(names(&mut one), ["new"]);
    assert_eq!(names(&mut two), ["of two"]);
    assert_eq!(db.stats().loads, loads + 1);
    // Who is in no scope may write in any.
    connection.batch_execute("UPDATE two.users SET name = 'newer'").unwrap();
    assert_eq!(names(&mut two), ["newer"]);
}

#[test]
fn a_transaction_over_several_tenants_is_told_to_all_of_them() {
    let db = handle();
    let (server, mut connection) = open(&db);
    for tenant in ["one", "two"] {
        connection.batch_execute(&format!("CREATE SCHEMA {tenant}; CREATE TABLE {tenant}.users (LIKE users)")).unwrap();
        connection.batch_execute(&format!("INSERT INTO {tenant}.users VALUES (1, 'old', NULL)")).unwrap();
    }
    let names = |connection: &mut CachingConnection<PgConnection>| {
        users::table.select(users::name).cached(HOUR).load::<String>(connection).unwrap()
    };
    let mut tenants = ["one", "two"].map(|name| {
        let mut tenant = db.wrap(PgConnection::establish(&server.url()).unwrap());
        tenant.batch_execute(&format!("SET search_path TO {name}")).unwrap();
        tenant.set_cache_scope(Some(name));
        assert_eq!(names(&mut tenant), ["old"]);
        tenant
    });
    connection
        .transaction(|connection| {
            for tenant in ["one", "two"] {
                connection.batch_execute(&format!("SET LOCAL search_path TO {tenant}"))?;
                connection.set_cache_scope(Some(tenant));
                diesel::update(users::table).set(users::name.eq("new")).execute(connection)?;
            }
            QueryResult::Ok(())
        })
        .unwrap();
    for tenant in &mut tenants {
        assert_eq!(names(tenant), ["new"]);
    }
    // The search path is undone, although the scope was said.
    assert_eq!(names(&mut connection), [""; 0]);
    assert_eq!(names(&mut tenants[1]), ["new"]);
}

#[test]
fn nothing_is_called_after_a_commit_that_was_a_rollback() {
    static IS_CALLED: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);
    let db = handle();
    let (_server, mut connection) = open(&db);
    connection.batch_execute("BEGIN").unwrap();
    connection.after_commit(|| IS_CALLED.store(true, std::sync::atomic::Ordering::SeqCst));
    diesel::sql_query("SELECT oops").execute(&mut connection).unwrap_err();
    connection.batch_execute("COMMIT").unwrap();
    assert!(!IS_CALLED.load(std::sync::atomic::Ordering::SeqCst));
}

#[test]
fn a_server_that_is_killed_before_it_answers_may_have_committed() {
    let db = handle();
    let (mut server, mut connection) = open(&db);
    let mark = Mark::of(&db, "users");
    connection.batch_execute("BEGIN").unwrap();
    diesel::insert_into(users::table).values(user(1, "a")).execute(&mut connection).unwrap();
    assert!(mark.is_there());
    server.kill();
    connection.batch_execute("COMMIT").unwrap_err();
    assert!(!mark.is_there());
}

#[test]
fn what_the_server_says_of_its_tables_is_followed() {
    let db = cachex_diesel::DieselCache::builder(cachex::Cache::builder().build().unwrap()).build();
    let (_server, mut connection) = open(&db);
    connection.batch_execute("CREATE TABLE log (id INTEGER)").unwrap();
    connection.batch_execute("CREATE VIEW names AS SELECT name FROM users").unwrap();
    connection
        .batch_execute(
            "CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log VALUES (new.id); RETURN new; END $$;
             CREATE TRIGGER t AFTER INSERT ON users FOR EACH ROW EXECUTE FUNCTION noted()",
        )
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
fn what_a_trigger_runs_in_no_text_may_write_anything() {
    let db = handle();
    let (_server, mut connection) = open(&db);
    connection
        .batch_execute(
            "CREATE FUNCTION hidden() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'DELETE FROM users'; RETURN new; END $$;
             CREATE TRIGGER t AFTER INSERT ON posts FOR EACH ROW EXECUTE FUNCTION hidden()",
        )
        .unwrap();
    assert_eq!(db.introspect(&mut connection).unwrap().unknown, 1);
    let mark = Mark::of(&db, "users");
    diesel::insert_into(users::table).values(user(1, "a")).execute(&mut connection).unwrap();
    let mark_of_nothing = Mark::of(&db, "posts");
    assert!(!mark.is_there() && mark_of_nothing.is_there());
    let mark = Mark::of(&db, "users");
    connection.batch_execute("INSERT INTO posts VALUES (1, 1, 't')").unwrap_or_default();
    assert!(!mark.is_there());
}

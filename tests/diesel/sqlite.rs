//! SQLite.

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
fn migrations_invalidate_what_they_touch() {
    use diesel::migration::{Migration, MigrationMetadata, MigrationName, MigrationSource};
    use diesel_migrations::MigrationHarness;

    struct One;
    struct Named;

    impl std::fmt::Display for Named {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("1")
        }
    }

    impl MigrationName for Named {
        fn version(&self) -> diesel::migration::MigrationVersion<'_> {
            "1".into()
        }
    }

    struct Plain;

    impl MigrationMetadata for Plain {}

    impl Migration<diesel::sqlite::Sqlite> for One {
        fn run(
            &self,
            connection: &mut dyn diesel::connection::BoxableConnection<diesel::sqlite::Sqlite>,
        ) -> diesel::migration::Result<()> {
            Ok(connection.batch_execute("UPDATE users SET age = 1")?)
        }

        fn revert(
            &self,
            _: &mut dyn diesel::connection::BoxableConnection<diesel::sqlite::Sqlite>,
        ) -> diesel::migration::Result<()> {
            Ok(())
        }

        fn metadata(&self) -> &dyn MigrationMetadata {
            &Plain
        }

        fn name(&self) -> &dyn MigrationName {
            &Named
        }
    }

    impl MigrationSource<diesel::sqlite::Sqlite> for One {
        fn migrations(&self) -> diesel::migration::Result<Vec<Box<dyn Migration<diesel::sqlite::Sqlite>>>> {
            Ok(vec![Box::new(Self)])
        }
    }

    let db = handle();
    let (_database, mut connection) = open(&db);
    let mark = Mark::of(&db, "users");
    connection.run_pending_migrations(One).unwrap();
    assert!(!mark.is_there());
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

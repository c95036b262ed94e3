//! Migrations, over blocking and over async connections: what they touch is invalidated.

use std::fmt;

use diesel::backend::Backend;
use diesel::connection::BoxableConnection;
use diesel::migration::{Migration, MigrationMetadata, MigrationName, MigrationSource, MigrationVersion, Result};
use diesel_async::AsyncMigrationHarness;
use diesel_migrations::MigrationHarness;

use crate::{Mark, handle};

/// Writes users.
struct One;

impl<DB: Backend> Migration<DB> for One {
    fn run(&self, connection: &mut dyn BoxableConnection<DB>) -> Result<()> {
        Ok(connection.batch_execute("UPDATE users SET age = 1")?)
    }

    fn revert(&self, _connection: &mut dyn BoxableConnection<DB>) -> Result<()> {
        Ok(())
    }

    fn metadata(&self) -> &dyn MigrationMetadata {
        self
    }

    fn name(&self) -> &dyn MigrationName {
        self
    }
}

impl MigrationMetadata for One {}

impl MigrationName for One {
    fn version(&self) -> MigrationVersion<'_> {
        "1".into()
    }
}

impl fmt::Display for One {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("1")
    }
}

impl<DB: Backend> MigrationSource<DB> for One {
    fn migrations(&self) -> Result<Vec<Box<dyn Migration<DB>>>> {
        Ok(vec![Box::new(Self)])
    }
}

/// Runs it, twice: the second time there is nothing to do.
macro_rules! migrates {
    ($db:ident, $harness:ident) => {
        let marks = [Mark::of(&$db, "users"), Mark::of(&$db, "posts")];
        assert_eq!($harness.run_pending_migrations(One).unwrap().len(), 1);
        assert_eq!(marks.each_ref().map(Mark::is_there), [false, true]);
        let mark = Mark::of(&$db, "users");
        assert_eq!($harness.run_pending_migrations(One).unwrap().len(), 0);
        assert!(mark.is_there());
    };
}

#[test]
fn they_run_over_blocking_connections() {
    let db = handle();
    let (_database, mut connection) = crate::sqlite::open(&db);
    migrates!(db, connection);
    let db = handle();
    let (_server, mut connection) = crate::postgres::open(&db);
    migrates!(db, connection);
    let db = handle();
    let (_server, mut connection) = crate::mysql::open(&db);
    migrates!(db, connection);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn they_run_over_async_connections() {
    let db = handle();
    let (_server, connection) = crate::asynch::postgres(&db).await;
    let mut harness = AsyncMigrationHarness::new(connection);
    migrates!(db, harness);
    let db = handle();
    let (_server, connection) = crate::asynch::mysql(&db).await;
    let mut harness = AsyncMigrationHarness::new(connection);
    migrates!(db, harness);
}

// Guards `setup`.
#[test]
fn what_was_written_before_a_look_for_migrations_is_committed_by_it_in_mysql() {
    use diesel::connection::SimpleConnection;

    let db = handle();
    let (_server, mut connection) = crate::mysql::open(&db);
    connection.batch_execute("BEGIN; INSERT INTO users VALUES (1, 'a', NULL)").unwrap();
    let written = Mark::of(&db, "users");
    assert!(connection.has_pending_migration(One).unwrap());
    assert!(!written.is_there());
}

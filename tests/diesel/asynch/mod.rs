//! The same over async connections.

mod cancelled;
mod pools;
mod race;
mod unreachable;
mod usual;

use cachex_diesel::{AsyncCachingConnection, DieselCache};
use cachex_tests::{mariadb, postgres};
use diesel::SqliteConnection;
use diesel_async::sync_connection_wrapper::SyncConnectionWrapper;
use diesel_async::{AsyncConnection, AsyncMysqlConnection, AsyncPgConnection, SimpleAsyncConnection};

use crate::Database;
use crate::schema::TABLES;

pub(crate) type Sqlite = SyncConnectionWrapper<SqliteConnection>;

/// Returns the address of a server, as this client writes it.
fn mysql_url(server: &mariadb::Server) -> String {
    server.url().replace("unix_socket=", "socket=")
}

/// Makes a connection to a database of its own, with the tables.
async fn sqlite(db: &DieselCache) -> (Database, AsyncCachingConnection<Sqlite>) {
    let database = Database::new();
    let mut connection = db.wrap_async(Sqlite::establish(&database.url()).await.unwrap());
    connection.batch_execute(TABLES).await.unwrap();
    (database, connection)
}

pub(crate) async fn postgres(db: &DieselCache) -> (postgres::Server, AsyncCachingConnection<AsyncPgConnection>) {
    let server = postgres::Server::start();
    let mut connection = db.wrap_async(AsyncPgConnection::establish(&server.url()).await.unwrap());
    connection.batch_execute(TABLES).await.unwrap();
    (server, connection)
}

pub(crate) async fn mysql(db: &DieselCache) -> (mariadb::Server, AsyncCachingConnection<AsyncMysqlConnection>) {
    let server = mariadb::Server::start();
    let mut connection = db.wrap_async(AsyncMysqlConnection::establish(&mysql_url(&server)).await.unwrap());
    connection.batch_execute(TABLES).await.unwrap();
    (server, connection)
}

mod on_sqlite {
    super::usual::usual!(super::Sqlite, super::sqlite);
    super::usual::returning!(super::Sqlite, super::sqlite);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_commit_that_fails_on_sqlite_queries_are_kept_again() {
    use cachex_diesel::CachedExt;
    use diesel_async::RunQueryDsl;

    use crate::schema::{User, users};

    let db = crate::handle();
    let (_database, mut connection) = sqlite(&db).await;
    let tables = "PRAGMA foreign_keys = ON; CREATE TABLE likes (id INTEGER PRIMARY KEY,         user_id INTEGER REFERENCES users (id) DEFERRABLE INITIALLY DEFERRED)";
    connection.batch_execute(tables).await.unwrap();
    connection.set_cache_scope(None);
    let mark = crate::Mark::of(&db, "likes");
    let done = connection.transaction(async |c| c.batch_execute("INSERT INTO likes VALUES (1, 7)").await).await;
    assert!(matches!(done, Err(diesel::result::Error::DatabaseError(..))), "{done:?}");
    assert!(!mark.is_there());
    for _ in 0..2 {
        assert_eq!(users::table.cached(crate::HOUR).load::<User>(&mut connection).await, Ok(vec![]));
    }
    assert_eq!((db.stats().loads, db.stats().bypasses), (1, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_panics_on_the_thread_of_sqlite_does_not_break_what_comes_after() {
    let db = crate::handle();
    let (_database, mut connection) = sqlite(&db).await;
    let panicked = connection.inner_mut().spawn_blocking::<()>(|_| panic!("on purpose")).await;
    assert!(panicked.is_err());
    assert_eq!(connection.batch_execute("DELETE FROM users").await, Ok(()));
    assert_eq!(connection.transaction(async |c| c.batch_execute("DELETE FROM users").await).await, Ok(()));
}

mod on_postgres {
    super::usual::usual!(diesel_async::AsyncPgConnection, super::postgres);
    super::usual::returning!(diesel_async::AsyncPgConnection, super::postgres);
}

mod on_mysql {
    super::usual::usual!(diesel_async::AsyncMysqlConnection, super::mysql);
}

//! The same over async connections.

mod cancelled;
mod pools;
mod race;
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

async fn postgres(db: &DieselCache) -> (postgres::Server, AsyncCachingConnection<AsyncPgConnection>) {
    let server = postgres::Server::start();
    let mut connection = db.wrap_async(AsyncPgConnection::establish(&server.url()).await.unwrap());
    connection.batch_execute(TABLES).await.unwrap();
    (server, connection)
}

async fn mysql(db: &DieselCache) -> (mariadb::Server, AsyncCachingConnection<AsyncMysqlConnection>) {
    let server = mariadb::Server::start();
    let mut connection = db.wrap_async(AsyncMysqlConnection::establish(&mysql_url(&server)).await.unwrap());
    connection.batch_execute(TABLES).await.unwrap();
    (server, connection)
}

mod on_sqlite {
    super::usual::usual!(super::Sqlite, super::sqlite);
    super::usual::returning!(super::Sqlite, super::sqlite);
}

mod on_postgres {
    super::usual::usual!(diesel_async::AsyncPgConnection, super::postgres);
    super::usual::returning!(diesel_async::AsyncPgConnection, super::postgres);
}

mod on_mysql {
    super::usual::usual!(diesel_async::AsyncMysqlConnection, super::mysql);
}

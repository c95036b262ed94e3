//! A second tier that is out of reach, over async connections.

use cachex_diesel::{CachedExt, OnCacheError};
use cachex_tests::redis::Server;
use diesel::ExpressionMethods;
use diesel_async::{AsyncConnection, RunQueryDsl, SimpleAsyncConnection};

use crate::HOUR;
use crate::races::eventually;
use crate::schema::{User, users};
use crate::unreachable::{is_refused, refusing};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_async_connections_they_are_refused_as_well() {
    let mut server = Server::start();
    let (db, _) = refusing(&server, OnCacheError::Refuse);
    let (_database, mut connection) = super::sqlite(&db).await;
    let insert = |id: i32| diesel::insert_into(users::table).values((users::id.eq(id), users::name.eq("a")));
    insert(1).execute(&mut connection).await.unwrap();
    connection.batch_execute("BEGIN").await.unwrap();
    server.kill();
    eventually(|| !db.cache().can_deliver());
    assert!(is_refused(&insert(2).execute(&mut connection).await));
    connection.batch_execute("ROLLBACK").await.unwrap();
    assert!(is_refused(&users::table.cached(HOUR).load::<User>(&mut connection).await));
    let transaction = connection.transaction(async |connection| insert(3).execute(connection).await);
    assert!(is_refused(&transaction.await));
    assert_eq!(users::table.load::<User>(&mut connection).await.unwrap().len(), 1);
    server.run();
    eventually(|| db.cache().can_deliver());
    insert(4).execute(&mut connection).await.unwrap();
    assert_eq!(users::table.cached(HOUR).load::<User>(&mut connection).await.unwrap().len(), 2);
}

//! Pools of async connections: what they lend is used as the connection itself.

use cachex_diesel::{AsyncCachingConnection, CachedExt, DieselCache};
use cachex_tests::postgres::Server;
use diesel::prelude::*;
use diesel_async::pooled_connection::{AsyncDieselConnectionManager, bb8, deadpool, mobc};
use diesel_async::{AsyncConnection, AsyncConnectionCore, AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};

use crate::schema::{TABLES, User, user, users};
use crate::{HOUR, Mark, handle};

type Pg = AsyncCachingConnection<AsyncPgConnection>;

fn manager(db: &DieselCache, server: &Server) -> AsyncDieselConnectionManager<Pg> {
    AsyncDieselConnectionManager::new_with_config(server.url(), db.manager_config::<AsyncPgConnection>())
}

/// Writes and reads over what a pool lends.
async fn is_followed<C>(db: &DieselCache, connection: &mut C)
where
    C: AsyncConnection
        + AsyncConnectionCore<Backend = diesel::pg::Pg>
        + cachex_diesel::CacheAware<Server = diesel::pg::Pg>,
{
    connection.batch_execute("DROP TABLE IF EXISTS posts; DROP TABLE IF EXISTS users").await.unwrap();
    connection.batch_execute(TABLES).await.unwrap();
    let count = || users::table.count().cached(HOUR);
    assert_eq!(count().get_result::<i64>(connection).await, Ok(0));
    let mark = Mark::of(db, "users");
    diesel::insert_into(users::table).values(user(1, "a")).execute(connection).await.unwrap();
    assert!(!mark.is_there());
    let loads = db.stats().loads;
    for _ in 0..2 {
        assert_eq!(count().get_result::<i64>(connection).await, Ok(1));
    }
    assert_eq!(db.stats().loads, loads + 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_pool_lends_connections_that_are_followed() {
    let db = handle();
    let server = Server::start();
    let pool = bb8::Pool::builder().max_size(2).build(manager(&db, &server)).await.unwrap();
    is_followed(&db, &mut pool.get().await.unwrap()).await;
    let pool = deadpool::Pool::builder(manager(&db, &server)).max_size(2).build().unwrap();
    is_followed(&db, &mut pool.get().await.unwrap()).await;
    let pool = mobc::Pool::new(manager(&db, &server));
    is_followed(&db, &mut pool.get().await.unwrap()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_pool_lends_can_be_wrapped() {
    let db = handle();
    let server = Server::start();
    let bare = AsyncDieselConnectionManager::<AsyncPgConnection>::new(server.url());
    let pool = bb8::Pool::builder().max_size(1).build(bare).await.unwrap();
    let mut connection = db.wrap_async(pool.get_owned().await.unwrap());
    is_followed(&db, &mut connection).await;
    let mark = Mark::of(&db, "users");
    let done = connection
        .transaction(async |connection| {
            diesel::delete(users::table).execute(connection).await?;
            assert!(mark.is_there());
            QueryResult::Ok(())
        })
        .await;
    assert_eq!(done, Ok(()));
    assert!(!mark.is_there());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_with_a_transaction_that_was_begun_by_hand_is_lent_to_nobody_else() {
    let db = handle();
    let server = Server::start();
    let pool = bb8::Pool::builder().max_size(1).build(manager(&db, &server)).await.unwrap();
    let mut connection = pool.get().await.unwrap();
    connection.batch_execute("BEGIN").await.unwrap();
    let before = backend(&mut connection).await;
    drop(connection);
    assert_ne!(backend(&mut pool.get().await.unwrap()).await, before);
    let before = backend(&mut pool.get().await.unwrap()).await;
    assert_eq!(backend(&mut pool.get().await.unwrap()).await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_lent_and_left_within_a_transaction_or_changed_is_lent_to_nobody_else() {
    let db = handle();
    let server = Server::start();
    let bare = AsyncDieselConnectionManager::<AsyncPgConnection>::new(server.url());
    let pool = bb8::Pool::builder().max_size(1).build(bare).await.unwrap();
    let mut before = 0;
    for left in ["BEGIN", "SET search_path = other", "SELECT 1", "SELECT 2"] {
        let mut connection = db.wrap_async(pool.get_owned().await.unwrap());
        let now = backend(&mut connection).await;
        assert_eq!(now == before, left == "SELECT 2", "{left}");
        before = now;
        connection.batch_execute(left).await.unwrap();
    }
}

/// Returns which process of the server a connection has.
async fn backend<C: AsyncConnectionCore<Backend = diesel::pg::Pg>>(connection: &mut C) -> i32 {
    let pid = diesel::select(diesel::dsl::sql::<diesel::sql_types::Integer>("pg_backend_pid()"));
    pid.get_result(connection).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hit_takes_no_connection_from_the_pool() {
    let db = handle();
    let server = Server::start();
    let pool = bb8::Pool::builder().max_size(1).build(manager(&db, &server)).await.unwrap();
    pool.get().await.unwrap().batch_execute(TABLES).await.unwrap();
    let all = || users::table.cached(HOUR);
    let connect = async || pool.get_owned().await;
    assert_eq!(all().load_by_async::<User, _, _>(&db, connect).await.unwrap(), []);
    let mut only = pool.get_owned().await.unwrap();
    assert_eq!(all().load_by_async::<User, _, _>(&db, connect).await.unwrap(), []);
    diesel::insert_into(users::table).values(user(1, "a")).execute(&mut only).await.unwrap();
    drop(only);
    assert_eq!(all().load_by_async::<User, _, _>(&db, connect).await.unwrap(), [user(1, "a")]);
    assert_eq!((db.stats().loads, db.stats().hits), (2, 1));
    let none = async || Err::<bb8::PooledConnection<'static, Pg>, _>("no connection");
    let error = all().tag("other").load_by_async::<User, _, _>(&db, none).await.unwrap_err();
    assert!(error.to_string().contains("no connection"), "{error}");
}

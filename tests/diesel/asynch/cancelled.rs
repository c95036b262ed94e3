//! Statements that nobody waits for any more: the server does them all the same, later than anybody here can see.

use std::time::Duration;

use cachex::Cache;
use cachex::time::ManualClock;
use cachex_diesel::{AsyncCachingConnection, CachedExt, DieselCache};
use cachex_tests::postgres::Server;
use diesel::connection::SimpleConnection;
use diesel::{Connection, ExpressionMethods, PgConnection, QueryDsl};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};

use crate::schema::{User, user, users};
use crate::{HOUR, Mark};

type Pg = AsyncCachingConnection<AsyncPgConnection>;

/// A user whom another session keeps others from writing.
struct Held {
    db: DieselCache,
    clock: ManualClock,
    server: Server,
    writer: Pg,
    reader: Pg,
    holder: PgConnection,
}

impl Held {
    async fn new(held: &str) -> Self {
        let clock = ManualClock::new();
        let cache = Cache::builder().clock(clock.clone()).build().unwrap();
        let lease = Duration::from_secs(60);
        let db = DieselCache::builder(cache).table("users", |table| table).lease(lease).build();
        let (server, mut writer) = super::postgres(&db).await;
        diesel::insert_into(users::table).values(user(1, "a")).execute(&mut writer).await.unwrap();
        let reader = db.wrap_async(AsyncPgConnection::establish(&server.url()).await.unwrap());
        let mut holder = PgConnection::establish(&server.url()).unwrap();
        holder.batch_execute(held).unwrap();
        Self { db, clock, server, writer, reader, holder }
    }

    /// Asks for the name of the user by a cached query. Returns it, and whether the database was asked.
    async fn read(&mut self) -> (String, bool) {
        let loads = self.db.stats().loads;
        let name = users::table.find(1).select(users::name).cached(HOUR).first(&mut self.reader).await.unwrap();
        (name, self.db.stats().loads > loads)
    }

    /// Waits until a session of the server waits for another.
    async fn is_held(server: &Server) {
        let mut plain = PgConnection::establish(&server.url()).unwrap();
        let waiting = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
        eventually(|| diesel::RunQueryDsl::execute(diesel::sql_query(waiting), &mut plain) == Ok(1)).await;
    }

    /// Lets what was held up be done, and waits for it.
    async fn let_go(&mut self) {
        self.holder.batch_execute("COMMIT").unwrap();
        let mut plain = PgConnection::establish(&self.server.url()).unwrap();
        let find = users::table.find(1).select(users::name);
        eventually(|| diesel::RunQueryDsl::first::<String>(find, &mut plain).unwrap() == "b").await;
    }
}

/// Waits until something is so; it is looked at again and again, as another process makes it so.
async fn eventually(mut is_so: impl FnMut() -> bool) {
    for _ in 0..10_000 {
        if is_so() {
            return;
        }
        tokio::task::block_in_place(|| std::thread::park_timeout(Duration::from_millis(1)));
        tokio::task::yield_now().await;
    }
    panic!("not so within 10 s");
}

const HOLD_ROW: &str = "BEGIN; SELECT * FROM users WHERE id = 1 FOR UPDATE";

/// Begins to rename the user, and gives it up once the server has it.
async fn give_up(held: &mut Held) {
    let update = diesel::update(users::table.find(1)).set(users::name.eq("b"));
    tokio::select! {
        done = update.execute(&mut held.writer) => panic!("the row is held: {done:?}"),
        () = Held::is_held(&held.server) => {}
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_it_may_write_is_not_kept_until_the_server_has_answered_what_came_next() {
    let mut held = Held::new(HOLD_ROW).await;
    assert_eq!(held.read().await, ("a".to_owned(), true));
    assert_eq!(held.read().await, ("a".to_owned(), false));
    give_up(&mut held).await;
    // It will be written, and nobody knows when.
    assert_eq!(held.read().await, ("a".to_owned(), true));
    assert_eq!(held.read().await, ("a".to_owned(), true));
    held.let_go().await;
    assert_eq!(held.read().await, ("b".to_owned(), true));
    assert_eq!(held.read().await, ("b".to_owned(), true));
    diesel::sql_query("SELECT 1").execute(&mut held.writer).await.unwrap();
    assert_eq!(held.read().await, ("b".to_owned(), true));
    assert_eq!(held.read().await, ("b".to_owned(), false));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_done_by_the_connection_within_is_no_answer() {
    let mut held = Held::new(HOLD_ROW).await;
    give_up(&mut held).await;
    let _token = held.writer.with_inner([], async |inner| inner.cancel_token()).await;
    assert_eq!(held.read().await, ("a".to_owned(), true));
    assert_eq!(held.read().await, ("a".to_owned(), true));
    held.let_go().await;
    assert_eq!(held.read().await, ("b".to_owned(), true));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_connection_is_there_no_lease_ends() {
    let mut held = Held::new(HOLD_ROW).await;
    give_up(&mut held).await;
    for _ in 0..2 {
        held.clock.advance(Duration::from_secs(61));
        held.db.cache().reclaim();
        assert_eq!(held.read().await, ("a".to_owned(), true));
    }
    let other = held.db.wrap_async(AsyncPgConnection::establish(&held.server.url()).await.unwrap());
    drop(std::mem::replace(&mut held.writer, other));
    held.clock.advance(Duration::from_secs(59));
    held.db.cache().reclaim();
    assert_eq!(held.read().await, ("a".to_owned(), true));
    assert_eq!(held.read().await, ("a".to_owned(), true));
    held.let_go().await;
    assert_eq!(held.read().await, ("b".to_owned(), true));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_of_a_write_that_the_server_gives_up_end_with_its_error() {
    let mut held = Held::new(HOLD_ROW).await;
    let update = diesel::update(users::table.find(1)).set(users::name.eq("b")).returning(users::name);
    let terminate = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
    let (done, ()) = tokio::join!(update.get_result::<String>(&mut held.writer), async {
        Held::is_held(&held.server).await;
        PgConnection::establish(&held.server.url()).unwrap().batch_execute(terminate).unwrap();
    });
    assert!(done.is_err(), "{done:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_within_a_transaction_that_nobody_waits_for_does_not_undo_it() {
    use std::sync::atomic::{AtomicBool, Ordering};

    static IS_CALLED: AtomicBool = AtomicBool::new(false);
    let mut held = Held::new("SELECT 1").await;
    let done = held.writer.transaction(async |c| {
        c.after_commit(|| IS_CALLED.store(true, Ordering::Relaxed));
        drop(users::table.load::<User>(c));
        diesel::update(users::table.find(1)).set(users::name.eq("b")).execute(c).await
    });
    assert_eq!(done.await, Ok(1));
    assert!(AtomicBool::load(&IS_CALLED, Ordering::Relaxed));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_write_that_nobody_waits_for_nothing_is_called_at_a_commit_unless_the_server_has_gone_on() {
    for is_refused in [false, true] {
        let mut held = Held::new(HOLD_ROW).await;
        let (sender, called) = std::sync::mpsc::channel();
        held.writer.batch_execute("BEGIN").await.unwrap();
        held.writer.after_commit(move || sender.send(()).unwrap());
        give_up(&mut held).await;
        if is_refused {
            let cancel = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
            PgConnection::establish(&held.server.url()).unwrap().batch_execute(cancel).unwrap();
        } else {
            held.holder.batch_execute("COMMIT").unwrap();
            held.writer.batch_execute("SELECT 1").await.unwrap();
        }
        // Where something has failed, the server rolls back, and says that this is done.
        held.writer.batch_execute("COMMIT").await.unwrap();
        assert_eq!(called.try_recv().is_ok(), !is_refused);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_of_mysql_on_which_something_was_given_up_is_not_believed_any_more() {
    use diesel_async::AsyncMysqlConnection;
    use diesel_async::pooled_connection::{AsyncDieselConnectionManager, bb8};

    let db = crate::handle();
    let (server, mut holder) = super::mysql(&db).await;
    let url = super::mysql_url(&server);
    let manager = AsyncDieselConnectionManager::new_with_config(url, db.manager_config::<AsyncMysqlConnection>());
    let pool = bb8::Pool::builder().max_size(1).build(manager).await.unwrap();
    let id = async |c: &mut AsyncCachingConnection<AsyncMysqlConnection>| {
        diesel::select(diesel::dsl::sql::<diesel::sql_types::Unsigned<diesel::sql_types::BigInt>>("CONNECTION_ID()"))
            .get_result::<u64>(c)
            .await
            .unwrap()
    };
    diesel::insert_into(users::table).values(user(1, "a")).execute(&mut holder).await.unwrap();
    let mut lent = pool.get().await.unwrap();
    let before = id(&mut lent).await;
    holder.batch_execute("BEGIN; SELECT * FROM users WHERE id = 1 FOR UPDATE").await.unwrap();
    let mut plain = AsyncMysqlConnection::establish(&super::mysql_url(&server)).await.unwrap();
    let update = diesel::update(users::table.find(1)).set(users::name.eq("b"));
    tokio::select! {
        done = update.execute(&mut *lent) => panic!("the row is held: {done:?}"),
        () = is_held_by_mysql(&mut plain) => {}
    }
    let bypasses = db.stats().bypasses;
    let mark = Mark::of(&db, "users");
    assert!(!mark.is_there(), "what may be written is not kept");
    drop(lent);
    let mut lent = pool.get().await.unwrap();
    assert_ne!(id(&mut lent).await, before);
    assert_eq!(db.stats().bypasses, bypasses);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_mysql_commits_after_the_connection_was_lost_is_seen() {
    use diesel_async::AsyncMysqlConnection;

    let db = crate::handle();
    let (server, mut reader) = super::mysql(&db).await;
    diesel::insert_into(users::table).values(user(1, "a")).execute(&mut reader).await.unwrap();
    let cable = server.cable();
    let url = cable.url().replace("unix_socket=", "socket=");
    let mut writer = db.wrap_async(AsyncMysqlConnection::establish(&url).await.unwrap());
    let mut holder = AsyncMysqlConnection::establish(&super::mysql_url(&server)).await.unwrap();
    let mut plain = AsyncMysqlConnection::establish(&super::mysql_url(&server)).await.unwrap();
    let name = || users::table.find(1).select(users::name);
    holder.batch_execute("BEGIN; SELECT * FROM users WHERE id = 1 FOR UPDATE").await.unwrap();
    let update = diesel::update(users::table.find(1)).set(users::name.eq("b"));
    let (lost, ()) = futures_util::join!(update.execute(&mut writer), async {
        is_held_by_mysql(&mut plain).await;
        cable.cut();
    });
    assert!(lost.is_err(), "{lost:?}");
    assert_eq!(name().cached(HOUR).first::<String>(&mut reader).await, Ok("a".to_owned()));
    holder.batch_execute("COMMIT").await.unwrap();
    while name().first::<String>(&mut plain).await != Ok("b".to_owned()) {
        tokio::task::yield_now().await;
    }
    assert_eq!(name().cached(HOUR).first::<String>(&mut reader).await, Ok("b".to_owned()));
}

/// Waits until a write waits for another session.
async fn is_held_by_mysql(connection: &mut diesel_async::AsyncMysqlConnection) {
    // Not `innodb_trx`: what that tells is made anew only if nobody has asked for 100 ms.
    let waiting =
        "(SELECT COUNT(*) FROM information_schema.processlist WHERE state = 'Updating' AND info LIKE 'UPDATE%')";
    let waiting = || diesel::select(diesel::dsl::sql::<diesel::sql_types::BigInt>(waiting));
    while waiting().get_result::<i64>(connection).await != Ok(1) {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_given_up_in_one_scope_is_hidden_there_though_the_connection_is_in_another_one_when_it_goes() {
    let mut held = Held::new(HOLD_ROW).await;
    held.writer.set_cache_scope(Some("a"));
    held.reader.set_cache_scope(Some("a"));
    give_up(&mut held).await;
    held.writer.set_cache_scope(Some("b"));
    let other = held.db.wrap_async(AsyncPgConnection::establish(&held.server.url()).await.unwrap());
    drop(std::mem::replace(&mut held.writer, other));
    assert_eq!(held.read().await, ("a".to_owned(), true));
    assert_eq!(held.read().await, ("a".to_owned(), true));
    held.let_go().await;
    assert_eq!(held.read().await, ("b".to_owned(), true));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_is_an_error_is_not_taken_for_one() {
    let mut held = Held::new(HOLD_ROW).await;
    give_up(&mut held).await;
    held.let_go().await;
    assert!(diesel::sql_query("SELECT oops").execute(&mut held.writer).await.is_err());
    assert_eq!(held.read().await, ("b".to_owned(), true));
    assert_eq!(held.read().await, ("b".to_owned(), true));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn if_the_connection_goes_it_is_not_kept_for_as_long_as_a_lease() {
    let mut held = Held::new(HOLD_ROW).await;
    assert_eq!(held.read().await, ("a".to_owned(), true));
    give_up(&mut held).await;
    let other = held.db.wrap_async(AsyncPgConnection::establish(&held.server.url()).await.unwrap());
    drop(std::mem::replace(&mut held.writer, other));
    assert_eq!(held.read().await, ("a".to_owned(), true));
    assert_eq!(held.read().await, ("a".to_owned(), true));
    held.let_go().await;
    assert_eq!(held.read().await, ("b".to_owned(), true));
    held.clock.advance(Duration::from_secs(61));
    held.db.cache().reclaim();
    assert_eq!(held.read().await, ("b".to_owned(), true));
    assert_eq!(held.read().await, ("b".to_owned(), false));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_nobody_waits_for_counts_as_one_that_may_be_done() {
    let mut held = Held::new("SELECT pg_advisory_lock(1)").await;
    // A commit that waits for the holder.
    let waits = "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
        PERFORM pg_advisory_xact_lock(1); RETURN NULL; END $$; \
        CREATE CONSTRAINT TRIGGER waits AFTER UPDATE ON users DEFERRABLE INITIALLY DEFERRED \
        FOR EACH ROW EXECUTE FUNCTION wait()";
    held.writer.batch_execute(waits).await.unwrap();
    assert_eq!(held.read().await, ("a".to_owned(), true));
    let mark = Mark::of(&held.db, "users");
    let writes = held.writer.transaction(async |c| {
        diesel::update(users::table.find(1)).set(users::name.eq("b")).execute(c).await?;
        assert!(mark.is_there());
        diesel::QueryResult::Ok(())
    });
    tokio::select! {
        done = writes => panic!("the commit is held: {done:?}"),
        () = Held::is_held(&held.server) => {}
    }
    assert!(!mark.is_there());
    assert_eq!(held.read().await, ("a".to_owned(), true));
    assert_eq!(held.read().await, ("a".to_owned(), true));
    held.holder.batch_execute("BEGIN; SELECT pg_advisory_unlock(1)").unwrap();
    held.let_go().await;
    assert_eq!(held.read().await, ("b".to_owned(), true));
    assert_eq!(held.read().await, ("b".to_owned(), true));
    diesel::sql_query("SELECT 1").execute(&mut held.writer).await.unwrap();
    assert_eq!(held.read().await, ("b".to_owned(), true));
    assert_eq!(held.read().await, ("b".to_owned(), false));
}

#[tokio::test]
async fn after_a_begin_that_nobody_waits_for_what_is_written_is_told_when_it_is_committed() {
    let mut held = Held::new("SELECT 1").await;
    // It is sent after the first poll, by a task of the same thread: the answer can't be there yet.
    let mut begins = Box::pin(held.writer.batch_execute("BEGIN"));
    let first = std::future::poll_fn(|context| std::task::Poll::Ready(begins.as_mut().poll(context))).await;
    assert!(first.is_pending());
    drop(begins);
    let update = diesel::update(users::table.find(1)).set(users::name.eq("b"));
    update.execute(&mut held.writer).await.unwrap();
    assert_eq!(held.read().await.0, "a");
    held.writer.batch_execute("COMMIT").await.unwrap();
    assert_eq!(held.read().await, ("b".to_owned(), true));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_that_nobody_waits_for_leaves_the_load_to_another() {
    let mut held = Held::new("BEGIN; LOCK TABLE users").await;
    let all = || users::table.cached(HOUR);
    tokio::select! {
        done = all().load::<User>(&mut held.writer) => panic!("the table is held: {done:?}"),
        () = Held::is_held(&held.server) => {}
    }
    held.holder.batch_execute("COMMIT").unwrap();
    assert_eq!(all().load::<User>(&mut held.reader).await, Ok(vec![user(1, "a")]));
    assert_eq!(all().load::<User>(&mut held.writer).await, Ok(vec![user(1, "a")]));
    assert_eq!(held.db.stats().hits, 1);
}

//! What programs do with async connections, unchanged, on each server.

/// Does something with a connection, and returns whether it has invalidated `users`, and `posts`.
macro_rules! touched {
    ($db:expr, $work:expr) => {{
        let marks = [crate::Mark::of($db, "users"), crate::Mark::of($db, "posts")];
        $work.await.unwrap();
        (!marks[0].is_there(), !marks[1].is_there())
    }};
}

/// Defines the tests for a type of connection.
macro_rules! usual {
    ($connection:ty, $open:expr) => {
        use std::sync::Arc;
        use std::sync::atomic::{AtomicU32, Ordering};

        use cachex_diesel::{AsyncCachingConnection, CachedExt};
        use diesel::prelude::*;
        use diesel::result::Error;
        use diesel_async::{AsyncConnection, RunQueryDsl, SaveChangesDsl, SimpleAsyncConnection};

        use crate::asynch::usual::touched;
        use crate::schema::{User, posts, user, users};
        use crate::{HOUR, Mark, handle};

        async fn insert(connection: &mut AsyncCachingConnection<$connection>, id: i32) -> QueryResult<usize> {
            diesel::insert_into(users::table).values(user(id, "a")).execute(connection).await
        }

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn writes_invalidate_their_table_and_no_other() {
            let db = handle();
            let (_database, mut connection) = $open(&db).await;
            let c = &mut connection;
            const USERS: (bool, bool) = (true, false);
            const NONE: (bool, bool) = (false, false);
            assert_eq!(touched!(&db, insert(c, 1)), USERS);
            let defaults = diesel::insert_into(users::table).values((users::id.eq(2), users::age.eq(1)));
            assert_eq!(touched!(&db, defaults.execute(c)), USERS);
            assert_eq!(touched!(&db, users::table.load::<User>(c)), NONE);
            assert_eq!(touched!(&db, diesel::update(users::table.find(1)).set(users::name.eq("z")).execute(c)), USERS);
            assert_eq!(touched!(&db, user(2, "y").save_changes::<User>(c)), USERS);
            let from_select = diesel::insert_into(posts::table)
                .values(users::table.select((users::id, users::id, users::name)))
                .into_columns((posts::id, posts::user_id, posts::title));
            assert_eq!(touched!(&db, from_select.execute(c)), (false, true));
            let join = posts::table.inner_join(users::table).select(users::name);
            assert_eq!(touched!(&db, join.load::<String>(c)), NONE);
            let boxed = users::table.into_boxed().filter(users::id.gt(1));
            assert_eq!(touched!(&db, boxed.load::<User>(c)), NONE);
            let by_text = diesel::sql_query("UPDATE posts SET title = 'x'");
            assert_eq!(touched!(&db, by_text.execute(c)), (false, true));
            assert_eq!(touched!(&db, c.batch_execute("DELETE FROM posts; UPDATE users SET age = 1")), (true, true));
            assert_eq!(touched!(&db, diesel::delete(users::table.filter(users::id.eq(2))).execute(c)), USERS);
            assert!(diesel::sql_query("SELECT oops FROM users").execute(c).await.is_err());
        }

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn rows_of_a_cached_query_answer_until_their_table_is_written() {
            let db = handle();
            let (_database, mut connection) = $open(&db).await;
            let c = &mut connection;
            insert(c, 1).await.unwrap();
            let find = |id: i32| users::table.find(id).cached(HOUR);
            for _ in 0..3 {
                assert_eq!(find(1).first::<User>(c).await, Ok(user(1, "a")));
                assert_eq!(find(2).first::<User>(c).await.optional(), Ok(None));
            }
            assert_eq!((db.stats().loads, db.stats().hits), (2, 4));
            assert_eq!(users::table.count().cached(HOUR).get_result::<i64>(c).await, Ok(1));
            diesel::update(users::table.find(1)).set(users::name.eq("b")).execute(c).await.unwrap();
            assert_eq!(find(1).first::<User>(c).await, Ok(user(1, "b")));
            // One that borrows.
            let name = String::from("b");
            let named = users::table.filter(users::name.eq(&*name)).cached(HOUR);
            assert_eq!(named.load::<User>(c).await.unwrap().len(), 1);
            let wrong = diesel::sql_query("SELECT oops FROM users").cached(HOUR);
            for _ in 0..2 {
                let error = wrong.clone().load::<User>(c).await.unwrap_err();
                assert!(matches!(error, Error::DatabaseError(..)), "{error:?}");
            }
            assert_eq!(db.stats().bypasses, 0);
            c.transaction(async |c| users::table.cached(HOUR).load::<User>(c).await).await.unwrap();
            assert_eq!(db.stats().bypassed.in_transaction, 1);
        }

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn a_commit_invalidates_once_and_a_rollback_does_not() {
            let db = handle();
            let (_database, mut connection) = $open(&db).await;
            let before = db.stats().invalidations;
            let mark = Mark::of(&db, "users");
            // In a task of its own: it can be sent.
            let (mark, mut connection) = tokio::spawn(async move {
                connection
                    .transaction(async |c| {
                        insert(c, 1).await?;
                        insert(c, 2).await?;
                        assert!(mark.is_there());
                        QueryResult::Ok(())
                    })
                    .await
                    .unwrap();
                (mark, connection)
            })
            .await
            .unwrap();
            assert!(!mark.is_there());
            assert_eq!(db.stats().invalidations, before + 1);
            let c = &mut connection;
            let mark = Mark::of(&db, "users");
            let rolled_back = c
                .transaction::<(), _, _>(async |c| {
                    insert(c, 3).await?;
                    Err(Error::RollbackTransaction)
                })
                .await;
            assert_eq!(rolled_back, Err(Error::RollbackTransaction));
            assert!(mark.is_there());
            let marks = [Mark::of(&db, "users"), Mark::of(&db, "posts")];
            c.transaction(async |c| {
                let inner = c
                    .transaction::<(), _, _>(async |c| {
                        insert(c, 4).await?;
                        Err(Error::RollbackTransaction)
                    })
                    .await;
                assert!(inner.is_err());
                c.transaction(async |c| diesel::sql_query("UPDATE posts SET title = 'x'").execute(c).await).await?;
                assert!(marks[1].is_there());
                QueryResult::Ok(())
            })
            .await
            .unwrap();
            assert!(marks[0].is_there() && !marks[1].is_there());
            let mark = Mark::of(&db, "users");
            c.batch_execute("BEGIN").await.unwrap();
            insert(c, 5).await.unwrap();
            assert!(mark.is_there());
            diesel::sql_query("COMMIT").execute(c).await.unwrap();
            assert!(!mark.is_there());
            let mark = Mark::of(&db, "users");
            c.test_transaction::<_, Error, _>(async |c| insert(c, 6).await).await;
            assert!(mark.is_there());
        }

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn what_is_to_be_called_after_the_commit_finds_nothing_from_before() {
            let db = handle();
            let (_database, mut connection) = $open(&db).await;
            let calls = Arc::new(AtomicU32::new(0));
            let mark = Arc::new(Mark::of(&db, "users"));
            let call = |expects: bool| {
                let (calls, mark) = (calls.clone(), mark.clone());
                move || {
                    assert_eq!(mark.is_there(), expects);
                    calls.fetch_add(1, Ordering::Relaxed);
                }
            };
            connection.after_commit(call(true));
            connection
                .transaction(async |c| {
                    c.after_commit(call(false));
                    insert(c, 1).await
                })
                .await
                .unwrap();
            assert_eq!(AtomicU32::load(&calls, Ordering::Relaxed), 2);
        }

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn in_the_transaction_of_a_test_what_is_within_it_counts() {
            let db = handle();
            let (_database, mut connection) = $open(&db).await;
            connection.begin_test_transaction().await.unwrap();
            let mark = Mark::of(&db, "users");
            connection.transaction(async |c| insert(c, 1).await).await.unwrap();
            assert!(!mark.is_there());
            let mark = Mark::of(&db, "users");
            drop(connection);
            assert!(!mark.is_there());
        }

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn what_is_done_by_the_connection_within_is_told_as_it_is_said() {
            let db = handle();
            let (_database, mut connection) = $open(&db).await;
            let mark = Mark::of(&db, "users");
            let insert = diesel::insert_into(users::table).values(user(1, "a"));
            let done = connection.with_inner(["users"], async |inner| insert.execute(inner).await).await;
            assert_eq!(done, Ok(1));
            assert!(!mark.is_there());
            let mark = Mark::of(&db, "users");
            connection.invalidate(["users"]).await;
            assert!(!mark.is_there());
            let found = db.introspect_async(&mut connection).await.unwrap();
            assert_eq!((found.tables, found.cascades), (2, 1));
        }
    };
}

/// And where writes return rows.
macro_rules! returning {
    ($connection:ty, $open:expr) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn what_writes_and_returns_rows_is_told_before_the_first_of_them_is_there() {
            let db = handle();
            let (_database, mut connection) = $open(&db).await;
            let c = &mut connection;
            let returned = diesel::insert_into(users::table).values(user(1, "a")).returning(users::id);
            assert_eq!(touched!(&db, returned.get_result::<i32>(c)), (true, false));
            let upsert = diesel::insert_into(users::table)
                .values(user(1, "x"))
                .on_conflict(users::id)
                .do_update()
                .set(users::name.eq("w"));
            assert_eq!(touched!(&db, upsert.execute(c)), (true, false));
            let deleted = diesel::delete(users::table).returning(users::name);
            let mark = Mark::of(&db, "users");
            // Its rows are not read.
            let rows = deleted.load_stream::<String>(c).await.unwrap();
            assert!(!mark.is_there());
            drop(rows);
        }
    };
}

pub(crate) use {returning, touched, usual};

//! What programs do with Diesel, unchanged, on each server: a write invalidates its table, and no other; a read nothing.

/// Defines the tests for a type of connection; `$open` makes one over a handle, with the tables.
macro_rules! usual {
    ($connection:ty, $open:expr) => {
        use diesel::connection::SimpleConnection;
        use diesel::prelude::*;

        use crate::schema::{User, posts, user, users};
        use crate::{HOUR, Mark, handle};
        use cachex_diesel::{CachedExt, CachingConnection};

        /// Does something with a connection, and returns whether it has invalidated `users`, and `posts`.
        fn touched<T>(
            connection: &mut CachingConnection<$connection>,
            db: &cachex_diesel::DieselCache,
            work: impl FnOnce(&mut CachingConnection<$connection>) -> QueryResult<T>,
        ) -> (bool, bool) {
            let marks = [Mark::of(db, "users"), Mark::of(db, "posts")];
            work(connection).unwrap();
            (!marks[0].is_there(), !marks[1].is_there())
        }

        #[test]
        fn writes_invalidate_their_table_and_no_other() {
            let db = handle();
            let (_database, mut connection) = $open(&db);
            let connection = &mut connection;
            const USERS: (bool, bool) = (true, false);
            const NONE: (bool, bool) = (false, false);
            let insert = |user: User| diesel::insert_into(users::table).values(user);
            assert_eq!(touched(connection, &db, |c| insert(user(1, "a")).execute(c)), USERS);
            let both = vec![user(2, "b"), user(3, "c")];
            assert_eq!(touched(connection, &db, |c| diesel::insert_into(users::table).values(&both).execute(c)), USERS);
            let returned = |c: &mut _| insert(user(4, "d")).returning(User::as_returning()).get_result(c);
            assert_eq!(touched(connection, &db, returned), USERS);
            assert_eq!(touched(connection, &db, |c| users::table.load::<User>(c)), NONE);
            let update = |c: &mut _| diesel::update(users::table.find(1)).set(users::name.eq("z")).execute(c);
            assert_eq!(touched(connection, &db, update), USERS);
            assert_eq!(touched(connection, &db, |c| user(2, "y").save_changes::<User>(c)), USERS);
            let upsert = |c: &mut _| {
                let insert = diesel::insert_into(users::table).values(user(1, "x"));
                insert.on_conflict(users::id).do_update().set(users::name.eq("w")).execute(c)
            };
            assert_eq!(touched(connection, &db, upsert), USERS);
            let nothing =
                |c: &mut _| diesel::insert_into(users::table).values(user(1, "x")).on_conflict_do_nothing().execute(c);
            assert_eq!(touched(connection, &db, nothing), USERS);
            let from_select = |c: &mut _| {
                let titles = users::table.select((users::id, users::id, users::name));
                diesel::insert_into(posts::table)
                    .values(titles)
                    .into_columns((posts::id, posts::user_id, posts::title))
                    .execute(c)
            };
            assert_eq!(touched(connection, &db, from_select), (false, true));
            let join = |c: &mut _| posts::table.inner_join(users::table).select(users::name).load::<String>(c);
            assert_eq!(touched(connection, &db, join), NONE);
            let boxed = |c: &mut _| users::table.into_boxed().filter(users::id.gt(1)).load::<User>(c);
            assert_eq!(touched(connection, &db, boxed), NONE);
            let by_text = |c: &mut _| diesel::sql_query("UPDATE posts SET title = 'x'").execute(c);
            assert_eq!(touched(connection, &db, by_text), (false, true));
            let batch =
                |c: &mut CachingConnection<$connection>| c.batch_execute("DELETE FROM posts; UPDATE users SET age = 1");
            assert_eq!(touched(connection, &db, batch), (true, true));
            let delete = |c: &mut _| diesel::delete(users::table.filter(users::id.eq(3))).execute(c);
            assert_eq!(touched(connection, &db, delete), USERS);
        }

        #[test]
        fn rows_of_a_cached_query_answer_until_their_table_is_written() {
            let db = handle();
            let (_database, mut connection) = $open(&db);
            let connection = &mut connection;
            diesel::insert_into(users::table).values(user(1, "a")).execute(connection).unwrap();
            let loads = || db.stats().loads;
            let find = |id: i32| users::table.find(id).cached(HOUR);
            for _ in 0..3 {
                assert_eq!(find(1).first::<User>(connection), Ok(user(1, "a")));
                assert_eq!(find(2).first::<User>(connection).optional(), Ok(None));
            }
            assert_eq!(loads(), 2);
            assert_eq!(users::table.count().cached(HOUR).get_result::<i64>(connection), Ok(1));
            diesel::insert_into(posts::table)
                .values((posts::id.eq(1), posts::user_id.eq(1), posts::title.eq("t")))
                .execute(connection)
                .unwrap();
            assert_eq!(find(1).first::<User>(connection), Ok(user(1, "a")));
            assert_eq!(loads(), 3);
            diesel::update(users::table.find(1)).set(users::name.eq("b")).execute(connection).unwrap();
            assert_eq!(find(1).first::<User>(connection), Ok(user(1, "b")));
            // The same text with another bind, and into another type, is another query.
            let name = users::table.find(1).select(users::name);
            assert_eq!(name.cached(HOUR).first::<String>(connection), Ok("b".to_owned()));
            let some = |ids: Vec<i32>| users::table.filter(users::id.eq_any(ids)).cached(HOUR);
            assert_eq!(some(vec![1]).load::<User>(connection).unwrap().len(), 1);
            assert_eq!(some(vec![2]).load::<User>(connection).unwrap().len(), 0);
            let text = diesel::sql_query("SELECT * FROM users").cached(HOUR);
            assert_eq!(text.load::<User>(connection).unwrap().len(), 1);
            assert_eq!(db.stats().bypasses, 0);
        }

        #[test]
        fn what_can_not_be_kept_is_asked_each_time() {
            let db = handle();
            let (_database, mut connection) = $open(&db);
            let connection = &mut connection;
            connection.batch_execute("CREATE TABLE others (id INTEGER)").unwrap();
            let bypasses = |connection: &mut _, text: &str| {
                let before = db.stats().bypasses;
                diesel::sql_query(text.to_owned()).cached(HOUR).load::<User>(connection).unwrap();
                db.stats().bypasses - before
            };
            assert_eq!(bypasses(connection, "SELECT id, name, age FROM users"), 0);
            assert_eq!(bypasses(connection, "SELECT id, 'x' AS name, 1 AS age FROM others"), 1);
            assert_eq!(bypasses(connection, "SELECT id, name, age FROM users ORDER BY random()"), 1);
            assert_eq!(bypasses(connection, "INSERT INTO users VALUES (9, 'i', 1) RETURNING *"), 1);
            connection
                .transaction(|connection| {
                    assert_eq!(bypasses(connection, "SELECT id, name, age FROM users"), 1);
                    diesel::QueryResult::Ok(())
                })
                .unwrap();
            assert_eq!(bypasses(connection, "SELECT id, name, age FROM users"), 0);
        }

        #[test]
        fn a_failing_query_is_not_kept_and_its_error_is_returned() {
            let db = handle();
            let (_database, mut connection) = $open(&db);
            let wrong = diesel::sql_query("SELECT oops FROM users").cached(HOUR);
            for _ in 0..2 {
                let error = wrong.clone().load::<User>(&mut connection).unwrap_err();
                assert!(matches!(error, diesel::result::Error::DatabaseError(..)), "{error:?}");
            }
            assert_eq!(db.stats().loads, 2);
        }
    };
}

pub(crate) use usual;

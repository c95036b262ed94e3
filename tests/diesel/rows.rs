//! Rows that are invalidated one by one: a write that names them invalidates what was read of them, and what depends on the whole table.

use cachex::Cache;
use cachex_diesel::DieselCache;

/// Makes a handle over a cache of its own, whose tables are invalidated row by row.
pub(crate) fn handle() -> DieselCache {
    DieselCache::builder(Cache::builder().build().unwrap())
        .table("users", |table| table.rows("id"))
        .table("posts", |table| table.rows("id"))
        .build()
}

/// Defines the tests for a type of connection; `$open` makes one over a handle, with the tables, `$place` stands for a bind.
macro_rules! rows {
    ($connection:ty, $open:expr, $place:literal) => {
        use cachex::{EntryOptions, Key};
        use cachex_diesel::{CachedExt, CachingConnection, DieselCache};
        use diesel::connection::SimpleConnection;
        use diesel::prelude::*;
        use diesel::result::Error;
        use diesel::sql_types::Integer;

        use crate::HOUR;
        use crate::rows::handle;
        use crate::schema::{User, posts, user, users};

        type Wrapped = CachingConnection<$connection>;

        /// Users 1, 2 and 3.
        fn with_users(db: &DieselCache) -> (impl Sized, Wrapped) {
            let (database, mut connection) = $open(db);
            let users = [user(1, "a"), user(2, "b"), user(3, "c")];
            diesel::insert_into(users::table).values(&users).execute(&mut connection).unwrap();
            (database, connection)
        }

        /// Reads each of some users by its key, 9 of which there is none, 1 and 2 at once, and how many there are. Returns which of this was loaded.
        fn loaded(connection: &mut Wrapped, db: &DieselCache) -> String {
            let mut loaded = Vec::new();
            let mut note = |name: &str, before: u64| {
                if db.stats().loads > before {
                    loaded.push(name.to_owned());
                }
            };
            for id in [1, 2, 3, 9] {
                let before = db.stats().loads;
                users::table.find(id).cached(HOUR).load::<User>(connection).unwrap();
                note(&id.to_string(), before);
            }
            let before = db.stats().loads;
            users::table.filter(users::id.eq_any([1, 2])).cached(HOUR).load::<User>(connection).unwrap();
            note("1+2", before);
            let before = db.stats().loads;
            users::table.count().cached(HOUR).get_result::<i64>(connection).unwrap();
            note("count", before);
            loaded.join(" ")
        }

        /// Returns what is loaded anew after a write.
        fn after<T>(
            connection: &mut Wrapped,
            db: &DieselCache,
            write: impl FnOnce(&mut Wrapped) -> QueryResult<T>,
        ) -> String {
            loaded(connection, db);
            assert_eq!(loaded(connection, db), "");
            write(connection).unwrap();
            loaded(connection, db)
        }

        const ALL: &str = "1 2 3 9 1+2 count";

        #[test]
        fn a_write_that_names_rows_leaves_what_was_read_of_others() {
            let db = handle();
            let (_database, mut connection) = with_users(&db);
            let c = &mut connection;
            assert_eq!(loaded(c, &db), ALL);
            let age = |id: i32| diesel::update(users::table.find(id)).set(users::age.eq(id));
            assert_eq!(after(c, &db, |c| age(3).execute(c)), "3 9 count");
            assert_eq!(after(c, &db, |c| age(1).execute(c)), "1 9 1+2 count");
            let several = diesel::update(users::table.filter(users::id.eq_any([2, 3]))).set(users::age.eq(7));
            assert_eq!(after(c, &db, |c| several.execute(c)), "2 3 9 1+2 count");
            assert_eq!(after(c, &db, |c| user(3, "z").save_changes::<User>(c)), "3 9 count");
            let older =
                diesel::update(users::table.filter(users::id.eq(3).and(users::age.lt(99)))).set(users::age.eq(1));
            assert_eq!(after(c, &db, |c| older.execute(c)), "3 9 count");
            let by_text =
                || diesel::sql_query(concat!("UPDATE users SET age = 5 WHERE id = ", $place)).bind::<Integer, _>(3);
            assert_eq!(after(c, &db, |c| by_text().execute(c)), "3 9 count");
            let insert = |id: i32| diesel::insert_into(users::table).values(user(id, "d"));
            assert_eq!(after(c, &db, |c| insert(4).execute(c)), "9 count");
            assert_eq!(after(c, &db, |c| insert(9).execute(c)), "9 count");
            assert_eq!(users::table.find(9).cached(HOUR).first::<User>(c), Ok(user(9, "d")));
            // Now it is there, and depends on itself.
            assert_eq!(after(c, &db, |c| insert(5).execute(c)), "count");
            assert_eq!(after(c, &db, |c| diesel::delete(users::table.find(2)).execute(c)), "2 1+2 count");
            assert_eq!(users::table.find(2).cached(HOUR).first::<User>(c).optional(), Ok(None));
            let post = (posts::id.eq(1), posts::user_id.eq(1), posts::title.eq("t"));
            assert_eq!(after(c, &db, |c| diesel::insert_into(posts::table).values(post).execute(c)), "");
        }

        #[test]
        fn a_write_that_may_be_of_any_row_invalidates_all() {
            let db = handle();
            let (_database, mut connection) = with_users(&db);
            let c = &mut connection;
            let by_name = diesel::update(users::table.filter(users::name.eq("c"))).set(users::age.eq(1));
            assert_eq!(after(c, &db, |c| by_name.execute(c)), ALL);
            let either = users::table.filter(users::id.eq(3).or(users::name.eq("a")));
            assert_eq!(after(c, &db, |c| diesel::update(either).set(users::age.eq(2)).execute(c)), ALL);
            let becomes = diesel::update(users::table.find(3)).set(users::id.eq(33));
            assert_eq!(after(c, &db, |c| becomes.execute(c)), ALL);
            let back = diesel::sql_query("UPDATE users SET id = 3 WHERE id = 33");
            assert_eq!(after(c, &db, |c| back.execute(c)), ALL);
            assert_eq!(after(c, &db, |c| c.batch_execute("UPDATE users SET age = 4 WHERE id = 3")), ALL);
            // More than are told one by one.
            let many: Vec<i32> = (100..1000).collect();
            let many = diesel::update(users::table.filter(users::id.eq_any(many))).set(users::age.eq(2));
            assert_eq!(after(c, &db, |c| many.execute(c)), ALL);
            assert_eq!(after(c, &db, |c| QueryResult::Ok(c.invalidate(["users"]))), ALL);
        }

        #[test]
        fn rows_written_in_a_transaction_are_told_when_it_is_committed() {
            let db = handle();
            let (_database, mut connection) = with_users(&db);
            let c = &mut connection;
            let age =
                |c: &mut Wrapped, id: i32| diesel::update(users::table.find(id)).set(users::age.eq(id)).execute(c);
            let rolled_back = |c: &mut Wrapped| {
                let done: QueryResult<()> = c.transaction(|c| {
                    age(c, 1)?;
                    Err(Error::RollbackTransaction)
                });
                assert_eq!(done, Err(Error::RollbackTransaction));
                Ok(())
            };
            assert_eq!(after(c, &db, rolled_back), "");
            let partly = |c: &mut Wrapped| {
                c.transaction(|c| {
                    age(c, 3)?;
                    let _rolled_back: QueryResult<()> = c.transaction(|c| {
                        age(c, 1)?;
                        Err(Error::RollbackTransaction)
                    });
                    diesel::insert_into(users::table).values(user(4, "d")).execute(c)
                })
            };
            assert_eq!(after(c, &db, partly), "3 9 count");
            // Very many are all.
            let many = |c: &mut Wrapped| c.transaction(|c| (100..200).try_for_each(|id| age(c, id).map(drop)));
            assert_eq!(after(c, &db, many), ALL);
            // One that may be of any is of those as well.
            let any = |c: &mut Wrapped| {
                c.transaction(|c| {
                    age(c, 3)?;
                    diesel::update(users::table).set(users::age.eq(2)).execute(c)
                })
            };
            assert_eq!(after(c, &db, any), ALL);
        }

        #[test]
        fn what_was_cached_of_a_row_by_hand_goes_with_it() {
            let db = handle();
            let (_database, mut connection) = with_users(&db);
            let keys = [1, 2].map(|id| Key::entity("by hand", &id));
            let keep = || {
                for (key, id) in keys.iter().zip(1..) {
                    let options = EntryOptions::new().tag(db.row_tag("users", id)).tag("users#*");
                    db.cache().blocking().set(key, id, &options).unwrap();
                }
            };
            let is_there = || keys.each_ref().map(|key| db.cache().blocking().exists(key));
            keep();
            diesel::update(users::table.find(2)).set(users::age.eq(1)).execute(&mut connection).unwrap();
            assert_eq!(is_there(), [true, false]);
            keep();
            diesel::insert_into(users::table).values(user(4, "d")).execute(&mut connection).unwrap();
            assert_eq!(is_there(), [true, true]);
            diesel::update(users::table).set(users::age.eq(1)).execute(&mut connection).unwrap();
            assert_eq!(is_there(), [false, false]);
            keep();
            db.invalidate_rows("users", [1]).wait();
            assert_eq!(is_there(), [false, true]);
        }

        #[test]
        fn rows_that_a_foreign_key_changes_are_any() {
            let db = handle();
            let (_database, mut connection) = with_users(&db);
            let c = &mut connection;
            db.introspect(c).unwrap();
            for id in [1, 2] {
                let post = (posts::id.eq(id), posts::user_id.eq(id), posts::title.eq("t"));
                diesel::insert_into(posts::table).values(post).execute(c).unwrap();
            }
            let loads = || db.stats().loads;
            let read =
                |c: &mut Wrapped| posts::table.find(1).select(posts::title).cached(HOUR).load::<String>(c).unwrap();
            assert_eq!(read(c).len(), 1);
            let before = loads();
            diesel::update(posts::table.find(2)).set(posts::title.eq("u")).execute(c).unwrap();
            read(c);
            assert_eq!(loads(), before);
            diesel::delete(users::table.find(1)).execute(c).unwrap();
            read(c);
            assert_eq!(loads(), before + 1);
        }

        #[test]
        fn rows_of_a_scope_are_its_own() {
            let db = handle();
            let (_database, mut connection) = with_users(&db);
            let c = &mut connection;
            let read = |c: &mut Wrapped| {
                let before = db.stats().loads;
                for id in [1, 2, 9] {
                    users::table.find(id).cached(HOUR).load::<User>(c).unwrap();
                }
                db.stats().loads - before
            };
            let write = |c: &mut Wrapped, id: i32| {
                diesel::update(users::table.find(id)).set(users::age.eq(id)).execute(c).unwrap();
            };
            c.set_cache_scope(Some("a"));
            assert_eq!((read(c), read(c)), (3, 0));
            write(c, 1);
            // It, and the one that is not there.
            assert_eq!((read(c), read(c)), (2, 0));
            c.set_cache_scope(Some("b"));
            assert_eq!((read(c), read(c)), (3, 0));
            write(c, 1);
            c.set_cache_scope(Some("a"));
            assert_eq!(read(c), 0);
            // Who is in none may write in any.
            c.set_cache_scope(None);
            write(c, 1);
            c.set_cache_scope(Some("a"));
            assert_eq!((read(c), read(c)), (2, 0));
        }
    };
}

mod on_sqlite {
    rows!(diesel::SqliteConnection, crate::sqlite::open, "?");

    #[test]
    fn what_takes_the_place_of_another_row_is_of_any() {
        let db = handle();
        let (_database, mut connection) = with_users(&db);
        let c = &mut connection;
        assert_eq!(after(c, &db, |c| diesel::replace_into(users::table).values(user(3, "x")).execute(c)), ALL);
        let upsert = |c: &mut _| {
            let insert = diesel::insert_into(users::table).values(user(3, "x"));
            insert.on_conflict(users::id).do_update().set(users::name.eq("w")).execute(c)
        };
        assert_eq!(after(c, &db, upsert), ALL);
    }

    #[test]
    fn rows_that_take_the_place_of_others_by_themselves_are_any() {
        let db = handle();
        let (_database, mut connection) = with_users(&db);
        let c = &mut connection;
        let text = "DROP TABLE users; CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE ON CONFLICT REPLACE, age INTEGER);             INSERT INTO users (id, name) VALUES (1, 'a'), (2, 'b'), (3, 'c')";
        c.batch_execute(text).unwrap();
        db.introspect(c).unwrap();
        let update = diesel::update(users::table.find(3)).set(users::name.eq("a"));
        assert_eq!(after(c, &db, |c| update.execute(c)), ALL);
        assert_eq!(users::table.find(1).cached(HOUR).first::<User>(c).optional(), Ok(None));
    }

    #[test]
    fn rows_that_a_trigger_changes_are_any() {
        let db = handle();
        let (_database, mut connection) = with_users(&db);
        let c = &mut connection;
        let text = "CREATE TRIGGER ranks AFTER UPDATE OF age ON users BEGIN UPDATE users SET name = name || '!' WHERE id <> NEW.id; END";
        c.batch_execute(text).unwrap();
        db.introspect(c).unwrap();
        let update = diesel::update(users::table.find(3)).set(users::age.eq(7));
        assert_eq!(after(c, &db, |c| update.execute(c)), ALL);
    }
}

mod on_postgres {
    rows!(diesel::PgConnection, crate::postgres::open, "$1");
}

mod on_mysql {
    rows!(diesel::MysqlConnection, crate::mysql::open, "?");
}

mod asynch {
    use cachex_diesel::CachedExt;
    use diesel::prelude::*;
    use diesel_async::RunQueryDsl;

    use crate::HOUR;
    use crate::schema::{User, user, users};

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_write_over_an_async_connection_names_rows_as_well() {
        let db = super::handle();
        let (_server, mut connection) = crate::asynch::postgres(&db).await;
        let c = &mut connection;
        for id in [1, 2] {
            diesel::insert_into(users::table).values(user(id, "a")).execute(c).await.unwrap();
        }
        for (written, loads) in [(None, 3), (None, 0), (Some(2), 2), (Some(1), 2)] {
            if let Some(id) = written {
                diesel::update(users::table.find(id)).set(users::age.eq(id)).execute(c).await.unwrap();
            }
            let before = db.stats().loads;
            for id in [1, 2, 9] {
                users::table.find(id).cached(HOUR).load::<User>(c).await.unwrap();
            }
            assert_eq!(db.stats().loads - before, loads, "{written:?}");
        }
        diesel::insert_into(users::table).values(user(9, "i")).execute(c).await.unwrap();
        assert_eq!(users::table.find(9).cached(HOUR).first::<User>(c).await, Ok(user(9, "i")));
    }
}

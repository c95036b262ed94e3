//! Transactions: what they write is invalidated once, when they are committed, and not at all when they are not.

macro_rules! transactions {
    ($connection:ty, $open:expr) => {
        use std::panic::{AssertUnwindSafe, catch_unwind};
        use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
        use std::sync::{Arc, mpsc};

        use diesel::connection::{AnsiTransactionManager, InstrumentationEvent, SimpleConnection, TransactionManager};
        use diesel::prelude::*;
        use diesel::result::Error;

        use crate::schema::{user, users};
        use crate::{HOUR, Mark, handle};
        use cachex_diesel::{CachedExt, CachingConnection};

        fn insert(connection: &mut CachingConnection<$connection>, id: i32) -> QueryResult<usize> {
            diesel::insert_into(users::table).values(user(id, "a")).execute(connection)
        }

        #[test]
        fn a_commit_invalidates_once_and_a_rollback_does_not() {
            let db = handle();
            let (_database, mut connection) = $open(&db);
            let before = db.stats().invalidations;
            let mark = Mark::of(&db, "users");
            connection
                .transaction(|connection| {
                    insert(connection, 1)?;
                    insert(connection, 2)?;
                    assert!(mark.is_there());
                    QueryResult::Ok(())
                })
                .unwrap();
            assert!(!mark.is_there());
            assert_eq!(db.stats().invalidations, before + 1);
            let mark = Mark::of(&db, "users");
            let rolled_back = connection.transaction::<(), _, _>(|connection| {
                insert(connection, 3)?;
                Err(Error::RollbackTransaction)
            });
            assert_eq!(rolled_back, Err(Error::RollbackTransaction));
            assert!(mark.is_there());
        }

        #[test]
        fn a_savepoint_that_is_rolled_back_takes_its_writes_along() {
            let db = handle();
            let (_database, mut connection) = $open(&db);
            let marks = [Mark::of(&db, "users"), Mark::of(&db, "posts")];
            connection
                .transaction(|connection| {
                    let inner = connection.transaction::<(), _, _>(|connection| {
                        insert(connection, 1)?;
                        Err(Error::RollbackTransaction)
                    });
                    assert!(inner.is_err());
                    connection.transaction(|connection| {
                        diesel::sql_query("UPDATE posts SET title = 'x'").execute(connection)
                    })?;
                    assert!(marks[1].is_there());
                    QueryResult::Ok(())
                })
                .unwrap();
            assert!(marks[0].is_there() && !marks[1].is_there());
        }

        #[test]
        fn a_transaction_by_hand_is_followed() {
            let db = handle();
            let (_database, mut connection) = $open(&db);
            let mark = Mark::of(&db, "users");
            connection.batch_execute("BEGIN").unwrap();
            insert(&mut connection, 1).unwrap();
            connection.batch_execute("SAVEPOINT x").unwrap();
            diesel::sql_query("UPDATE posts SET title = 'x'").execute(&mut connection).unwrap();
            diesel::sql_query("ROLLBACK TO x").execute(&mut connection).unwrap();
            assert!(mark.is_there());
            diesel::sql_query("COMMIT").execute(&mut connection).unwrap();
            assert!(!mark.is_there());
            let mark = Mark::of(&db, "users");
            connection.batch_execute("BEGIN; INSERT INTO users VALUES (2, 'b', NULL); COMMIT").unwrap();
            assert!(!mark.is_there());
        }

        #[test]
        fn what_is_to_be_called_after_the_commit_finds_nothing_from_before() {
            let db = handle();
            let (_database, mut connection) = $open(&db);
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
            assert_eq!(calls.load(Ordering::Relaxed), 1);
            connection
                .transaction(|connection| {
                    connection.after_commit(call(false));
                    let rolled_back = connection.transaction::<(), _, _>(|connection| {
                        connection.after_commit(call(false));
                        Err(Error::RollbackTransaction)
                    });
                    assert!(rolled_back.is_err());
                    connection.transaction(|connection| {
                        connection.after_commit(call(false));
                        insert(connection, 1)
                    })?;
                    assert_eq!(calls.load(Ordering::Relaxed), 1);
                    QueryResult::Ok(())
                })
                .unwrap();
            assert_eq!(calls.load(Ordering::Relaxed), 3);
            let rolled_back = connection.transaction::<(), _, _>(|connection| {
                connection.after_commit(call(false));
                Err(Error::RollbackTransaction)
            });
            assert!(rolled_back.is_err());
            connection.transaction(|connection| insert(connection, 2)).unwrap();
            assert_eq!(calls.load(Ordering::Relaxed), 3);
        }

        #[test]
        fn a_panic_within_a_transaction_invalidates_nothing() {
            let db = handle();
            let (_database, mut connection) = $open(&db);
            let mark = Mark::of(&db, "users");
            let panicked = catch_unwind(AssertUnwindSafe(|| {
                connection.transaction::<(), Error, _>(|connection| {
                    insert(connection, 1)?;
                    panic!("of the test")
                })
            }));
            assert!(panicked.is_err() && mark.is_there());
            assert!(diesel::r2d2::R2D2Connection::is_broken(&mut connection));
        }

        #[test]
        fn what_is_called_after_the_commit_may_panic_and_the_commit_counts() {
            let db = handle();
            let (_database, mut connection) = $open(&db);
            let mut id = 0;
            let mut panics = |connection: &mut CachingConnection<$connection>| {
                id += 1;
                let (sender, called) = mpsc::channel();
                let done = catch_unwind(AssertUnwindSafe(|| {
                    connection.transaction(|connection| {
                        connection.after_commit(|| panic!("of the test"));
                        connection.after_commit(|| panic!("of the test, too"));
                        connection.after_commit(move || sender.send(()).unwrap());
                        insert(connection, id)
                    })
                }));
                assert_eq!(done.unwrap_err().downcast_ref::<&str>(), Some(&"of the test"));
                called.try_recv().is_ok()
            };
            for _ in 0..2 {
                assert!(panics(&mut connection));
                // The next one is a transaction.
                let rolled_back = connection.transaction::<(), _, _>(|connection| {
                    insert(connection, 9)?;
                    Err(Error::RollbackTransaction)
                });
                assert_eq!(rolled_back, Err(Error::RollbackTransaction));
            }
            let ids = users::table.select(users::id).order(users::id);
            assert_eq!(ids.load::<i32>(&mut connection), Ok(vec![1, 2]));
            // By hand, and within the transaction of a test.
            connection.batch_execute("BEGIN").unwrap();
            connection.after_commit(|| panic!("of the test"));
            assert!(catch_unwind(AssertUnwindSafe(|| connection.batch_execute("COMMIT"))).is_err());
            connection.begin_test_transaction().unwrap();
            assert!(panics(&mut connection));
            let status = AnsiTransactionManager::transaction_manager_status_mut(&mut connection);
            assert_eq!(status.transaction_depth().unwrap().map(u32::from), Some(1));
        }

        #[test]
        fn what_is_written_is_told_though_somebody_panics_who_hears_of_it() {
            let db = handle();
            let (_database, mut connection) = $open(&db);
            let panics = Arc::new(AtomicBool::new(false));
            let seen = panics.clone();
            connection.set_instrumentation(move |event: InstrumentationEvent<'_>| {
                let is_end = matches!(event, InstrumentationEvent::FinishQuery { .. });
                assert!(!(is_end && seen.swap(false, Ordering::SeqCst)), "of the test");
            });
            let mut is_told = |work: fn(&mut CachingConnection<$connection>)| {
                // An answer that was heard: nothing is hidden any more.
                connection.batch_execute("SELECT 1").unwrap();
                let mark = Mark::of(&db, "users");
                assert!(mark.is_there());
                panics.store(true, Ordering::SeqCst);
                let panicked = catch_unwind(AssertUnwindSafe(|| work(&mut connection)));
                assert!(panicked.is_err() && !panics.load(Ordering::SeqCst));
                !mark.is_there()
            };
            assert!(is_told(|c| drop(insert(c, 1))));
            assert!(is_told(|c| {
                let returned = diesel::insert_into(users::table).values(user(2, "a")).returning(users::id);
                drop(returned.get_result::<i32>(c));
            }));
            assert!(is_told(|c| drop(c.batch_execute("DELETE FROM users"))));
        }

        #[test]
        fn what_a_text_did_before_it_failed_is_seen() {
            let db = handle();
            let (_database, mut connection) = $open(&db);
            let count = |connection: &mut _| users::table.count().cached(HOUR).get_result::<i64>(connection);
            assert_eq!(count(&mut connection), Ok(0));
            let failed =
                connection.batch_execute("BEGIN; INSERT INTO users VALUES (1, 'a', NULL); SELECT oops; COMMIT");
            assert!(failed.is_err());
            let _over = connection.batch_execute("COMMIT");
            let counted = users::table.count().get_result::<i64>(&mut connection);
            assert_eq!(count(&mut connection), counted);
        }

        #[test]
        fn what_a_text_has_committed_before_it_failed_is_seen_though_the_connection_is_gone() {
            let db = handle();
            let (database, mut connection) = $open(&db);
            let mut reader = db.wrap(<$connection>::establish(&database.url()).unwrap());
            let count = |connection: &mut _| users::table.count().cached(HOUR).get_result::<i64>(connection);
            assert_eq!(count(&mut reader), Ok(0));
            connection.batch_execute("BEGIN; INSERT INTO users VALUES (1, 'a', NULL)").unwrap();
            connection.batch_execute("COMMIT; SELECT oops").unwrap_err();
            drop(connection);
            assert_eq!(count(&mut reader), Ok(1));
        }

        #[test]
        fn the_transaction_of_a_test_is_like_none() {
            let db = handle();
            let (_database, mut connection) = $open(&db);
            connection.begin_test_transaction().unwrap();
            let count = |connection: &mut _| users::table.count().cached(HOUR).get_result::<i64>(connection);
            assert_eq!(count(&mut connection), Ok(0));
            insert(&mut connection, 1).unwrap();
            assert_eq!(count(&mut connection), Ok(1));
            connection.transaction(|connection| insert(connection, 2)).unwrap();
            assert_eq!(count(&mut connection), Ok(2));
            assert_eq!(db.stats().loads, 3);
            let mark = Mark::of(&db, "users");
            connection.test_transaction::<_, Error, _>(|connection| insert(connection, 3));
            assert!(mark.is_there());
        }

        #[test]
        fn methods_that_are_tagged_by_the_table_are_invalidated_as_well() {
            static LOADS: AtomicU32 = AtomicU32::new(0);

            #[derive(cachex::CacheScope)]
            struct Service {
                #[scope(cache)]
                cache: cachex::Cache,
            }

            impl Service {
                #[cachex::cached(ttl = "1h", tags = ["users"])]
                fn loads(&self) -> u32 {
                    LOADS.fetch_add(1, Ordering::Relaxed)
                }
            }

            let db = handle();
            let (_database, mut connection) = $open(&db);
            let service = Service { cache: db.cache().clone() };
            let first = service.loads();
            assert_eq!(service.loads(), first);
            connection
                .transaction(|connection| {
                    insert(connection, 1)?;
                    assert_eq!(service.loads(), first);
                    QueryResult::Ok(())
                })
                .unwrap();
            assert_ne!(service.loads(), first);
        }
    };
}

pub(crate) use transactions;

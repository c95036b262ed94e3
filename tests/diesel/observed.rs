//! What is done with the connection within, and heard of by its instrumentation.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use diesel::connection::{Connection, Instrumentation, InstrumentationEvent, SimpleConnection};
use diesel::prelude::*;
use diesel::result::Error;

use crate::schema::users;
use crate::{Mark, handle};

fn add<C>(connection: &mut C, id: i32, name: &str) -> QueryResult<usize>
where
    C: diesel::connection::LoadConnection<Backend = diesel::sqlite::Sqlite>,
{
    diesel::insert_into(users::table).values((users::id.eq(id), users::name.eq(name))).execute(connection)
}

#[test]
fn what_is_written_within_is_told_and_nothing_else() {
    let db = handle();
    let (_database, mut connection) = crate::sqlite::open(&db);
    let marks = || [Mark::of(&db, "users"), Mark::of(&db, "posts")];
    let [written, other] = marks();
    connection.observed(|inner| add(inner, 1, "a")).unwrap();
    assert!(!written.is_there() && other.is_there());
    let [written, other] = marks();
    let rolled_back = connection.observed(|inner| {
        inner.transaction::<(), _, _>(|inner| {
            add(inner, 2, "a")?;
            Err(Error::RollbackTransaction)
        })
    });
    assert!(rolled_back.is_err() && written.is_there() && other.is_there());
    connection.observed(|inner| inner.transaction(|inner| add(inner, 2, "a"))).unwrap();
    assert!(!written.is_there() && other.is_there());
    // What is begun within is ended by the connection itself.
    let [written, _] = marks();
    connection.observed(|inner| inner.batch_execute("BEGIN; INSERT INTO users VALUES (3, 'a', NULL)")).unwrap();
    assert!(written.is_there());
    connection.batch_execute("COMMIT").unwrap();
    assert!(!written.is_there());
}

// Guards `Listening`.
#[test]
fn what_is_written_within_is_told_though_somebody_panics_there() {
    let db = handle();
    let (_database, mut connection) = crate::sqlite::open(&db);
    let written = Mark::of(&db, "users");
    let done = catch_unwind(AssertUnwindSafe(|| {
        connection.observed(|inner| {
            add(inner, 1, "a").unwrap();
            panic!("somebody fell over");
        })
    }));
    assert!(done.is_err() && !written.is_there());
}

/// A text that is shown as it is, with its ends of lines.
#[derive(diesel::expression::AsExpression)]
#[diesel(sql_type = diesel::sql_types::Text)]
struct Raw(&'static str);

impl std::fmt::Debug for Raw {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

impl diesel::serialize::ToSql<diesel::sql_types::Text, diesel::sqlite::Sqlite> for Raw {
    fn to_sql<'b>(
        &'b self,
        out: &mut diesel::serialize::Output<'b, '_, diesel::sqlite::Sqlite>,
    ) -> diesel::serialize::Result {
        diesel::serialize::ToSql::<diesel::sql_types::Text, diesel::sqlite::Sqlite>::to_sql(self.0, out)
    }
}

// Guards `text_of`.
#[test]
fn what_a_bind_says_is_no_statement() {
    let seen = Arc::new(std::sync::Mutex::new(Vec::new()));
    let notes = seen.clone();
    let db = cachex_diesel::DieselCache::builder(cachex::Cache::builder().build().unwrap())
        .table("users", |table| table)
        .table("posts", |table| table)
        .on_unknown(cachex_diesel::OnUnknown::Ignore)
        .on_event(move |event| notes.lock().unwrap().push(event.clone()))
        .build();
    let (_database, mut connection) = crate::sqlite::open(&db);
    connection.batch_execute("BEGIN").unwrap();
    let [written, other] = [Mark::of(&db, "users"), Mark::of(&db, "posts")];
    let insert = diesel::insert_into(users::table).values((users::id.eq(1), users::name.eq(Raw("a\nCOMMIT"))));
    connection.observed(|inner| insert.execute(inner)).unwrap();
    assert!(!written.is_there() && !other.is_there(), "it may have been anything, committed or not");
    let written = Mark::of(&db, "users");
    connection.batch_execute("COMMIT").unwrap();
    assert!(!written.is_there(), "nor is it forgotten at the end");
}

// Guards `settle_depth`.
#[test]
fn what_is_begun_within_in_the_place_of_what_was_open_is_told_when_it_is_committed() {
    use diesel::connection::{AnsiTransactionManager, TransactionManager};

    let db = handle();
    let (_database, mut connection) = crate::sqlite::open(&db);
    AnsiTransactionManager::begin_transaction(&mut connection).unwrap();
    connection.observed(|inner| {
        AnsiTransactionManager::commit_transaction(inner).unwrap();
        inner.batch_execute("BEGIN").unwrap();
        add(inner, 1, "a").unwrap();
    });
    let written = Mark::of(&db, "users");
    connection.batch_execute("SELECT 1").unwrap();
    assert!(written.is_there(), "it is not committed");
    connection.batch_execute("COMMIT").unwrap();
    assert!(!written.is_there());
}

// Guards the order in `Listening`.
#[test]
fn what_is_written_after_a_commit_whose_callback_panics_is_told() {
    let db = handle();
    let (_database, mut connection) = crate::sqlite::open(&db);
    connection.batch_execute("BEGIN").unwrap();
    connection.after_commit(|| panic!("the callback fell over"));
    let written = Mark::of(&db, "users");
    let done = catch_unwind(AssertUnwindSafe(|| {
        connection.observed(|inner| {
            inner.batch_execute("COMMIT").unwrap();
            add(inner, 1, "a").unwrap();
        });
    }));
    assert!(done.is_err() && !written.is_there());
}

#[test]
fn where_another_instrumentation_is_set_within_anything_may_have_been_written() {
    let db = handle();
    let (_database, mut connection) = crate::sqlite::open(&db);
    let written = Mark::of(&db, "users");
    connection.observed(|inner| {
        inner.set_instrumentation(Counts(Arc::default()));
        add(inner, 1, "a").unwrap();
    });
    assert!(!written.is_there());
}

struct Counts(Arc<AtomicUsize>);

impl Instrumentation for Counts {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        if matches!(event, InstrumentationEvent::FinishQuery { .. }) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[test]
fn the_users_own_instrumentation_hears_all_and_is_returned() {
    let db = handle();
    let (_database, mut connection) = crate::sqlite::open(&db);
    let heard = Arc::new(AtomicUsize::new(0));
    connection.set_instrumentation(Counts(heard.clone()));
    add(&mut connection, 1, "a").unwrap();
    connection.observed(|inner| add(inner, 2, "a")).unwrap();
    assert_eq!(heard.load(Ordering::Relaxed), 2);
    assert!(connection.instrumentation().is::<Counts>());
    let others = Arc::new(AtomicUsize::new(0));
    let boxed: Box<dyn Instrumentation> = Box::new(Counts(others.clone()));
    connection.set_instrumentation(boxed);
    assert!(connection.instrumentation().is::<Counts>());
    connection.observed(|inner| add(inner, 3, "a")).unwrap();
    assert_eq!((heard.load(Ordering::Relaxed), others.load(Ordering::Relaxed)), (2, 1));
}

// Guards that what never was sent is nothing.
#[test]
fn an_update_that_changes_nothing_is_no_write() {
    #[derive(AsChangeset)]
    #[diesel(table_name = users)]
    struct Changes {
        name: Option<String>,
    }

    let db = handle();
    let (_database, mut connection) = crate::sqlite::open(&db);
    let written = Mark::of(&db, "users");
    let update = diesel::update(users::table).set(Changes { name: None });
    assert!(connection.observed(|inner| update.execute(inner)).is_err());
    assert!(written.is_there());
    let kept = || cachex_diesel::CachedExt::cached(users::table.count(), crate::HOUR);
    assert_eq!(kept().get_result::<i64>(&mut connection), Ok(0));
    assert_eq!(db.stats().loads, 1, "nor was the session changed");
}

#[test]
fn it_is_so_on_postgres_and_mysql() {
    fn check<C>(db: &cachex_diesel::DieselCache, connection: &mut cachex_diesel::CachingConnection<C>)
    where
        C: Connection<TransactionManager = diesel::connection::AnsiTransactionManager>,
        C::Backend: cachex_diesel::CacheBackend,
    {
        let [written, other] = [Mark::of(db, "users"), Mark::of(db, "posts")];
        let insert = "INSERT INTO users VALUES (1, 'a', NULL)";
        let done = connection.observed(|inner| inner.transaction(|inner| inner.batch_execute(insert)));
        assert!(done.is_ok() && !written.is_there() && other.is_there());
    }
    let db = handle();
    let (_server, mut connection) = crate::postgres::open(&db);
    check(&db, &mut connection);
    let (_server, mut connection) = crate::mysql::open(&db);
    check(&db, &mut connection);
}

//! What others see between a commit and its invalidation: who reads the database, and then the cache, may go back in time, or not.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use cachex::Cache;
use cachex_diesel::{CachedExt, CachingConnection, Consistency, DieselCache};
use cachex_tests::postgres::Server;
use diesel::connection::{InstrumentationEvent, SimpleConnection};
use diesel::prelude::*;

use crate::HOUR;
use crate::schema::{TABLES, users};

const FENCED: Consistency = Consistency::Fenced { lease: Duration::from_secs(60) };

fn handle(consistency: Consistency) -> DieselCache {
    let cache = Cache::builder().build().unwrap();
    DieselCache::builder(cache).table("users", |table| table).consistency(consistency).build()
}

fn open(db: &DieselCache, server: &Server) -> CachingConnection<PgConnection> {
    db.wrap(PgConnection::establish(&server.url()).unwrap())
}

/// Returns the age of a user as the database has it, and then as a cached query has it.
fn ages(connection: &mut CachingConnection<PgConnection>) -> (i32, i32) {
    let age = users::table.find(1).select(users::age.assume_not_null());
    (age.first(connection).unwrap(), age.cached(HOUR).first(connection).unwrap())
}

fn prepare(connection: &mut CachingConnection<PgConnection>) {
    connection.batch_execute(TABLES).unwrap();
    diesel::insert_into(users::table).values((users::id.eq(1), users::age.eq(0))).execute(connection).unwrap();
}

fn grow(connection: &mut CachingConnection<PgConnection>, is_rolled_back: bool) {
    let _is_kept = connection.transaction::<(), diesel::result::Error, _>(|connection| {
        diesel::update(users::table.find(1)).set(users::age.eq(users::age + 1)).execute(connection)?;
        if is_rolled_back { Err(diesel::result::Error::RollbackTransaction) } else { Ok(()) }
    });
}

/// Reads between a commit and its invalidation.
fn between(consistency: Consistency) -> (i32, i32) {
    let (db, server) = (handle(consistency), Server::start());
    let (mut writer, mut reader) = (open(&db, &server), open(&db, &server));
    prepare(&mut writer);
    assert_eq!(ages(&mut reader), (0, 0));
    let ((committed, is_committed), (read, is_read)) = (mpsc::channel(), mpsc::channel());
    writer.set_instrumentation(move |event: InstrumentationEvent<'_>| {
        if let InstrumentationEvent::FinishQuery { query, error: None, .. } = event
            && query.to_string().contains("COMMIT")
        {
            committed.send(()).unwrap();
            is_read.recv().unwrap();
        }
    });
    std::thread::scope(|scope| {
        let reader = scope.spawn(move || {
            is_committed.recv().unwrap();
            let seen = ages(&mut reader);
            read.send(()).unwrap();
            seen
        });
        grow(&mut writer, false);
        reader.join().unwrap()
    })
}

#[test]
fn between_a_commit_and_its_invalidation_others_may_be_answered_from_before() {
    assert_eq!(between(Consistency::AfterCommit), (1, 0));
}

#[test]
fn where_writes_are_fenced_they_are_not() {
    assert_eq!(between(FENCED), (1, 1));
}

#[test]
fn where_writes_are_fenced_nobody_ever_goes_back_in_time() {
    let (db, server) = (handle(FENCED), Server::start());
    let mut writer = open(&db, &server);
    prepare(&mut writer);
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let mut reader = open(&db, &server);
                while !is_over.load(Ordering::SeqCst) {
                    let (direct, cached) = ages(&mut reader);
                    assert!(cached >= direct, "{cached} after {direct}");
                }
            });
        }
        (0..300).for_each(|number| grow(&mut writer, number % 4 == 0));
        is_over.store(true, Ordering::SeqCst);
    });
    assert_eq!(ages(&mut writer), (225, 225));
    let loads = db.stats().loads;
    assert_eq!(ages(&mut writer), (225, 225));
    assert_eq!(db.stats().loads, loads);
}

#[test]
fn what_is_done_by_the_connection_within_is_fenced_too() {
    let (db, server) = (handle(FENCED), Server::start());
    let (mut writer, mut reader) = (open(&db, &server), open(&db, &server));
    prepare(&mut writer);
    assert_eq!(ages(&mut reader), (0, 0));
    writer.with_inner(["users"], |inner| {
        diesel::update(users::table.find(1)).set(users::age.eq(1)).execute(inner).unwrap();
        assert_eq!(ages(&mut reader), (1, 1));
    });
    assert_eq!(ages(&mut reader), (1, 1));
}

#[test]
fn a_rollback_leaves_what_is_kept_as_it_was() {
    let (db, server) = (handle(FENCED), Server::start());
    let mut writer = open(&db, &server);
    prepare(&mut writer);
    ages(&mut writer);
    let loads = db.stats().loads;
    grow(&mut writer, true);
    assert_eq!(ages(&mut writer), (0, 0));
    assert_eq!(db.stats().loads, loads);
}

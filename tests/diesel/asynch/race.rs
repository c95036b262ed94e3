//! Readers and a writer at once, in tasks: nobody reads what is older than a write that had returned before the read began.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

use cachex_diesel::{AsyncCachingConnection, CachedExt, DieselCache};
use diesel::prelude::*;
use diesel::result::Error;
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};

use crate::schema::users;
use crate::{HOUR, handle};

const ROWS: i32 = 3;
const WRITES: i32 = 400;

async fn age(connection: &mut AsyncCachingConnection<AsyncPgConnection>, id: i32) -> i32 {
    let age = users::table.find(id).select(users::age.assume_not_null()).cached(HOUR);
    age.first(connection).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_stale_is_read() {
    let db = handle();
    let (server, mut writer) = super::postgres(&db).await;
    let open = async |db: &DieselCache| db.wrap_async(AsyncPgConnection::establish(&server.url()).await.unwrap());
    for id in 0..ROWS {
        let row = (users::id.eq(id), users::age.eq(0));
        diesel::insert_into(users::table).values(row).execute(&mut writer).await.unwrap();
    }
    let committed: Arc<Vec<_>> = Arc::new((0..ROWS).map(|_| AtomicI32::new(0)).collect());
    let is_over = Arc::new(AtomicBool::new(false));
    let mut readers = Vec::new();
    for reader in 0..3 {
        let (committed, is_over, mut connection) = (committed.clone(), is_over.clone(), open(&db).await);
        readers.push(tokio::spawn(async move {
            let mut id = reader;
            while !AtomicBool::load(&is_over, Ordering::SeqCst) {
                id = (id + 1) % ROWS;
                let least = AtomicI32::load(&committed[id as usize], Ordering::SeqCst);
                let age = age(&mut connection, id).await;
                assert!(age >= least, "a read of {age} after {least} was committed");
                // A hit is ready at once: others are to have their turn.
                tokio::task::yield_now().await;
            }
        }));
    }
    for number in 1..=WRITES {
        let id = number % ROWS;
        let grown = AtomicI32::load(&committed[id as usize], Ordering::SeqCst) + 1;
        let (is_dropped, is_rolled_back) = (number % 7 == 0, number % 4 == 0);
        let writes = writer.transaction::<(), Error, _>(async |c| {
            diesel::update(users::table.find(id)).set(users::age.eq(grown)).execute(c).await?;
            if is_rolled_back { Err(Error::RollbackTransaction) } else { Ok(()) }
        });
        if is_dropped {
            // After so many polls: at another point each time, up to its end. The connection goes with it.
            let mut writes = Box::pin(writes);
            let mut left = number / 7 % 12;
            std::future::poll_fn(|context| {
                left -= 1;
                let is_over = left < 0 || writes.as_mut().poll(context).is_ready();
                if is_over { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
            })
            .await;
            drop(writes);
            writer = open(&db).await;
            let now = users::table.find(id).select(users::age.assume_not_null()).first::<i32>(&mut writer).await;
            committed[id as usize].store(now.unwrap().min(grown), Ordering::SeqCst);
        } else {
            let _is_kept = writes.await;
            if !is_rolled_back {
                committed[id as usize].store(grown, Ordering::SeqCst);
            }
        }
        tokio::task::yield_now().await;
    }
    is_over.store(true, Ordering::SeqCst);
    for reader in readers {
        reader.await.unwrap();
    }
    assert!(db.stats().loads > 0, "{:?}", db.stats());
}

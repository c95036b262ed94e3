//! Queries whose rows are kept, on async connections.

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use cachex::CacheValue;
use diesel::QueryResult;
use diesel::query_builder::{QueryFragment, QueryId};
use diesel_async::AsyncConnectionCore;
use diesel_async::methods::LoadQuery;
use futures_core::Stream;
use pin_project_lite::pin_project;

use super::connection::AsyncCachingConnection;
use crate::backend::CacheBackend;
use crate::plan::{Plan, kept_without_connection, plan};
use crate::query::{CacheAware, Cached, Seen, unconnected};
use crate::row;
use crate::stats::Reason;

impl<C> CacheAware for AsyncCachingConnection<C>
where
    C: diesel_async::AsyncConnection,
    C::Backend: CacheBackend,
{
    type Server = C::Backend;

    fn state(&mut self) -> Seen<'_> {
        Seen(&mut self.state)
    }
}

/// What the database is asked for by whoever leads the load, and what it answers.
struct Desk<U> {
    is_asked: bool,
    answer: Option<QueryResult<Vec<U>>>,
}

type Shared<U> = Arc<Mutex<Desk<U>>>;

fn open<U>(desk: &Shared<U>) -> MutexGuard<'_, Desk<U>> {
    desk.lock().unwrap_or_else(PoisonError::into_inner)
}

type Found<U> = Pin<Box<dyn Future<Output = QueryResult<Option<Vec<U>>>> + Send>>;

/// A look-up in the cache, whose loader stands at a desk and waits: the query borrows its connection, and what is in the cache borrows nothing.
struct LookUp<U> {
    /// Nothing, if the database is to be asked, and what it answers not kept.
    found: Found<U>,
    desk: Shared<U>,
}

impl<U: CacheValue> LookUp<U> {
    fn new(plan: Plan) -> Self {
        let desk = Arc::new(Mutex::new(Desk { is_asked: false, answer: None }));
        let Plan { db, key, options, is_kept } = plan;
        let seen = desk.clone();
        let found = Box::pin(async move {
            if !is_kept {
                let rows = db.0.cache.get::<Vec<U>>(&key).await.ok().flatten();
                match rows {
                    Some(_) => drop(db.0.counters.hits.fetch_add(1, Ordering::Relaxed)),
                    None => db.0.counters.bypass(Reason::InTransaction),
                }
                return Ok(rows);
            }
            let load = || {
                open(&seen).is_asked = true;
                db.0.counters.loads.fetch_add(1, Ordering::Relaxed);
                // Whoever brings the answer polls this next.
                std::future::poll_fn(|_| open(&seen).answer.take().map_or(Poll::Pending, Poll::Ready))
            };
            let tags = row::depend_on_table::<U>;
            let rows = db.0.cache.get_or_load_tagged(&key, &options, tags, load).await?;
            db.0.counters.hits.fetch_add(u64::from(!open(&seen).is_asked), Ordering::Relaxed);
            Ok(Some(rows))
        });
        Self { found, desk }
    }
}

pin_project! {
    /// A cached query that is being asked: the cache first, and the database if it has to be. It is awaited by what `RunQueryDsl` returns.
    #[must_use = "futures do nothing unless polled"]
    pub struct Asking<'conn, 'query, Q, C, U>
    where
        C: AsyncConnectionCore,
        C: 'conn,
        Q: LoadQuery<'query, C, U>,
    {
        // Dropped first: who leads the load gives it up only when nothing is under way any more.
        #[pin]
        future: Option<Q::LoadFuture<'conn>>,
        #[pin]
        rows: Option<Q::Stream<'conn>>,
        query: Option<QueryResult<(Q, &'conn mut C)>>,
        read: Vec<U>,
        // Nothing for a query that is not kept.
        look_up: Option<LookUp<U>>,
        of: PhantomData<&'query ()>,
    }
}

impl<'query, Q, C, U> Asking<'_, 'query, Q, C, U>
where
    C: AsyncConnectionCore,
    Q: LoadQuery<'query, C, U>,
{
    /// Asks the database.
    fn poll_rows(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<QueryResult<Vec<U>>> {
        let mut this = self.project();
        if let Some(query) = this.query.take() {
            match query {
                Ok((query, connection)) => this.future.set(Some(query.internal_load(connection))),
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        if let Some(future) = this.future.as_mut().as_pin_mut() {
            let rows = ready!(future.poll(context));
            this.future.set(None);
            this.rows.set(Some(rows?));
        }
        while let Some(rows) = this.rows.as_mut().as_pin_mut() {
            match ready!(rows.poll_next(context)) {
                Some(Ok(row)) => this.read.push(row),
                Some(Err(error)) => {
                    this.rows.set(None);
                    return Poll::Ready(Err(error));
                }
                None => this.rows.set(None),
            }
        }
        Poll::Ready(Ok(std::mem::take(this.read)))
    }
}

impl<'query, Q, C, U> Future for Asking<'_, 'query, Q, C, U>
where
    C: AsyncConnectionCore,
    Q: LoadQuery<'query, C, U>,
{
    type Output = QueryResult<Answer<U>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            let Some(look_up) = self.as_mut().project().look_up else {
                let rows = ready!(self.as_mut().poll_rows(context));
                return Poll::Ready(rows.map(|rows| Answer(rows.into())));
            };
            if let Poll::Ready(rows) = look_up.found.as_mut().poll(context) {
                match rows {
                    Ok(Some(rows)) => return Poll::Ready(Ok(Answer(rows.into()))),
                    Err(error) => return Poll::Ready(Err(error)),
                    Ok(None) => {
                        *self.as_mut().project().look_up = None;
                        continue;
                    }
                }
            }
            let desk = look_up.desk.clone();
            if !open(&desk).is_asked {
                return Poll::Pending;
            }
            let rows = ready!(self.as_mut().poll_rows(context));
            open(&desk).answer = Some(rows);
        }
    }
}

/// The rows of a cached query: a stream that is never waited for.
#[derive(Debug)]
pub struct Answer<U>(VecDeque<U>);

impl<U> Unpin for Answer<U> {}

impl<U> Stream for Answer<U> {
    type Item = QueryResult<U>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(self.0.pop_front().map(Ok))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.0.len(), Some(self.0.len()))
    }
}

impl<'query, Q, C, U> LoadQuery<'query, C, U> for Cached<Q>
where
    C: AsyncConnectionCore + CacheAware,
    Q: QueryFragment<C::Server> + QueryId + LoadQuery<'query, C, U> + Send,
    U: CacheValue,
{
    type LoadFuture<'conn>
        = Asking<'conn, 'query, Q, C, U>
    where
        C: 'conn;
    type Stream<'conn>
        = Answer<U>
    where
        C: 'conn;

    fn internal_load(self, connection: &mut C) -> Self::LoadFuture<'_> {
        let (query, options) = self.into_parts();
        let (query, look_up) = match plan::<C::Server, Q, U>(connection.state().0, &query, options) {
            Ok(plan) => (Ok((query, connection)), plan.map(LookUp::new)),
            Err(error) => (Err(error), None),
        };
        Asking { future: None, rows: None, query: Some(query), read: Vec::new(), look_up, of: PhantomData }
    }
}

impl<Q> Cached<Q> {
    /// As [`load_by`](Self::load_by), for async connections.
    ///
    /// # Errors
    ///
    /// Those of the connection, and of the query.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "async-sqlite")] {
    /// use std::time::Duration;
    ///
    /// use cachex::Cache;
    /// use cachex_diesel::{CachedExt, DieselCache};
    /// use diesel::prelude::*;
    /// use diesel_async::AsyncConnection;
    /// use diesel_async::sync_connection_wrapper::SyncConnectionWrapper;
    ///
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let db = DieselCache::builder(Cache::builder().build()?).build();
    /// let one = || diesel::select(1.into_sql::<diesel::sql_types::Integer>()).cached(Duration::from_secs(60)).tag("one");
    /// // Of a pool, that would be `pool.get()`.
    /// let connect = async || {
    ///     let connection = SyncConnectionWrapper::<SqliteConnection>::establish(":memory:").await?;
    ///     diesel::ConnectionResult::Ok(db.wrap_async(connection))
    /// };
    /// assert_eq!(one().load_by_async::<i32, _, _>(&db, connect).await?, [1]);
    /// let connect = async || -> diesel::ConnectionResult<cachex_diesel::AsyncCachingConnection<SyncConnectionWrapper<SqliteConnection>>> {
    ///     unreachable!("it is not asked for a connection")
    /// };
    /// assert_eq!(one().load_by_async::<i32, _, _>(&db, connect).await?, [1]);
    /// # Ok(())
    /// # }
    /// # }
    /// # #[cfg(not(feature = "async-sqlite"))]
    /// # fn main() {}
    /// ```
    pub async fn load_by_async<'query, U, C, E>(
        self,
        db: &crate::DieselCache,
        connect: impl AsyncFnOnce() -> Result<C, E>,
    ) -> QueryResult<Vec<U>>
    where
        C: AsyncConnectionCore + CacheAware,
        Q: QueryFragment<C::Server> + QueryId + LoadQuery<'query, C, U> + Send,
        U: CacheValue,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let (query, options) = self.into_parts();
        if let Some(Plan { db, key, .. }) = kept_without_connection::<C::Server, Q, U>(db, &query, options.clone())?
            && let Ok(Some(rows)) = db.0.cache.get::<Vec<U>>(&key).await
        {
            db.0.counters.hit();
            return Ok(rows);
        }
        let mut connection = connect().await.map_err(unconnected)?;
        let asking = LoadQuery::internal_load(Cached::of_parts(query, options), &mut connection).await?;
        Ok(asking.0.into())
    }
}

impl<'query, Q, C, U> fmt::Debug for Asking<'_, 'query, Q, C, U>
where
    C: AsyncConnectionCore,
    Q: LoadQuery<'query, C, U>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asking").field("is_kept", &self.look_up.is_some()).finish_non_exhaustive()
    }
}

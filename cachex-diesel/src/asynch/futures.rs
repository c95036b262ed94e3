//! What is awaited: a statement, the rows of a query, and what was invalidated by them.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use diesel::QueryResult;
use futures_core::Stream;
use pin_project_lite::pin_project;

use super::flight::Flight;
use crate::track::Outcome;

/// The future of a query of the connection within. All that is of it is found by this one type: with one type parameter for each, the compiler could not show that a future that holds it may be sent
/// to another thread.
pub trait Loads: Future<Output = QueryResult<Self::Rows>> {
    /// The rows.
    type Rows: Stream<Item = QueryResult<Self::Row>>;
    /// A row.
    type Row;
}

impl<F, S, R> Loads for F
where
    F: Future<Output = QueryResult<S>>,
    S: Stream<Item = QueryResult<R>>,
{
    type Rows = S;
    type Row = R;
}

pin_project! {
    /// A statement that is being executed.
    #[must_use = "futures do nothing unless polled"]
    pub struct Execute<'conn, F> {
        // Dropped first: of SQLite, the statement is done once it is.
        #[pin]
        future: Option<F>,
        flight: Option<Flight<'conn>>,
        done: Option<QueryResult<usize>>,
    }
}

impl<'conn, F> Execute<'conn, F> {
    pub(crate) fn new(begun: QueryResult<(Flight<'conn>, F)>) -> Self {
        match begun {
            Ok((flight, future)) => Self { future: Some(future), flight: Some(flight), done: None },
            Err(error) => Self { future: None, flight: None, done: Some(Err(error)) },
        }
    }
}

impl<F: Future<Output = QueryResult<usize>>> Future for Execute<'_, F> {
    type Output = QueryResult<usize>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if let Some(flight) = this.flight {
            if let Some(future) = this.future.as_mut().as_pin_mut() {
                let done = ready!(future.poll(context));
                this.future.set(None);
                flight.hear(&done);
                flight.end();
                *this.done = Some(done);
            }
            ready!(flight.poll_told(context));
        }
        Poll::Ready(this.done.take().expect("a future is not polled once it has ended"))
    }
}

pin_project! {
    /// A query that is being asked.
    #[must_use = "futures do nothing unless polled"]
    pub struct Load<'conn, F>
    where
        F: Loads,
    {
        // Dropped first: of SQLite, the statement is done once they are.
        #[pin]
        future: Option<F>,
        #[pin]
        rows: Option<F::Rows>,
        read: Vec<QueryResult<F::Row>>,
        flight: Option<Flight<'conn>>,
        failed: Option<diesel::result::Error>,
    }
}

impl<'conn, F: Loads> Load<'conn, F> {
    pub(crate) fn new(begun: QueryResult<(Flight<'conn>, F)>) -> Self {
        let (future, flight, failed) = match begun {
            Ok((flight, future)) => (Some(future), Some(flight), None),
            Err(error) => (None, None, Some(error)),
        };
        Self { future, rows: None, read: Vec::new(), flight, failed }
    }
}

impl<'conn, F: Loads> Future for Load<'conn, F> {
    type Output = QueryResult<Rows<'conn, F>>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if let Some(flight) = this.flight.as_mut() {
            if let Some(future) = this.future.as_mut().as_pin_mut() {
                let done = ready!(future.poll(context));
                this.future.set(None);
                match done {
                    // A query that only reads is read as it comes.
                    Ok(rows) if !flight.has_effects() => {
                        flight.note(Outcome::Done);
                        let flight = this.flight.take();
                        return Poll::Ready(Ok(Rows { rows: Some(rows), read: Vec::new().into_iter(), flight }));
                    }
                    Ok(rows) => this.rows.set(Some(rows)),
                    Err(error) => {
                        let failed = QueryResult::<()>::Err(error);
                        flight.hear(&failed);
                        flight.end();
                        *this.failed = failed.err();
                    }
                }
            }
            // The server commits once it has sent the last row: until then it is not known, and whoever takes one of them only would go on before that.
            // Break this (return the rows as they come) and what others read meanwhile stays, from before the write.
            while let Some(rows) = this.rows.as_mut().as_pin_mut() {
                match ready!(rows.poll_next(context)) {
                    Some(row) => {
                        // What comes after an error is no row, and may never end.
                        // Break this (go on) and it is waited for, and kept, for ever.
                        if row.is_err() {
                            this.rows.set(None);
                            flight.hear(&row);
                            flight.end();
                        }
                        this.read.push(row);
                    }
                    None => {
                        this.rows.set(None);
                        flight.note(Outcome::Done);
                        flight.end();
                    }
                }
            }
            ready!(flight.poll_told(context));
        }
        Poll::Ready(match this.failed.take() {
            Some(error) => Err(error),
            None => Ok(Rows { rows: None, read: std::mem::take(this.read).into_iter(), flight: None }),
        })
    }
}

pin_project! {
    /// The rows of a query.
    #[must_use = "streams do nothing unless polled"]
    pub struct Rows<'conn, F>
    where
        F: Loads,
    {
        // Those that are still to come …
        #[pin]
        rows: Option<F::Rows>,
        // … or those that have.
        read: std::vec::IntoIter<QueryResult<F::Row>>,
        flight: Option<Flight<'conn>>,
    }
}

impl<F: Loads> Stream for Rows<'_, F> {
    type Item = QueryResult<F::Row>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut this = self.project();
        if let Some(rows) = this.rows.as_mut().as_pin_mut() {
            let row = ready!(rows.poll_next(context));
            match (&row, &mut this.flight) {
                (Some(row @ Err(_)), Some(flight)) => flight.hear(row),
                (None, Some(flight)) => flight.end(),
                _ => {}
            }
            if row.is_some() {
                return Poll::Ready(row);
            }
            this.rows.set(None);
        }
        if let Some(flight) = this.flight {
            ready!(flight.poll_told(context));
        }
        Poll::Ready(this.read.next())
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.rows.as_ref().map_or_else(|| self.read.size_hint(), Stream::size_hint)
    }
}

impl<F> fmt::Debug for Execute<'_, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Execute").field("flight", &self.flight).finish_non_exhaustive()
    }
}

impl<F: Loads> fmt::Debug for Load<'_, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Load").field("flight", &self.flight).finish_non_exhaustive()
    }
}

impl<F: Loads> fmt::Debug for Rows<'_, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rows").field("flight", &self.flight).finish_non_exhaustive()
    }
}

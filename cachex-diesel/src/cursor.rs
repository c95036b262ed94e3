//! Rows of a query that is read as they come.

use std::fmt;

use diesel::QueryResult;
use diesel::connection::{AnsiTransactionManager, Connection, LoadConnection};
use diesel::expression::QueryMetadata;
use diesel::query_builder::{Query, QueryFragment, QueryId};

use crate::backend::CacheBackend;
use crate::connection::CachingConnection;
use crate::sent::Sent;
use crate::track::Outcome;

impl<B, C> LoadConnection<B> for CachingConnection<C>
where
    C: LoadConnection<B> + Connection<TransactionManager = AnsiTransactionManager>,
    C::Backend: CacheBackend,
{
    type Cursor<'conn, 'query>
        = Cursor<'conn, C::Cursor<'conn, 'query>>
    where
        Self: 'conn;
    type Row<'conn, 'query>
        = C::Row<'conn, 'query>
    where
        Self: 'conn;

    fn load<'conn, 'query, T>(&'conn mut self, source: T) -> QueryResult<Self::Cursor<'conn, 'query>>
    where
        T: Query + QueryFragment<Self::Backend> + QueryId + 'query,
        Self::Backend: QueryMetadata<T::SqlType>,
    {
        let script = self.state.script::<C::Backend, T>(&source)?;
        let depth = self.depth();
        let Self { inner, state, .. } = self;
        let mut sent = Sent::begin(state, script, depth)?;
        match inner.load(source) {
            Ok(rows) => {
                // Servers but SQLite have done it, and committed it, before the first row is read.
                if C::Backend::NAME != "sqlite" {
                    sent.tell_early();
                }
                Ok(Cursor { rows: Some(rows), outcome: Outcome::Done, sent })
            }
            Err(error) => sent.ended(Err(error)),
        }
    }
}

/// The rows of a query; what it writes is done once they are gone.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "sqlite")] {
/// use cachex::Cache;
/// use cachex_diesel::DieselCache;
/// use diesel::prelude::*;
///
/// let db = DieselCache::builder(Cache::builder().build()?).build();
/// let mut connection = db.wrap(SqliteConnection::establish(":memory:")?);
/// let one = diesel::select(1.into_sql::<diesel::sql_types::Integer>());
/// let rows = one.load_iter::<i32, diesel::connection::DefaultLoadingMode>(&mut connection)?;
/// assert_eq!(rows.count(), 1);
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Cursor<'conn, I> {
    rows: Option<I>,
    /// What has become of it so far.
    outcome: Outcome,
    sent: Sent<'conn>,
}

impl<R, I: Iterator<Item = QueryResult<R>>> Iterator for Cursor<'_, I> {
    type Item = QueryResult<R>;

    fn next(&mut self) -> Option<Self::Item> {
        let row = self.rows.as_mut()?.next();
        if let Some(row @ Err(_)) = &row {
            self.outcome = self.sent.outcome(row);
        }
        row
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.rows.as_ref().map_or((0, Some(0)), Iterator::size_hint)
    }
}

impl<I> Drop for Cursor<'_, I> {
    fn drop(&mut self) {
        // First the statement ends: SQLite commits it with that. Somebody may panic then, so that nothing is noted.
        // Break this (tell before) and what is read in between stays, from before the write.
        self.rows = None;
        self.sent.note(self.outcome);
    }
}

impl<I> fmt::Debug for Cursor<'_, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cursor").finish_non_exhaustive()
    }
}

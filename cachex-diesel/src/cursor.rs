//! Rows of a query that is read as they come.

use std::fmt;
use std::sync::Arc;

use diesel::QueryResult;
use diesel::connection::{AnsiTransactionManager, Connection, LoadConnection};
use diesel::expression::QueryMetadata;
use diesel::query_builder::{Query, QueryFragment, QueryId};

use crate::analyses::Script;
use crate::backend::CacheBackend;
use crate::connection::CachingConnection;
use crate::state::State;
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
        self.before(&script)?;
        let Self { inner, state, .. } = self;
        match inner.load(source) {
            Ok(rows) => {
                // Servers but SQLite have done it, and committed it, before the first row is read.
                if script.has_effects && C::Backend::NAME != "sqlite" {
                    state.tell_early(&script).wait();
                }
                Ok(Cursor { rows: Some(rows), state, script, outcome: Outcome::Done })
            }
            Err(error) => {
                let failed = Err(error);
                let outcome = state.outcome(&failed);
                state.after(&script, outcome).wait();
                failed
            }
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
    state: &'conn mut State,
    script: Arc<Script>,
    outcome: Outcome,
}

impl<R, I: Iterator<Item = QueryResult<R>>> Iterator for Cursor<'_, I> {
    type Item = QueryResult<R>;

    fn next(&mut self) -> Option<Self::Item> {
        let row = self.rows.as_mut()?.next();
        if let Some(row @ Err(_)) = &row {
            self.outcome = self.state.outcome(row);
        }
        row
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.rows.as_ref().map_or((0, Some(0)), Iterator::size_hint)
    }
}

impl<I> Drop for Cursor<'_, I> {
    fn drop(&mut self) {
        // First the statement ends: SQLite commits it with that.
        // Break this (tell before) and what is read in between stays, from before the write.
        self.rows = None;
        self.state.after(&self.script, self.outcome).wait();
    }
}

impl<I> fmt::Debug for Cursor<'_, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cursor").finish_non_exhaustive()
    }
}

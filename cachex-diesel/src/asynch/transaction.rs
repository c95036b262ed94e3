//! Transactions of async connections.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use diesel::QueryResult;
use diesel::connection::TransactionManagerStatus;
use diesel_async::{AsyncConnection, TransactionManager};

use super::connection::AsyncCachingConnection;
use super::flight::Flight;
use crate::backend::CacheBackend;
use crate::backend::sealed::Known;
use crate::lex::Dialect;
use crate::state::{Depth, State};

/// The transactions of the connection within, whose ends are seen.
pub struct CachingTransactionManager<T>(PhantomData<T>);

impl<T> fmt::Debug for CachingTransactionManager<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CachingTransactionManager").finish()
    }
}

/// Sets out to do what the transaction manager within does by this text.
fn begin<'conn, DB: CacheBackend>(state: &'conn mut State, text: &str, depth: Depth) -> QueryResult<Flight<'conn>> {
    let script = state.script_of_text(text, <DB as Known>::DIALECT)?;
    Flight::begin(state, script, depth)
}

/// Returns how many transactions and savepoints are within one another.
fn count(depth: Depth) -> u32 {
    match depth {
        Depth::Known(depth) => depth.unwrap_or(0),
        // What is asked for then is refused before it is sent.
        Depth::Lost => 0,
    }
}

impl<C, T> TransactionManager<AsyncCachingConnection<C>> for CachingTransactionManager<T>
where
    C: AsyncConnection<TransactionManager = T>,
    C::Backend: CacheBackend,
    T: TransactionManager<C>,
    AsyncCachingConnection<C>: AsyncConnection<TransactionManager = Self>,
{
    type TransactionStateData = T::TransactionStateData;

    async fn begin_transaction(connection: &mut AsyncCachingConnection<C>) -> QueryResult<()> {
        let depth = connection.depth();
        let text = match count(depth) {
            0 => Cow::Borrowed("BEGIN"),
            depth => Cow::Owned(format!("SAVEPOINT diesel_savepoint_{depth}")),
        };
        let AsyncCachingConnection { inner, state, .. } = connection;
        let flight = begin::<C::Backend>(state, &text, depth)?;
        let done = T::begin_transaction(inner).await;
        flight.ended(done).await
    }

    async fn rollback_transaction(connection: &mut AsyncCachingConnection<C>) -> QueryResult<()> {
        let depth = connection.depth();
        let text = match count(depth) {
            0 | 1 => Cow::Borrowed("ROLLBACK"),
            depth => Cow::Owned(format!("ROLLBACK TO SAVEPOINT diesel_savepoint_{}", depth - 1)),
        };
        let AsyncCachingConnection { inner, state, .. } = connection;
        let flight = begin::<C::Backend>(state, &text, depth)?;
        let done = T::rollback_transaction(inner).await;
        flight.ended(done).await
    }

    async fn commit_transaction(connection: &mut AsyncCachingConnection<C>) -> QueryResult<()> {
        let depth = connection.depth();
        let AsyncCachingConnection { inner, state, .. } = connection;
        let flight = begin::<C::Backend>(state, &depth.commit(), depth)?;
        let done = T::commit_transaction(inner).await;
        let done = flight.ended(done).await;
        // Diesel rolls back itself what it can't commit, on the thread of SQLite, where we do not see it.
        // Break this (leave it out) and no query is kept on the connection any more.
        let is_sqlite = <C::Backend as Known>::DIALECT == Dialect::Sqlite;
        let depth = connection.depth();
        if done.is_err() && is_sqlite && depth == Depth::Known(None) {
            begin::<C::Backend>(&mut connection.state, "ROLLBACK", depth)?.ended(Ok(())).await?;
        }
        done
    }

    fn transaction_manager_status_mut(connection: &mut AsyncCachingConnection<C>) -> &mut TransactionManagerStatus {
        T::transaction_manager_status_mut(&mut connection.inner)
    }

    fn is_broken_transaction_manager(connection: &mut AsyncCachingConnection<C>) -> bool {
        // One with a transaction that was begun by hand would give it to whoever comes next.
        match connection.depth() {
            Depth::Known(depth) => {
                T::is_broken_transaction_manager(&mut connection.inner)
                    || connection.state.is_left_open(depth)
                    || connection.state.owes()
            }
            Depth::Lost => true,
        }
    }
}

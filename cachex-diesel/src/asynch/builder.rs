//! Transactions of PostgreSQL that are more than `BEGIN`.

use diesel::pg::Pg;
use diesel::result::Error;
use diesel_async::{AnsiTransactionManager, AsyncConnection, TransactionManager};

use super::connection::AsyncCachingConnection;
use super::flight::Flight;
use crate::lex::Dialect;

/// Begins a transaction of PostgreSQL of another kind; see [`AsyncCachingConnection::build_transaction`].
///
/// # Examples
///
/// ```no_run
/// use cachex::Cache;
/// use cachex_diesel::DieselCache;
/// use diesel_async::{AsyncConnection, AsyncPgConnection};
///
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let db = DieselCache::builder(Cache::builder().build()?).build();
/// let mut connection = db.wrap_async(AsyncPgConnection::establish("postgres://localhost").await?);
/// let done = connection.build_transaction().serializable().read_only().run(async |_| diesel::QueryResult::Ok(1)).await;
/// assert_eq!(done, Ok(1));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "a transaction begins when it is run"]
pub struct AsyncTransactionBuilder<'a, C> {
    connection: &'a mut AsyncCachingConnection<C>,
    isolation: &'static str,
    mode: &'static str,
    deferrable: &'static str,
}

impl<C> AsyncCachingConnection<C>
where
    C: AsyncConnection<Backend = Pg, TransactionManager = AnsiTransactionManager>,
{
    /// As `AsyncPgConnection::build_transaction`.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use cachex::Cache;
    /// use cachex_diesel::DieselCache;
    /// use diesel_async::{AsyncConnection, AsyncPgConnection};
    ///
    /// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
    /// let db = DieselCache::builder(Cache::builder().build()?).build();
    /// let mut connection = db.wrap_async(AsyncPgConnection::establish("postgres://localhost").await?);
    /// let done = connection.build_transaction().repeatable_read().run(async |_| diesel::QueryResult::Ok(1)).await;
    /// assert_eq!(done, Ok(1));
    /// # Ok(())
    /// # }
    /// ```
    pub fn build_transaction(&mut self) -> AsyncTransactionBuilder<'_, C> {
        AsyncTransactionBuilder { connection: self, isolation: "", mode: "", deferrable: "" }
    }
}

/// Methods that each set one word of the text.
macro_rules! says {
    ($($name:ident, $field:ident, $words:literal;)*) => {$(
        #[doc = concat!("Has the transaction be `", $words, "`.")]
        ///
        /// # Examples
        ///
        /// ```no_run
        /// # async fn run(connection: &mut cachex_diesel::AsyncCachingConnection<diesel_async::AsyncPgConnection>) {
        #[doc = concat!("let done = connection.build_transaction().", stringify!($name), "().run(async |_| diesel::QueryResult::Ok(1)).await;")]
        /// assert_eq!(done, Ok(1));
        /// # }
        /// ```
        pub fn $name(mut self) -> Self {
            self.$field = concat!(" ", $words);
            self
        }
    )*};
}

impl<C> AsyncTransactionBuilder<'_, C>
where
    C: AsyncConnection<Backend = Pg, TransactionManager = AnsiTransactionManager>,
    for<'conn, 'query> C::Row<'conn, 'query>: Send,
{
    says! {
        serializable, isolation, "ISOLATION LEVEL SERIALIZABLE";
        repeatable_read, isolation, "ISOLATION LEVEL REPEATABLE READ";
        read_committed, isolation, "ISOLATION LEVEL READ COMMITTED";
        read_only, mode, "READ ONLY";
        read_write, mode, "READ WRITE";
        deferrable, deferrable, "DEFERRABLE";
        not_deferrable, deferrable, "NOT DEFERRABLE";
    }

    /// Runs it: commits what `work` did if it returns `Ok`, and rolls it back otherwise.
    ///
    /// # Errors
    ///
    /// Those of the work, and of the transaction.
    ///
    /// # Cancellation
    ///
    /// Dropped, the transaction is left open, as of `AsyncConnection::transaction`.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn run(connection: &mut cachex_diesel::AsyncCachingConnection<diesel_async::AsyncPgConnection>) {
    /// let done = connection.build_transaction().run(async |_| diesel::QueryResult::Ok(1)).await;
    /// assert_eq!(done, Ok(1));
    /// # }
    /// ```
    pub async fn run<R, E: From<Error>>(
        self,
        work: impl AsyncFnOnce(&mut AsyncCachingConnection<C>) -> Result<R, E>,
    ) -> Result<R, E> {
        let Self { connection, isolation, mode, deferrable } = self;
        let text = format!("BEGIN TRANSACTION{isolation}{mode}{deferrable}");
        let script = connection.state.script_of_text(&text, Dialect::Postgres)?;
        let depth = connection.depth();
        let AsyncCachingConnection { inner, state, .. } = &mut *connection;
        let flight = Flight::begin(state, script, depth)?;
        let begun = AnsiTransactionManager::begin_transaction_sql(inner, &text).await;
        flight.ended(begun).await?;
        let done = work(connection).await;
        match &done {
            Ok(_) => {
                <AsyncCachingConnection<C> as AsyncConnection>::TransactionManager::commit_transaction(connection)
                    .await?
            }
            Err(_) => {
                <AsyncCachingConnection<C> as AsyncConnection>::TransactionManager::rollback_transaction(connection)
                    .await?
            }
        }
        done
    }
}

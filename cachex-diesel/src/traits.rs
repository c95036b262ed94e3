//! What makes the wrapper a connection of Diesel: all that reaches the server passes through here, but for rows ([`cursor`](crate::cursor)).

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use diesel::connection::{
    AnsiTransactionManager, CacheSize, Connection, ConnectionSealed, Instrumentation, MultiConnectionHelper,
    SimpleConnection, TransactionDepthChange, TransactionManager, TransactionManagerStatus, WithMetadataLookup,
};
#[cfg(feature = "migrations")]
use diesel::migration::{CREATE_MIGRATIONS_TABLE, MigrationConnection};
use diesel::query_builder::{QueryFragment, QueryId};
use diesel::sql_types::TypeMetadata;
use diesel::{ConnectionResult, QueryResult};

use crate::backend::CacheBackend;
use crate::connection::CachingConnection;
use crate::handle::DieselCache;
use crate::observed::Ear;
use crate::sent::Sent;
#[cfg(feature = "r2d2")]
use crate::state::Depth;

impl<C> SimpleConnection for CachingConnection<C>
where
    C: Connection,
    C::Backend: CacheBackend,
{
    fn batch_execute(&mut self, query: &str) -> QueryResult<()> {
        let script = self.state.script_of_text(query, <C::Backend as crate::backend::sealed::Known>::DIALECT)?;
        let depth = self.depth();
        let Self { inner, state, .. } = self;
        let sent = Sent::begin(state, script, depth)?;
        let done = inner.batch_execute(query);
        // Break this (let it through) and Diesel takes the transaction for open: in MySQL, all that comes then is in none.
        catch_unwind(AssertUnwindSafe(|| sent.ended(done))).unwrap_or_else(|thrown| {
            // What was to be called after the commit has panicked, and Diesel counts the commit once this has returned.
            if query == depth.commit() {
                count_commit(C::TransactionManager::transaction_manager_status_mut(inner));
            }
            resume_unwind(thrown)
        })
    }
}

/// Counts a commit as the transaction manager does.
fn count_commit(status: &mut TransactionManagerStatus) {
    if let TransactionManagerStatus::Valid(status) = status {
        // One that was begun by hand is not counted.
        let _none = status.change_transaction_depth(TransactionDepthChange::DecreaseDepth);
    }
}

impl<C> ConnectionSealed for CachingConnection<C> {}

impl<C> Connection for CachingConnection<C>
where
    C: Connection<TransactionManager = AnsiTransactionManager>,
    C::Backend: CacheBackend,
{
    type Backend = C::Backend;
    // All that begins and ends a transaction comes as a text, through us.
    type TransactionManager = AnsiTransactionManager;

    fn establish(url: &str) -> ConnectionResult<Self> {
        Ok(Self::new(C::establish(url)?, DieselCache::installed()))
    }

    fn execute_returning_count<T>(&mut self, source: &T) -> QueryResult<usize>
    where
        T: QueryFragment<Self::Backend> + QueryId,
    {
        let script = self.state.script::<C::Backend, T>(source)?;
        let depth = self.depth();
        let Self { inner, state, .. } = self;
        let sent = Sent::begin(state, script, depth)?;
        let done = inner.execute_returning_count(source);
        sent.ended(done)
    }

    fn transaction_state(&mut self) -> &mut AnsiTransactionManager {
        self.inner.transaction_state()
    }

    fn begin_test_transaction(&mut self) -> QueryResult<()> {
        self.inner.begin_test_transaction()?;
        self.state.begin_test();
        Ok(())
    }

    fn instrumentation(&mut self) -> &mut dyn Instrumentation {
        // What is asked for is the user's own.
        if self.inner.instrumentation().is::<Ear>() {
            let ear = self.inner.instrumentation().downcast_mut::<Ear>();
            return ear.expect("it was asked just now").user();
        }
        self.inner.instrumentation()
    }

    fn set_instrumentation(&mut self, instrumentation: impl Instrumentation) {
        match self.inner.instrumentation().downcast_mut::<Ear>() {
            Some(ear) => ear.replace(instrumentation),
            None => {
                let dialect = <C::Backend as crate::backend::sealed::Known>::DIALECT;
                self.inner.set_instrumentation(Ear::before(Box::new(instrumentation), dialect));
            }
        }
    }

    fn set_prepared_statement_cache_size(&mut self, size: CacheSize) {
        self.inner.set_prepared_statement_cache_size(size);
    }
}

impl<C> WithMetadataLookup for CachingConnection<C>
where
    C: WithMetadataLookup + Connection<TransactionManager = AnsiTransactionManager>,
    C::Backend: CacheBackend,
{
    fn metadata_lookup(&mut self) -> &mut <Self::Backend as TypeMetadata>::MetadataLookup {
        self.inner.metadata_lookup()
    }
}

impl<C> MultiConnectionHelper for CachingConnection<C>
where
    C: MultiConnectionHelper + Connection<TransactionManager = AnsiTransactionManager>,
    C::Backend: CacheBackend,
{
    fn to_any<'a>(lookup: &mut <Self::Backend as TypeMetadata>::MetadataLookup) -> &mut (dyn std::any::Any + 'a) {
        C::to_any(lookup)
    }

    fn from_any(lookup: &mut dyn std::any::Any) -> Option<&mut <Self::Backend as TypeMetadata>::MetadataLookup> {
        C::from_any(lookup)
    }
}

#[cfg(feature = "migrations")]
impl<C> MigrationConnection for CachingConnection<C>
where
    C: MigrationConnection + Connection<TransactionManager = AnsiTransactionManager>,
    C::Backend: CacheBackend,
{
    /// A definition, which commits a transaction of MySQL.
    // Break this (only have it done) and what was written before that is never told.
    fn setup(&mut self) -> QueryResult<usize> {
        let dialect = <C::Backend as crate::backend::sealed::Known>::DIALECT;
        let script = self.state.script_of_text(CREATE_MIGRATIONS_TABLE, dialect)?;
        let depth = self.depth();
        let Self { inner, state, .. } = self;
        let sent = Sent::begin(state, script, depth)?;
        let done = inner.setup();
        sent.ended(done)
    }
}

#[cfg(feature = "r2d2")]
impl<C> diesel::r2d2::R2D2Connection for CachingConnection<C>
where
    C: diesel::r2d2::R2D2Connection + Connection<TransactionManager = AnsiTransactionManager>,
    C::Backend: CacheBackend,
{
    fn ping(&mut self) -> QueryResult<()> {
        self.inner.ping()
    }

    fn is_broken(&mut self) -> bool {
        let depth = self.depth();
        // One with a transaction that was begun by hand would give it to whoever comes next.
        match depth {
            Depth::Known(depth) => self.inner.is_broken() || self.state.is_left_open(depth) || self.state.owes(),
            Depth::Lost => true,
        }
    }
}

#[cfg(feature = "postgres")]
impl<C> diesel::pg::GetPgMetadataCache for CachingConnection<C>
where
    C: diesel::pg::GetPgMetadataCache,
{
    fn get_metadata_cache(&mut self) -> &mut diesel::pg::PgMetadataCache {
        self.inner.get_metadata_cache()
    }
}

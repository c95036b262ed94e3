//! What happened so far, in numbers.

use std::sync::atomic::{AtomicU64, Ordering};

/// What happened so far; see [`DieselCache::stats`](crate::DieselCache::stats).
///
/// Of the entries themselves, what was not kept because it was invalidated while it was loaded among them (`rejected_stores`), the statistics of the
/// [cache](crate::DieselCache::cache) tell.
///
/// # Examples
///
/// ```
/// use cachex::Cache;
/// use cachex_diesel::DieselCache;
///
/// let db = DieselCache::builder(Cache::builder().build()?).build();
/// assert_eq!(db.stats().invalidations, 0);
/// assert_eq!(db.cache().stats().rejected_stores, 0);
/// # Ok::<(), cachex::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DieselStats {
    /// Texts that were to be sent to a server: statements, and what begins and ends transactions.
    pub operations: u64,
    /// Writes, or transactions with writes, that have invalidated something.
    pub invalidations: u64,
    /// Statements of which it was not known what they write.
    pub unknown: u64,
    /// What was refused before it was sent, as [`OnUnknown`](crate::OnUnknown) and [`OnCacheError`](crate::OnCacheError) say.
    pub refused: u64,
    /// Cached queries that were asked.
    pub cached: u64,
    /// Those of them that were answered without asking the database themselves: from the cache, or by another that was just asking.
    pub hits: u64,
    /// Those of them that asked the database, and were kept.
    pub loads: u64,
    /// Those of them that could not be cached.
    pub bypasses: u64,
    /// Why not; each counts once.
    pub bypassed: Bypassed,
}

/// Why cached queries asked the database, and were not kept.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "sqlite")] {
/// use std::time::Duration;
///
/// use cachex::Cache;
/// use cachex_diesel::{CachedExt, DieselCache};
/// use diesel::prelude::*;
///
/// diesel::table! {
///     users {
///         id -> Integer,
///     }
/// }
///
/// let db = DieselCache::builder(Cache::builder().build()?).build();
/// let mut connection = db.wrap(SqliteConnection::establish(":memory:")?);
/// diesel::sql_query("CREATE TABLE users (id INTEGER PRIMARY KEY)").execute(&mut connection)?;
/// users::table.select(users::id).cached(Duration::from_secs(60)).load::<i32>(&mut connection)?;
/// assert_eq!(db.stats().bypassed.unregistered, 1);
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Bypassed {
    /// They were asked within a transaction, or where there may be one.
    pub in_transaction: u64,
    /// The session was changed, and its scope was not said since.
    pub session_changed: u64,
    /// They lock, write, are several statements, or read from what is no table.
    pub not_plain: u64,
    /// They give another result each time, and it was not said that this does no harm.
    pub volatile: u64,
    /// They read something that is not registered.
    pub unregistered: u64,
    /// They read a table of which nothing is to be kept.
    pub left_out: u64,
    /// They read no table, and have no tag: nothing could ever make them wrong, or nobody could say so.
    pub without_table: u64,
}

/// Why a query is not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    InTransaction,
    SessionChanged,
    NotPlain,
    Volatile,
    Unregistered,
    LeftOut,
    WithoutTable,
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) operations: AtomicU64,
    pub(crate) invalidations: AtomicU64,
    pub(crate) unknown: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) cached: AtomicU64,
    pub(crate) hits: AtomicU64,
    pub(crate) loads: AtomicU64,
    bypassed: [AtomicU64; 7],
}

impl Counters {
    /// Notes a query that was answered without a connection.
    pub(crate) fn hit(&self) {
        self.cached.fetch_add(1, Ordering::Relaxed);
        self.hits.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn bypass(&self, why: Reason) {
        self.bypassed[why as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn read(&self) -> DieselStats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let bypassed = |why: Reason| read(&self.bypassed[why as usize]);
        let bypassed = Bypassed {
            in_transaction: bypassed(Reason::InTransaction),
            session_changed: bypassed(Reason::SessionChanged),
            not_plain: bypassed(Reason::NotPlain),
            volatile: bypassed(Reason::Volatile),
            unregistered: bypassed(Reason::Unregistered),
            left_out: bypassed(Reason::LeftOut),
            without_table: bypassed(Reason::WithoutTable),
        };
        DieselStats {
            operations: read(&self.operations),
            invalidations: read(&self.invalidations),
            unknown: read(&self.unknown),
            refused: read(&self.refused),
            cached: read(&self.cached),
            hits: read(&self.hits),
            loads: read(&self.loads),
            bypasses: self.bypassed.iter().map(read).sum(),
            bypassed,
        }
    }
}

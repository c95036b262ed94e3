//! What is told of that nobody may have expected.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// Something that was not as simple as it should be; see [`DieselCacheBuilder::on_event`](crate::DieselCacheBuilder::on_event). No statement is told as a whole: there may be a secret in it.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "sqlite")] {
/// use std::sync::{Arc, Mutex};
///
/// use cachex::Cache;
/// use cachex_diesel::{DieselCache, DieselEvent};
/// use diesel::connection::SimpleConnection;
/// use diesel::prelude::*;
///
/// let seen = Arc::new(Mutex::new(Vec::new()));
/// let notes = seen.clone();
/// let db = DieselCache::builder(Cache::builder().build()?).on_event(move |event| notes.lock().unwrap().push(event.to_string())).build();
/// let mut connection = db.wrap(SqliteConnection::establish(":memory:")?);
/// assert!(connection.batch_execute("frobnicate").is_err());
/// assert!(seen.lock().unwrap()[0].contains("`frobnicate …`"));
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DieselEvent {
    /// It is not known what a statement writes: it was done as [`OnUnknown`](crate::OnUnknown) says.
    UnknownStatement {
        /// The word that it begins with.
        word: Box<str>,
    },
    /// The session was changed: no query is kept on the connection until it is said whose rows it sees
    /// ([`set_cache_scope`](crate::CachingConnection::set_cache_scope)).
    SessionChanged,
    /// Something was refused, as [`OnCacheError::Refuse`](crate::OnCacheError::Refuse) says.
    CacheOutOfReach,
    /// A query that was to be kept reads something that is not registered.
    Unregistered {
        /// What it reads.
        name: Box<str>,
    },
}

impl fmt::Display for DieselEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownStatement { word } => write!(f, "it is not known what `{word} …` writes"),
            Self::SessionChanged => {
                f.write_str("the session was changed, and `set_cache_scope` was not called since: nothing is kept")
            }
            Self::CacheOutOfReach => {
                f.write_str("the second tier of the cache is out of reach: nothing is written or kept")
            }
            Self::Unregistered { name } => {
                write!(f, "`{name}` is not registered: call `DieselCache::introspect`, or name it to the builder")
            }
        }
    }
}

type Told = dyn Fn(&DieselEvent) + Send + Sync;

/// Who is told.
#[derive(Clone, Default)]
pub(crate) struct Observer(Option<Arc<Told>>);

impl Observer {
    pub(crate) fn new(observer: impl Fn(&DieselEvent) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(observer)))
    }

    pub(crate) fn tell(&self, event: impl FnOnce() -> DieselEvent) {
        if let Some(observer) = &self.0 {
            // One that panics must not break what is observed.
            // Break this (let it through) and what was written is not told.
            let _ignored = catch_unwind(AssertUnwindSafe(|| observer(&event())));
        }
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Observer").field(&self.0.is_some()).finish()
    }
}

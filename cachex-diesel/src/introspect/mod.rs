//! What the server itself says of its tables: which there are, what views read, and what foreign keys and triggers write.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

use diesel::QueryResult;

use crate::handle::DieselCache;
use crate::lex::{Name, Writes};

/// What was found by [`DieselCache::introspect`].
///
/// # Examples
///
/// ```
/// assert_eq!(cachex_diesel::Introspection::default().tables, 0);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Introspection {
    /// Tables.
    pub tables: usize,
    /// Views.
    pub views: usize,
    /// Foreign keys, triggers, and parts of tables by which a write of one table writes others.
    pub cascades: usize,
    /// Triggers and rules of which it is not known what they write: a write of their table invalidates everything.
    pub unknown: usize,
}

/// A connection whose server can be asked; see [`DieselCache::introspect`].
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "sqlite")] {
/// use cachex_diesel::{CachingConnection, Introspect};
/// use diesel::SqliteConnection;
///
/// fn is_known<C: Introspect>() -> bool {
///     true
/// }
///
/// assert!(is_known::<SqliteConnection>() && is_known::<CachingConnection<SqliteConnection>>());
/// # }
/// ```
pub trait Introspect {
    #[doc(hidden)]
    fn catalog(&mut self) -> QueryResult<Catalog>;
}

/// What a server says.
#[doc(hidden)]
#[derive(Debug, Default)]
pub struct Catalog {
    pub(crate) tables: Vec<Name>,
    /// What each view reads.
    pub(crate) views: Vec<(Name, Vec<Name>)>,
    /// What a write of each table writes as well.
    pub(crate) cascades: Vec<(Name, Writes)>,
}

impl DieselCache {
    /// Asks a server which tables there are, what views read, and what foreign keys, triggers, and inheritance have written besides, and registers all of it. To be done when the program starts, and
    /// after the tables were changed.
    ///
    /// Tables are registered as by [`table`](crate::DieselCacheBuilder::table) without options; what is registered already keeps its own. Of a trigger that runs what no text says (`EXECUTE`,
    /// `CALL`, `PERFORM`), or that is written in another language than SQL and PL/pgSQL, it is taken that it writes any table. System tables are not looked at, nor is what functions do that are called within an expression: what these write is named by [`cascade`](crate::DieselCacheBuilder::cascade).
    ///
    /// # Errors
    ///
    /// The server can't be asked. Then nothing is registered.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "sqlite")] {
    /// use cachex::Cache;
    /// use cachex_diesel::DieselCache;
    /// use diesel::connection::SimpleConnection;
    /// use diesel::prelude::*;
    ///
    /// let db = DieselCache::builder(Cache::builder().build()?).build();
    /// let mut connection = db.wrap(SqliteConnection::establish(":memory:")?);
    /// connection.batch_execute("CREATE TABLE users (id INTEGER); CREATE VIEW names AS SELECT id FROM users")?;
    /// let found = db.introspect(&mut connection)?;
    /// assert_eq!((found.tables, found.views), (1, 1));
    /// assert_eq!(db.tables(), ["users"]);
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn introspect<C: Introspect>(&self, connection: &mut C) -> QueryResult<Introspection> {
        Ok(self.register(connection.catalog()?))
    }

    /// Registers what a server says.
    pub(crate) fn register(&self, catalog: Catalog) -> Introspection {
        let unknown = catalog.cascades.iter().filter(|(_, writes)| *writes == Writes::Unknown).count();
        let found = Introspection {
            tables: catalog.tables.len(),
            views: catalog.views.iter().map(|(name, _)| name).collect::<BTreeSet<_>>().len(),
            cascades: catalog.cascades.len() - unknown,
            unknown,
        };
        self.change_registry(|registry| {
            for table in &catalog.tables {
                registry.table(table);
            }
            for (view, reads) in catalog.views {
                registry.view(&view, reads.iter().map(|name| &**name));
            }
            for (table, writes) in catalog.cascades {
                registry.cascade_of(table, writes);
            }
        });
        self.0.is_introspected.store(true, Ordering::Relaxed);
        found
    }
}

#[cfg(any(feature = "sqlite", feature = "postgres-backend", feature = "mysql-backend"))]
fn wrote(text: &str, dialect: crate::lex::Dialect) -> Writes {
    crate::lex::writes_within(text, dialect)
}

#[cfg(feature = "mysql-backend")]
pub(crate) mod mysql;
#[cfg(feature = "postgres-backend")]
pub(crate) mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;

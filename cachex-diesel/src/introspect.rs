//! What the server itself says of its tables: which there are, what views read, and what foreign keys and triggers write.

use std::collections::BTreeSet;
use std::sync::PoisonError;

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
    /// `CALL`, `PERFORM`), or that is written in another language than SQL and PL/pgSQL, it is taken that it writes any table. System tables, and what functions do, are not looked at.
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
        let catalog = connection.catalog()?;
        let unknown = catalog.cascades.iter().filter(|(_, writes)| *writes == Writes::Unknown).count();
        let found = Introspection {
            tables: catalog.tables.len(),
            views: catalog.views.iter().map(|(name, _)| name).collect::<BTreeSet<_>>().len(),
            cascades: catalog.cascades.len() - unknown,
            unknown,
        };
        let mut registry = self.0.registry.write().unwrap_or_else(PoisonError::into_inner);
        for table in &catalog.tables {
            registry.table(table);
        }
        for (view, reads) in catalog.views {
            registry.view(&view, reads.iter().map(|name| &**name));
        }
        for (table, writes) in catalog.cascades {
            registry.cascade_of(table, writes);
        }
        Ok(found)
    }
}

#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
fn wrote(text: &str, dialect: crate::lex::Dialect) -> Writes {
    crate::lex::writes_within(text, dialect)
}

#[cfg(feature = "sqlite")]
mod sqlite {
    use diesel::prelude::*;
    use diesel::sql_types::{Nullable, Text};

    use super::{Catalog, Introspect, QueryResult, Writes, wrote};
    use crate::connection::CachingConnection;
    use crate::lex::{Dialect, reads_of_view};
    use crate::registry::canonical;

    #[derive(QueryableByName)]
    struct Thing {
        #[diesel(sql_type = Text)]
        kind: String,
        #[diesel(sql_type = Text)]
        name: String,
        #[diesel(sql_type = Text)]
        of: String,
        #[diesel(sql_type = Nullable<Text>)]
        text: Option<String>,
    }

    #[derive(QueryableByName)]
    struct Edge {
        #[diesel(sql_type = Text)]
        parent: String,
        #[diesel(sql_type = Text)]
        child: String,
    }

    impl Introspect for SqliteConnection {
        fn catalog(&mut self) -> QueryResult<Catalog> {
            const THINGS: &str = "SELECT type AS kind, name, tbl_name AS \"of\", sql AS text FROM sqlite_master \
                WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";
            const EDGES: &str = "SELECT f.\"table\" AS parent, m.name AS child \
                FROM sqlite_master m JOIN pragma_foreign_key_list(m.name) f \
                WHERE m.type = 'table' AND (f.on_delete NOT IN ('NO ACTION', 'RESTRICT') OR f.on_update NOT IN ('NO ACTION', 'RESTRICT'))";
            let mut catalog = Catalog::default();
            for Thing { kind, name, of, text } in diesel::sql_query(THINGS).load::<Thing>(self)? {
                let text = text.unwrap_or_default();
                match &*kind {
                    "table" => catalog.tables.push(canonical(&name)),
                    "view" => catalog.views.push((canonical(&name), reads_of_view(&text, Dialect::Sqlite))),
                    "trigger" => catalog.cascades.push((canonical(&of), wrote(&text, Dialect::Sqlite))),
                    _ => {}
                }
            }
            for Edge { parent, child } in diesel::sql_query(EDGES).load::<Edge>(self)? {
                catalog.cascades.push((canonical(&parent), Writes::Tables([canonical(&child)].into())));
            }
            Ok(catalog)
        }
    }

    impl Introspect for CachingConnection<SqliteConnection> {
        fn catalog(&mut self) -> QueryResult<Catalog> {
            self.inner.catalog()
        }
    }
}

#[cfg(feature = "postgres")]
mod postgres {
    use diesel::prelude::*;
    use diesel::sql_types::{Bool, Text};

    use super::{Catalog, Introspect, QueryResult, Writes, wrote};
    use crate::connection::CachingConnection;
    use crate::lex::Dialect;
    use crate::registry::canonical;

    #[derive(QueryableByName)]
    struct One {
        #[diesel(sql_type = Text)]
        name: String,
    }

    #[derive(QueryableByName)]
    struct Pair {
        #[diesel(sql_type = Text)]
        name: String,
        #[diesel(sql_type = Text)]
        other: String,
    }

    #[derive(QueryableByName)]
    struct Trigger {
        #[diesel(sql_type = Text)]
        name: String,
        #[diesel(sql_type = Text)]
        text: String,
        #[diesel(sql_type = Bool)]
        is_readable: bool,
    }

    const TABLES: &str = "SELECT c.relname::text AS name FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
        WHERE c.relkind IN ('r', 'p', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_%'";
    const VIEWS: &str = "SELECT DISTINCT v.relname::text AS name, t.relname::text AS other FROM pg_catalog.pg_depend d \
        JOIN pg_catalog.pg_rewrite r ON r.oid = d.objid JOIN pg_catalog.pg_class v ON v.oid = r.ev_class \
        JOIN pg_catalog.pg_class t ON t.oid = d.refobjid JOIN pg_catalog.pg_namespace n ON n.oid = v.relnamespace \
        WHERE d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.refclassid = 'pg_catalog.pg_class'::regclass AND v.oid <> t.oid \
        AND v.relkind IN ('v', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema')";
    const KEYS: &str = "SELECT DISTINCT p.relname::text AS name, c.relname::text AS other FROM pg_catalog.pg_constraint k \
        JOIN pg_catalog.pg_class p ON p.oid = k.confrelid JOIN pg_catalog.pg_class c ON c.oid = k.conrelid \
        WHERE k.contype = 'f' AND (k.confdeltype IN ('c', 'n', 'd') OR k.confupdtype IN ('c', 'n', 'd'))";
    /// What is written by a parent is written in its parts, and the other way round.
    const PARTS: &str = "SELECT p.relname::text AS name, c.relname::text AS other FROM pg_catalog.pg_inherits i \
        JOIN pg_catalog.pg_class p ON p.oid = i.inhparent JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid \
        WHERE p.relkind IN ('r', 'p', 'f') AND c.relkind IN ('r', 'p', 'f')";
    const TRIGGERS: &str = "SELECT c.relname::text AS name, p.prosrc AS text, l.lanname IN ('plpgsql', 'sql') AS is_readable \
        FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid \
        JOIN pg_catalog.pg_language l ON l.oid = p.prolang WHERE NOT t.tgisinternal";
    const RULES: &str = "SELECT DISTINCT c.relname::text AS name FROM pg_catalog.pg_rewrite r \
        JOIN pg_catalog.pg_class c ON c.oid = r.ev_class JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
        WHERE r.ev_type <> '1' AND n.nspname NOT IN ('pg_catalog', 'information_schema')";

    impl Introspect for PgConnection {
        fn catalog(&mut self) -> QueryResult<Catalog> {
            let mut catalog = Catalog::default();
            let tables = diesel::sql_query(TABLES).load::<One>(self)?;
            catalog.tables = tables.iter().map(|table| canonical_of(&table.name)).collect();
            for Pair { name, other } in diesel::sql_query(VIEWS).load::<Pair>(self)? {
                catalog.views.push((canonical_of(&name), vec![canonical_of(&other)]));
            }
            for Pair { name, other } in diesel::sql_query(KEYS).load::<Pair>(self)? {
                catalog.cascades.push((canonical_of(&name), Writes::Tables([canonical_of(&other)].into())));
            }
            for Pair { name, other } in diesel::sql_query(PARTS).load::<Pair>(self)? {
                let (name, other) = (canonical_of(&name), canonical_of(&other));
                catalog.cascades.push((name.clone(), Writes::Tables([other.clone()].into())));
                catalog.cascades.push((other, Writes::Tables([name].into())));
            }
            for Trigger { name, text, is_readable } in diesel::sql_query(TRIGGERS).load::<Trigger>(self)? {
                let writes = if is_readable { wrote(&text, Dialect::Postgres) } else { Writes::Unknown };
                catalog.cascades.push((canonical_of(&name), writes));
            }
            for One { name } in diesel::sql_query(RULES).load::<One>(self)? {
                catalog.cascades.push((canonical_of(&name), Writes::Unknown));
            }
            Ok(catalog)
        }
    }

    /// Of a name as the catalog has it, without quotes: a dot in it is a part of it.
    fn canonical_of(name: &str) -> super::Name {
        canonical(&format!("\"{}\"", name.replace('"', "\"\"")))
    }

    impl Introspect for CachingConnection<PgConnection> {
        fn catalog(&mut self) -> QueryResult<Catalog> {
            self.inner.catalog()
        }
    }
}

#[cfg(feature = "mysql")]
mod mysql {
    use diesel::prelude::*;
    use diesel::sql_types::Text;

    use super::{Catalog, Introspect, QueryResult, Writes, wrote};
    use crate::connection::CachingConnection;
    use crate::lex::{Dialect, reads_of_view};
    use crate::registry::canonical;

    #[derive(QueryableByName)]
    struct Thing {
        #[diesel(sql_type = Text)]
        kind: String,
        #[diesel(sql_type = Text)]
        name: String,
        #[diesel(sql_type = Text)]
        text: String,
    }

    const THINGS: &str = "SELECT 'table' AS kind, table_name AS name, '' AS text FROM information_schema.tables \
        WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE' \
        UNION ALL SELECT 'view', table_name, CONCAT('AS ', view_definition) FROM information_schema.views WHERE table_schema = DATABASE() \
        UNION ALL SELECT 'trigger', event_object_table, action_statement FROM information_schema.triggers WHERE trigger_schema = DATABASE() \
        UNION ALL SELECT 'key', referenced_table_name, table_name FROM information_schema.referential_constraints \
        WHERE constraint_schema = DATABASE() \
        AND (delete_rule NOT IN ('RESTRICT', 'NO ACTION') OR update_rule NOT IN ('RESTRICT', 'NO ACTION'))";

    impl Introspect for MysqlConnection {
        fn catalog(&mut self) -> QueryResult<Catalog> {
            let mut catalog = Catalog::default();
            for Thing { kind, name, text } in diesel::sql_query(THINGS).load::<Thing>(self)? {
                let name = canonical(&name);
                match &*kind {
                    "table" => catalog.tables.push(name),
                    "view" => catalog.views.push((name, reads_of_view(&text, Dialect::Mysql))),
                    "trigger" => catalog.cascades.push((name, wrote(&text, Dialect::Mysql))),
                    _ => catalog.cascades.push((name, Writes::Tables([canonical(&text)].into()))),
                }
            }
            Ok(catalog)
        }
    }

    impl Introspect for CachingConnection<MysqlConnection> {
        fn catalog(&mut self) -> QueryResult<Catalog> {
            self.inner.catalog()
        }
    }
}

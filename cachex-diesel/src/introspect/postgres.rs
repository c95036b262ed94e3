//! What PostgreSQL says.

use diesel::QueryableByName;
use diesel::sql_types::{Bool, Text};

use super::{Catalog, Writes, wrote};
use crate::lex::Dialect;
use crate::registry::canonical;

#[derive(QueryableByName)]
pub(crate) struct One {
    #[diesel(sql_type = Text)]
    name: String,
}

#[derive(QueryableByName)]
pub(crate) struct Pair {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    other: String,
}

#[derive(QueryableByName)]
pub(crate) struct Trigger {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    text: String,
    #[diesel(sql_type = Bool)]
    is_readable: bool,
}

pub(crate) const TABLES: &str = "SELECT c.relname::text AS name FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
    WHERE c.relkind IN ('r', 'p', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_%'";
pub(crate) const VIEWS: &str = "SELECT DISTINCT v.relname::text AS name, t.relname::text AS other FROM pg_catalog.pg_depend d \
    JOIN pg_catalog.pg_rewrite r ON r.oid = d.objid JOIN pg_catalog.pg_class v ON v.oid = r.ev_class \
    JOIN pg_catalog.pg_class t ON t.oid = d.refobjid JOIN pg_catalog.pg_namespace n ON n.oid = v.relnamespace \
    WHERE d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.refclassid = 'pg_catalog.pg_class'::regclass AND v.oid <> t.oid \
    AND v.relkind IN ('v', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema')";
pub(crate) const KEYS: &str = "SELECT DISTINCT p.relname::text AS name, c.relname::text AS other FROM pg_catalog.pg_constraint k \
    JOIN pg_catalog.pg_class p ON p.oid = k.confrelid JOIN pg_catalog.pg_class c ON c.oid = k.conrelid \
    WHERE k.contype = 'f' AND (k.confdeltype IN ('c', 'n', 'd') OR k.confupdtype IN ('c', 'n', 'd'))";
/// What is written by a parent is written in its parts, and the other way round.
pub(crate) const PARTS: &str = "SELECT p.relname::text AS name, c.relname::text AS other FROM pg_catalog.pg_inherits i \
    JOIN pg_catalog.pg_class p ON p.oid = i.inhparent JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid \
    WHERE p.relkind IN ('r', 'p', 'f') AND c.relkind IN ('r', 'p', 'f')";
pub(crate) const TRIGGERS: &str = "SELECT c.relname::text AS name, p.prosrc AS text, l.lanname IN ('plpgsql', 'sql') AS is_readable \
    FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid \
    JOIN pg_catalog.pg_language l ON l.oid = p.prolang WHERE NOT t.tgisinternal";
pub(crate) const RULES: &str = "SELECT DISTINCT c.relname::text AS name FROM pg_catalog.pg_rewrite r \
    JOIN pg_catalog.pg_class c ON c.oid = r.ev_class JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
    WHERE r.ev_type <> '1' AND n.nspname NOT IN ('pg_catalog', 'information_schema')";

/// The rows that it answers.
pub(crate) struct Found {
    pub(crate) tables: Vec<One>,
    pub(crate) views: Vec<Pair>,
    pub(crate) keys: Vec<Pair>,
    pub(crate) parts: Vec<Pair>,
    pub(crate) triggers: Vec<Trigger>,
    pub(crate) rules: Vec<One>,
}

/// Asks for them, over a connection that blocks or one that is awaited.
macro_rules! found {
    ($connection:expr $(, $await:tt)?) => {{
        use $crate::introspect::postgres as catalog;
        catalog::Found {
            tables: diesel::sql_query(catalog::TABLES).load($connection)$(.$await)??,
            views: diesel::sql_query(catalog::VIEWS).load($connection)$(.$await)??,
            keys: diesel::sql_query(catalog::KEYS).load($connection)$(.$await)??,
            parts: diesel::sql_query(catalog::PARTS).load($connection)$(.$await)??,
            triggers: diesel::sql_query(catalog::TRIGGERS).load($connection)$(.$await)??,
            rules: diesel::sql_query(catalog::RULES).load($connection)$(.$await)??,
        }
    }};
}
#[cfg(feature = "async-postgres")]
pub(crate) use found;

impl Found {
    pub(crate) fn read(self) -> Catalog {
        let mut catalog = Catalog {
            tables: self.tables.iter().map(|table| canonical_of(&table.name)).collect(),
            ..Catalog::default()
        };
        for Pair { name, other } in self.views {
            catalog.views.push((canonical_of(&name), vec![canonical_of(&other)]));
        }
        for Pair { name, other } in self.keys {
            catalog.cascades.push((canonical_of(&name), Writes::Tables([canonical_of(&other)].into())));
        }
        for Pair { name, other } in self.parts {
            let (name, other) = (canonical_of(&name), canonical_of(&other));
            catalog.cascades.push((name.clone(), Writes::Tables([other.clone()].into())));
            catalog.cascades.push((other, Writes::Tables([name].into())));
        }
        for Trigger { name, text, is_readable } in self.triggers {
            let writes = if is_readable { wrote(&text, Dialect::Postgres) } else { Writes::Unknown };
            catalog.cascades.push((canonical_of(&name), writes));
        }
        for One { name } in self.rules {
            catalog.cascades.push((canonical_of(&name), Writes::Unknown));
        }
        catalog
    }
}

/// Of a name as the catalog has it, without quotes: a dot in it is a part of it.
fn canonical_of(name: &str) -> super::Name {
    canonical(&format!("\"{}\"", name.replace('"', "\"\"")))
}

#[cfg(feature = "postgres")]
mod blocking {
    use diesel::{PgConnection, QueryResult, RunQueryDsl};

    use super::super::{Catalog, Introspect};
    use crate::connection::CachingConnection;

    impl Introspect for PgConnection {
        fn catalog(&mut self) -> QueryResult<Catalog> {
            Ok(found!(self).read())
        }
    }

    impl Introspect for CachingConnection<PgConnection> {
        fn catalog(&mut self) -> QueryResult<Catalog> {
            self.inner.catalog()
        }
    }
}

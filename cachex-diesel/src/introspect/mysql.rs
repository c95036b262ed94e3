//! What MySQL and MariaDB say.

use diesel::QueryableByName;
use diesel::sql_types::Text;

use super::{Catalog, Writes, wrote};
use crate::lex::{Dialect, reads_of_view};
use crate::registry::canonical;

#[derive(QueryableByName)]
pub(crate) struct Thing {
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    text: String,
}

pub(crate) const THINGS: &str = "SELECT 'table' AS kind, table_name AS name, '' AS text FROM information_schema.tables \
    WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE' \
    UNION ALL SELECT 'view', table_name, CONCAT('AS ', view_definition) FROM information_schema.views WHERE table_schema = DATABASE() \
    UNION ALL SELECT 'trigger', event_object_table, action_statement FROM information_schema.triggers WHERE trigger_schema = DATABASE() \
    UNION ALL SELECT 'key', referenced_table_name, table_name FROM information_schema.referential_constraints \
    WHERE constraint_schema = DATABASE() \
    AND (delete_rule NOT IN ('RESTRICT', 'NO ACTION') OR update_rule NOT IN ('RESTRICT', 'NO ACTION'))";

/// Returns what is said by the rows that it answers.
pub(crate) fn read(things: Vec<Thing>) -> Catalog {
    let mut catalog = Catalog::default();
    for Thing { kind, name, text } in things {
        let name = canonical(&name);
        match &*kind {
            "table" => catalog.tables.push(name),
            "view" => catalog.views.push((name, reads_of_view(&text, Dialect::Mysql))),
            "trigger" => catalog.cascades.push((name, wrote(&text, Dialect::Mysql))),
            _ => catalog.cascades.push((name, Writes::Tables([canonical(&text)].into()))),
        }
    }
    catalog
}

#[cfg(feature = "mysql")]
mod blocking {
    use diesel::{MysqlConnection, QueryResult, RunQueryDsl};

    use super::super::{Catalog, Introspect};
    use super::{THINGS, read};
    use crate::connection::CachingConnection;

    impl Introspect for MysqlConnection {
        fn catalog(&mut self) -> QueryResult<Catalog> {
            Ok(read(diesel::sql_query(THINGS).load(self)?))
        }
    }

    impl Introspect for CachingConnection<MysqlConnection> {
        fn catalog(&mut self) -> QueryResult<Catalog> {
            self.inner.catalog()
        }
    }
}

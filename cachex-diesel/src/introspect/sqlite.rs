//! What SQLite says.

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
                "table" => {
                    // A row that is added, or changed, takes the place of others.
                    if replaces_on_conflict(&text) {
                        catalog.cascades.push((canonical(&name), Writes::Tables([canonical(&name)].into())));
                    }
                    catalog.tables.push(canonical(&name));
                }
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

/// Whether a table says that a row which does not fit takes the place of the one in its way. That more texts seem to say so does no harm.
fn replaces_on_conflict(text: &str) -> bool {
    let words: Vec<_> = text.split(|sign: char| !sign.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let is = |word: &str, what: &str| word.eq_ignore_ascii_case(what);
    words.windows(2).any(|pair| is(pair[0], "conflict") && is(pair[1], "replace"))
}

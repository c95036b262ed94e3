//! What is known of the tables: what each of them is cached by, and what a write of it changes besides.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use cachex::Tag;

use crate::lex::{Name, Rows, Statement, Writes};
use crate::row;

/// What is known of tables, views, and functions.
#[derive(Clone, Debug, Default)]
pub(crate) struct Registry {
    tables: BTreeMap<Name, Table>,
    /// What each view reads.
    views: BTreeMap<Name, BTreeSet<Name>>,
    /// What a write of each table writes as well.
    cascades: BTreeMap<Name, BTreeSet<Name>>,
    /// Tables of whose writes it is not known what they write besides.
    unknown: BTreeSet<Name>,
    functions: BTreeMap<Name, Writes>,
    /// What functions read.
    readers: BTreeMap<Name, BTreeSet<Name>>,
}

/// Where a statement says of which rows it is.
#[derive(Clone, Debug)]
pub(crate) struct Located {
    pub(crate) table: Name,
    /// The places of the binds that are their keys.
    pub(crate) binds: Box<[usize]>,
}

/// How a table is cached.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    pub(crate) ttl: Option<Duration>,
    /// What is invalidated with it.
    pub(crate) tags: BTreeSet<Tag>,
    pub(crate) is_left_out: bool,
    /// Whether all scopes have it in common.
    pub(crate) is_shared: bool,
    /// The column by which its rows are invalidated one by one.
    pub(crate) key: Option<Name>,
}

impl Registry {
    /// Whether rows of a table are invalidated one by one.
    pub(crate) fn has_rows(&self) -> bool {
        self.tables.values().any(|table| table.key.is_some())
    }

    pub(crate) fn table(&mut self, name: &str) -> &mut Table {
        self.tables.entry(canonical(name)).or_default()
    }

    pub(crate) fn view<'a>(&mut self, name: &str, reads: impl IntoIterator<Item = &'a str>) {
        self.views.entry(canonical(name)).or_default().extend(reads.into_iter().map(canonical));
    }

    pub(crate) fn cascade<'a>(&mut self, from: &str, to: impl IntoIterator<Item = &'a str>) {
        self.cascades.entry(canonical(from)).or_default().extend(to.into_iter().map(canonical));
    }

    /// Says what a write of a table writes as well.
    pub(crate) fn cascade_of(&mut self, from: Name, writes: Writes) {
        match writes {
            Writes::Tables(tables) => self.cascades.entry(from).or_default().extend(tables),
            Writes::Unknown => {
                self.unknown.insert(from);
            }
        }
    }

    /// Whether it is known what is written where these are written.
    pub(crate) fn is_known_of(&self, written: &BTreeSet<Name>) -> bool {
        self.unknown.is_disjoint(written)
    }

    pub(crate) fn function(&mut self, name: &str, writes: Writes) {
        self.functions.entry(canonical(name)).or_default().add(writes);
    }

    pub(crate) fn reader<'a>(&mut self, name: &str, reads: impl IntoIterator<Item = &'a str>) {
        self.readers.entry(canonical(name)).or_default().extend(reads.into_iter().map(canonical));
    }

    /// Returns the tables and views that are registered.
    pub(crate) fn registered(&self) -> impl Iterator<Item = &Name> {
        self.tables.keys().chain(self.views.keys()).collect::<BTreeSet<_>>().into_iter()
    }

    pub(crate) fn known(&self, name: &str) -> Option<&Table> {
        self.tables.get(name)
    }

    /// Returns the shortest time that one of these tables is kept, if one is set.
    pub(crate) fn ttl_of<'a>(&self, tables: impl IntoIterator<Item = &'a Name>) -> Option<Duration> {
        tables.into_iter().filter_map(|name| self.known(name)?.ttl).min()
    }

    pub(crate) fn tables(&self) -> impl Iterator<Item = (&Name, &Table)> {
        self.tables.iter()
    }

    /// Whether a name is that of a table or a view.
    pub(crate) fn knows(&self, name: &str) -> bool {
        self.tables.contains_key(name) || self.views.contains_key(name)
    }

    /// Adds to a statement what the functions write, and read, that it calls.
    pub(crate) fn complete(&self, statement: &mut Statement) {
        for function in &statement.functions {
            if let Some(writes) = self.functions.get(function) {
                statement.writes.add(writes.clone());
                statement.is_plain_query &= writes.is_none();
            }
            statement.reads.extend(self.readers.get(function).into_iter().flatten().cloned());
        }
    }

    /// Has a statement say of which rows it is, where they are invalidated one by one. Returns the table, and the binds that are their keys.
    pub(crate) fn locate(&self, statement: &mut Statement) -> Option<Located> {
        let writes_more = |name: &Name| self.functions.get(name).is_some_and(|writes| !writes.is_none());
        let table = match &statement.writes {
            Writes::Tables(written) if written.len() == 1 => written.first(),
            Writes::Tables(written) if written.is_empty() => {
                statement.reads.first().filter(|_| statement.reads.len() == 1)
            }
            Writes::Tables(_) | Writes::Unknown => None,
        };
        let table = table.filter(|_| !statement.functions.iter().any(writes_more))?.clone();
        // The rows of a view are those of its tables; and what looks like the sign in a tag can't be told from it.
        if self.views.contains_key(&table) || table.contains(row::SIGN) {
            return None;
        }
        let key = self.tables.get(&table)?.key.as_ref()?;
        match &statement.rows {
            Rows::Any => None,
            Rows::Added => {
                statement.writes = Writes::Tables([row::none_of(&table)].into());
                None
            }
            Rows::Where(known) => {
                let condition = known.iter().find(|condition| condition.column == *key)?;
                Some(Located { table, binds: condition.binds.clone() })
            }
        }
    }

    /// Returns what is read where these are read: of a view, also the tables that it is made of.
    pub(crate) fn read<'a>(&self, names: impl IntoIterator<Item = &'a Name>) -> BTreeSet<Name> {
        closure(names, &self.views)
    }

    /// Returns what is written where these are written: what a trigger or a foreign key changes as well, and what a view is made of.
    pub(crate) fn written<'a>(&self, names: impl IntoIterator<Item = &'a Name>) -> BTreeSet<Name> {
        let tables: BTreeSet<_> = names.into_iter().map(|name| Name::from(row::apart(name).0)).collect();
        let tables = closure(&tables, &self.views);
        let mut written = closure(&tables, &self.cascades);
        // What depends on a view may say so by its name.
        let views = self.views.keys().filter(|view| self.read([*view]).iter().any(|name| written.contains(name)));
        let views: Vec<_> = views.cloned().collect();
        written.extend(views);
        written
    }

    /// Returns the rows of a table that are written where these are written; nothing if it may be any. `written` is what [`written`](Self::written) makes of `names`.
    // Break this (leave out `by_cascade`) and the rows that a trigger or a foreign key changes are not told.
    pub(crate) fn rows<'a>(
        &self,
        table: &str,
        names: &'a BTreeSet<Name>,
        written: &BTreeSet<Name>,
    ) -> Option<Vec<&'a str>> {
        self.tables.get(table)?.key.as_ref()?;
        let by_cascade = written.iter().filter_map(|name| self.cascades.get(name)).any(|to| to.contains(table));
        let is_view_of_it = |name: &Name| {
            let name = Name::from(row::apart(name).0);
            self.views.contains_key(&name) && self.read([&name]).contains(table)
        };
        if names.contains(table) || by_cascade || names.iter().any(is_view_of_it) {
            return None;
        }
        let of_table = names.iter().map(|name| row::apart(name)).filter(|(name, _)| *name == table);
        Some(of_table.filter_map(|(_, key)| key).filter(|key| !key.is_empty()).collect())
    }

    /// Returns all names that are known.
    pub(crate) fn names(&self) -> BTreeSet<Name> {
        let ends = self.cascades.values().chain(self.views.values()).flatten();
        self.tables.keys().chain(self.views.keys()).chain(self.cascades.keys()).chain(ends).cloned().collect()
    }
}

/// Returns the canonical name of what is called `name` in SQL, with or without quotes and schema.
pub(crate) fn canonical(name: &str) -> Name {
    crate::lex::name(name)
}

/// Returns the names, and all that they lead to.
fn closure<'a>(names: impl IntoIterator<Item = &'a Name>, edges: &BTreeMap<Name, BTreeSet<Name>>) -> BTreeSet<Name> {
    let mut reached = BTreeSet::new();
    let mut open: Vec<Name> = names.into_iter().cloned().collect();
    while let Some(name) = open.pop() {
        if reached.insert(name.clone()) {
            open.extend(edges.get(&name).into_iter().flatten().cloned());
        }
    }
    reached
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_told_only_where_nothing_else_may_have_changed_others() {
        let mut registry = Registry::default();
        for table in ["users", "posts", "nodes"] {
            registry.table(table).key = Some("id".into());
        }
        registry.cascade("users", ["posts"]);
        registry.cascade("nodes", ["nodes"]);
        registry.view("v", ["users"]);
        let rows = |table: &str, names: &[Name]| {
            let names: BTreeSet<_> = names.iter().cloned().collect();
            let written = registry.written(&names);
            registry.rows(table, &names, &written).map(|keys| keys.join(","))
        };
        let of = |table: &str, key| row::of(&table.into(), key);
        assert_eq!(rows("users", &[of("users", 7), of("users", -1)]).as_deref(), Some("-1,7"));
        assert_eq!(rows("users", &[row::none_of(&"users".into())]).as_deref(), Some(""));
        assert_eq!(rows("users", &[of("users", 7), "users".into()]), None);
        assert_eq!(rows("users", &[of("users", 7), "v".into()]), None, "by a view");
        assert_eq!(rows("users", &[of("v", 7)]), None, "by a row of a view");
        assert_eq!(rows("posts", &[of("posts", 7)]).as_deref(), Some("7"));
        assert_eq!(rows("posts", &[of("posts", 7), of("users", 7)]), None, "by a foreign key");
        assert_eq!(rows("nodes", &[of("nodes", 7)]), None, "by one to itself");
        assert_eq!(rows("others", &[of("others", 7)]), None, "not one by one");
    }

    #[test]
    fn what_leads_to_more_is_followed_to_the_end() {
        let mut registry = Registry::default();
        registry.view("v", ["users", "w"]);
        registry.view("w", ["posts", "v"]);
        registry.cascade("users", ["posts"]);
        registry.cascade("posts", ["comments"]);
        let names = |names: BTreeSet<Name>| names.iter().map(|name| name.to_string()).collect::<Vec<_>>();
        assert_eq!(names(registry.read([&"v".into()])), ["posts", "users", "v", "w"]);
        assert_eq!(names(registry.written([&"users".into()])), ["comments", "posts", "users", "v", "w"]);
        let rows: BTreeSet<_> = [row::of(&"users".into(), 7), row::none_of(&"posts".into())].into();
        assert_eq!(names(registry.written(&rows)), ["comments", "posts", "users", "v", "w"]);
        assert_eq!(&*canonical("order details"), "order details");
        assert_eq!(&*canonical("my-table"), "my-table");
        assert_eq!(&*canonical("public.\"Users\""), "users");
    }
}

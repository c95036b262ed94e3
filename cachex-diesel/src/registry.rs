//! What is known of the tables: what each of them is cached by, and what a write of it changes besides.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use cachex::Tag;

use crate::lex::{Name, Statement, Writes};

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

/// How a table is cached.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    pub(crate) ttl: Option<Duration>,
    /// What is invalidated with it.
    pub(crate) tags: Vec<Tag>,
    pub(crate) is_left_out: bool,
    /// Whether all scopes have it in common.
    pub(crate) is_shared: bool,
}

impl Registry {
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

    /// Returns what is read where these are read: of a view, also the tables that it is made of.
    pub(crate) fn read<'a>(&self, names: impl IntoIterator<Item = &'a Name>) -> BTreeSet<Name> {
        closure(names, &self.views)
    }

    /// Returns what is written where these are written: what a trigger or a foreign key changes as well, and what a view is made of.
    pub(crate) fn written<'a>(&self, names: impl IntoIterator<Item = &'a Name>) -> BTreeSet<Name> {
        let tables = closure(names, &self.views);
        let mut written = closure(&tables, &self.cascades);
        // What depends on a view may say so by its name.
        let views = self.views.keys().filter(|view| self.read([*view]).iter().any(|name| written.contains(name)));
        let views: Vec<_> = views.cloned().collect();
        written.extend(views);
        written
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
    fn what_leads_to_more_is_followed_to_the_end() {
        let mut registry = Registry::default();
        registry.view("v", ["users", "w"]);
        registry.view("w", ["posts", "v"]);
        registry.cascade("users", ["posts"]);
        registry.cascade("posts", ["comments"]);
        let names = |names: BTreeSet<Name>| names.iter().map(|name| name.to_string()).collect::<Vec<_>>();
        assert_eq!(names(registry.read([&"v".into()])), ["posts", "users", "v", "w"]);
        assert_eq!(names(registry.written([&"users".into()])), ["comments", "posts", "users", "v", "w"]);
        assert_eq!(&*canonical("order details"), "order details");
        assert_eq!(&*canonical("my-table"), "my-table");
        assert_eq!(&*canonical("public.\"Users\""), "users");
    }
}

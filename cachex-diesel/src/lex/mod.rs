//! What a text of SQL does: which tables it reads and writes, and what becomes of the transaction and of the session.
//!
//! It is not parsed. A parser refuses what it does not know, and each server knows more than any parser: a statement that was taken for another
//! one would leave something stale behind. So what is looked for here is a *superset*: a name that stands where a table may stand counts as one, and
//! a statement that is not known may have written anything. Nothing is ever refused.
//!
//! Reading order: [`token`] (what a text consists of), [`split`] (where statements end), [`statement`] (what each does), [`writes`] (which tables it
//! writes), [`tables`] (names where tables stand), [`rows`] (which of their rows), [`volatile`] (what gives another result each time).

mod rows;
mod split;
mod statement;
mod tables;
mod token;
mod volatile;
mod writes;

use std::collections::BTreeSet;

pub(crate) use rows::Rows;
pub(crate) use statement::{Control, Statement};

/// The name of a table without its schema, without quotes, in small letters: so `public."Users"` and `users` are one. Tables of several schemas that
/// have a name in common are invalidated together.
pub(crate) type Name = Box<str>;

/// Whose SQL it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dialect {
    Sqlite,
    Postgres,
    Mysql,
}

/// What is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Writes {
    /// These tables, perhaps none.
    Tables(BTreeSet<Name>),
    /// Any table.
    Unknown,
}

impl Default for Writes {
    fn default() -> Self {
        Self::Tables(BTreeSet::new())
    }
}

impl Writes {
    pub(crate) fn is_none(&self) -> bool {
        matches!(self, Self::Tables(tables) if tables.is_empty())
    }

    /// As [`add`](Self::add), of what is there as well afterwards.
    pub(crate) fn add_all_of(&mut self, other: &Self) {
        let has_all = match (&*self, other) {
            (Self::Unknown, _) => true,
            (Self::Tables(tables), Self::Tables(more)) => more.is_subset(tables),
            (Self::Tables(_), Self::Unknown) => false,
        };
        // Most transactions write the same few tables again and again.
        if !has_all {
            self.add(other.clone());
        }
    }

    /// Adds what else is written.
    pub(crate) fn add(&mut self, other: Self) {
        match (&mut *self, other) {
            (Self::Tables(tables), other) if tables.is_empty() => *self = other,
            (Self::Tables(tables), Self::Tables(more)) => {
                tables.extend(more);
                crate::row::bound(tables);
            }
            (Self::Unknown, _) => {}
            (Self::Tables(_), Self::Unknown) => *self = Self::Unknown,
        }
    }
}

/// Returns the canonical form of a name as it is written in SQL.
pub(crate) fn name(text: &str) -> Name {
    // Quotes of all kinds, but those of MySQL's strings.
    let (tokens, _) = token::tokens(text, Dialect::Sqlite);
    let (last, end) = tables::qualified(&tokens, 0);
    let name = tokens.get(last).filter(|_| end == tokens.len()).and_then(|token| token.name());
    // What is no name as it would stand in SQL is one as it is.
    name.unwrap_or_else(|| token::bare(text))
}

/// Returns what a view reads, by the text that made it.
#[cfg(any(feature = "sqlite", feature = "mysql-backend"))]
pub(crate) fn reads_of_view(text: &str, dialect: Dialect) -> Vec<Name> {
    let (tokens, _) = token::tokens(text, dialect);
    let at = tokens.iter().position(|token| token.is("as")).map_or(0, |at| at + 1);
    tables::Tables::of_query(dialect).read(tokens.get(at..).unwrap_or_default()).names
}

/// Returns what the body of a trigger writes.
#[cfg(any(feature = "sqlite", feature = "postgres-backend", feature = "mysql-backend"))]
pub(crate) fn writes_within(text: &str, dialect: Dialect) -> Writes {
    let (tokens, is_ambiguous) = token::tokens(text, dialect);
    if is_ambiguous { Writes::Unknown } else { writes::writes_within(&tokens, dialect) }
}

/// Returns what each statement of a text does; with `wants_rows` also to which rows.
pub(crate) fn analyse(text: &str, dialect: Dialect, wants_rows: bool) -> Vec<Statement> {
    let (tokens, is_ambiguous) = token::tokens(text, dialect);
    let is_volatile = volatile::has_moment(text, dialect);
    let has_rows = wants_rows
        && match dialect {
            Dialect::Sqlite => true,
            // Where a string ends depends on a setting.
            Dialect::Postgres => !text.contains('\\'),
            // What is a name, and what is code, depends on its mode and version.
            Dialect::Mysql => !text.contains('"') && !text.contains("/*"),
        };
    let read = |tokens: &[token::Token<'_>]| {
        let mut statement = statement::read(tokens, dialect);
        statement.word = tokens.first().and_then(|token| token.word()).unwrap_or_default();
        statement.is_volatile |= is_volatile;
        if has_rows {
            statement.rows = rows::read(tokens);
        }
        if is_ambiguous {
            statement.is_plain_query = false;
            statement.writes = Writes::Unknown;
            statement.rows = Rows::Any;
        }
        statement
    };
    split::statements(&tokens, dialect).into_iter().map(read).collect()
}

#[cfg(test)]
mod differential_tests;
#[cfg(test)]
mod drawn_tests;
#[cfg(all(test, feature = "sqlite"))]
mod rows_drawn_tests;
#[cfg(test)]
mod tests;

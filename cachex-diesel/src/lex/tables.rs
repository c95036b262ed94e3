//! Names that stand where tables stand.

use super::token::Token;
use super::{Dialect, Name};

/// What ends the list of tables that a query begins with `FROM`.
const CLAUSES: [&str; 13] = [
    "where",
    "group",
    "having",
    "order",
    "limit",
    "union",
    "except",
    "intersect",
    "set",
    "select",
    "returning",
    "values",
    "with",
];

/// Functions within which `FROM` is none of a query.
const WITH_FROM: [&str; 5] = ["extract", "substring", "trim", "overlay", "position"];

/// What may stand between `FROM` and a table.
const BEFORE_TABLE: [&str; 4] = ["only", "lateral", "table", "oj"];

/// Reads names where tables stand, through parentheses and whatever is in between.
#[derive(Debug, Default)]
pub(super) struct Tables {
    /// Where we are; the innermost parenthesis last.
    levels: Vec<Level>,
    /// At the outermost level.
    level: Level,
    pub(super) names: Vec<Name>,
    /// Names that are called.
    pub(super) functions: Vec<Name>,
    /// Whether something stands where a table stands, and is no name.
    pub(super) is_unclear: bool,
    /// Whether what is called may be a table: as in SQLite.
    calls_tables: bool,
}

#[derive(Clone, Copy, Debug, Default)]
struct Level {
    /// A table comes next.
    expects: bool,
    /// After a comma comes another one.
    is_list: bool,
    /// Within the parentheses of a function with a `FROM` of its own.
    has_from: bool,
}

impl Tables {
    /// Begins where a query begins.
    pub(super) fn of_query(dialect: Dialect) -> Self {
        Self { calls_tables: dialect == Dialect::Sqlite, ..Self::default() }
    }

    /// Begins where a list of tables begins.
    pub(super) fn of_list() -> Self {
        Self { level: Level { expects: true, is_list: true, has_from: false }, ..Self::default() }
    }

    /// Reads all of it.
    pub(super) fn read(mut self, tokens: &[Token<'_>]) -> Self {
        let mut at = 0;
        while at < tokens.len() {
            at = self.step(tokens, at);
        }
        self
    }

    /// Reads a token, and what belongs to it. Returns where to go on.
    fn step(&mut self, tokens: &[Token<'_>], at: usize) -> usize {
        let token = tokens[at];
        match token {
            // `{OJ a LEFT JOIN b}` is MySQL's.
            Token::Sign('(' | '{') => {
                self.levels.push(self.level);
                // `FROM (a JOIN b)`, and `FROM (SELECT …)` as well, until the word says so.
                let has_from = at > 0 && tokens[at - 1].is_one_of(&WITH_FROM);
                self.level = Level { expects: self.level.expects, is_list: self.level.expects, has_from };
            }
            Token::Sign(')' | '}') => {
                self.level = self.levels.pop().unwrap_or_default();
                self.level.expects = false;
            }
            Token::Sign(',') => self.level.expects = self.level.is_list,
            _ if token.is("from") && self.is_other_from(tokens, at) => {}
            _ if token.is("from") => self.level = Level { expects: true, is_list: true, has_from: false },
            // `TABLE a`, as a query; and SQLite's `b IN a`.
            _ if (token.is("table") || token.is("in"))
                && is_name_next(tokens, at)
                && !self.level.expects
                && !self.level.has_from =>
            {
                self.level.expects = true;
            }
            _ if token.is("join") || token.is("straight_join") => self.level.expects = true,
            // Of `USING` in a `DELETE`; that of a join is followed by a parenthesis with columns.
            _ if token.is("using") => {
                self.level.expects = tokens.get(at + 1).is_some_and(|next| next.is_name());
                self.level.is_list |= self.level.expects;
            }
            // Where a table must come, one may have such a name.
            _ if token.is_one_of(&CLAUSES)
                && (!self.level.expects || token.is_one_of(&["select", "values", "with"])) =>
            {
                self.level = Level::default();
            }
            _ if self.level.expects && token.is_one_of(&BEFORE_TABLE) && leads_on(tokens, at) => {}
            _ if token.is_name() => return self.name(tokens, at),
            _ => {
                self.is_unclear |= self.level.expects;
                self.level.expects = false;
            }
        }
        at + 1
    }

    /// Whether a `FROM` is that of `EXTRACT(year FROM a)`, or of `IS DISTINCT FROM`.
    fn is_other_from(&self, tokens: &[Token<'_>], at: usize) -> bool {
        let is_before = |back: usize, words: &[&str]| at >= back && tokens[at - back].is_one_of(words);
        self.level.has_from || (is_before(1, &["distinct"]) && is_before(2, &["is", "not"]))
    }

    /// Reads `a`, `b.a`, or `c.b.a`: what counts is the last part.
    fn name(&mut self, tokens: &[Token<'_>], at: usize) -> usize {
        let (last, end) = qualified(tokens, at);
        let Some(name) = tokens[last].name() else { return end };
        let is_next = |sign: char| tokens.get(end).is_some_and(|next| next.is_sign(sign));
        let is_called = is_next('(');
        // After a dot comes something that is not read.
        self.is_unclear |= self.level.expects && is_next('.');
        if self.level.expects && (!is_called || self.calls_tables) {
            self.names.push(name.clone());
        }
        if is_called {
            self.functions.push(name);
        }
        self.level.expects = false;
        end
    }
}

fn is_name_next(tokens: &[Token<'_>], at: usize) -> bool {
    tokens.get(at + 1).is_some_and(|next| next.is_name() && !next.is_one_of(&CLAUSES))
}

/// Whether what a word stands before may be a table.
fn leads_on(tokens: &[Token<'_>], at: usize) -> bool {
    tokens.get(at + 1).is_some_and(|next| (next.is_name() && !next.is_one_of(&CLAUSES)) || next.is_sign('('))
}

/// Returns where the last part of a qualified name is, and where what follows begins.
pub(super) fn qualified(tokens: &[Token<'_>], at: usize) -> (usize, usize) {
    let mut last = at;
    let is_dot = |at: usize| tokens.get(at).is_some_and(|token| token.is_sign('.'));
    while is_dot(last + 1) && tokens.get(last + 2).is_some_and(|token| token.is_name()) {
        last += 2;
    }
    // `DELETE a.* FROM a`, as MySQL has it.
    let is_all = is_dot(last + 1) && tokens.get(last + 2).is_some_and(|token| token.is_sign('*'));
    (last, if is_all { last + 3 } else { last + 1 })
}

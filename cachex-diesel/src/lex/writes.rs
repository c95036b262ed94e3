//! Which tables a statement writes.

use super::tables::{Tables, qualified};
use super::token::Token;
use super::{Dialect, Name, Writes};

/// Returns what is written by the statements of a body.
#[cfg(any(feature = "sqlite", feature = "postgres-backend", feature = "mysql-backend"))]
pub(super) fn writes_within(tokens: &[Token<'_>], dialect: Dialect) -> Writes {
    // SQLite says first when it is run: `AFTER UPDATE ON a BEGIN`. In the others, what is declared before `BEGIN` may write as well.
    let begin = tokens.iter().position(|token| dialect == Dialect::Sqlite && token.is("begin"));
    let body = &tokens[begin.map_or(0, |at| at + 1)..];
    // What they run is in no text.
    let runs_others = ["execute", "call", "perform", "prepare", "copy", "truncate", "refresh"];
    if body.iter().any(|token| token.is_one_of(&runs_others)) {
        return Writes::Unknown;
    }
    let mut writes = Writes::default();
    for at in (0..body.len()).filter(|at| may_write(body, *at)) {
        let end = body[at..].iter().position(|token| token.is_sign(';')).map_or(body.len(), |end| at + end);
        writes.add(changes(&body[at..end], dialect));
    }
    writes
}

/// Whether a statement that writes may begin here, in a body: wherever one of its words stands, for what may come before it (`FOR row IN DELETE …`) is nothing that could be listed.
#[cfg(any(feature = "sqlite", feature = "postgres-backend", feature = "mysql-backend"))]
fn may_write(body: &[Token<'_>], at: usize) -> bool {
    let before = at.checked_sub(1).map(|before| body[before]);
    let is_after = |word: &str| before.is_some_and(|before| before.is(word));
    let is_before = |words: &[&str]| body.get(at + 1).is_some_and(|next| next.is_one_of(words));
    let ends = body.get(at + 1).is_none_or(|next| !next.is_name());
    if body[at].is("update") {
        // `ON CONFLICT DO UPDATE SET`, `ON DUPLICATE KEY UPDATE`, `FOR UPDATE`, `FOR NO KEY UPDATE`; but not `CURSOR FOR UPDATE a SET …`.
        let locks =
            ends || is_before(&["of", "nowait", "skip", "wait", "loop", "into", "for", "limit", "offset", "fetch"]);
        return !(is_before(&["set"]) || is_after("key") || is_after("for") && locks);
    }
    body[at].is_one_of(&["insert", "replace", "delete", "merge"])
}

/// Returns what is written by `INSERT`, `REPLACE`, `UPDATE`, `DELETE`, and `MERGE`, wherever such a statement can stand.
pub(super) fn changes(tokens: &[Token<'_>], dialect: Dialect) -> Writes {
    let mut writes = Writes::default();
    let is_explained = tokens.first().is_some_and(|lead| lead.is_one_of(&["explain", "analyze", "describe", "desc"]));
    for (at, token) in tokens.iter().enumerate() {
        let stands_well = at == 0 || is_explained || can_begin_after(tokens[at - 1]);
        let rest = &tokens[at + 1..];
        // `REPLACE(a, b, c)` is a function.
        let is_called = rest.first().is_some_and(|next| next.is_sign('(')) && token.is_one_of(&["replace", "insert"]);
        if !stands_well || is_called {
            continue;
        }
        if token.is("insert") || token.is("replace") || token.is("merge") {
            const BETWEEN: [&str; 12] = [
                "or",
                "replace",
                "ignore",
                "abort",
                "fail",
                "rollback",
                "low_priority",
                "delayed",
                "high_priority",
                "overwrite",
                "into",
                "only",
            ];
            writes.add(named_after(rest, 0, &BETWEEN));
        } else if token.is("update") {
            writes.add(updated(rest));
        } else if token.is("delete") {
            writes.add(deleted(rest, dialect));
        }
    }
    writes
}

/// Whether a statement can begin after a token.
fn can_begin_after(token: Token<'_>) -> bool {
    token.is_sign('(') || token.is_sign(')') || token.is_one_of(&["as", "materialized", "analyze", "verbose", "plan"])
}

/// Returns the table that is named from `at` on, after words that may come before it.
pub(super) fn named_after(tokens: &[Token<'_>], at: usize, between: &[&str]) -> Writes {
    let rest = tokens.get(at..).unwrap_or_default();
    let Some(skipped) = rest.iter().position(|token| !token.is_one_of(between)) else {
        // A table may be called as one of them.
        return rest.last().and_then(|token| token.name()).map_or(Writes::Unknown, only);
    };
    if !rest[skipped].is_name() {
        return match skipped.checked_sub(1).and_then(|last| rest[last].name()) {
            Some(name) if rest[skipped].is_sign('(') => only(name),
            _ => Writes::Unknown,
        };
    }
    let (last, end) = qualified(rest, skipped);
    // After a dot comes something that is not read.
    if rest.get(end).is_some_and(|next| next.is_sign('.')) {
        return Writes::Unknown;
    }
    let mut writes = rest[last].name().map_or(Writes::Unknown, only);
    // `INSERT INTO ignore VALUES`: of a word that may be either, both are taken.
    if let Some(name) = skipped.checked_sub(1).and_then(|before| rest[before].name())
        && !matches!(&*name, "into" | "only")
    {
        writes.add(only(name));
    }
    writes
}

fn only(name: Name) -> Writes {
    Writes::Tables([name].into())
}

/// Returns the tables between `UPDATE` and `SET`: MySQL knows several.
fn updated(rest: &[Token<'_>]) -> Writes {
    const BETWEEN: [&str; 7] = ["or", "ignore", "replace", "abort", "fail", "rollback", "low_priority"];
    let skipped = rest.iter().take_while(|token| token.is_one_of(&BETWEEN)).count();
    let end = outside(rest, |token| token.is("set"));
    let named = Tables::of_list().read(rest.get(skipped..end).unwrap_or_default());
    if named.is_unclear {
        return Writes::Unknown;
    }
    let named = named.names;
    // One whose name is one of these words, too.
    let word = skipped.checked_sub(1).and_then(|last| rest[last].name());
    every(named.into_iter().chain(word))
}

/// Returns the tables that rows are deleted from.
fn deleted(rest: &[Token<'_>], dialect: Dialect) -> Writes {
    if dialect != Dialect::Mysql {
        return match rest.iter().position(|token| !token.is_one_of(&["from", "only"])) {
            Some(at) if rest[at].is_name() => {
                let mut writes = named_after(rest, at, &[]);
                // `DELETE FROM only` is of a table of that name, where that can be.
                if at > 0 && rest[at - 1].is("only") {
                    writes.add(only("only".into()));
                }
                writes
            }
            _ => every(rest.first().filter(|token| token.is("from")).and(rest.get(1)).and_then(|token| token.name())),
        };
    }
    // `DELETE a, b FROM a JOIN b`, `DELETE FROM a USING a JOIN b`: what is only read there counts as well.
    let skipped =
        rest.iter().take_while(|token| token.is_one_of(&["low_priority", "quick", "ignore", "history"])).count();
    let end = outside(rest, |token| token.is_one_of(&["where", "order", "limit", "returning"]));
    let named = Tables::of_list().read(rest.get(skipped..end).unwrap_or_default());
    if named.is_unclear { Writes::Unknown } else { every(named.names) }
}

/// Returns where the first of some tokens is, outside of parentheses.
fn outside(tokens: &[Token<'_>], is_meant: impl Fn(Token<'_>) -> bool) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate() {
        match token {
            Token::Sign('(') => depth += 1,
            Token::Sign(')') => depth = depth.saturating_sub(1),
            token if depth == 0 && is_meant(*token) => return at,
            _ => {}
        }
    }
    tokens.len()
}

/// Returns these tables; any, if it is none.
pub(super) fn every(names: impl IntoIterator<Item = Name>) -> Writes {
    let names: std::collections::BTreeSet<_> = names.into_iter().collect();
    if names.is_empty() { Writes::Unknown } else { Writes::Tables(names) }
}

/// `COPY t FROM`, `COPY t TO`, `COPY (…) TO`.
pub(super) fn copied(tokens: &[Token<'_>]) -> Writes {
    let mut depth = 0_usize;
    for token in tokens {
        match token {
            Token::Sign('(') => depth += 1,
            Token::Sign(')') => depth = depth.saturating_sub(1),
            _ if depth == 0 && token.is("to") => return Writes::default(),
            _ if depth == 0 && token.is("from") => return named_after(tokens, 1, &["binary"]),
            _ => {}
        }
    }
    Writes::Unknown
}

/// `LOAD DATA … INTO TABLE t`.
pub(super) fn loaded(tokens: &[Token<'_>]) -> Writes {
    let table = tokens.windows(2).position(|pair| pair[0].is("into") && pair[1].is("table"));
    table.map_or(Writes::Unknown, |at| named_after(tokens, at + 2, &[]))
}

//! Which rows a statement is about: where it says so by its binds, and nothing else can be meant.
//!
//! Here it is as everywhere in [`lex`](super), the other way around: a row that was missed would be stale, so whatever is not one of the few forms that are known is about any row.

use std::ops::Range;

use super::Name;
use super::tables::qualified;
use super::token::Token;
use crate::row;

/// Which rows of its only table a statement is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Rows {
    /// Any.
    #[default]
    Any,
    /// Such as were not there before.
    Added,
    /// Those that meet each of these.
    Where(Box<[Condition]>),
}

/// That a column is one of some binds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Condition {
    pub(crate) column: Name,
    /// Their places, from 0. One may be that of an array.
    pub(crate) binds: Box<[usize]>,
}

/// Where one of these is, a statement is more than the forms that are known. (Of those with which one begins, it has no other.)
const MORE: [&str; 16] = [
    "with",
    "join",
    "straight_join",
    "union",
    "except",
    "intersect",
    "using",
    "group",
    "having",
    "window",
    "over",
    "into",
    "for",
    "tablesample",
    "indexed",
    "partition",
];

const LEADS: [&str; 6] = ["insert", "update", "delete", "replace", "merge", "select"];

/// What may come after the conditions, and makes rows fewer at most. Some may be names of columns as well, and then the last condition is cut short: so it is none of those that are known.
const AFTER: [&str; 5] = ["returning", "order", "limit", "offset", "fetch"];

/// So many parentheses are looked into at most.
const DEEPEST: usize = 32;

/// Beside one of these a condition need not be met, or does not end where it seems to.
const LOOSE: [&str; 4] = ["or", "xor", "between", "case"];

/// Reads which rows a statement is about.
pub(super) fn read(tokens: &[Token<'_>]) -> Rows {
    let is = |at: usize, word: &str| tokens.get(at).is_some_and(|token| token.is(word));
    let count = |words: &[&str]| tokens.iter().filter(|token| token.is_one_of(words)).count();
    if count(&LEADS) != 1 || tokens.contains(&Token::Unreadable) {
        return Rows::Any;
    }
    if is(0, "insert") {
        // `ON CONFLICT`, `ON DUPLICATE KEY`. What takes the place of another row says so before `INTO`.
        let is_plain = is(1, "into") && count(&["on", "with"]) == 0;
        return if is_plain { Rows::Added } else { Rows::Any };
    }
    let begins = match () {
        () if count(&MORE) > 0 => None,
        () if is(0, "update") && count(&["from"]) == 0 => updated(tokens),
        () if is(0, "delete") && is(1, "from") && count(&["from"]) == 1 => table(tokens, 2).map(|at| (at, None)),
        () if is(0, "select") && count(&["from"]) == 1 => selected(tokens).map(|at| (at, None)),
        () => None,
    };
    let Some((at, set)) = begins.filter(|(at, _)| is(*at, "where")) else { return Rows::Any };
    // Break this (look up to the end of the conditions only) and where a column has the name of what may come after them, an `OR` behind it is not seen.
    if outside(tokens, at, is_loose).is_some() {
        return Rows::Any;
    }
    let mut known = Vec::new();
    let end = outside(tokens, at, |token| token.is_one_of(&AFTER)).unwrap_or(tokens.len());
    Places::of(tokens).conditions(at + 1..end, 0, &mut known);
    // What is set says nothing of which row it will be.
    // Break this (keep it) and the row that a row becomes is not told.
    let is_set =
        |name: &Name| set.iter().flat_map(|set| &tokens[set.clone()]).any(|token| token.name().as_ref() == Some(name));
    known.retain(|condition| !is_set(&condition.column));
    if known.is_empty() { Rows::Any } else { Rows::Where(known.into()) }
}

/// `UPDATE t SET … WHERE`: returns where the conditions are, and what is set.
fn updated(tokens: &[Token<'_>]) -> Option<(usize, Option<Range<usize>>)> {
    let set = table(tokens, 1).filter(|at| tokens.get(*at).is_some_and(|token| token.is("set")))?;
    let at = outside(tokens, set, |token| token.is("where"))?;
    Some((at, Some(set..at)))
}

/// `SELECT … FROM t WHERE`: returns where the conditions are. What is called may make a row of none, as `count(*)`, or read other rows.
fn selected(tokens: &[Token<'_>]) -> Option<usize> {
    let from = tokens.iter().position(|token| token.is("from"))?;
    let is_call = |pair: &[Token<'_>]| {
        pair[1].is_sign('(') && pair[0].is_name() && !pair[0].is_one_of(&["where", "and", "or", "not", "in", "any"])
    };
    let calls = tokens[..from].iter().any(|token| token.is_sign('(')) || tokens.windows(2).any(is_call);
    if calls { None } else { table(tokens, from + 1) }
}

/// Returns what comes after a table.
fn table(tokens: &[Token<'_>], at: usize) -> Option<usize> {
    tokens.get(at).filter(|token| token.is_name())?;
    Some(qualified(tokens, at).1)
}

fn is_loose(token: Token<'_>) -> bool {
    token.is_one_of(&LOOSE) || token.is_sign('|')
}

/// Returns where a token is, from `at` on, outside of parentheses. After a dot any word is a name.
fn outside(tokens: &[Token<'_>], at: usize, is_meant: impl Fn(Token<'_>) -> bool) -> Option<usize> {
    let mut depth = 0_usize;
    tokens.iter().enumerate().skip(at).find_map(|(here, token)| {
        match token {
            Token::Sign('(') => depth += 1,
            Token::Sign(')') => depth = depth.saturating_sub(1),
            _ if here > at && tokens[here - 1].is_sign('.') => {}
            token => return (depth == 0 && is_meant(*token)).then_some(here),
        }
        None
    })
}

/// A statement, and which of its binds each is.
struct Places<'a> {
    tokens: &'a [Token<'a>],
    /// Where those without a number stand.
    unnumbered: Vec<usize>,
    /// Whether they have numbers; if some have and some have not, none counts.
    are_numbered: Option<bool>,
}

impl<'a> Places<'a> {
    fn of(tokens: &'a [Token<'a>]) -> Self {
        let mut kinds = tokens.iter().filter_map(|token| match token {
            // By their names they have no place.
            Token::Bind(number) => Some(number.map(|number| number > 0)),
            _ => None,
        });
        let are_numbered = kinds.next().and_then(|first| match first {
            Some(false) => None,
            first if kinds.all(|kind| kind == first) => Some(first.is_some()),
            _ => None,
        });
        let binds = tokens.iter().enumerate().filter(|(_, token)| matches!(token, Token::Bind(None)));
        Self { tokens, unnumbered: binds.map(|(at, _)| at).collect(), are_numbered }
    }

    /// Returns which bind stands there.
    fn place(&self, at: usize) -> Option<usize> {
        match (self.tokens.get(at)?, self.are_numbered?) {
            (Token::Bind(Some(number)), true) => number.checked_sub(1).and_then(|place| usize::try_from(place).ok()),
            (Token::Bind(None), false) => self.unnumbered.binary_search(&at).ok(),
            _ => None,
        }
    }

    /// Finds, among conditions that are all to be met, those that are known.
    fn conditions(&self, range: Range<usize>, depth: usize, known: &mut Vec<Condition>) {
        let range = self.within(range);
        // Nobody writes so many within one another, and who does is not to take all of the stack.
        if depth > DEEPEST {
            return;
        }
        let tokens = &self.tokens[..range.end];
        // Break this (look at them all the same) and of `a = ? OR b = ?` one is taken for both.
        if outside(tokens, range.start, is_loose).is_some() {
            return;
        }
        let mut from = range.start;
        while let Some(and) = outside(tokens, from, |token| token.is("and")) {
            self.part(from..and, (&range, depth), known);
            from = and + 1;
        }
        self.part(from..range.end, (&range, depth), known);
    }

    /// One of the conditions of `whole`, which may be several in parentheses.
    fn part(&self, part: Range<usize>, (whole, depth): (&Range<usize>, usize), known: &mut Vec<Condition>) {
        if part != *whole && self.tokens.get(part.start).is_some_and(|token| token.is_sign('(')) {
            self.conditions(part, depth + 1, known);
        } else {
            known.extend(self.condition(part));
        }
    }

    /// Takes off the parentheses that are around all of it.
    fn within(&self, mut range: Range<usize>) -> Range<usize> {
        for _ in 0..=DEEPEST {
            if !self.tokens.get(range.start).is_some_and(|token| token.is_sign('(')) {
                break;
            }
            let mut depth = 0_usize;
            let closes = (range.start..range.end).find(|at| {
                match self.tokens[*at] {
                    Token::Sign('(') => depth += 1,
                    Token::Sign(')') => depth -= 1,
                    _ => {}
                }
                depth == 0
            });
            if closes.is_none_or(|at| at + 1 != range.end) {
                break;
            }
            range = range.start + 1..range.end - 1;
        }
        range
    }

    /// `a = ?`, `a IN (?, ?)`, `a = ANY(?)`.
    fn condition(&self, range: Range<usize>) -> Option<Condition> {
        let first = self.tokens.get(range.start).filter(|token| token.is_name() && !range.is_empty())?;
        let (last, next) = qualified(self.tokens, range.start);
        let column = match self.tokens.get(last).filter(|_| first.is_name())? {
            // In PostgreSQL it is another column than the one in small letters.
            Token::Quoted(text) if **text != *text.to_lowercase() => return None,
            token => token.name()?,
        };
        let rest = self.tokens.get(next..range.end)?;
        let binds: Option<Box<[usize]>> = match rest {
            [equals, Token::Bind(_)] if equals.is_sign('=') => self.place(next + 1).map(|place| [place].into()),
            [equals, any, Token::Sign('('), Token::Bind(_), Token::Sign(')')]
                if equals.is_sign('=') && any.is("any") =>
            {
                self.place(next + 3).map(|place| [place].into())
            }
            [within, Token::Sign('('), list @ .., Token::Sign(')')]
                if within.is("in") && list.len() % 2 == 1 && list.len() <= 2 * row::MOST =>
            {
                let each = list.iter().enumerate().map(|(at, token)| match at % 2 {
                    0 => self.place(next + 2 + at).map(Some),
                    _ => token.is_sign(',').then_some(None),
                });
                each.collect::<Option<Vec<_>>>().map(|places| places.into_iter().flatten().collect())
            }
            _ => None,
        };
        Some(Condition { column, binds: binds? })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Dialect, token};
    use super::*;

    fn rows(text: &str, dialect: Dialect) -> Rows {
        read(&token::tokens(text, dialect).0)
    }

    /// Returns the binds of `id`.
    fn binds(text: &str, dialect: Dialect) -> Option<Vec<usize>> {
        match rows(text, dialect) {
            Rows::Where(known) => known.iter().find(|known| &*known.column == "id").map(|known| known.binds.to_vec()),
            Rows::Any | Rows::Added => None,
        }
    }

    #[test]
    fn rows_are_known_by_the_binds_of_their_keys() {
        use Dialect::{Mysql, Postgres, Sqlite};
        for (text, dialect, known) in [
            ("UPDATE `users` SET `name` = ? WHERE (`users`.`id` = ?)", Sqlite, vec![1]),
            ("UPDATE \"users\" SET \"name\" = $1, age = age + $2 WHERE (\"users\".\"id\" = $3)", Postgres, vec![2]),
            ("UPDATE users SET a = (? + 1) WHERE ((users.id = ?) AND (a > ?)) LIMIT 1", Mysql, vec![1]),
            ("DELETE  FROM `users` WHERE (`users`.`id` IN (?, ?, ?))", Sqlite, vec![0, 1, 2]),
            ("DELETE  FROM \"users\" WHERE (\"users\".\"id\" = ANY($1)) RETURNING name", Postgres, vec![0]),
            ("SELECT `a`, `b` FROM `users` WHERE (`users`.`id` = ?) LIMIT ?", Sqlite, vec![0]),
            ("select name from public.users where name = $2 and id = $1 order by x", Postgres, vec![0]),
            ("SELECT * FROM users WHERE (((a = ? OR b = ?)) AND (id = ?))", Mysql, vec![2]),
            ("SELECT * FROM users WHERE NOT a = ? AND id = ?2", Sqlite, vec![]),
            ("SELECT * FROM users WHERE NOT a = ?1 AND id = ?2", Sqlite, vec![1]),
            ("DELETE FROM users WHERE name LIKE f(?, '%') AND id IN (?)", Sqlite, vec![1]),
            ("DELETE FROM users WHERE users.and = ? AND (a = ? AND (id = ?)) ORDER BY id LIMIT 1", Mysql, vec![2]),
        ] {
            assert_eq!(binds(text, dialect), Some(known).filter(|known| !known.is_empty()), "{text}");
        }
    }

    #[test]
    fn whatever_may_be_about_other_rows_is_about_any() {
        use Dialect::{Mysql, Postgres, Sqlite};
        for (text, dialect) in [
            ("UPDATE users SET id = ? WHERE id = ?", Sqlite),
            ("UPDATE users SET (name, \"ID\") = ($1, $2) WHERE id = $3", Postgres),
            ("UPDATE users SET a = 1", Sqlite),
            ("UPDATE users u SET a = 1 WHERE id = ?", Sqlite),
            ("UPDATE users, posts SET a = 1 WHERE id = ?", Mysql),
            ("UPDATE users SET a = b.a FROM b WHERE id = $1", Postgres),
            ("UPDATE users SET a = 1 WHERE id = ? OR a = ?", Sqlite),
            ("UPDATE users SET a = 1 WHERE a = ? AND b = ? OR id = ? AND c", Sqlite),
            ("UPDATE users SET a = 1 WHERE a = ? || id = ?", Mysql),
            ("UPDATE users SET a = 1 WHERE a || b AND id = ?", Mysql),
            ("UPDATE users SET a = 1 WHERE a XOR id = ?", Mysql),
            ("DELETE FROM chunks WHERE id = ? AND offset = ? OR parent = ?", Sqlite),
            ("DELETE FROM chunks WHERE id = $1 AND chunks.order = $2 OR chunks.parent = $3", Postgres),
            ("DELETE FROM users WHERE \"ID\" = $1", Postgres),
            ("SELECT a FROM users WHERE id = ? AND is_boss(id)", Sqlite),
            ("SELECT a FROM users WHERE id = ? ORDER BY count(*)", Mysql),
            ("UPDATE users SET a = 1 WHERE NOT (a AND id = ?)", Sqlite),
            ("UPDATE users SET a = 1 WHERE a BETWEEN ? AND id = ?", Sqlite),
            ("UPDATE users SET a = 1 WHERE CASE WHEN a AND id = ? THEN b END", Sqlite),
            ("UPDATE users SET a = 1 WHERE (id = ?) = b", Sqlite),
            ("UPDATE users SET a = 1 WHERE (id = ?) IS NOT TRUE", Postgres),
            ("UPDATE users SET a = 1 WHERE id = ? + 1", Sqlite),
            ("UPDATE users SET a = 1 WHERE 1 + id = ?", Sqlite),
            ("UPDATE users SET a = 1 WHERE -id = ?", Sqlite),
            ("UPDATE users SET a = 1 WHERE f(id = ?)", Sqlite),
            ("UPDATE users SET a = 1 WHERE id = ? COLLATE NOCASE", Sqlite),
            ("UPDATE users SET a = 1 WHERE id = $1::int", Postgres),
            ("UPDATE users SET a = 1 WHERE id <> ?", Sqlite),
            ("UPDATE users SET a = 1 WHERE id = 7", Sqlite),
            ("UPDATE users SET a = 1 WHERE id IN (?, b)", Sqlite),
            ("UPDATE users SET a = 1 WHERE id IN (?, ?, 3)", Sqlite),
            ("UPDATE users SET a = 1 WHERE id NOT IN (?)", Sqlite),
            ("UPDATE users SET a = 1 WHERE id = ALL($1)", Postgres),
            ("UPDATE users SET a = 1 WHERE id = ANY(SELECT b FROM c)", Postgres),
            ("UPDATE users SET a = 1 WHERE id = :id", Sqlite),
            ("UPDATE users SET a = :a WHERE id = ?", Sqlite),
            ("UPDATE users SET a = ?2 WHERE id = ?", Sqlite),
            ("DELETE FROM users USING posts WHERE id = $1", Postgres),
            ("DELETE users FROM users WHERE id = ?", Mysql),
            ("WITH a AS (SELECT 1) DELETE FROM users WHERE id = ?", Sqlite),
            ("SELECT count(*) FROM users WHERE id = ?", Sqlite),
            ("SELECT a FROM users JOIN posts ON b WHERE id = ?", Sqlite),
            ("SELECT a FROM users, posts WHERE id = ?", Sqlite),
            ("SELECT a FROM users AS u WHERE id = ?", Sqlite),
            ("SELECT a FROM users WHERE id = ? UNION SELECT 1", Sqlite),
            ("SELECT a FROM users WHERE id = ? GROUP BY b", Sqlite),
            ("SELECT a FROM users WHERE id = (SELECT ?)", Sqlite),
            ("REPLACE INTO users VALUES (?)", Sqlite),
            ("MERGE INTO users USING a ON id = $1 WHEN MATCHED THEN DELETE", Postgres),
        ] {
            assert_eq!(binds(text, dialect), None, "{text}");
            assert_ne!(rows(text, dialect), Rows::Added, "{text}");
        }
    }

    #[test]
    fn long_texts_are_read_in_a_row() {
        let places = vec!["?"; 200_000].join(", ");
        assert_eq!(binds(&format!("DELETE FROM users WHERE id IN ({places})"), Dialect::Sqlite), None);
        let conditions = vec!["a = ?"; 200_000].join(" AND ");
        let text = format!("DELETE FROM users WHERE id = ? AND {conditions}");
        assert_eq!(binds(&text, Dialect::Sqlite), Some(vec![0]));
    }

    #[test]
    fn rows_are_new_only_where_none_may_be_in_their_place() {
        use Dialect::{Mysql, Postgres, Sqlite};
        for text in ["INSERT INTO users (a) VALUES (?), (?)", "insert into \"users\" default values returning \"id\""] {
            assert_eq!(rows(text, Postgres), Rows::Added, "{text}");
        }
        for (text, dialect) in [
            ("INSERT OR REPLACE INTO users VALUES (?)", Sqlite),
            ("INSERT IGNORE INTO users VALUES (?)", Mysql),
            ("INSERT INTO users VALUES (?) ON CONFLICT DO NOTHING", Sqlite),
            ("INSERT INTO users VALUES (?) ON DUPLICATE KEY UPDATE a = 1", Mysql),
            ("INSERT INTO users WITH a AS (DELETE FROM users RETURNING b) SELECT b FROM a", Postgres),
        ] {
            assert_eq!(rows(text, dialect), Rows::Any, "{text}");
        }
    }
}

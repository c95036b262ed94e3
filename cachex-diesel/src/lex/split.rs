//! Where statements end: at a semicolon, but not at one within the body of a trigger or routine.

use super::Dialect;
use super::token::Token;

/// Returns the statements of a text, without the semicolons; none is empty.
pub(super) fn statements<'t, 'a>(tokens: &'t [Token<'a>], dialect: Dialect) -> Vec<&'t [Token<'a>]> {
    let mut statements = Vec::new();
    let mut rest = tokens;
    while !rest.is_empty() {
        let end = match () {
            // Where it ends is not looked for.
            () if is_block(rest, dialect) => rest.len(),
            () if has_body(rest) => end_of_body(rest),
            () => end_of_plain(rest),
        };
        let (statement, after) = rest.split_at(end);
        if !statement.is_empty() {
            statements.push(statement);
        }
        rest = after.get(1..).unwrap_or_default();
    }
    statements
}

fn end_of_plain(tokens: &[Token<'_>]) -> usize {
    tokens.iter().position(|token| token.is_sign(';')).unwrap_or(tokens.len())
}

/// Whether what begins here is a block that MariaDB knows outside of routines: what is in it may do anything, and end in any of its branches.
pub(super) fn is_block(tokens: &[Token<'_>], dialect: Dialect) -> bool {
    let is = |at: usize, words: &[&str]| tokens.get(at).is_some_and(|token| token.is_one_of(words));
    let is_labelled =
        tokens.first().is_some_and(|token| token.is_name()) && tokens.get(1).is_some_and(|token| token.is_sign(':'));
    let blocks = ["if", "case", "loop", "while", "repeat", "for"];
    dialect == Dialect::Mysql && (is(0, &blocks) || is_labelled || (is(0, &["begin"]) && is(1, &["not"])))
}

/// Whether what begins here may have a body between `BEGIN` and `END`.
fn has_body(tokens: &[Token<'_>]) -> bool {
    let is = |at: usize, word: &str| tokens.get(at).is_some_and(|token| token.is(word));
    // What may stand before the kind: OR REPLACE, TEMPORARY, DEFINER = user@host, AGGREGATE, CONSTRAINT.
    let kinds = ["trigger", "procedure", "function", "event", "package"];
    let others = ["table", "view", "index", "sequence", "schema", "database", "type", "domain"];
    let ends = |token: &&Token<'_>| token.is_sign('(') || token.is_sign(';') || token.is_one_of(&others);
    let head = tokens.iter().take(16).take_while(|token| !ends(token));
    is(0, "create") && head.into_iter().any(|token| token.is_one_of(&kinds))
}

/// Returns where a statement ends that may have a body: without one, at the first semicolon.
fn end_of_body(tokens: &[Token<'_>]) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let next = tokens.get(at + 1).copied();
        if token.is("begin") || (token.is("case") && depth > 0) {
            depth += 1;
        } else if token.is("end") && depth > 0 {
            if next.is_some_and(|next| next.is_one_of(&["if", "loop", "while", "repeat", "for"])) {
                // Of a statement that was not counted.
                at += 1;
            } else {
                depth -= 1;
                at += usize::from(next.is_some_and(|next| next.is("case")));
            }
        } else if token.is_sign(';') && depth == 0 {
            return at;
        }
        at += 1;
    }
    tokens.len()
}

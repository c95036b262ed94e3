//! Drawn conditions, held against SQLite: of a statement of which it is said which rows it is about, it is about no other one.

use diesel::prelude::*;
use diesel::sql_types::Integer;
use diesel::sqlite::Sqlite;
use proptest::prelude::*;

use super::rows::{self, Rows};
use super::{Dialect, token};

/// Returns drawn conditions, with a `?` for each bind. Nothing is put in parentheses to keep it together: what belongs to what is left to whoever reads it.
fn conditions() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        "id = ?",
        "t.id = ?",
        "(id = ?)",
        "id IN (?, ?)",
        "id IN (?)",
        "a = ?",
        "a",
        "b",
        "id <> ?",
        "? = id",
        "a IS NULL",
        "id",
        "?",
        "NULL",
        "1",
    ]);
    leaf.prop_map(str::to_owned).prop_recursive(4, 24, 3, |inner| {
        let operators = vec!["AND", "AND", "AND", "OR", "=", "IS", "IS NOT", "||", "+", "-", "<", "IN", "|", "&", "<<"];
        let pair = (inner.clone(), prop::sample::select(operators), inner.clone());
        let prefixes = prop::sample::select(vec!["NOT", "-", "~", "(", "coalesce(NULL,"]);
        let suffixes = prop::sample::select(vec!["IS NULL", "IS NOT TRUE", "COLLATE NOCASE", "NOTNULL"]);
        prop_oneof![
            4 => pair.prop_map(|(one, operator, other)| match operator {
                "IN" => format!("{one} IN ({other})"),
                _ => format!("{one} {operator} {other}"),
            }),
            2 => (prefixes, inner.clone()).prop_map(|(prefix, one)| {
                format!("{prefix} {one}{}", if prefix.ends_with(['(', ',']) { ")" } else { "" })
            }),
            1 => (inner.clone(), suffixes).prop_map(|(one, suffix)| format!("{one} {suffix}")),
            1 => (inner.clone(), inner.clone(), inner.clone())
                .prop_map(|(one, low, high)| format!("{one} BETWEEN {low} AND {high}")),
            1 => (inner.clone(), inner.clone(), inner)
                .prop_map(|(when, then, otherwise)| format!("CASE WHEN {when} THEN {then} ELSE {otherwise} END")),
        ]
    })
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Integer)]
    id: i32,
}

/// Returns the rows that meet a condition; nothing if SQLite does not take it for one.
fn met(connection: &mut SqliteConnection, text: &str, binds: &[i32]) -> Option<Vec<i32>> {
    let mut query = diesel::sql_query(text).into_boxed::<Sqlite>();
    for bind in binds {
        query = query.bind::<Integer, _>(*bind);
    }
    let rows: QueryResult<Vec<Row>> = query.load(connection);
    Some(rows.ok()?.into_iter().map(|row| row.id).collect())
}

#[test]
fn no_row_is_met_that_was_not_named() {
    let mut connection = SqliteConnection::establish(":memory:").unwrap();
    let made = "CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER, b INTEGER)";
    diesel::sql_query(made).execute(&mut connection).unwrap();
    let rows = "INSERT INTO t VALUES (0, 1, NULL), (1, 0, 1), (2, NULL, 1), (3, 1, 0), (4, 3, 2)";
    diesel::sql_query(rows).execute(&mut connection).unwrap();
    let connection = std::cell::RefCell::new(connection);
    let named = std::cell::Cell::new(0);
    let drawn = (conditions(), prop::collection::vec(0..5_i32, 64));
    let config = ProptestConfig { cases: 16_000, failure_persistence: None, ..ProptestConfig::default() };
    proptest::test_runner::TestRunner::new(config)
        .run(&drawn, |(condition, binds)| {
            let text = format!("SELECT id FROM t WHERE {condition}");
            let Some(binds) = binds.get(..text.matches('?').count()) else { return Ok(()) };
            let Rows::Where(known) = rows::read(&token::tokens(&text, Dialect::Sqlite).0) else { return Ok(()) };
            let Some(ids) = met(&mut connection.borrow_mut(), &text, binds) else { return Ok(()) };
            for condition in known.iter().filter(|condition| &*condition.column == "id") {
                named.set(named.get() + 1);
                let keys: Vec<_> = condition.binds.iter().map(|place| binds[*place]).collect();
                prop_assert!(ids.iter().all(|id| keys.contains(id)), "{text}: {ids:?} of {keys:?}");
            }
            Ok(())
        })
        .unwrap();
    assert!(named.get() > 400, "{} were named", named.get());
}

//! What our lexer says, against what a parser of another hand says of the same statements.
//!
//! What must hold: what it says is written is written for us, what it says is read is read. It refuses many statements, and then says nothing.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::ops::ControlFlow;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use sqlparser::ast::{self, ObjectName, Visit, Visitor, visit_relations, visit_statements};
use sqlparser::dialect::{MySqlDialect, PostgreSqlDialect, SQLiteDialect};
use sqlparser::parser::Parser;

use super::drawn_tests::Draw;
use super::{Dialect, Writes, analyse, name};
use crate::altered_tests::{alterations, altered_text};

const ALL: [Dialect; 3] = [Dialect::Sqlite, Dialect::Postgres, Dialect::Mysql];

/// Statements as programs have them; those of one server, and those that all know. One in each line.
fn corpus(dialect: Dialect) -> impl Iterator<Item = &'static str> {
    let own = match dialect {
        Dialect::Sqlite => include_str!("corpus/sqlite.sql"),
        Dialect::Postgres => include_str!("corpus/postgres.sql"),
        Dialect::Mysql => include_str!("corpus/mysql.sql"),
    };
    include_str!("corpus/all.sql").lines().chain(own.lines()).filter(|line| !line.is_empty())
}

/// What a parser says.
struct Parsed {
    written: BTreeSet<String>,
    /// Of queries only.
    read: BTreeSet<String>,
}

/// Returns what the parser says of a text; nothing, if it refuses it.
fn parsed(text: &str, dialect: Dialect) -> Option<Parsed> {
    let statements = match dialect {
        Dialect::Sqlite => Parser::parse_sql(&SQLiteDialect {}, text),
        Dialect::Postgres => Parser::parse_sql(&PostgreSqlDialect {}, text),
        Dialect::Mysql => Parser::parse_sql(&MySqlDialect {}, text),
    };
    let statements = statements.ok()?;
    let mut written = BTreeSet::new();
    let _done: ControlFlow<()> = visit_statements(&statements, |statement| {
        written.extend(written_by(statement, dialect));
        ControlFlow::Continue(())
    });
    let mut read = BTreeSet::new();
    for statement in statements.iter().filter(|statement| matches!(statement, ast::Statement::Query(_))) {
        let _done: ControlFlow<()> = visit_relations(statement, |relation| {
            read.extend(last(relation));
            ControlFlow::Continue(())
        });
        let mut called = Called::default();
        let _done = statement.visit(&mut called);
        read.retain(|name| !called.0.contains(name));
    }
    Some(Parsed { written, read })
}

const RESERVED: [&str; 27] = [
    "all", "and", "as", "by", "case", "cross", "delete", "exists", "from", "group", "having", "in", "insert", "into",
    "join", "lateral", "not", "on", "or", "order", "select", "set", "table", "union", "using", "where", "with",
];

/// Functions that stand where tables stand.
#[derive(Default)]
struct Called(BTreeSet<String>);

impl Visitor for Called {
    type Break = ();

    fn pre_visit_table_factor(&mut self, factor: &ast::TableFactor) -> ControlFlow<()> {
        if let ast::TableFactor::Table { name, args: Some(_), .. } = factor {
            self.0.extend(last(name));
        }
        ControlFlow::Continue(())
    }
}

/// The name without its schema, as we have it.
fn last(name: &ObjectName) -> Option<String> {
    let parts: Option<Vec<_>> = name.0.iter().map(|part| part.as_ident().filter(|part| is_taken(part))).collect();
    Some(super::token::bare(&parts?.last()?.value).into())
}

/// Whether servers take this for a name: the parser has more in one, and keywords too.
fn is_taken(name: &ast::Ident) -> bool {
    let is_of_name = |sign: char| sign.is_alphanumeric() || matches!(sign, '_' | '$') || !sign.is_ascii();
    let is_word = name.value.chars().all(is_of_name) && !RESERVED.contains(&&*name.value.to_lowercase());
    is_word || name.quote_style.is_some()
}

fn written_by(statement: &ast::Statement, dialect: Dialect) -> Vec<String> {
    let tables: Vec<Option<String>> = match statement {
        ast::Statement::Insert(insert) => match &insert.table {
            ast::TableObject::TableName(name) => vec![last(name)],
            _ => vec![],
        },
        ast::Statement::Update(update) => vec![of_factor(&update.table.relation)],
        ast::Statement::Delete(delete) => {
            let (ast::FromTable::WithFromKeyword(from) | ast::FromTable::WithoutKeyword(from)) = &delete.from;
            // `DELETE a FROM b AS a`: of the names, those that are aliases are another's.
            let from = from.iter().map(|table| of_factor(&table.relation));
            let all = if dialect == Dialect::Mysql { usize::MAX } else { 1 };
            from.take(if delete.tables.is_empty() { all } else { 0 }).collect()
        }
        ast::Statement::Merge(merge) => vec![of_factor(&merge.table)],
        ast::Statement::Truncate(truncate) => truncate.table_names.iter().map(|table| last(&table.name)).collect(),
        ast::Statement::AlterTable(alter) => vec![last(&alter.name)],
        ast::Statement::Drop { names, .. } => names.iter().map(last).collect(),
        ast::Statement::CreateTable(create) => vec![last(&create.name)],
        ast::Statement::Copy { source: ast::CopySource::Table { table_name, .. }, to: false, .. } => {
            vec![last(table_name)]
        }
        _ => vec![],
    };
    tables.into_iter().flatten().collect()
}

fn of_factor(factor: &ast::TableFactor) -> Option<String> {
    match factor {
        ast::TableFactor::Table { name, args: None, .. } => last(name),
        _ => None,
    }
}

/// What we say of a text.
struct Ours {
    /// Nothing: anything.
    written: Option<BTreeSet<String>>,
    read: BTreeSet<String>,
    /// Whether its rows may be kept.
    is_plain: bool,
}

fn ours(text: &str, dialect: Dialect) -> Ours {
    let mut writes = Writes::default();
    let mut read = BTreeSet::new();
    let mut is_plain = true;
    for statement in analyse(text, dialect, true) {
        writes.add(statement.writes);
        read.extend(statement.reads.iter().map(ToString::to_string));
        is_plain &= statement.is_plain_query;
    }
    let written = match writes {
        Writes::Tables(tables) => Some(tables.iter().map(ToString::to_string).collect()),
        Writes::Unknown => None,
    };
    Ours { written, read, is_plain }
}

/// Holds what we say against what is true, or said.
fn compare(text: &str, ours: &Ours, written: &BTreeSet<String>, read: &BTreeSet<String>) -> Result<(), TestCaseError> {
    let is_written = ours.written.as_ref().is_none_or(|ours| written.is_subset(ours));
    prop_assert!(is_written, "{text}\nwritten: {:?}, ours: {:?}", written, ours.written);
    // What is not kept need not be known.
    let is_read = !ours.is_plain || read.is_subset(&ours.read);
    prop_assert!(is_read, "{text}\nread: {:?}, ours: {:?}", read, ours.read);
    Ok(())
}

/// Compares with the parser. Returns whether it said something.
fn check(text: &str, dialect: Dialect) -> Result<bool, TestCaseError> {
    let Some(Parsed { written, read }) = parsed(text, dialect) else { return Ok(false) };
    compare(text, &ours(text, dialect), &written, &read)?;
    Ok(true)
}

#[test]
fn what_another_parser_sees_in_statements_that_are_made_up_is_seen() {
    for dialect in ALL {
        let (drawn, said) = (Cell::new(0_u32), Cell::new(0_u32));
        let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::with_cases(4000) });
        let outcome = runner.run(&vec(any::<u8>(), 0..160), |tape| {
            let mut draw = Draw::new(&tape, dialect);
            draw.statement();
            let ours = ours(&draw.text, dialect);
            // What is ordinary is understood, and not merely taken for anything.
            prop_assert!(ours.written.is_some(), "{}", draw.text);
            prop_assert_eq!(ours.is_plain, draw.written.is_empty(), "{}", draw.text);
            compare(&draw.text, &ours, &draw.written, &draw.read)?;
            drawn.set(drawn.get() + 1);
            said.set(said.get() + u32::from(check(&draw.text, dialect)?));
            Ok(())
        });
        outcome.unwrap_or_else(|why| panic!("{dialect:?}: {why}"));
        assert!(said.get() * 10 >= drawn.get() * 9, "{dialect:?}: of {drawn:?} only {said:?} were parsed");
    }
}

#[test]
fn what_another_parser_sees_in_statements_of_programs_is_seen() {
    for dialect in ALL {
        let (mut all, mut refused) = (0, Vec::new());
        for text in corpus(dialect) {
            all += 1;
            match check(text, dialect) {
                Ok(true) => {}
                Ok(false) => refused.push(text),
                Err(why) => panic!("{dialect:?}: {why}"),
            }
        }
        assert!(all > 150 && refused.len() * 4 < all, "{dialect:?}: of {all}, these were refused: {refused:#?}");
    }
}

proptest! {
    #![proptest_config(Config { failure_persistence: None, ..Config::with_cases(2000) })]

    #[test]
    fn whatever_a_text_is_it_is_read_to_its_end_and_in_one_way(text in "\\PC{0,60}|[-a-z'\"`\\[\\]$/*!#;(){}.,@:?\\\\ \n]{0,60}") {
        for dialect in ALL {
            let statements = analyse(&text, dialect, true);
            prop_assert_eq!(&statements, &analyse(&text, dialect, true));
            prop_assert_eq!(&statements, &analyse(&format!(" ;\n{text}"), dialect, true));
        }
        // A name that is canonical stays as it is.
        let once = name(&text);
        prop_assert_eq!(&name(&format!("\"{once}\"")), &once);
    }

    #[test]
    fn bytes_that_are_no_text_end_as_well(bytes in vec(any::<u8>(), 0..80)) {
        for dialect in ALL {
            analyse(&String::from_utf8_lossy(&bytes), dialect, true);
        }
    }

    #[test]
    fn statements_that_were_altered_are_seen_as_another_parser_sees_them(which in any::<prop::sample::Index>(), how in alterations()) {
        for dialect in ALL {
            let all: Vec<_> = corpus(dialect).collect();
            let text = altered_text(all[which.index(all.len())], &how);
            check(&text, dialect)?;
        }
    }
}

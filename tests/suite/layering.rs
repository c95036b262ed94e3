//! The rooms of `cachex/src` and what each may name: the table of ARCHITECTURE.md, held against the code.

mod scan;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use scan::{Token, named, tokens};

/// One row of the table: a room, and the rooms it may name.
struct Row {
    room: String,
    may_name: BTreeSet<String>,
}

/// What ARCHITECTURE.md says.
struct Plan {
    rows: Vec<Row>,
    /// Arrows that go up the table, each with a reason.
    upward: BTreeSet<(String, String)>,
}

/// A file of the crate without its tests.
struct Source {
    /// The path from the crate's root: `["config", "load"]`; empty for `lib.rs`.
    module: Vec<String>,
    file: PathBuf,
    tokens: Vec<Token>,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn plan() -> Plan {
    parse_plan(&fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap())
}

fn parse_plan(text: &str) -> Plan {
    let section = text.split("\n## ").find(|section| section.starts_with("Rooms\n"));
    let section = section.expect("ARCHITECTURE.md has a section `## Rooms`");
    let mut plan = Plan { rows: Vec::new(), upward: BTreeSet::new() };
    for line in section.lines() {
        if let Some(row) = line.strip_prefix("| `") {
            let cells: Vec<_> = row.split('|').map(str::trim).collect();
            assert!(
                cells.len() >= 3 && !cells[2].is_empty(),
                "a row has a room, what it may name and a purpose: {line}"
            );
            plan.rows.push(Row { room: quoted(line)[0].clone(), may_name: quoted(cells[1]).into_iter().collect() });
        }
        if let Some((arrow, reason)) = line.strip_prefix("- `").and_then(|line| line.split_once(':')) {
            let names = quoted(&format!("`{arrow}"));
            assert!(names.len() == 2 && reason.len() > 10, "an arrow that goes up has two rooms and a reason: {line}");
            plan.upward.insert((names[0].clone(), names[1].clone()));
        }
    }
    plan
}

/// Returns what stands between backticks.
fn quoted(text: &str) -> Vec<String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn is_test(file: &Path) -> bool {
    file.file_stem().and_then(|name| name.to_str()).is_some_and(|name| name.ends_with("tests"))
}

fn sources() -> Vec<Source> {
    let src = root().join("cachex/src");
    let mut sources = Vec::new();
    let mut folders = vec![src.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let file = entry.unwrap().path();
            if file.is_dir() {
                folders.push(file);
            } else if file.extension().is_some_and(|extension| extension == "rs") && !is_test(&file) {
                let text = fs::read_to_string(&file).unwrap();
                sources.push(Source { module: module(file.strip_prefix(&src).unwrap()), file, tokens: tokens(&text) });
            }
        }
    }
    sources
}

fn module(path: &Path) -> Vec<String> {
    let mut module: Vec<_> = path.with_extension("").iter().map(|part| part.to_str().unwrap().to_owned()).collect();
    if matches!(module.last().unwrap().as_str(), "mod" | "lib") {
        module.pop();
    }
    module
}

fn room(source: &Source) -> String {
    source.module.first().cloned().unwrap_or_else(|| "lib".to_owned())
}

/// Returns what each room names, with a file that does so; a name that is no room belongs to `lib`.
fn arrows(sources: &[Source]) -> BTreeMap<(String, String), PathBuf> {
    let rooms: BTreeSet<_> = sources.iter().map(room).collect();
    let mut arrows = BTreeMap::new();
    for source in sources {
        let from = room(source);
        for name in named(&source.module, &source.tokens) {
            let to = if rooms.contains(&name) { name } else { "lib".to_owned() };
            // What `lib.rs` takes from other crates is no arrow.
            if to != from {
                arrows.entry((from.clone(), to)).or_insert_with(|| source.file.clone());
            }
        }
    }
    arrows
}

fn report(mistakes: &[String]) {
    assert!(mistakes.is_empty(), "\n{}\n", mistakes.join("\n"));
}

#[test]
fn every_room_has_a_row_and_every_row_a_room() {
    let rows: BTreeSet<_> = plan().rows.into_iter().map(|row| row.room).collect();
    let rooms: BTreeSet<_> = sources().iter().map(room).collect();
    let without_row = rooms.difference(&rows).map(|room| format!("`{room}` has no row in ARCHITECTURE.md; add one"));
    let without_room = rows.difference(&rooms).map(|row| format!("`{row}` is no room of cachex/src; remove its row"));
    report(&without_row.chain(without_room).collect::<Vec<_>>());
}

#[test]
fn rooms_name_exactly_what_the_table_lets_them() {
    let arrows = arrows(&sources());
    let mut mistakes = Vec::new();
    for row in plan().rows {
        let used: BTreeSet<_> = arrows.keys().filter(|(from, _)| *from == row.room).map(|(_, to)| to.clone()).collect();
        for to in used.difference(&row.may_name) {
            let room = &row.room;
            let file = &arrows[&(room.clone(), to.clone())];
            let file = file.strip_prefix(root()).unwrap_or(file).display();
            mistakes.push(format!("`{room}` names `{to}` in {file}, and its row in ARCHITECTURE.md does not"));
        }
        for to in row.may_name.difference(&used) {
            mistakes.push(format!("`{}` never names `{to}`; remove it from its row in ARCHITECTURE.md", row.room));
        }
    }
    report(&mistakes);
}

#[test]
fn arrows_go_down_the_table_or_have_a_reason() {
    let plan = plan();
    let place: BTreeMap<_, _> = plan.rows.iter().enumerate().map(|(place, row)| (row.room.clone(), place)).collect();
    let arrows = plan.rows.iter().flat_map(|row| row.may_name.iter().map(|to| (row.room.clone(), to.clone())));
    let upward: BTreeSet<_> = arrows.filter(|(from, to)| place.get(to) < place.get(from)).collect();
    let unreasoned = upward.difference(&plan.upward).map(|(from, to)| {
        format!("`{from}` → `{to}` goes up the table; give its reason in the list below the table, or turn it round")
    });
    let gone = plan.upward.difference(&upward).map(|(from, to)| {
        format!("`{from}` → `{to}` does not go up the table; remove it from the list below the table")
    });
    report(&unreasoned.chain(gone).collect::<Vec<_>>());
}

/// Checks that words in a row stand only in one room.
fn only_in(allowed: &str, words: &[&[&str]], mend: &str) {
    let mut mistakes = Vec::new();
    let is_test = |file: &Path| file.components().any(|part| part.as_os_str() == "tests");
    let within = |source: &&Source| {
        room(source) != allowed && !is_test(source.file.strip_prefix(root()).unwrap_or(&source.file))
    };
    for source in sources().iter().filter(within) {
        let names: Vec<_> = source.tokens.iter().filter(|token| **token != Token::Sign(':')).collect();
        for words in words {
            let is_there = names.windows(words.len()).any(|window| {
                window.iter().zip(*words).all(|(token, word)| matches!(token, Token::Word(name) if name == word))
            });
            if is_there {
                mistakes.push(format!("{} has `{}`; {mend}", source.file.display(), words.join("::")));
            }
        }
    }
    report(&mistakes);
}

#[test]
fn only_the_runtime_spawns() {
    let words: [&[&str]; 7] = [
        &["tokio", "spawn"],
        &["task", "spawn"],
        &["thread", "spawn"],
        &["thread", "Builder"],
        &["spawn_blocking"],
        &["spawn_local"],
        &["JoinSet"],
    ];
    only_in("runtime", &words, "let the runtime run it");
}

#[test]
fn only_time_reads_the_clock_of_the_machine() {
    only_in("time", &[&["Instant", "now"], &["SystemTime", "now"]], "take a `Clock`");
}

/// Checks what is found in a text; that the rules above see what they must is as important as that they pass.
fn check(module: &str, text: &str, expected: &[&str]) {
    let module: Vec<_> = module.split("::").filter(|part| !part.is_empty()).map(str::to_owned).collect();
    let found = named(&module, &tokens(text));
    assert_eq!(found.iter().map(String::as_str).collect::<Vec<_>>(), expected, "{text}");
}

#[test]
fn names_are_found_however_they_are_written() {
    check("call", "use crate::engine::Cache;", &["engine"]);
    check("call", "use crate::{engine::{Cache, plan}, key as k};", &["engine", "key"]);
    check("call", "fn f() -> crate::error::Error { m!(crate::tag::Tag) }", &["error", "tag"]);
    check("call", "macro_rules! m { () => { $crate::time::now() } }", &["time"]);
    check("call", "use crate::*;", &["*"]);
    check("call", "use super::engine;", &["engine"]);
    check("call", "use super::{engine, key::Key};", &["engine", "key"]);
    check("call::run", "use super::super::engine; use super::scope;", &["engine"]);
    check("call::run", "mod inner { use super::super::super::engine; use super::super::scope; }", &["engine"]);
    check("", "mod call; pub use call::Call;", &["call"]);
}

#[test]
fn tests_comments_and_visibility_are_no_arrows() {
    check("call", "#[cfg(test)] mod tests { use crate::engine; } use crate::key;", &["key"]);
    check("call", "#[cfg(test)] use crate::engine::{a, b}; pub(crate) fn f() {}", &[]);
    check("call", "/// See [`crate::engine`].\nfn f() { let _ = \"crate::engine\"; }", &[]);
}

#[test]
fn a_plan_is_read_from_its_table() {
    let text = "# A\n\n## Rooms\n\n| room | may name | purpose |\n|---|---|---|\n| `a` | `b`, `c` | one |\n| `b` | – | two |\n\n- `b` → `a`: because it must be so\n\n## Next\n| `x` | | |\n";
    let plan = parse_plan(text);
    assert_eq!(plan.rows.len(), 2);
    assert_eq!(plan.rows[0].may_name, BTreeSet::from(["b".to_owned(), "c".to_owned()]));
    assert!(plan.rows[1].may_name.is_empty());
    assert_eq!(plan.upward, BTreeSet::from([("b".to_owned(), "a".to_owned())]));
}

/// What the files with unsafe code may take, without blank lines, comments and tests: it has one place, and it stays small enough to be
/// read as a whole.
const MOST_UNSAFE_LINES: usize = 780;

#[test]
fn unsafe_code_stays_in_its_room_and_small() {
    let is_unsafe =
        |source: &&Source| source.tokens.iter().any(|token| matches!(token, Token::Word(word) if word == "unsafe"));
    let sources = sources();
    let (mut lines, mut mistakes) = (0, Vec::new());
    for source in sources.iter().filter(is_unsafe) {
        if room(source) == "raw" {
            let text = fs::read_to_string(&source.file).unwrap();
            let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
            lines += code.lines().filter(|line| !line.trim().is_empty() && !line.trim().starts_with("//")).count();
        } else {
            mistakes.push(format!("{} has unsafe code; it belongs into `raw`", source.file.display()));
        }
    }
    assert!(lines > 0, "the scan finds unsafe code");
    assert!(lines <= MOST_UNSAFE_LINES, "{lines} lines");
    report(&mistakes);
}

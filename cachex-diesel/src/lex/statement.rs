//! What one statement does.

use super::tables::{Tables, qualified};
use super::token::Token;
use super::writes::{changes, copied, every, loaded, named_after};
use super::{Dialect, Name, Rows, Writes, split, volatile};

/// What a statement does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Statement {
    /// What it begins with.
    pub(crate) word: Name,
    /// To the transaction.
    pub(crate) control: Control,
    pub(crate) writes: Writes,
    /// Whether the same text may mean something else afterwards.
    pub(crate) changes_session: bool,
    /// Whether it is a query that locks nothing and puts its rows nowhere.
    pub(crate) is_plain_query: bool,
    /// Whether it gives another result each time, or to each session.
    pub(crate) is_volatile: bool,
    /// The tables it reads, as far as it is a query.
    pub(crate) reads: Vec<Name>,
    /// Which rows it reads, or writes.
    pub(crate) rows: Rows,
    /// What it calls.
    pub(crate) functions: Vec<Name>,
    /// Names that it gives itself, by `WITH`.
    pub(crate) own: Vec<Name>,
}

/// What a statement does to the transaction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Control {
    #[default]
    None,
    Begin,
    /// `then_begins`: `AND CHAIN`.
    Commit {
        then_begins: bool,
    },
    Rollback {
        then_begins: bool,
    },
    Savepoint(Name),
    Release(Name),
    RollbackTo(Name),
    /// What was written before may be committed by it, or not.
    MayCommit,
    /// Anything may have become of the transaction, and one may be open where none was.
    Block,
    /// The transaction ends here, and is committed, or not, by another one.
    Prepare,
    /// From here on all is a transaction …
    NoAutocommit,
    /// … and from here on it is not; what was in it is committed.
    Autocommit,
}

/// Statements that read, and say what they read.
const QUERIES: [&str; 4] = ["select", "values", "table", "with"];

/// Statements that change no row.
const INERT: [&str; 23] = [
    "show",
    "describe",
    "desc",
    "help",
    "explain",
    "analyze",
    "analyse",
    "vacuum",
    "reindex",
    "checkpoint",
    "listen",
    "notify",
    "unlisten",
    "deallocate",
    "close",
    "fetch",
    "move",
    "declare",
    "comment",
    "checksum",
    "optimize",
    "repair",
    "check",
];

/// Statements that change what tables are, or who may see what: all names in them count.
const DEFINITIONS: [&str; 11] =
    ["create", "alter", "drop", "rename", "truncate", "refresh", "grant", "revoke", "security", "cluster", "import"];

/// Statements by which MySQL commits what was before them; `CREATE TEMPORARY TABLE` does not.
const COMMITTING: [&str; 19] = [
    "create",
    "alter",
    "drop",
    "rename",
    "truncate",
    "grant",
    "revoke",
    "analyze",
    "optimize",
    "repair",
    "check",
    "cache",
    "flush",
    "lock",
    "unlock",
    "install",
    "uninstall",
    "reset",
    "load",
];

/// Where tables are that one session has to itself.
const TEMPORARY: [&str; 3] = ["temp", "temporary", "pg_temp"];

/// Settings that leave every text its meaning.
const HARMLESS_SETTINGS: [&str; 23] = [
    "transaction",
    "characteristics",
    "constraints",
    "names",
    "character",
    "charset",
    "client_encoding",
    "statement_timeout",
    "lock_timeout",
    "idle_in_transaction_session_timeout",
    "idle_session_timeout",
    "transaction_timeout",
    "application_name",
    "client_min_messages",
    "work_mem",
    "deadlock_timeout",
    "wait_timeout",
    "interactive_timeout",
    "net_read_timeout",
    "net_write_timeout",
    "innodb_lock_wait_timeout",
    "max_execution_time",
    "lock_wait_timeout",
];

/// Settings of SQLite that leave every text its meaning.
const HARMLESS_PRAGMAS: [&str; 20] = [
    "journal_mode",
    "synchronous",
    "busy_timeout",
    "foreign_keys",
    "cache_size",
    "mmap_size",
    "temp_store",
    "wal_autocheckpoint",
    "wal_checkpoint",
    "optimize",
    "table_info",
    "table_xinfo",
    "foreign_key_list",
    "foreign_key_check",
    "index_list",
    "index_info",
    "integrity_check",
    "quick_check",
    "analysis_limit",
    "secure_delete",
];

/// Reads what a statement does; `tokens` is not empty.
pub(super) fn read(tokens: &[Token<'_>], dialect: Dialect) -> Statement {
    if split::is_block(tokens, dialect) {
        let (control, writes) = (Control::Block, Writes::Unknown);
        return Statement { control, writes, changes_session: true, ..Statement::default() };
    }
    let is = |at: usize, word: &str| tokens.get(at).is_some_and(|token| token.is(word));
    // `SET STATEMENT … FOR …`
    if dialect == Dialect::Mysql && is(0, "set") && is(1, "statement") {
        let at = tokens.iter().position(|token| token.is("for")).map_or(tokens.len(), |at| at + 1);
        return match tokens.get(at..) {
            Some(rest @ [_, ..]) => read(rest, dialect),
            _ => unknown(dialect),
        };
    }
    // `(SELECT …) UNION …`
    let tokens = &tokens[tokens.iter().position(|token| !token.is_sign('(')).unwrap_or(0)..];
    let mut statement = Statement { writes: changes(tokens, dialect), ..Statement::default() };
    let Some(lead) = tokens.first().copied() else { return statement };
    statement.functions = Tables::default().read(tokens).functions;
    let next = tokens.get(1).copied();
    let is_next = |word: &str| next.is_some_and(|next| next.is(word));
    if lead.is_one_of(&QUERIES) {
        query(&mut statement, tokens, dialect);
    } else if lead.is_one_of(&["insert", "replace", "update", "delete", "merge"]) {
        if statement.writes.is_none() {
            statement.writes = Writes::Unknown;
        }
    } else if lead.is("copy") {
        statement.writes.add(copied(tokens));
    } else if lead.is("load") && dialect == Dialect::Mysql {
        statement.writes.add(loaded(tokens));
    } else if lead.is("explain") && tokens.iter().any(|token| token.is("execute")) {
        statement.writes = Writes::Unknown;
    } else if let Some(control) = control(tokens, dialect) {
        statement.control = control;
        // Of another transaction.
        if is_next("prepared") || lead.is("xa") {
            statement.writes = Writes::Unknown;
        }
    } else if lead.is("set")
        || lead.is("reset")
        || lead.is("use")
        || lead.is("discard")
        || lead.is("attach")
        || lead.is("detach")
    {
        set(&mut statement, tokens, dialect);
    } else if lead.is("pragma") {
        statement.changes_session = is_pragma_that_sets(tokens);
    } else if lead.is_one_of(&DEFINITIONS) {
        definition(&mut statement, tokens);
    } else if lead.is("lock") || lead.is("unlock") || lead.is("flush") || (lead.is("kill") && dialect == Dialect::Mysql)
    {
        // No row is changed.
    } else if !lead.is_one_of(&INERT) {
        statement = Statement { functions: statement.functions, ..unknown(dialect) };
    }
    if lead.is("set") && is_next("password") && dialect == Dialect::Mysql {
        statement.control = Control::MayCommit;
    }
    // What settings are is a table, too.
    statement.changes_session |= matches!(&statement.writes, Writes::Tables(tables) if tables.contains("pg_settings"));
    let is_temporary = tokens.iter().take(4).any(|token| token.is("temporary"));
    if dialect == Dialect::Mysql && lead.is_one_of(&COMMITTING) && !is_temporary {
        statement.control = Control::MayCommit;
    }
    if statement.functions.iter().any(|name| &**name == "set_config") {
        statement.changes_session = true;
    }
    statement
}

/// What a statement does of which nothing is known.
fn unknown(dialect: Dialect) -> Statement {
    // A procedure of MySQL can commit what was before it.
    let control = if dialect == Dialect::Mysql { Control::MayCommit } else { Control::None };
    Statement { control, writes: Writes::Unknown, changes_session: true, ..Statement::default() }
}

fn query(statement: &mut Statement, tokens: &[Token<'_>], dialect: Dialect) {
    let mut tables = Tables::of_query(dialect).read(tokens);
    tables.names.sort_unstable();
    tables.names.dedup();
    let is_locking = tokens.windows(2).any(|pair| {
        let locks = ["update", "share", "no", "key"];
        (pair[0].is("for") && pair[1].is_one_of(&locks)) || (pair[0].is("lock") && pair[1].is("in"))
    });
    let into = tokens.iter().enumerate().skip(1).filter(|(at, token)| {
        token.is("into") && !tokens[at - 1].is_one_of(&["insert", "replace", "merge", "ignore", "delayed"])
    });
    let mut is_put = false;
    for (at, _) in into {
        is_put = true;
        if dialect != Dialect::Mysql {
            statement.writes.add(named_after(tokens, at + 1, &["temp", "temporary", "unlogged", "table"]));
            // From now on a name is another table.
            statement.changes_session |= tokens[at..].iter().take(3).any(|token| token.is_one_of(&TEMPORARY));
        }
    }
    statement.is_volatile = tables.functions.iter().any(|name| volatile::is_function(name, dialect))
        || tokens.iter().any(|token| volatile::is_word(*token, dialect))
        || tokens.windows(2).any(volatile::is_of_sequence);
    statement.is_plain_query = !is_locking && !is_put && !tables.is_unclear && statement.writes.is_none();
    statement.reads = tables.names;
    statement.own = own_names(tokens);
    statement.functions = tables.functions;
}

/// Returns what a query calls its parts: `WITH a AS (…), b (c) AS MATERIALIZED (…)`. Not one that is read before it is there: that is another table.
fn own_names(tokens: &[Token<'_>]) -> Vec<Name> {
    let mut own: Vec<Name> = Vec::new();
    let mut read: Vec<Name> = Vec::new();
    let is_recursive = tokens.iter().any(|token| token.is("recursive"));
    for (at, _) in tokens.iter().enumerate().filter(|(_, token)| token.is("as")) {
        let words = tokens[at + 1..].iter().take_while(|token| token.is_one_of(&["not", "materialized"])).count();
        let open = at + 1 + words;
        let Some(named) = name_before(tokens, at) else { continue };
        let begins = named.checked_sub(1).and_then(|before| tokens.get(before));
        let is_part = begins.is_some_and(|before| before.is_sign(',') || before.is_one_of(&["with", "recursive"]));
        if !is_part || !tokens.get(open).is_some_and(|token| token.is_sign('(')) {
            continue;
        }
        let body = &tokens[open + 1..end_of(tokens, open)];
        let reads = Tables::default().read(body).names;
        let Some(name) = tokens[named].name() else { continue };
        read.extend(reads.into_iter().filter(|other| !(own.contains(other) || (is_recursive && *other == name))));
        own.push(name);
    }
    own.retain(|name| !read.contains(name));
    own
}

/// Returns where the name stands that comes before `AS`, with columns or without.
fn name_before(tokens: &[Token<'_>], at: usize) -> Option<usize> {
    let last = at.checked_sub(1)?;
    if !tokens[last].is_sign(')') {
        return tokens[last].is_name().then_some(last);
    }
    let open = tokens[..last].iter().rposition(|token| token.is_sign('('))?;
    open.checked_sub(1).filter(|named| tokens[*named].is_name())
}

/// Returns where a parenthesis is closed again.
fn end_of(tokens: &[Token<'_>], open: usize) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        if token.is_sign('(') {
            depth += 1;
        } else if token.is_sign(')') {
            depth = depth.saturating_sub(1);
            if depth == 0 {
                return at;
            }
        }
    }
    tokens.len()
}

/// All names in a statement that defines something; any table, where it may concern more than it names.
fn definition(statement: &mut Statement, tokens: &[Token<'_>]) {
    let has = |word: &str| tokens.iter().any(|token| token.is(word));
    // `ON DELETE CASCADE` is a part of what is created.
    let concerns_more = (has("cascade") && !tokens[0].is("create"))
        || has("owned")
        || (has("schema") && !has("table"))
        || has("database");
    let names = tokens.iter().skip(1).filter_map(|token| token.name());
    statement.writes.add(if concerns_more { Writes::Unknown } else { every(names) });
    // From now on a name is another table.
    let mut head = tokens.iter().take_while(|token| !token.is_sign('('));
    statement.changes_session = head.any(|token| token.is_one_of(&TEMPORARY));
}

fn set(statement: &mut Statement, tokens: &[Token<'_>], dialect: Dialect) {
    let between = ["session", "local", "global"];
    let mut names = tokens.iter().skip(1).filter(|token| !token.is_one_of(&between) && !token.is_sign('@'));
    let is_harmless = names.next().is_some_and(|first| first.is_one_of(&HARMLESS_SETTINGS));
    // What reads a variable of the session is not kept anyway.
    let is_of_user = matches!(tokens.get(1), Some(Token::Variable(_)));
    // `SET a = 1, b = 2` may set more than it begins with.
    let is_one = !tokens.iter().any(|token| token.is_sign(','));
    statement.changes_session = !(tokens[0].is("set") && (is_harmless || is_of_user) && is_one);
    let is_autocommit = |token: &Token<'_>| match token {
        Token::Variable(name) => name.eq_ignore_ascii_case("autocommit"),
        token => token.is("autocommit"),
    };
    if dialect == Dialect::Mysql && tokens.iter().any(is_autocommit) {
        let is_on = is_one && tokens.last().is_some_and(|last| last.is("on") || last.is("true") || *last == Token::One);
        statement.control = if is_on { Control::Autocommit } else { Control::NoAutocommit };
    }
    // How a transaction ends.
    if tokens.iter().any(|token| token.is("completion_type")) {
        statement.control = Control::NoAutocommit;
    }
}

fn is_pragma_that_sets(tokens: &[Token<'_>]) -> bool {
    let sets = tokens.iter().any(|token| token.is_sign('=') || token.is_sign('('));
    let (last, _) = qualified(tokens, 1.min(tokens.len() - 1));
    sets && !tokens[last].is_one_of(&HARMLESS_PRAGMAS)
}

/// Returns what a statement does to the transaction, if it is one that says so.
fn control(tokens: &[Token<'_>], dialect: Dialect) -> Option<Control> {
    let is = |at: usize, word: &str| tokens.get(at).is_some_and(|token| token.is(word));
    let lead = tokens[0];
    let then_begins = tokens.windows(2).any(|pair| pair[0].is("and") && pair[1].is("chain"));
    // The name comes last: after TO, after SAVEPOINT, or at once.
    let name = || tokens.last().filter(|_| tokens.len() > 1).and_then(|token| token.name());
    if is(1, "prepared") {
        return Some(Control::None);
    }
    if lead.is("begin") || (lead.is("start") && is(1, "transaction")) {
        return Some(Control::Begin);
    }
    if lead.is("xa") && dialect == Dialect::Mysql {
        return Some(match () {
            () if is(1, "start") || is(1, "begin") => Control::Begin,
            () if is(1, "commit") => Control::Commit { then_begins: false },
            () if is(1, "rollback") => Control::Rollback { then_begins: false },
            () => Control::Block,
        });
    }
    // MySQL ends blocks with it, and no transactions.
    if lead.is("commit") || (lead.is("end") && dialect != Dialect::Mysql) {
        return Some(Control::Commit { then_begins });
    }
    if lead.is("rollback") || lead.is("abort") {
        let Some(to) = tokens.iter().position(|token| token.is("to")) else {
            return Some(Control::Rollback { then_begins });
        };
        return tokens.get(to + 1).and(name()).map(Control::RollbackTo);
    }
    if lead.is("savepoint") {
        return name().map(Control::Savepoint);
    }
    if lead.is("release") {
        return name().map(Control::Release);
    }
    (lead.is("prepare") && is(1, "transaction")).then_some(Control::Prepare)
}

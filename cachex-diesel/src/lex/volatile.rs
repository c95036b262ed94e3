//! What gives another result each time, or to each session: a query with it is not kept unless it is asked for.

use super::Dialect;
use super::token::Token;

/// Functions of all servers; a name that one of them does not know does no harm there.
const FUNCTIONS: &[&str] = &[
    // Time.
    "now",
    "clock_timestamp",
    "statement_timestamp",
    "transaction_timestamp",
    "timeofday",
    "sysdate",
    "curdate",
    "curtime",
    "utc_date",
    "utc_time",
    "utc_timestamp",
    "unix_timestamp",
    "current_timestamp",
    "current_date",
    "current_time",
    "localtime",
    "localtimestamp",
    "age",
    // Chance.
    "random",
    "rand",
    "random_normal",
    "randomblob",
    "setseed",
    "uuid",
    "uuid_short",
    "uuidv4",
    "uuidv7",
    "gen_random_uuid",
    "uuid_generate_v1",
    "uuid_generate_v4",
    "sys_guid",
    // The session, and what it did last.
    "currval",
    "lastval",
    "nextval",
    "setval",
    "last_insert_id",
    "last_insert_rowid",
    "lastval_",
    "row_count",
    "found_rows",
    "changes",
    "total_changes",
    "current_setting",
    "set_config",
    "current_user",
    "session_user",
    "system_user",
    "user",
    "current_role",
    "current_schema",
    "current_schemas",
    "current_catalog",
    "current_database",
    "current_query",
    "database",
    "schema",
    "connection_id",
    "pg_backend_pid",
    "inet_client_addr",
    "txid_current",
    "pg_current_xact_id",
    "to_regclass",
    "gen_random_bytes",
    "gen_salt",
    "random_bytes",
    "uuid_generate_v1mc",
    // What others do.
    "sleep",
    "pg_sleep",
    "benchmark",
    "get_lock",
    "release_lock",
    "pg_advisory_lock",
    "pg_try_advisory_lock",
    "pg_advisory_xact_lock",
    "pg_advisory_unlock",
    "pg_notify",
    "load_extension",
];

/// Of SQLite: what they say of `'now'` is another thing each time, and the text of a string is not looked at.
const SQLITE_DATES: [&str; 7] = ["date", "time", "datetime", "julianday", "unixepoch", "strftime", "timediff"];

/// Words that are functions without parentheses.
const WORDS: &[&str] = &[
    "utc_timestamp",
    "utc_date",
    "utc_time",
    "tablesample",
    "current_timestamp",
    "current_date",
    "current_time",
    "localtime",
    "localtimestamp",
    "current_user",
    "session_user",
    "system_user",
    "current_role",
    "current_schema",
    "current_catalog",
];

pub(super) fn is_function(name: &str, dialect: Dialect) -> bool {
    let is_of_locks = name.starts_with("pg_advisory_") || name.starts_with("pg_try_advisory_");
    let is_of_rights = name.starts_with("has_") && name.ends_with("_privilege");
    FUNCTIONS.contains(&name)
        || is_of_locks
        || is_of_rights
        || (dialect == Dialect::Sqlite && SQLITE_DATES.contains(&name))
}

pub(super) fn is_word(token: Token<'_>, dialect: Dialect) -> bool {
    // A word that is reserved in PostgreSQL, and a common name elsewhere.
    token.is_one_of(WORDS) || matches!(token, Token::Variable(_)) || (dialect == Dialect::Postgres && token.is("user"))
}

/// Whether a text has a string in it that PostgreSQL may take for a moment: `'today'::date`.
pub(super) fn has_moment(text: &str, dialect: Dialect) -> bool {
    const MOMENTS: [&str; 4] = ["'now", "'today", "'tomorrow", "'yesterday"];
    let is_in =
        |moment: &&str| text.as_bytes().windows(moment.len()).any(|part| part.eq_ignore_ascii_case(moment.as_bytes()));
    dialect == Dialect::Postgres && MOMENTS.iter().any(is_in)
}

/// Whether two tokens are the beginning of `NEXT VALUE FOR`.
pub(super) fn is_of_sequence(pair: &[Token<'_>]) -> bool {
    matches!(pair, [one, other] if one.is("next") && other.is("value"))
}

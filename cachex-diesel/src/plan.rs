//! How a query is kept, and whether it is.

use std::any::type_name;
use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use cachex::{EntryOptions, Key, Tag};
use diesel::QueryResult;
use diesel::query_builder::{QueryFragment, QueryId};

use crate::analyses::Script;
use crate::backend::CacheBackend;
use crate::event::DieselEvent;
use crate::handle::{ANY_SCOPE, DieselCache, TransactionReads, row_name};
use crate::lex::{Name, Writes};
use crate::query::Options;
use crate::row;
use crate::state::State;
use crate::stats::Reason;

/// How a query is kept.
pub(crate) struct Plan {
    pub(crate) db: DieselCache,
    pub(crate) key: Key,
    pub(crate) options: Arc<EntryOptions>,
    /// Whether what is loaded is kept; else only what is kept already answers.
    pub(crate) is_kept: bool,
}

/// What a query reads, as far as its text and the registry say: remembered, until the registry is another one.
#[derive(Debug)]
pub(crate) struct Reads {
    version: u64,
    tables: BTreeSet<Name>,
    /// One of what it reads that is not registered.
    unregistered: Option<Name>,
    is_left_out: bool,
    /// The longest that it is kept.
    ttl: Option<Duration>,
    /// How it is kept in no scope, if this is what was asked for.
    usual: (Duration, Arc<EntryOptions>),
}

impl Reads {
    /// Returns what a query reads; `ttl` is what is asked for.
    fn of(db: &DieselCache, script: &Script, ttl: Duration) -> Option<Arc<Self>> {
        let [statement] = &*script.statements else { return None };
        if let Some(known) = &*script.reads.read().unwrap_or_else(PoisonError::into_inner)
            && known.version == db.version()
        {
            return Some(known.clone());
        }
        let registry = db.registry();
        // Under the lock: nobody changes it meanwhile.
        let version = db.version();
        let is_unknown = |name: &&Name| !(registry.knows(name) || statement.own.contains(name));
        let tables = registry.read(&statement.reads);
        let most = registry.ttl_of(&tables);
        let ttl_kept = most.map_or(ttl, |most| most.min(ttl));
        let usual = tables.iter().fold(EntryOptions::new().ttl(ttl_kept).tag(db.tag_of_all()), |entry, table| {
            entry.tag(db.tag_of(table, None))
        });
        let reads = Arc::new(Self {
            version,
            unregistered: statement.reads.iter().find(is_unknown).cloned(),
            is_left_out: tables.iter().any(|name| registry.known(name).is_some_and(|table| table.is_left_out)),
            ttl: most,
            tables,
            usual: (ttl, Arc::new(usual)),
        });
        drop(registry);
        *script.reads.write().unwrap_or_else(PoisonError::into_inner) = Some(reads.clone());
        Some(reads)
    }
}

/// Returns how a query is kept; nothing, if it is not.
pub(crate) fn plan<DB, Q, U>(state: &mut State, query: &Q, options: Options) -> QueryResult<Option<Plan>>
where
    DB: CacheBackend,
    Q: QueryFragment<DB> + QueryId,
{
    let Some(db) = state.db().cloned() else { return Ok(None) };
    db.check_reach()?;
    db.0.counters.cached.fetch_add(1, Ordering::Relaxed);
    match plan_of::<DB, Q, U>(state, db.clone(), query, options)? {
        Ok(plan) => Ok(Some(plan)),
        Err(why) => {
            db.0.counters.bypass(why);
            Ok(None)
        }
    }
}

/// Returns how a query is kept on a connection that nothing was done with.
pub(crate) fn kept_without_connection<DB, Q, U>(
    db: &DieselCache,
    query: &Q,
    options: Options,
) -> QueryResult<Option<Plan>>
where
    DB: CacheBackend,
    Q: QueryFragment<DB> + QueryId,
{
    let mut state = State::new(<DB as crate::backend::sealed::Known>::DIALECT, Some(db.clone()));
    db.check_reach()?;
    // What goes wrong is told when there is a connection.
    Ok(plan_of::<DB, Q, U>(&mut state, db.clone(), query, options).ok().and_then(Result::ok))
}

fn plan_of<DB, Q, U>(
    state: &mut State,
    db: DieselCache,
    query: &Q,
    options: Options,
) -> QueryResult<Result<Plan, Reason>>
where
    DB: CacheBackend,
    Q: QueryFragment<DB> + QueryId,
{
    let script = state.script::<DB, Q>(query)?;
    let reads = match reads_of(state, &db, &script, &options) {
        Ok(reads) => reads,
        Err(why) => return Ok(Err(why)),
    };
    // What is read in a transaction may be rolled back, or be from before what others have committed since.
    // Break this (say false) and it is kept.
    let is_in_transaction = state.tracker().is_in_transaction();
    if is_in_transaction && !(reads_clean(&db) && is_clean(state, &db, &reads.tables)) {
        return Ok(Err(Reason::InTransaction));
    }
    let keys = script.keys::<DB, Q>(query)?;
    // Who invalidates rows one by one is not answered with what those have kept who do not, nor they with his: each tells what he knows of.
    let by_rows = keys.is_some();
    let key = key::<DB, Q, U>(state, &db, (query, &script, by_rows), &options)?;
    let options = match &reads.usual {
        (ttl, usual) if *ttl == options.ttl && options.tags.is_empty() && keys.is_none() && state.scope().is_none() => {
            usual.clone()
        }
        _ => Arc::new(entry_options(state, &db, (&reads, keys), options)),
    };
    Ok(Ok(Plan { key, db, options, is_kept: !is_in_transaction }))
}

/// Returns how an entry is kept: also one of rows with these keys, or within a scope.
fn entry_options(
    state: &State,
    db: &DieselCache,
    (reads, keys): (&Reads, Option<BTreeSet<i64>>),
    options: Options,
) -> EntryOptions {
    let ttl = reads.ttl.map_or(options.ttl, |most| most.min(options.ttl));
    let mut entry = EntryOptions::new().ttl(ttl).tag(db.tag_of_all());
    for table in &reads.tables {
        let of_rows = keys.iter().flatten().map(|key| row_name(table, &key.to_string()));
        // A write that does not say of which rows it is concerns them as well.
        let of_rows = of_rows.chain(keys.is_some().then(|| row_name(table, row::ANY)));
        let of_table = keys.is_none().then(|| table.to_string());
        for name in of_rows.chain(of_table) {
            entry = tags(state, db, (table, &name)).into_iter().fold(entry, EntryOptions::tag);
        }
    }
    options.tags.into_iter().fold(entry, EntryOptions::tag)
}

/// Returns what a query reads.
///
/// # Errors
///
/// It is not to be kept.
fn reads_of(state: &State, db: &DieselCache, script: &Script, options: &Options) -> Result<Arc<Reads>, Reason> {
    let reads = Reads::of(db, script, options.ttl).ok_or(Reason::NotPlain)?;
    let [statement] = &*script.statements else { return Err(Reason::NotPlain) };
    match () {
        // Of all the reasons this one is told first.
        () if state.tracker().is_in_transaction() && !reads_clean(db) => Err(Reason::InTransaction),
        () if state.is_changed() => Err(Reason::SessionChanged),
        () if !statement.is_plain_query || script.has_effects => Err(Reason::NotPlain),
        () if statement.is_volatile && !options.is_forced => Err(Reason::Volatile),
        () if reads.unregistered.is_some() => {
            let name = || reads.unregistered.clone().unwrap_or_default();
            db.0.observer.tell(|| DieselEvent::Unregistered { name: name() });
            Err(Reason::Unregistered)
        }
        () if reads.is_left_out => Err(Reason::LeftOut),
        () if reads.tables.is_empty() && options.tags.is_empty() => Err(Reason::WithoutTable),
        () => Ok(reads),
    }
}

fn reads_clean(db: &DieselCache) -> bool {
    db.0.transaction_reads == TransactionReads::ReadClean
}

/// Whether the transaction has written none of these.
// Break this (say true) and it does not see what it has written itself.
fn is_clean(state: &State, db: &DieselCache, tables: &BTreeSet<Name>) -> bool {
    match state.tracker().written() {
        Some(Writes::Tables(written)) => {
            let registry = db.registry();
            let written = registry.written(&written);
            registry.is_known_of(&written) && written.is_disjoint(tables)
        }
        Some(Writes::Unknown) | None => false,
    }
}

/// Returns what makes wrong what a connection reads of a table, or of a row of it.
fn tags(state: &State, db: &DieselCache, (table, name): (&Name, &str)) -> Vec<Tag> {
    let is_shared = db.registry().known(table).is_some_and(|table| table.is_shared);
    match state.scope() {
        Some(scope) if !is_shared => vec![db.tag_of(name, Some(scope)), db.tag_of(name, Some(ANY_SCOPE))],
        _ => vec![db.tag_of(name, None)],
    }
}

/// Returns the key: whatever makes the rows, or what they become, another thing.
fn key<DB, Q, U>(
    state: &State,
    db: &DieselCache,
    (query, script, by_rows): (&Q, &Script, bool),
    options: &Options,
) -> QueryResult<Key>
where
    DB: CacheBackend,
    Q: QueryFragment<DB> + QueryId,
{
    let mut binds = Vec::new();
    DB::binds(query, &mut binds)?;
    let text = &*script.text;
    let parts = (if by_rows { "rows" } else { "" }, DB::NAME, &*db.0.database, state.scope(), type_name::<U>());
    // Who asks for other tags, or a shorter life, is not answered by what was kept without.
    let mut tags: Vec<_> = options.tags.iter().map(|tag| tag.as_str().to_owned()).collect();
    tags.sort_unstable();
    Ok(Key::composite("diesel", &(parts, (tags, options.ttl), text, binds)))
}

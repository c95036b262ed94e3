//! What statements do, remembered: by their type where that says it all, else by their text.

use std::any::TypeId;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use diesel::QueryResult;
use diesel::query_builder::{QueryFragment, QueryId};
use foldhash::fast::RandomState;

use crate::backend::{CacheBackend, sql};
use crate::handle::Alone;
use crate::lex::{self, Control, Dialect, Name, Statement, Writes};
use crate::plan::Reads;
use crate::recent::Recent;
use crate::registry::{Located, Registry};
use crate::row;

/// Texts that are remembered, twice: the latest, and those before.
const MOST: usize = 1024;
/// Bytes of the longest that is: with that, all of them are some tens of MB at most.
const LONGEST: usize = 8 * 1024;

/// What a text does.
#[derive(Debug)]
pub(crate) struct Script {
    pub(crate) statements: Box<[Statement]>,
    /// Whether it is more than a query.
    pub(crate) has_effects: bool,
    /// Where it says of which rows of its only table it is.
    pub(crate) located: Option<Located>,
    pub(crate) text: Arc<str>,
    /// What it reads, as far as that was asked for.
    pub(crate) reads: RwLock<Option<Arc<Reads>>>,
    /// What it invalidates, if it is one statement that writes tables that are known and does nothing else.
    alone: Option<Alone>,
}

impl Script {
    /// Returns what it writes, if that is all that it does.
    pub(crate) fn alone(&self) -> Option<(&Alone, &Writes)> {
        Some((self.alone.as_ref()?, &self.statements.first()?.writes))
    }

    /// Whether it writes something, and neither begins nor ends a transaction: what does can't be refused without leaving one open.
    pub(crate) fn only_writes(&self) -> bool {
        let is_control = |statement: &Statement| !matches!(statement.control, Control::None | Control::MayCommit);
        self.has_effects
            && self.statements.iter().any(|statement| !statement.writes.is_none())
            && !self.statements.iter().any(is_control)
    }

    /// Of something that is known by what it writes.
    pub(crate) fn of_writes(writes: Writes) -> Self {
        let has_effects = !writes.is_none();
        Self::made([Statement { writes, ..Statement::default() }].into(), has_effects)
    }

    /// Returns the keys of the rows that a query reads, or writes, if it says so.
    pub(crate) fn keys<DB: CacheBackend, T: QueryFragment<DB>>(&self, query: &T) -> QueryResult<Option<BTreeSet<i64>>> {
        let Some(located) = &self.located else { return Ok(None) };
        let keys = DB::integers(query, &located.binds)?;
        Ok(keys.map(BTreeSet::from_iter).filter(|keys: &BTreeSet<_>| !keys.is_empty() && keys.len() <= row::MOST))
    }

    /// Returns what it does if these are the keys of what it writes.
    fn of_rows(&self, table: &Name, keys: &BTreeSet<i64>) -> Self {
        let writes = Writes::Tables(keys.iter().map(|key| row::of(table, *key)).collect());
        let written = |statement: &Statement| Statement { writes: writes.clone(), ..statement.clone() };
        Self::made(self.statements.iter().map(written).collect(), true)
    }

    /// Of something that is never kept.
    fn made(statements: Box<[Statement]>, has_effects: bool) -> Self {
        Self { statements, has_effects, located: None, text: Arc::default(), reads: RwLock::default(), alone: None }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Analyses {
    by_type: RwLock<HashMap<(TypeId, Dialect), Arc<Script>, RandomState>>,
    /// By dialect.
    by_text: [Mutex<[Texts; 2]>; 3],
}

type Texts = HashMap<Arc<str>, Arc<Script>, RandomState>;

impl Analyses {
    /// Returns what a query does with its binds.
    pub(crate) fn of<DB, T>(
        &self,
        query: &T,
        registry: &RwLock<Registry>,
        recent: &mut Recent,
    ) -> QueryResult<Arc<Script>>
    where
        DB: CacheBackend,
        T: QueryFragment<DB> + QueryId,
    {
        let script = self.of_any::<DB, T>(query, registry, recent)?;
        match &script.located {
            Some(located) if script.has_effects => {
                let keys = script.keys::<DB, T>(query)?;
                Ok(keys.map(|keys| Arc::new(script.of_rows(&located.table, &keys))).unwrap_or(script.clone()))
            }
            _ => Ok(script),
        }
    }

    /// Returns what a query does, whatever its binds are.
    fn of_any<DB, T>(&self, query: &T, registry: &RwLock<Registry>, recent: &mut Recent) -> QueryResult<Arc<Script>>
    where
        DB: CacheBackend,
        T: QueryFragment<DB> + QueryId,
    {
        let id = match T::query_id() {
            // The text of a type is always the same, and so is what it does, but where it says otherwise: a table that was chosen while the program runs.
            // Break this (ask for the type alone) and one table is taken for another.
            Some(id) if query.is_safe_to_cache_prepared(&DB::default())? => (id, DB::DIALECT),
            _ => return Ok(self.of_text(&sql::<DB, T>(query)?, DB::DIALECT, registry, recent)),
        };
        if let Some(known) = recent.of_type(id.0) {
            return Ok(known);
        }
        let script = self.of_type::<DB, T>(id, query, registry)?;
        recent.note_type(id.0, script.clone());
        Ok(script)
    }

    fn of_type<DB, T>(&self, id: (TypeId, Dialect), query: &T, registry: &RwLock<Registry>) -> QueryResult<Arc<Script>>
    where
        DB: CacheBackend,
        T: QueryFragment<DB> + QueryId,
    {
        if let Some(known) = self.by_type.read().unwrap_or_else(PoisonError::into_inner).get(&id) {
            return Ok(known.clone());
        }
        let script = read(&sql::<DB, T>(query)?, DB::DIALECT, registry);
        self.by_type.write().unwrap_or_else(PoisonError::into_inner).insert(id, script.clone());
        Ok(script)
    }

    /// Returns what a text does.
    pub(crate) fn of_text(
        &self,
        text: &str,
        dialect: Dialect,
        registry: &RwLock<Registry>,
        recent: &mut Recent,
    ) -> Arc<Script> {
        // Break this (keep it) and programs that write many rows by one text keep them all.
        if text.len() > LONGEST {
            return read(text, dialect, registry);
        }
        if let Some(known) = recent.of_text(text) {
            return known;
        }
        let script = self.known(text, dialect).unwrap_or_else(|| self.remember(text, dialect, registry));
        recent.note_text(script.clone());
        script
    }

    /// Reads a text, and remembers it.
    fn remember(&self, text: &str, dialect: Dialect, registry: &RwLock<Registry>) -> Arc<Script> {
        let script = read(text, dialect, registry);
        let [latest, before] = &mut *self.texts(dialect);
        if latest.len() >= MOST {
            *before = std::mem::take(latest);
        }
        latest.insert(script.text.clone(), script.clone());
        script
    }

    fn known(&self, text: &str, dialect: Dialect) -> Option<Arc<Script>> {
        let [latest, before] = &mut *self.texts(dialect);
        if let Some(known) = latest.get(text) {
            return Some(known.clone());
        }
        let (text, known) = before.remove_entry(text)?;
        latest.insert(text, known.clone());
        Some(known)
    }

    fn texts(&self, dialect: Dialect) -> MutexGuard<'_, [Texts; 2]> {
        self.by_text[dialect as usize].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns what a text does.
pub(crate) fn read(text: &str, dialect: Dialect, registry: &RwLock<Registry>) -> Arc<Script> {
    let registry = registry.read().unwrap_or_else(PoisonError::into_inner);
    let mut statements = lex::analyse(text, dialect, registry.has_rows());
    // Of several statements it is not known whose binds they are.
    let located = match &mut *statements {
        [statement] => registry.locate(statement),
        _ => None,
    };
    statements.iter_mut().for_each(|statement| registry.complete(statement));
    let has_effects = statements.iter().any(|statement| {
        !statement.writes.is_none() || statement.control != Control::None || statement.changes_session
    });
    let is_alone = match &*statements {
        [Statement { writes: Writes::Tables(tables), control: Control::None, changes_session: false, .. }] => {
            !tables.is_empty()
        }
        _ => false,
    };
    Arc::new(Script {
        alone: is_alone.then(Alone::default),
        statements: statements.into(),
        has_effects,
        located,
        text: text.into(),
        reads: RwLock::default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_remembered_unless_they_are_long() {
        let (analyses, registry) = (Analyses::default(), RwLock::default());
        let is_remembered = |text: &str| {
            let [one, other] =
                [(); 2].map(|()| analyses.of_text(text, Dialect::Sqlite, &registry, &mut Recent::default()));
            assert_eq!(one.statements, other.statements);
            Arc::ptr_eq(&one, &other)
        };
        let insert = |rows: usize| format!("INSERT INTO users VALUES {}", vec!["(1, 'a')"; rows].join(", "));
        assert!(is_remembered(&insert(3)));
        assert!(!is_remembered(&insert(1_000)));
    }
}

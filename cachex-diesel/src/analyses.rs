//! What statements do, remembered: by their type where that says it all, else by their text.

use std::any::TypeId;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use diesel::QueryResult;
use diesel::query_builder::{QueryFragment, QueryId};
use foldhash::fast::RandomState;

use crate::backend::{CacheBackend, sql};
use crate::lex::{self, Control, Dialect, Statement};
use crate::registry::Registry;

/// Texts that are remembered, twice: the latest, and those before.
const MOST: usize = 1024;

/// What a text does.
#[derive(Debug)]
pub(crate) struct Script {
    pub(crate) statements: Box<[Statement]>,
    /// Whether it is more than a query.
    pub(crate) has_effects: bool,
}

impl Script {
    /// Of something that is known by what it writes.
    pub(crate) fn of_writes(writes: crate::lex::Writes) -> Self {
        let has_effects = !writes.is_none();
        Self { statements: [Statement { writes, ..Statement::default() }].into(), has_effects }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Analyses {
    by_type: RwLock<HashMap<(TypeId, Dialect), Arc<Script>, RandomState>>,
    /// By dialect.
    by_text: [Mutex<[Texts; 2]>; 3],
}

type Texts = HashMap<Box<str>, Arc<Script>, RandomState>;

impl Analyses {
    /// Returns what a query does.
    pub(crate) fn of<DB, T>(&self, query: &T, registry: &RwLock<Registry>) -> QueryResult<Arc<Script>>
    where
        DB: CacheBackend,
        T: QueryFragment<DB> + QueryId,
    {
        // The text of a type is always the same: so is what it does.
        let Some(id) = T::query_id().map(|id| (id, DB::DIALECT)) else {
            return Ok(self.of_text(&sql::<DB, T>(query)?, DB::DIALECT, registry));
        };
        if let Some(known) = self.by_type.read().unwrap_or_else(PoisonError::into_inner).get(&id) {
            return Ok(known.clone());
        }
        let script = read(&sql::<DB, T>(query)?, DB::DIALECT, registry);
        self.by_type.write().unwrap_or_else(PoisonError::into_inner).insert(id, script.clone());
        Ok(script)
    }

    /// Returns what a text does.
    pub(crate) fn of_text(&self, text: &str, dialect: Dialect, registry: &RwLock<Registry>) -> Arc<Script> {
        if let Some(known) = self.known(text, dialect) {
            return known;
        }
        let script = read(text, dialect, registry);
        let [latest, before] = &mut *self.texts(dialect);
        if latest.len() >= MOST {
            *before = std::mem::take(latest);
        }
        latest.insert(text.into(), script.clone());
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

fn read(text: &str, dialect: Dialect, registry: &RwLock<Registry>) -> Arc<Script> {
    let mut statements = lex::analyse(text, dialect);
    let registry = registry.read().unwrap_or_else(PoisonError::into_inner);
    statements.iter_mut().for_each(|statement| registry.complete(statement));
    let has_effects = statements.iter().any(|statement| {
        !statement.writes.is_none() || statement.control != Control::None || statement.changes_session
    });
    Arc::new(Script { statements: statements.into(), has_effects })
}

//! What a connection knows of itself: its transaction, its scope, and what is to be done when it commits.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use diesel::QueryResult;
use diesel::query_builder::{QueryFragment, QueryId};
use diesel::result::Error;

use crate::analyses::Script;
use crate::backend::CacheBackend;
use crate::handle::{DieselCache, OnUnknown};
use crate::lex::{Control, Dialect, Statement, Writes};
use crate::track::{Outcome, Tracker};

type Callback = Box<dyn FnOnce() + Send>;

/// What a connection knows of itself.
pub(crate) struct State {
    db: Option<DieselCache>,
    tracker: Tracker,
    is_postgres: bool,
    /// Whose rows it sees.
    scope: Option<Box<str>>,
    /// Whether what it sees is another thing than what its scope says …
    is_changed: bool,
    /// … or will be, when the transaction ends: what was set in it may be undone with that.
    is_set_within: bool,
    /// Whether what the transaction wrote is of several scopes.
    is_mixed: bool,
    /// Whether something failed in the transaction, for which PostgreSQL rolls it back when it is committed.
    has_failed: bool,
    /// What is called after the commit, and how deep the transaction was when that was said.
    callbacks: Vec<(usize, Callback)>,
}

impl State {
    pub(crate) fn new(dialect: Dialect, db: Option<DieselCache>) -> Self {
        Self {
            db,
            tracker: Tracker::new(dialect),
            is_postgres: dialect == Dialect::Postgres,
            scope: None,
            is_changed: false,
            is_set_within: false,
            is_mixed: false,
            has_failed: false,
            callbacks: Vec::new(),
        }
    }

    /// Gives it a cache.
    pub(crate) fn attach(&mut self, db: DieselCache) {
        self.db = Some(db);
    }

    pub(crate) fn db(&self) -> Option<&DieselCache> {
        self.db.as_ref()
    }

    pub(crate) fn scope(&self) -> Option<&str> {
        self.scope.as_deref()
    }

    pub(crate) fn set_scope(&mut self, scope: Option<&str>) {
        if self.tracker.is_in_transaction() {
            // Break this (drop the lines) and what was written before in the former scope is told in this one only.
            self.is_mixed |= self.scope.as_deref() != scope;
            self.is_set_within = true;
        }
        self.scope = scope.map(Box::from);
        self.is_changed = false;
    }

    pub(crate) fn is_changed(&self) -> bool {
        self.is_changed
    }

    pub(crate) fn tracker(&self) -> &Tracker {
        &self.tracker
    }

    /// Notes how deep the transaction manager is. Returns whether a transaction may be open that it knows nothing of.
    #[cfg(feature = "r2d2")]
    pub(crate) fn is_left_open(&mut self, depth: Option<u32>) -> bool {
        let told = self.tracker.sync(depth);
        self.tell(told);
        self.tracker.is_left_open()
    }

    pub(crate) fn begin_test(&mut self) {
        self.tracker.begin_test();
    }

    /// Returns what a query does.
    pub(crate) fn script<DB, T>(&self, query: &T) -> QueryResult<Arc<Script>>
    where
        DB: CacheBackend,
        T: QueryFragment<DB> + QueryId,
    {
        let shared = &self.known()?.0;
        shared.analyses.of::<DB, T>(query, &shared.registry)
    }

    /// Returns what a text does.
    pub(crate) fn script_of_text(&self, text: &str, dialect: Dialect) -> QueryResult<Arc<Script>> {
        let shared = &self.known()?.0;
        Ok(shared.analyses.of_text(text, dialect, &shared.registry))
    }

    fn known(&self) -> QueryResult<&DieselCache> {
        self.db.as_ref().ok_or_else(|| {
            refused(
                "a connection without a `DieselCache`: make it by `DieselCache::wrap`, give it to the pool by \
                 `DieselCache::customizer`, or call `DieselCache::install` before the first connection is made",
            )
        })
    }

    /// Notes that a text is about to be sent, and how deep the transaction manager is.
    ///
    /// # Errors
    ///
    /// It is to be refused.
    pub(crate) fn before(&mut self, script: &Script, depth: Option<Option<u32>>) -> QueryResult<()> {
        let told = match depth {
            Some(depth) => self.tracker.sync(depth),
            None => self.tracker.lose(),
        };
        self.tell(told);
        if let Some(db) = &self.db {
            db.0.counters.operations.fetch_add(1, Ordering::Relaxed);
        }
        if script.has_effects && self.refuses() && script.statements.iter().any(is_unknown) {
            self.count_unknown();
            return Err(refused(
                "it is not known what this statement writes, and `OnUnknown::Refuse` is set; name the tables it writes in \
                 `CachingConnection::with_inner`",
            ));
        }
        Ok(())
    }

    fn refuses(&self) -> bool {
        self.db.as_ref().is_some_and(|db| db.0.on_unknown == OnUnknown::Refuse)
    }

    /// Notes what became of it.
    pub(crate) fn after(&mut self, script: &Script, outcome: Outcome) {
        // What fails may have ended the transaction, also if it only reads.
        if !script.has_effects && outcome == Outcome::Done {
            return;
        }
        self.has_failed |= outcome == Outcome::Failed && self.tracker.is_in_transaction();
        let is_ignored = self.db.as_ref().is_some_and(|db| db.0.on_unknown == OnUnknown::Ignore);
        let (mut told, mut called) = (Writes::default(), Vec::new());
        if script.statements.len() > 1 && outcome == Outcome::Failed {
            told = self.tracker.note(&script.statements, outcome);
            self.change(script.statements.iter().any(|statement| statement.changes_session));
            self.callbacks.clear();
        } else {
            for statement in &script.statements {
                if is_unknown(statement) {
                    self.count_unknown();
                }
                let forgiven;
                let statement = if is_ignored && is_unknown(statement) {
                    forgiven = Statement { writes: Writes::default(), ..statement.clone() };
                    &forgiven
                } else {
                    statement
                };
                told.add(self.tracker.note(std::slice::from_ref(statement), outcome));
                self.change(statement.changes_session);
                called.append(&mut self.callbacks_of(&statement.control, outcome));
            }
        }
        // In this order: what is called after the commit finds nothing from before it.
        // Break this (call first) and it does.
        self.tell(told);
        self.end();
        called.into_iter().for_each(|(_, callback)| callback());
    }

    /// Notes that the session was changed.
    fn change(&mut self, is_changed: bool) {
        self.is_changed |= is_changed;
        self.is_set_within |= is_changed && self.tracker.is_in_transaction();
    }

    /// Forgets what was of the transaction, once it is over.
    fn end(&mut self) {
        if !self.tracker.is_in_transaction() {
            // What was set within it is undone, or not.
            self.is_changed |= self.is_set_within;
            (self.is_set_within, self.is_mixed, self.has_failed) = (false, false, false);
        }
    }

    /// Tells what is written by statements that are done, while their rows are still to be read.
    pub(crate) fn tell_early(&mut self, script: &Script) {
        if self.tracker.is_in_transaction() {
            return;
        }
        let mut told = Writes::default();
        script.statements.iter().for_each(|statement| told.add(statement.writes.clone()));
        self.tell(told);
    }

    /// Invalidates tables as a write of them does.
    pub(crate) fn write(&mut self, writes: Writes) {
        let statement = Statement { writes, ..Statement::default() };
        let told = self.tracker.note(&[statement], Outcome::Done);
        self.tell(told);
    }

    /// Calls back after the commit; at once, where there is nothing to commit.
    pub(crate) fn after_commit(&mut self, callback: Callback) {
        if self.tracker.is_in_transaction() {
            self.callbacks.push((self.tracker.depth(), callback));
        } else {
            callback();
        }
    }

    /// Drops what was to be called after the commit of what was rolled back. Returns what is to be called.
    fn callbacks_of(&mut self, control: &Control, outcome: Outcome) -> Vec<(usize, Callback)> {
        let depth = self.tracker.depth();
        match (control, outcome) {
            // PostgreSQL says that this is done where it rolls back.
            (Control::Commit { .. }, Outcome::Done) if !(self.has_failed && self.is_postgres) => {
                return std::mem::take(&mut self.callbacks);
            }
            (Control::Commit { .. } | Control::Rollback { .. } | Control::Prepare, _) => self.callbacks.clear(),
            (Control::RollbackTo(_), Outcome::Done) => {
                self.callbacks.retain(|(at, _)| *at < depth);
                self.has_failed = false;
                self.is_changed |= self.is_set_within;
            }
            (Control::Release(_), Outcome::Done) => {
                self.callbacks.iter_mut().for_each(|(at, _)| *at = (*at).min(depth));
                if !self.tracker.is_in_transaction() {
                    return std::mem::take(&mut self.callbacks);
                }
            }
            _ => {}
        }
        Vec::new()
    }

    fn tell(&mut self, writes: Writes) {
        if writes.is_none() {
            return;
        }
        // Without one, nothing was sent.
        if let Some(db) = &self.db {
            db.tell(&writes, self.scope.as_deref().filter(|_| !self.is_changed && !self.is_mixed)).wait();
        }
    }

    fn count_unknown(&self) {
        self.db.iter().for_each(|db| {
            db.0.counters.unknown.fetch_add(1, Ordering::Relaxed);
        });
    }
}

impl Drop for State {
    fn drop(&mut self) {
        // What was read within the transaction of a test is nobody else's, and gone with it.
        if self.tracker.is_test() {
            self.tell(Writes::Unknown);
        }
    }
}

fn is_unknown(statement: &Statement) -> bool {
    statement.writes == Writes::Unknown
}

fn refused(why: &str) -> Error {
    Error::QueryBuilderError(why.into())
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State").field("tracker", &self.tracker).field("scope", &self.scope).finish_non_exhaustive()
    }
}

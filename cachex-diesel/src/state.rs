//! What a connection knows of itself: its transaction, its scope, and what is to be done when it commits.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cachex::Fence;
use diesel::QueryResult;
use diesel::query_builder::{QueryFragment, QueryId};
use diesel::result::Error;

use crate::analyses::{self, Script};
use crate::backend::CacheBackend;
use crate::event::DieselEvent;
use crate::handle::{Consistency, DieselCache, OnUnknown};
use crate::lex::{Control, Dialect, Statement, Writes};
use crate::outcome::outcome;
use crate::recent::Recent;
use crate::stats::Counters;
use crate::told::{Callback, Told};
use crate::track::{Outcome, Tracker};

/// What a connection knows of itself.
pub(crate) struct State {
    db: Option<DieselCache>,
    tracker: Tracker,
    dialect: Dialect,
    /// Whose rows it sees.
    scope: Option<Box<str>>,
    /// Whether what it sees is another thing than what its scope says …
    is_changed: bool,
    /// … or will be, when the transaction ends: what was set in it may be undone with that.
    is_set_within: bool,
    /// Whether what the transaction wrote is of several scopes.
    is_mixed: bool,
    /// Whether something failed in the transaction, or may have, for which PostgreSQL rolls it back when it is committed.
    has_failed: bool,
    /// What is called after the commit, and how deep the transaction was when that was said.
    callbacks: Vec<(usize, Callback)>,
    /// What is being written, and hidden until that is told.
    fence: Option<Fence>,
    /// What was sent, and whose answer nobody heard: it may be written at any time until the server answers what is sent next.
    owed: Owed,
    /// Whether answers can't be told apart any more.
    is_deaf: bool,
    /// Whether the session ever was another one than it began as.
    is_used: bool,
    recent: Recent,
}

/// What may still be written, and what hides it meanwhile.
#[derive(Default)]
struct Owed {
    writes: Writes,
    fence: Option<Fence>,
}

/// Longer than any connection lives.
const EVER: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// How deep the transaction manager is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Depth {
    Known(Option<u32>),
    /// It does not know.
    Lost,
}

impl Depth {
    /// Returns by which text the transaction manager commits what is innermost.
    pub(crate) fn commit(self) -> Cow<'static, str> {
        match self {
            Self::Known(Some(depth @ 2..)) => format!("RELEASE SAVEPOINT diesel_savepoint_{}", depth - 1).into(),
            // What is asked for where it is lost is refused before it is sent.
            Self::Known(_) | Self::Lost => "COMMIT".into(),
        }
    }
}

impl State {
    pub(crate) fn new(dialect: Dialect, db: Option<DieselCache>) -> Self {
        Self {
            db,
            tracker: Tracker::new(dialect),
            dialect,
            scope: None,
            is_changed: false,
            is_set_within: false,
            is_mixed: false,
            has_failed: false,
            callbacks: Vec::new(),
            fence: None,
            owed: Owed::default(),
            is_deaf: false,
            is_used: false,
            recent: Recent::default(),
        }
    }

    /// Gives it a cache.
    pub(crate) fn attach(&mut self, db: DieselCache) {
        // Another one may know other tables.
        self.recent = Recent::default();
        self.db = Some(db);
    }

    pub(crate) fn db(&self) -> Option<&DieselCache> {
        self.db.as_ref()
    }

    pub(crate) fn scope(&self) -> Option<&str> {
        self.scope.as_deref()
    }

    pub(crate) fn set_scope(&mut self, scope: Option<&str>) {
        self.is_used = true;
        if self.tracker.is_in_transaction() {
            // Break this (drop the lines) and what was written before in the former scope is told in this one only.
            self.is_mixed |= self.scope.as_deref() != scope;
            self.is_set_within = true;
        }
        self.scope = scope.map(Box::from);
        self.is_changed = false;
    }

    /// Whether what it sees is another thing than what its scope says, or what it hears something else than it asked for.
    pub(crate) fn is_changed(&self) -> bool {
        self.is_changed || self.is_deaf
    }

    pub(crate) fn tracker(&self) -> &Tracker {
        &self.tracker
    }

    /// Notes how deep the transaction manager is. Returns whether a transaction may be open that it knows nothing of.
    #[cfg(any(feature = "r2d2", feature = "async"))]
    pub(crate) fn is_left_open(&mut self, depth: Option<u32>) -> bool {
        let told = self.tracker.sync(depth);
        // Whoever takes the connection next does not wait for it, but this process knows of it at once.
        drop(self.tell(&told));
        self.tracker.is_left_open()
    }

    pub(crate) fn begin_test(&mut self) {
        self.tracker.begin_test();
    }

    /// Returns what a query does.
    pub(crate) fn script<DB, T>(&mut self, query: &T) -> QueryResult<Arc<Script>>
    where
        DB: CacheBackend,
        T: QueryFragment<DB> + QueryId,
    {
        let (db, recent) = self.known()?;
        db.0.analyses.of::<DB, T>(query, &db.0.registry, recent)
    }

    /// Returns what a text does.
    pub(crate) fn script_of_text(&mut self, text: &str, dialect: Dialect) -> QueryResult<Arc<Script>> {
        let (db, recent) = self.known()?;
        Ok(db.0.analyses.of_text(text, dialect, &db.0.registry, recent))
    }

    fn known(&mut self) -> QueryResult<(&DieselCache, &mut Recent)> {
        let Some(db) = &self.db else {
            return Err(refused(
                "a connection without a `DieselCache`: make it by `DieselCache::wrap`, give it to the pool by \
                 `DieselCache::customizer`, or call `DieselCache::install` before the first connection is made",
            ));
        };
        Ok((db, &mut self.recent))
    }

    /// Notes that a text is about to be sent, and how deep the transaction manager is. Returns what is invalidated by that.
    ///
    /// # Errors
    ///
    /// It is to be refused.
    pub(crate) fn before(&mut self, script: &Script, depth: Depth) -> QueryResult<Told> {
        let told = self.reach(depth);
        if let Some(db) = self.db.as_ref().filter(|_| script.only_writes()) {
            db.check_reach()?;
        }
        if script.has_effects && self.refuses() && script.statements.iter().any(is_unknown) {
            script
                .statements
                .iter()
                .filter(|statement| is_unknown(statement))
                .for_each(|statement| self.unknown(statement));
            self.count(|counters| &counters.refused);
            return Err(refused(
                "it is not known what this statement writes, and `OnUnknown::Refuse` is set; name the tables it writes in \
                 `with_inner` of the connection",
            ));
        }
        self.hide(script);
        Ok(told)
    }

    /// As [`before`](Self::before), of what is done within, which is never refused.
    pub(crate) fn before_within(&mut self, script: &Script, depth: Depth) -> Told {
        let told = self.reach(depth);
        self.hide(script);
        told
    }

    /// Notes how deep the transaction manager is.
    fn reach(&mut self, depth: Depth) -> Told {
        let writes = match depth {
            Depth::Known(depth) => self.tracker.sync(depth),
            Depth::Lost => self.tracker.lose(),
        };
        self.count(|counters| &counters.operations);
        self.tell(&writes)
    }

    fn count(&self, counter: impl FnOnce(&Counters) -> &AtomicU64) {
        if let Some(db) = &self.db {
            counter(&db.0.counters).fetch_add(1, Ordering::Relaxed);
        }
    }

    fn refuses(&self) -> bool {
        self.db.as_ref().is_some_and(|db| db.0.on_unknown == OnUnknown::Refuse)
    }

    /// Hides what may be written, until that is told: then nobody sees the new rows in the database and the old ones in the cache afterwards.
    // Break this (leave it out) and between the commit and its invalidation others are answered from before it.
    fn hide(&mut self, script: &Script) {
        let Some(db) = self.db.as_ref().filter(|_| script.has_effects) else { return };
        if let Consistency::Fenced { lease } = db.0.consistency {
            let foreseen = self.tracker.foreseen(&script.statements);
            self.fence = self.fence_of(&foreseen, lease);
        }
    }

    fn fence_of(&self, writes: &Writes, lease: Duration) -> Option<Fence> {
        let db = self.db.as_ref().filter(|_| !writes.is_none())?;
        Some(db.fence(writes, self.told_scope(), lease))
    }

    /// Returns what became of something, by what the connection within returned.
    pub(crate) fn outcome<R>(&self, done: &QueryResult<R>) -> Outcome {
        outcome(self.dialect, done)
    }

    /// Notes what became of it. Returns what is to be waited for, and called then.
    pub(crate) fn after(&mut self, script: &Script, outcome: Outcome) -> Told {
        // Most of what is sent: a query, or a write outside of transactions.
        let owes_nothing = !self.is_deaf && self.owed.writes.is_none();
        if outcome == Outcome::Done && !script.has_effects && owes_nothing {
            self.has_failed &= script.statements.is_empty();
            return Told::default();
        }
        if let Some((alone, writes)) = script.alone()
            && outcome == Outcome::Done
            && owes_nothing
            && self.is_plain()
            && let Some(db) = &self.db
        {
            return Told::of(db.tell_alone(alone, writes));
        }
        self.after_any(script, outcome)
    }

    /// Whether a write that is done is committed, concerns no scope, and ends nothing else.
    // Break this (leave out that it is in no transaction) and it is told before it is committed, and then never.
    fn is_plain(&self) -> bool {
        let is_usual = !(self.is_changed || self.is_mixed || self.is_set_within);
        is_usual && !self.tracker.is_in_transaction() && self.scope.is_none() && self.fence.is_none()
    }

    /// As [`after`](Self::after), of whatever else there is.
    fn after_any(&mut self, script: &Script, outcome: Outcome) -> Told {
        // This client takes the answer of what was given up for that of what came next.
        // Break this (leave it out) and what is written then is told before it is done.
        self.is_deaf |= outcome == Outcome::Unknown && self.dialect == Dialect::Mysql;
        let outcome = if self.is_deaf { Outcome::Unknown } else { outcome };
        // The server does one thing after another: what was sent before is done as well, or never will be.
        let mut told = if outcome == Outcome::Done { self.pay() } else { Told::default() };
        // PostgreSQL does nothing more where something has failed: so nothing has.
        let is_control = script.statements.iter().any(|statement| statement.control != Control::None);
        if outcome == Outcome::Done && !is_control && !script.statements.is_empty() {
            self.has_failed = false;
        }
        // What fails may have ended the transaction, also if it only reads.
        if !script.has_effects && outcome == Outcome::Done {
            return told;
        }
        let may_have_failed = outcome == Outcome::Failed || outcome == Outcome::Unknown && script.has_effects;
        self.has_failed |= may_have_failed && self.tracker.is_in_transaction();
        // Of a text in which something failed it is not known how far it came.
        let is_whole = outcome == Outcome::Unknown || script.statements.len() > 1 && outcome != Outcome::Done;
        let (writes, called) =
            if is_whole { (self.note_whole(script, outcome), Vec::new()) } else { self.note_each(script, outcome) };
        told.add(self.tell(&writes));
        let fence = self.fence.take();
        if outcome == Outcome::Unknown {
            self.owe(writes, fence);
        } else {
            told.lift(fence);
        }
        self.end();
        // What is called after the commit finds nothing from before it.
        told.call(called.into_iter().map(|(_, callback)| callback));
        // Only now: whoever hears of it may take his time.
        // Break this (do it first) and others are answered from before what was written meanwhile.
        script.statements.iter().for_each(|statement| self.observe(statement));
        told
    }

    /// Notes what a text may have done, in any part. Returns what is told.
    fn note_whole(&mut self, script: &Script, outcome: Outcome) -> Writes {
        let writes = self.tracker.note(&script.statements, outcome);
        self.change(script.statements.iter().any(|statement| statement.changes_session));
        if outcome != Outcome::Unknown || script.statements.iter().any(|statement| statement.control != Control::None) {
            self.callbacks.clear();
        }
        writes
    }

    /// Notes what each statement of a text did. Returns what is told, and called then.
    fn note_each(&mut self, script: &Script, outcome: Outcome) -> (Writes, Vec<(usize, Callback)>) {
        let is_ignored = self.db.as_ref().is_some_and(|db| db.0.on_unknown == OnUnknown::Ignore);
        let (mut writes, mut called, mut before) = (Writes::default(), Vec::new(), Writes::default());
        for statement in &script.statements {
            let forgiven;
            let statement = if is_ignored && is_unknown(statement) {
                forgiven = Statement { writes: Writes::default(), ..statement.clone() };
                &forgiven
            } else {
                statement
            };
            // Break this (forget what was before) and what came before `BEGIN` is told before it is committed, and then never.
            writes.add(self.tracker.next(statement, outcome, &mut before));
            self.change(statement.changes_session);
            called.append(&mut self.callbacks_of(&statement.control, outcome));
        }
        (writes, called)
    }

    /// Notes what became of something of which nothing is known, not even whether it began or ended a transaction. It is never forgiven.
    pub(crate) fn after_anything(&mut self, outcome: Outcome) -> Told {
        let anything = Statement { writes: Writes::Unknown, control: Control::Block, ..Statement::default() };
        self.is_deaf |= outcome == Outcome::Unknown && self.dialect == Dialect::Mysql;
        self.has_failed |= outcome != Outcome::Done && self.tracker.is_in_transaction();
        // It may have been the end of what they wait for, or not.
        self.callbacks.clear();
        let writes = self.tracker.note(&[anything], outcome);
        let told = self.tell(&writes);
        self.change(true);
        if outcome == Outcome::Unknown {
            // Break this (leave it out) and what the server does of it later is never told.
            self.owe(Writes::Unknown, None);
        }
        told
    }

    /// Returns what a text does, which is not remembered: there may be values in it.
    pub(crate) fn script_alone(&self, text: &str) -> Option<Arc<Script>> {
        let db = self.db.as_ref()?;
        Some(analyses::read(text, self.dialect, &db.0.registry))
    }

    /// Notes how deep the transaction manager is, after all that made it so was noted.
    pub(crate) fn settle_depth(&mut self, depth: Depth) -> Told {
        let writes = match depth {
            Depth::Known(depth) => {
                self.tracker.settle(depth);
                Writes::default()
            }
            Depth::Lost => self.tracker.lose(),
        };
        self.tell(&writes)
    }

    /// Tells what was written within, where it was named. No server has answered for it.
    pub(crate) fn after_within(&mut self, script: &Script) -> Told {
        let writes = self.tracker.note(&script.statements, Outcome::Done);
        let mut told = self.tell(&writes);
        told.lift(self.fence.take());
        told
    }

    /// Keeps in mind what may still be written, and hides it meanwhile.
    fn owe(&mut self, writes: Writes, fence: Option<Fence>) {
        let before = self.owed.writes.clone();
        self.owed.writes.add(writes);
        if self.owed.writes != before {
            // Break this (no fence) and what is read before it is written stays until the next answer.
            self.owed.fence = self.owed_fence(EVER);
        }
        // What was hidden before is hidden by the new one.
        drop(fence);
    }

    /// Hides what may still be written, in whichever scope: that of the connection may be another one by now.
    fn owed_fence(&self, lease: Duration) -> Option<Fence> {
        let db = self.db.as_ref().filter(|_| !self.owed.writes.is_none())?;
        Some(db.fence(&self.owed.writes, None, lease))
    }

    /// Tells what was left, and is written by now.
    // Break this (return at once) and it is hidden for as long as the connection is there.
    fn pay(&mut self) -> Told {
        if self.owed.writes.is_none() {
            return Told::default();
        }
        let Owed { writes, fence } = std::mem::take(&mut self.owed);
        let delivery = self.db.as_ref().filter(|_| !writes.is_none()).map(|db| db.tell(&writes, None));
        let mut told = delivery.map_or_else(Told::default, Told::of);
        told.lift(fence);
        told
    }

    /// Whether whoever has the connection next would not know what it has to.
    pub(crate) fn is_unfit(&self) -> bool {
        let is_left_open = self.tracker.is_in_transaction() && !self.tracker.is_test();
        is_left_open || self.is_changed || self.is_used || !self.owed.writes.is_none() || self.is_deaf
    }

    /// Whether something was sent whose answer nobody heard.
    #[cfg(any(feature = "r2d2", feature = "async"))]
    pub(crate) fn owes(&self) -> bool {
        !self.owed.writes.is_none() || self.is_deaf
    }

    /// Notes that the session was changed.
    fn change(&mut self, is_changed: bool) {
        self.is_used |= is_changed;
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
    pub(crate) fn tell_early(&mut self, script: &Script) -> Told {
        if self.tracker.is_in_transaction() {
            return Told::default();
        }
        let mut writes = Writes::default();
        script.statements.iter().for_each(|statement| writes.add(statement.writes.clone()));
        self.tell(&writes)
    }

    /// Invalidates tables as a write of them does.
    pub(crate) fn write(&mut self, writes: Writes) -> Told {
        let statement = Statement { writes, ..Statement::default() };
        let writes = self.tracker.note(&[statement], Outcome::Done);
        self.tell(&writes)
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
            (Control::Commit { .. }, Outcome::Done) if !(self.has_failed && self.dialect == Dialect::Postgres) => {
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

    fn tell(&self, writes: &Writes) -> Told {
        // Without a cache, nothing was sent.
        match &self.db {
            Some(db) if !writes.is_none() => Told::of(db.tell(writes, self.told_scope())),
            _ => Told::default(),
        }
    }

    /// Returns whose rows were written, if that is known.
    fn told_scope(&self) -> Option<&str> {
        self.scope.as_deref().filter(|_| !self.is_changed && !self.is_mixed)
    }

    /// Says what nobody may have expected of a statement.
    fn observe(&self, statement: &Statement) {
        if is_unknown(statement) {
            self.unknown(statement);
        }
        if let Some(db) = self.db.as_ref().filter(|_| statement.changes_session) {
            db.0.observer.tell(|| DieselEvent::SessionChanged);
        }
    }

    /// Notes a statement of which it is not known what it writes.
    fn unknown(&self, statement: &Statement) {
        if let Some(db) = &self.db {
            db.0.counters.unknown.fetch_add(1, Ordering::Relaxed);
            db.0.observer.tell(|| DieselEvent::UnknownStatement { word: statement.word.clone() });
        }
    }
}

impl Drop for State {
    fn drop(&mut self) {
        // What was read within the transaction of a test is nobody else's, and gone with it.
        if self.tracker.is_test() {
            drop(self.tell(&Writes::Unknown));
        }
        // Nobody will see an answer any more. What was sent may still be done, for as long as a lease.
        // Break this (drop them) and what is read meanwhile stays.
        let lease = self.db.as_ref().map(|db| db.0.lease);
        let fence = lease.and_then(|lease| self.owed_fence(lease));
        fence.into_iter().for_each(Fence::abandon);
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

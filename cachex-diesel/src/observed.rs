//! What is done with the connection within, found out by Diesel's own instrumentation.

use std::fmt::Write;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use diesel::connection::{
    Connection, DebugQuery, Instrumentation, InstrumentationEvent, TransactionManager, get_default_instrumentation,
};
use diesel::result::Error;

use crate::analyses::Script;
use crate::backend::CacheBackend;
use crate::connection::{CachingConnection, depth_of};
use crate::lex::{Dialect, Writes};
use crate::outcome::of_error;
use crate::state::State;
use crate::told::Told;
use crate::track::Outcome;

/// Hears what is sent, while somebody wants to know it, and hands all on to the user's own.
pub(crate) struct Ear {
    user: Box<dyn Instrumentation>,
    heard: Heard,
    dialect: Dialect,
}

/// What was heard; nothing while nobody wants to know.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Option<Texts>>>);

/// The texts that were sent: nothing in the place of one that can't be told.
#[derive(Default)]
struct Texts {
    /// In the order in which they ended.
    ended: Vec<(Option<String>, Outcome)>,
    /// Those that have begun: what a query needs to know is asked after it was begun, and before it is sent.
    open: Vec<Option<String>>,
}

impl Heard {
    fn lock(&self) -> MutexGuard<'_, Option<Texts>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ear {
    /// Makes one before the user's own.
    pub(crate) fn before(user: Box<dyn Instrumentation>, dialect: Dialect) -> Self {
        Self { user: unpacked(user), heard: Heard::default(), dialect }
    }

    /// Takes another one of the user.
    pub(crate) fn replace(&mut self, user: impl Instrumentation) {
        self.user = unpacked(Box::new(user));
    }

    pub(crate) fn user(&mut self) -> &mut dyn Instrumentation {
        &mut *self.user
    }

    fn hear(&self, event: &InstrumentationEvent<'_>) {
        let mut heard = self.heard.lock();
        let Some(texts) = &mut *heard else { return };
        match event {
            // Break this (note it when it has ended) and what was sent when somebody panicked is not told.
            InstrumentationEvent::StartQuery { query, .. } => texts.open.push(text_of(*query)),
            // Some are said to end twice, the second time well.
            // Break this (keep the order in which they began) and what was asked first counts as the answer to what was lost after it.
            InstrumentationEvent::FinishQuery { error, .. } => {
                if let Some(text) = texts.open.pop() {
                    let outcome = error.map_or(Outcome::Done, |error: &Error| of_error(self.dialect, error));
                    texts.ended.push((text, outcome));
                }
            }
            _ => {}
        }
    }
}

impl Instrumentation for Ear {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        // First: the user's own may panic.
        self.hear(&event);
        self.user.on_connection_event(event);
    }
}

/// Returns what is in boxes of its own, as Diesel does: whoever asks for it by its type finds it.
fn unpacked(mut user: Box<dyn Instrumentation>) -> Box<dyn Instrumentation> {
    loop {
        match user.downcast::<Box<dyn Instrumentation>>() {
            Ok(within) => user = *within,
            Err(itself) => return itself,
        }
    }
}

/// Stands where the user has none.
struct Nobody;

impl Instrumentation for Nobody {
    fn on_connection_event(&mut self, _: InstrumentationEvent<'_>) {}
}

/// Returns what a query sends; nothing if that can't be told from what is shown with it.
fn text_of(query: &dyn DebugQuery) -> Option<String> {
    let mut text = String::new();
    write!(text, "{query}").ok()?;
    // Binds follow as a comment, which ends with the line.
    // Break this (return it) and what is in a bind is taken for a `COMMIT`.
    let is_clear = text.split_once(BINDS).is_none_or(|(_, binds)| !binds.contains(['\n', '\r']));
    is_clear.then_some(text)
}

/// What Diesel puts between a text and its binds.
const BINDS: &str = " -- binds: ";

/// Tells what was heard when it is dropped: also if somebody panics.
struct Listening<'a, C>
where
    C: Connection,
    C::Backend: CacheBackend,
{
    inner: &'a mut C,
    state: &'a mut State,
    heard: Heard,
    dialect: Dialect,
}

impl<C> Listening<'_, C>
where
    C: Connection,
    C::Backend: CacheBackend,
{
    /// Notes what became of a text.
    fn note(&mut self, text: Option<String>, outcome: Outcome) -> Told {
        let Some(text) = text else {
            // Without a text, such as that of an update that changes nothing, it never was sent.
            return if outcome == Outcome::Unsent { Told::default() } else { self.state.after_anything(outcome) };
        };
        let begins_with =
            |word: &str| text.trim_start().get(..word.len()).is_some_and(|lead| lead.eq_ignore_ascii_case(word));
        let is_uncertain = match self.dialect {
            // As of a `COPY` through the wrapper: of its errors it is not said which are of the connection.
            Dialect::Postgres => outcome != Outcome::Done && begins_with("copy"),
            // Of rows that fail it is said that they are done, and they may have ended the transaction.
            Dialect::Sqlite => self.state.tracker().is_in_transaction() && text.to_lowercase().contains("returning"),
            Dialect::Mysql => false,
        };
        match self.state.script_alone(&text) {
            Some(script) => self.state.after(&script, if is_uncertain { Outcome::Unknown } else { outcome }),
            None => self.state.after_anything(outcome),
        }
    }
}

impl<C> Drop for Listening<'_, C>
where
    C: Connection,
    C::Backend: CacheBackend,
{
    fn drop(&mut self) {
        let Texts { ended, open } = self.heard.lock().take().unwrap_or_default();
        let mut told = Told::default();
        // First all of them: who is called after a commit may panic.
        // Break this (wait for each) and what comes after that is never told.
        for (text, outcome) in ended.into_iter().chain(open.into_iter().map(|text| (text, Outcome::Unknown))) {
            told.add(self.note(text, outcome));
        }
        let ear = self.inner.instrumentation().downcast_ref::<Ear>();
        // Break this (leave it out) and what was written after another one was set is never told.
        if !ear.is_some_and(|ear| Arc::ptr_eq(&ear.heard.0, &self.heard.0)) {
            // It has ended, well or not.
            told.add(self.state.after_anything(Outcome::Failed));
        }
        // Break this (leave it out) and a transaction that was begun within is taken for the one that was ended there, and told too early.
        let depth = depth_of(C::TransactionManager::transaction_manager_status_mut(self.inner));
        told.add(self.state.settle_depth(depth));
        told.wait();
    }
}

impl<C> CachingConnection<C>
where
    C: Connection,
    C::Backend: CacheBackend,
{
    /// Does something with the connection within, and finds out what it writes by Diesel's instrumentation: for what can't be done with the wrapper, where tables are not known to name them in
    /// [`with_inner`](Self::with_inner). Transactions may be begun and ended in it.
    ///
    /// What is written is told once all of it is done; until then others may be answered from before, also with [`Consistency::Fenced`](crate::Consistency::Fenced). Nothing is refused. What Diesel does not
    /// tell its instrumentation (what goes by the C library, say) is not seen. Where it can't be told what was sent, as after another instrumentation was set within, it may have been anything. The user's own instrumentation hears all as before if it was set by this connection, or is the
    /// default; one that was set by [`inner_mut`](Self::inner_mut), or before the connection was wrapped, is replaced by the default one. On a connection that is lent, ours stays before it.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "sqlite")] {
    /// use cachex::{Cache, EntryOptions, Key};
    /// use cachex_diesel::DieselCache;
    /// use diesel::prelude::*;
    ///
    /// diesel::table! {
    ///     users {
    ///         id -> Integer,
    ///     }
    /// }
    ///
    /// let db = DieselCache::builder(Cache::builder().build()?).build();
    /// let mut connection = db.wrap(SqliteConnection::establish(":memory:")?);
    /// diesel::sql_query("CREATE TABLE users (id INTEGER PRIMARY KEY)").execute(&mut connection)?;
    /// let key = Key::new("a");
    /// db.cache().blocking().set(&key, 1, &EntryOptions::new().tag("users"))?;
    /// // A vector, and what it has become: SQLite's own connection alone can do that.
    /// let insert = diesel::insert_into(users::table).values(vec![users::id.eq(1), users::id.eq(2)]).returning(users::id);
    /// assert_eq!(connection.observed(|inner| insert.get_results::<i32>(inner))?, [1, 2]);
    /// assert!(!db.cache().blocking().exists(&key));
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn observed<R>(&mut self, work: impl FnOnce(&mut C) -> R) -> R {
        let dialect = <C::Backend as crate::backend::sealed::Known>::DIALECT;
        let depth = self.depth();
        let Self { inner, state, .. } = self;
        if !inner.instrumentation().is::<Ear>() {
            let user = get_default_instrumentation().unwrap_or_else(|| Box::new(Nobody));
            inner.set_instrumentation(Ear::before(user, dialect));
        }
        let ear = inner.instrumentation().downcast_ref::<Ear>();
        let heard = ear.map_or_else(Heard::default, |ear| ear.heard.clone());
        *heard.lock() = Some(Texts::default());
        state.before_within(&Script::of_writes(Writes::default()), depth).wait();
        let listening = Listening { inner, state, heard, dialect };
        work(listening.inner)
    }
}

#[cfg(all(test, feature = "sqlite"))]
mod tests {
    use diesel::result::DatabaseErrorKind;
    use diesel::sqlite::Sqlite;

    use super::*;

    #[test]
    fn what_was_asked_first_comes_before_what_was_sent_after_it_and_nothing_ends_twice() {
        let (write, look) = (diesel::sql_query("UPDATE a SET b = 1"), diesel::sql_query("SELECT 1"));
        let (write, look) = (diesel::debug_query::<Sqlite, _>(&write), diesel::debug_query::<Sqlite, _>(&look));
        let lost = Error::DatabaseError(DatabaseErrorKind::ClosedConnection, Box::new(String::new()));
        let mut ear = Ear::before(Box::new(Nobody), Dialect::Postgres);
        ear.on_connection_event(InstrumentationEvent::start_query(&look));
        assert!(ear.heard.lock().is_none(), "nobody wants to know");
        *ear.heard.lock() = Some(Texts::default());
        for event in [
            InstrumentationEvent::start_query(&write),
            InstrumentationEvent::start_query(&look),
            InstrumentationEvent::finish_query(&look, None),
            InstrumentationEvent::finish_query(&write, Some(&lost)),
            InstrumentationEvent::finish_query(&write, None),
            InstrumentationEvent::start_query(&look),
        ] {
            ear.on_connection_event(event);
        }
        let texts = ear.heard.lock().take().unwrap_or_default();
        assert_eq!(
            texts.ended.iter().map(|(_, outcome)| *outcome).collect::<Vec<_>>(),
            [Outcome::Done, Outcome::Unknown]
        );
        assert!(texts.ended[1].0.as_ref().is_some_and(|text| text.starts_with("UPDATE")));
        assert_eq!(texts.open.len(), 1);
    }
}

//! What a connection has written and not yet committed.
//!
//! What must hold:
//!
//! 1. What is committed is told once it is committed, and before anybody who waits for that goes on.
//! 2. What is rolled back is never told, where that is certain.
//! 3. Where it is not certain what the server did, what may have been written is told: too much does no harm, too little leaves something stale.
//!
//! Nothing is done here: what is to be invalidated is returned.

use crate::lex::{Control, Dialect, Name, Statement, Writes};

/// Whether the server has done what it was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Done,
    /// The server says that it failed.
    Failed,
    /// It failed before the server had it, or in what was made of the answer.
    Unsent,
    /// Nobody has heard the answer: it may be done, be done later, or fail.
    Unknown,
}

/// The transaction of a connection.
#[derive(Clone, Debug)]
pub(crate) struct Tracker {
    dialect: Dialect,
    /// The transaction, and its savepoints; none: each statement commits itself.
    frames: Vec<Frame>,
    /// It is not known whether there is a transaction …
    is_uncertain: bool,
    /// … or there always is one, begun by whatever comes first.
    has_no_autocommit: bool,
    /// What was written meanwhile: told at once, and when it may be committed.
    loose: Writes,
    /// Whether what is outermost is never committed, as in tests: then what is within it counts.
    is_test: bool,
    /// How deep the transaction manager was, when it was last asked.
    depth: Option<u32>,
}

#[derive(Clone, Debug, Default)]
struct Frame {
    /// Of a savepoint.
    name: Option<Name>,
    writes: Writes,
}

impl Tracker {
    pub(crate) fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            frames: Vec::new(),
            is_uncertain: false,
            has_no_autocommit: false,
            loose: Writes::default(),
            is_test: false,
            depth: None,
        }
    }

    /// Whether it is within a transaction of a test.
    pub(crate) fn is_test(&self) -> bool {
        self.is_test
    }

    /// Says that the transaction manager does not know any more what there is.
    pub(crate) fn lose(&mut self) -> Writes {
        if self.frames.is_empty() || self.is_unsure() { Writes::default() } else { self.lost() }
    }

    /// Whether what is read now may be something that nobody else sees, or not what others see.
    pub(crate) fn is_in_transaction(&self) -> bool {
        !self.frames.is_empty() || self.is_unsure()
    }

    /// Whether what is written may be committed at once, or later.
    fn is_unsure(&self) -> bool {
        self.is_uncertain || self.has_no_autocommit
    }

    /// Returns how many transactions and savepoints are within one another.
    pub(crate) fn depth(&self) -> usize {
        self.frames.len()
    }

    /// Whether a transaction that the transaction manager knows nothing of is open, or may be.
    #[cfg(any(feature = "r2d2", feature = "async", test))]
    pub(crate) fn is_left_open(&self) -> bool {
        self.depth.is_none() && self.is_in_transaction()
    }

    /// Says that the transaction that has just begun is never committed.
    pub(crate) fn begin_test(&mut self) {
        self.is_test = true;
        self.frames.clear();
    }

    /// Notes how deep the transaction manager is. Returns what is to be invalidated: it gives up a transaction without a word when the server
    /// says that there is none.
    // Break this (return nothing) and what was written before a commit of which nobody knows the end stays.
    pub(crate) fn sync(&mut self, depth: Option<u32>) -> Writes {
        let has_ended = self.depth.is_some() && depth.is_none();
        self.depth = depth;
        if has_ended && !self.is_test { self.end() } else { Writes::default() }
    }

    /// As [`sync`](Self::sync), after all that made it so was noted.
    pub(crate) fn settle(&mut self, depth: Option<u32>) {
        self.depth = depth;
    }

    /// Notes what a text did. Returns what is to be invalidated now.
    pub(crate) fn note(&mut self, statements: &[Statement], outcome: Outcome) -> Writes {
        let mut told = Writes::default();
        if outcome == Outcome::Unknown || outcome != Outcome::Done && statements.len() > 1 {
            // Of a text in which something failed, what was before it may have been done, and be committed; so may all of one that nobody waited for.
            let is_control = statements.iter().any(|statement| statement.control != Control::None);
            // Break this (leave it out) and what is committed by a text that fails after its `COMMIT` is never told, if the connection goes then.
            if is_control {
                told = self.recorded();
            }
            // Break this (leave it out) and what is written after a `BEGIN` that nobody waited for is told before it is committed, and then never.
            self.is_uncertain |= is_control;
            self.has_no_autocommit |= statements.iter().any(|statement| statement.control == Control::NoAutocommit);
            self.is_uncertain |= self.may_be_rolled_back();
            for statement in statements {
                told.add_all_of(&statement.writes);
                self.record(&statement.writes);
            }
            return told;
        }
        let mut before = Writes::default();
        statements.iter().for_each(|statement| told.add(self.next(statement, outcome, &mut before)));
        told
    }

    /// As [`note`](Self::note), of the next statement of a text; `before` is what those before it wrote.
    pub(crate) fn next(&mut self, statement: &Statement, outcome: Outcome, before: &mut Writes) -> Writes {
        let had_none = self.frames.is_empty();
        let told = self.one(statement, outcome);
        // In PostgreSQL a text is a transaction, until `BEGIN` makes it a part of one.
        if self.dialect == Dialect::Postgres && had_none {
            if !self.frames.is_empty() {
                self.record(&std::mem::take(before));
            }
            before.add_all_of(&statement.writes);
        }
        told
    }

    fn one(&mut self, statement: &Statement, outcome: Outcome) -> Writes {
        // A statement that failed may have written something all the same: `INSERT OR FAIL` keeps the rows before the one that does not fit.
        let mut told = self.write(&statement.writes);
        told.add(match outcome {
            Outcome::Done => self.control(&statement.control),
            Outcome::Failed | Outcome::Unsent | Outcome::Unknown => self.failed(&statement.control),
        });
        told
    }

    /// Returns what may have to be invalidated once these are done, or have failed.
    pub(crate) fn foreseen(&self, statements: &[Statement]) -> Writes {
        let mut told = self.clone().note(statements, Outcome::Done);
        told.add(self.clone().note(statements, Outcome::Failed));
        told
    }

    /// Notes what was written. Returns it, if it is committed already, or may be.
    fn write(&mut self, writes: &Writes) -> Writes {
        let is_told = self.frames.is_empty() || self.is_unsure();
        self.record(writes);
        if is_told { writes.clone() } else { Writes::default() }
    }

    fn record(&mut self, writes: &Writes) {
        let is_unsure = self.is_unsure();
        match self.frames.last_mut() {
            Some(frame) => frame.writes.add_all_of(writes),
            None if is_unsure => self.loose.add_all_of(writes),
            None => {}
        }
    }

    fn control(&mut self, control: &Control) -> Writes {
        match control {
            Control::None => Writes::default(),
            Control::Begin => self.begin(),
            Control::Commit { then_begins } => self.committed(*then_begins),
            Control::Rollback { then_begins } => self.rolled_back(*then_begins),
            Control::Savepoint(name) => self.savepoint(name),
            Control::Release(name) => self.release(name),
            Control::RollbackTo(name) => self.roll_back_to(name),
            Control::MayCommit => {
                let told = self.recorded();
                // If it has committed, what comes is not part of a transaction any more.
                self.is_uncertain |= !self.frames.is_empty();
                told
            }
            Control::Prepare => {
                // Whoever commits it need not say what is in it.
                self.frames.clear();
                Writes::Unknown
            }
            Control::Block => {
                let told = self.recorded();
                self.is_uncertain = true;
                told
            }
            Control::NoAutocommit => {
                self.has_no_autocommit = true;
                Writes::default()
            }
            Control::Autocommit => {
                self.has_no_autocommit = false;
                self.end()
            }
        }
    }

    /// Notes that something failed which would have changed the transaction.
    fn failed(&mut self, control: &Control) -> Writes {
        self.is_uncertain |= self.may_be_rolled_back();
        match control {
            // It may have been committed, and the answer lost.
            // Break this (return nothing) and so it is with what was written.
            Control::Commit { .. } => {
                let told = self.recorded();
                // A commit that fails ends the transaction there; elsewhere it may be tried again.
                if self.dialect == Dialect::Postgres {
                    self.end();
                }
                told
            }
            // In PostgreSQL, that is a rollback.
            Control::Prepare => self.end(),
            // Perhaps there was nothing any more that could be rolled back.
            Control::Rollback { .. } => {
                self.is_uncertain |= !self.frames.is_empty();
                self.recorded()
            }
            Control::Block => {
                self.is_uncertain = true;
                self.recorded()
            }
            Control::MayCommit | Control::Autocommit => self.recorded(),
            Control::NoAutocommit => {
                self.has_no_autocommit = true;
                Writes::default()
            }
            Control::None | Control::Begin | Control::Savepoint(_) | Control::Release(_) | Control::RollbackTo(_) => {
                Writes::default()
            }
        }
    }

    /// Whether the server may have ended the transaction because something failed in it, as MySQL does at a deadlock, and SQLite where it was told so
    /// (`INSERT OR ROLLBACK`) or can't help it: what comes then is committed at once. PostgreSQL takes nothing any more until the transaction is ended.
    // Break this (return false) and what is written after that, and before the rollback, is never told.
    fn may_be_rolled_back(&self) -> bool {
        self.dialect != Dialect::Postgres && !self.frames.is_empty()
    }

    fn begin(&mut self) -> Writes {
        let told = match self.dialect {
            // What was before is committed by it; in SQLite it fails within a transaction, so that there was none.
            Dialect::Mysql | Dialect::Sqlite => self.end(),
            // Within a transaction it does nothing.
            Dialect::Postgres if !self.frames.is_empty() => return Writes::default(),
            Dialect::Postgres => Writes::default(),
        };
        self.frames.push(Frame::default());
        told
    }

    fn committed(&mut self, then_begins: bool) -> Writes {
        let told = self.end();
        self.is_uncertain = false;
        if then_begins {
            self.frames.push(Frame::default());
        }
        told
    }

    fn rolled_back(&mut self, then_begins: bool) -> Writes {
        // What was read within the transaction of a test is kept, and nobody has seen it before, nor sees it again.
        let told = match self.end() {
            _ if self.is_test => Writes::Unknown,
            told if self.is_unsure() => told,
            _ => Writes::default(),
        };
        self.is_uncertain = false;
        self.is_test = false;
        if then_begins {
            self.frames.push(Frame::default());
        }
        told
    }

    fn savepoint(&mut self, name: &Name) -> Writes {
        // Outside of a transaction, that begins one in SQLite; in MySQL it does nothing, and in PostgreSQL it fails.
        if !self.frames.is_empty() || self.dialect == Dialect::Sqlite || self.is_test {
            self.frames.push(Frame { name: Some(name.clone()), writes: Writes::default() });
        }
        Writes::default()
    }

    fn release(&mut self, name: &Name) -> Writes {
        let Some(at) = self.position(name) else { return self.lost() };
        let mut writes = Writes::default();
        self.frames.drain(at..).for_each(|frame| writes.add(frame.writes));
        self.write(&writes)
    }

    fn roll_back_to(&mut self, name: &Name) -> Writes {
        let Some(at) = self.position(name) else { return self.lost() };
        self.frames.truncate(at + 1);
        // Diesel does not release it, so that it would be open until the end of the test.
        if self.is_test && name.starts_with("diesel_savepoint_") && !self.is_unsure() {
            self.frames.truncate(at);
            return Writes::default();
        }
        if !self.is_unsure() {
            self.frames[at].writes = Writes::default();
        }
        Writes::default()
    }

    /// What is spoken of is not known here, but it is there.
    fn lost(&mut self) -> Writes {
        self.is_uncertain = true;
        self.recorded()
    }

    /// Returns where the last savepoint of a name is.
    fn position(&self, name: &Name) -> Option<usize> {
        self.frames.iter().rposition(|frame| frame.name.as_ref() == Some(name))
    }

    /// Returns what the transaction has written; nothing, if it is not certain whether there is one.
    pub(crate) fn written(&self) -> Option<Writes> {
        (!self.is_unsure()).then(|| self.recorded())
    }

    /// Returns all that was written and is not told.
    fn recorded(&self) -> Writes {
        let mut writes = self.loose.clone();
        self.frames.iter().for_each(|frame| writes.add(frame.writes.clone()));
        writes
    }

    /// The transaction is over. Returns what was written in it.
    fn end(&mut self) -> Writes {
        let mut told = std::mem::take(&mut self.loose);
        self.frames.drain(..).for_each(|frame| told.add(frame.writes));
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lex::analyse;

    /// Runs texts, and returns what is told for each: names, `?` for anything.
    fn run(dialect: Dialect, texts: &[&str]) -> Vec<String> {
        let mut tracker = Tracker::new(dialect);
        texts.iter().map(|text| told(&mut tracker, text)).collect()
    }

    /// A text that begins with `!` fails.
    fn told(tracker: &mut Tracker, text: &str) -> String {
        let (text, outcome) = text.strip_prefix('!').map_or((text, Outcome::Done), |text| (text, Outcome::Failed));
        shown(tracker.note(&analyse(text, tracker.dialect, true), outcome))
    }

    fn shown(writes: Writes) -> String {
        match writes {
            Writes::Tables(tables) => tables.iter().map(|name| &**name).collect::<Vec<_>>().join(" "),
            Writes::Unknown => "?".to_owned(),
        }
    }

    const ALL: [Dialect; 3] = [Dialect::Sqlite, Dialect::Postgres, Dialect::Mysql];
    const A: &str = "INSERT INTO a VALUES (1)";
    const B: &str = "UPDATE b SET c = 1";

    #[test]
    fn outside_of_a_transaction_each_write_is_told_at_once() {
        for dialect in ALL {
            assert_eq!(run(dialect, &[A, "SELECT * FROM b", "!DELETE FROM b", "CALL c()"]), ["a", "", "b", "?"]);
        }
    }

    #[test]
    fn within_one_they_are_told_once_when_it_is_committed_and_never_after_a_rollback() {
        for dialect in ALL {
            assert_eq!(run(dialect, &["BEGIN", A, B, "COMMIT", "COMMIT"]), ["", "", "", "a b", ""]);
            assert_eq!(run(dialect, &["BEGIN", A, "ROLLBACK", B]), ["", "", "", "b"]);
            assert_eq!(run(dialect, &["BEGIN; INSERT INTO a VALUES (1); COMMIT"]), ["a"]);
            assert_eq!(run(dialect, &["BEGIN", A, "COMMIT AND CHAIN", B, "COMMIT"]), ["", "", "a", "", "b"]);
        }
    }

    #[test]
    fn a_savepoint_takes_its_part_along() {
        for dialect in ALL {
            let texts =
                ["BEGIN", A, "SAVEPOINT x", B, "ROLLBACK TO x", "INSERT INTO c VALUES (1)", "RELEASE x", "COMMIT"];
            assert_eq!(run(dialect, &texts).last().unwrap(), "a c", "{dialect:?}");
            let texts = ["BEGIN", "SAVEPOINT x", A, "SAVEPOINT y", B, "RELEASE x", "COMMIT"];
            assert_eq!(run(dialect, &texts).last().unwrap(), "a b", "{dialect:?}");
            // The innermost of two of a name.
            let texts = ["BEGIN", "SAVEPOINT x", A, "SAVEPOINT x", B, "ROLLBACK TO x", "COMMIT"];
            assert_eq!(run(dialect, &texts).last().unwrap(), "a", "{dialect:?}");
        }
        assert_eq!(run(Dialect::Sqlite, &["SAVEPOINT x", A, "RELEASE x"]), ["", "", "a"]);
        assert_eq!(run(Dialect::Mysql, &["SAVEPOINT x", A]), ["", "a"]);
    }

    #[test]
    fn a_commit_that_fails_may_have_been_done() {
        assert_eq!(run(Dialect::Postgres, &["BEGIN", A, "!COMMIT", B]), ["", "", "a", "b"]);
        // It can be tried again.
        assert_eq!(run(Dialect::Sqlite, &["BEGIN", A, "!COMMIT", B, "COMMIT"]), ["", "", "a", "b", "a b"]);
    }

    #[test]
    fn when_it_is_not_certain_what_was_done_all_of_it_is_told() {
        for dialect in ALL {
            let texts = ["!BEGIN; INSERT INTO a VALUES (1); SELECT oops; COMMIT", B, "ROLLBACK", A];
            assert_eq!(run(dialect, &texts), ["a", "b", "a b", "a"], "{dialect:?}");
            let texts = ["BEGIN", A, "!COMMIT; SELECT oops", B, "COMMIT"];
            assert_eq!(run(dialect, &texts), ["", "", "a", "b", "a b"], "{dialect:?}");
            let texts = ["BEGIN", A, "RELEASE unheard_of", B, "COMMIT", A];
            assert_eq!(run(dialect, &texts), ["", "", "a", "b", "a b", "a"], "{dialect:?}");
        }
    }

    #[test]
    fn what_mysql_commits_by_the_way_is_told() {
        let texts = ["BEGIN", A, "CREATE TABLE c (d INT)", B, "COMMIT"];
        let all = run(Dialect::Mysql, &texts);
        assert!(all[2].contains('a') && all[2].contains('c'), "{all:?}");
        assert_eq!(all[3], "b");
        assert!(all[4].contains('a') && all[4].contains('b'), "{all:?}");
        let texts = ["BEGIN", A, "!CREATE TABLE c (d INT); SELECT oops"];
        assert_eq!(run(Dialect::Mysql, &texts), ["", "", "a c d int table"]);
        assert_eq!(run(Dialect::Mysql, &["BEGIN", A, "BEGIN", B, "COMMIT"]), ["", "", "a", "", "b"]);
        let texts = ["SET autocommit = 0", A, "COMMIT", B, "ROLLBACK", B];
        assert_eq!(run(Dialect::Mysql, &texts), ["", "a", "a", "b", "b", "b"]);
        assert_eq!(run(Dialect::Mysql, &["SET autocommit = 0", A, "SET autocommit = 1", B]), ["", "a", "a", "b"]);
    }

    #[test]
    fn a_failure_in_mysql_may_have_ended_the_transaction() {
        assert_eq!(run(Dialect::Mysql, &["BEGIN", A, "!DELETE FROM c", B, "ROLLBACK"]), ["", "", "", "b", "a b c"]);
        assert_eq!(run(Dialect::Sqlite, &["BEGIN", A, "!DELETE FROM c", B, "!ROLLBACK"]), ["", "", "", "b", "a b c"]);
        assert_eq!(run(Dialect::Postgres, &["BEGIN", A, "!DELETE FROM c", B, "ROLLBACK"]), ["", "", "", "", ""]);
    }

    #[test]
    fn what_comes_before_begin_in_a_text_is_a_part_of_the_transaction() {
        let texts = ["INSERT INTO a VALUES (1); BEGIN; UPDATE b SET c = 1", "COMMIT"];
        assert_eq!(run(Dialect::Postgres, &texts), ["a", "a b"]);
    }

    #[test]
    fn procedures_and_blocks_of_mysql_may_end_the_transaction() {
        assert_eq!(run(Dialect::Mysql, &["BEGIN", A, "CALL p()", "ROLLBACK"]), ["", "", "?", "?"]);
        assert_eq!(run(Dialect::Mysql, &["BEGIN NOT ATOMIC DELETE FROM a; END", B, "ROLLBACK"]), ["?", "b", "b"]);
        assert_eq!(run(Dialect::Mysql, &["BEGIN", A, "IF x THEN COMMIT; END IF", B, "COMMIT"])[3..], ["b", "?"]);
        assert_eq!(run(Dialect::Mysql, &["XA START 'x'", A, "XA COMMIT 'x' ONE PHASE"]), ["?", "", "?"]);
    }

    #[test]
    fn a_transaction_that_is_prepared_may_be_committed_by_anybody() {
        let texts = ["BEGIN", A, "PREPARE TRANSACTION 'x'", B, "COMMIT PREPARED 'x'"];
        assert_eq!(run(Dialect::Postgres, &texts), ["", "", "?", "b", "?"]);
    }

    #[test]
    fn what_the_transaction_manager_gives_up_is_told() {
        let mut tracker = Tracker::new(Dialect::Sqlite);
        assert_eq!(told(&mut tracker, "BEGIN"), "");
        assert_eq!(shown(tracker.sync(Some(1))), "");
        assert_eq!(told(&mut tracker, A), "");
        assert!(tracker.is_in_transaction() && !tracker.is_left_open());
        assert_eq!(shown(tracker.sync(None)), "a");
        assert!(!tracker.is_in_transaction());
        // One that was begun by hand is not its own.
        assert_eq!(told(&mut tracker, "BEGIN"), "");
        assert_eq!(shown(tracker.sync(None)), "");
        assert!(tracker.is_left_open());
    }

    #[test]
    fn in_a_test_what_is_within_its_transaction_counts() {
        let mut tracker = Tracker::new(Dialect::Postgres);
        told(&mut tracker, "BEGIN");
        tracker.begin_test();
        assert!(!tracker.is_in_transaction());
        assert_eq!(told(&mut tracker, A), "a");
        assert_eq!(told(&mut tracker, "SAVEPOINT x"), "");
        assert_eq!(told(&mut tracker, B), "");
        assert!(tracker.is_in_transaction());
        assert_eq!(told(&mut tracker, "RELEASE SAVEPOINT x"), "b");
        assert_eq!(told(&mut tracker, "ROLLBACK"), "?");
    }
}

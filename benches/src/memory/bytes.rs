//! Bytes for each entry, and values that stay alive.

use std::sync::Arc;

use super::counted::{Counted, Counting};
use super::counter;
use crate::peers::{Bounded, Peer};
use crate::row::Row;

/// How many times the capacity goes into a cache that churns.
const CHURN: u64 = 4;

/// What goes into a cache.
#[derive(Clone, Copy)]
pub(super) enum Fill {
    /// As many entries as it has room for, each once.
    Full,
    /// [`CHURN`] times as many.
    Churn,
}

/// A subject, how many entries it has room for, and what goes into it.
pub(super) struct Case {
    pub(super) subject: &'static str,
    pub(super) entries: u64,
    pub(super) fill: Fill,
    /// How many put them in.
    pub(super) threads: usize,
}

impl Case {
    /// Counts an annotated method.
    pub(super) fn annotated(&self, call: fn(&Counting, u64) -> Arc<Counted>) -> Result<Vec<Row>, String> {
        // Once before, so that what the whole program has but once is not counted as the cache's.
        drop(call(&Counting::new(1)?, 0));
        let before = counter::bytes();
        let service = Counting::new(self.entries)?;
        Ok(self.rows(before, |id| drop(call(&service, id)), || service.settle()))
    }

    /// Counts a cache with a capacity.
    pub(super) fn bounded<P: Bounded<u64, Arc<Counted>>>(&self) -> Vec<Row> {
        let before = counter::bytes();
        let cache = P::bounded(self.entries as usize);
        self.rows(before, |id| cache.insert(id, Counted::load(id)), || cache.settle())
    }

    /// Counts a map, which is made from its entries.
    pub(super) fn map<P>(&self) -> Vec<Row>
    where
        P: Peer<u64, Arc<Counted>> + FromIterator<(u64, Arc<Counted>)>,
    {
        let before = counter::bytes();
        let map: P = (0..self.entries).map(|id| (id, Counted::load(id))).collect();
        let rows = self.rows(before, |_| (), || ());
        drop(map);
        rows
    }

    /// Counts a function that remembers what it returned.
    pub(super) fn function(&self, call: fn(u64) -> Arc<Counted>) -> Vec<Row> {
        self.rows(counter::bytes(), |id| drop(call(id)), || ())
    }

    /// Puts in what the case says, and counts what has come since there were `before` bytes.
    fn rows(&self, before: u64, put: impl Fn(u64) + Sync, settle: impl FnOnce()) -> Vec<Row> {
        let ids = match self.fill {
            Fill::Full => self.entries,
            Fill::Churn => CHURN * self.entries,
        };
        let part = |thread: u64| (thread..ids).step_by(self.threads).for_each(&put);
        std::thread::scope(|scope| {
            (1..self.threads as u64).for_each(|thread| _ = scope.spawn(move || part(thread)));
            part(0);
        });
        let live = Counted::live();
        settle();
        let settled = Counted::live();
        let overhead = overhead(counter::bytes() - before, settled);
        match self.fill {
            Fill::Full => vec![self.row("bytes filled", overhead, "B")],
            // Where threads meet, it is told of values only: bytes are the same, and some of the threads themselves.
            Fill::Churn if self.threads > 1 => vec![
                self.row("live values", live as f64, "values"),
                self.row("live values, settled", settled as f64, "values"),
            ],
            Fill::Churn => vec![
                self.row("bytes churned", overhead, "B"),
                self.row("live values", live as f64, "values"),
                self.row("live values, settled", settled as f64, "values"),
            ],
        }
    }

    fn row(&self, case: &'static str, value: f64, unit: &'static str) -> Row {
        Row {
            suite: super::SUITE.name.into(),
            case: case.into(),
            subject: self.subject.into(),
            threads: self.threads,
            entries: self.entries as usize,
            value,
            unit: unit.into(),
        }
    }
}

/// Returns the bytes that a cache needs for each value, the values themselves not counted.
fn overhead(bytes: u64, live: u64) -> f64 {
    (bytes as f64 - (live * Counted::BYTES) as f64) / live as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_values_are_not_overhead() {
        assert_eq!(Counted::BYTES, 48);
        assert_eq!(overhead(580, 10), 10.0);
    }
}

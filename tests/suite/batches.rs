//! Methods with `batch`: many keys in one call, each with an entry of its own.
//!
//! Reading order: this file (what the tests share), [`answers`] (what a call returns, and what it runs), [`shapes`] (arguments, return
//! types and options), [`flights`] (calls that overlap), [`threads`] (the same with real threads, and random ones).

mod answers;
mod flights;
mod shapes;
mod threads;

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use cachex::Cache;
use tokio::sync::oneshot;

/// A table of rows that counts its queries.
#[derive(Clone, Debug, Default)]
struct Table(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    rows: HashMap<u64, String>,
    queries: Vec<Vec<u64>>,
    is_broken: bool,
    /// What holds up the next queries.
    held: VecDeque<oneshot::Receiver<()>>,
}

impl Table {
    /// With so many rows.
    fn of(rows: u64) -> Self {
        let table = Self::default();
        (0..rows).for_each(|id| table.write(id, &format!("row {id}")));
        table
    }

    fn write(&self, id: u64, text: &str) {
        self.0.lock().unwrap().rows.insert(id, text.to_owned());
    }

    fn set_broken(&self, is_broken: bool) {
        self.0.lock().unwrap().is_broken = is_broken;
    }

    /// Reads rows in one query.
    fn read(&self, ids: &[u64]) -> Result<Vec<Option<String>>, String> {
        let mut state = self.0.lock().unwrap();
        state.queries.push(ids.to_vec());
        if state.is_broken {
            return Err("the table is broken".to_owned());
        }
        Ok(ids.iter().map(|id| state.rows.get(id).cloned()).collect())
    }

    /// Holds up the next query that nobody holds up yet, which has seen the rows then, until it is told to go on.
    fn hold(&self) -> oneshot::Sender<()> {
        let (open, opened) = oneshot::channel();
        self.0.lock().unwrap().held.push_back(opened);
        open
    }

    /// As [`read`](Self::read), as long as it is held up.
    async fn read_slowly(&self, ids: &[u64]) -> Result<Vec<Option<String>>, String> {
        let held = self.0.lock().unwrap().held.pop_front();
        let rows = self.read(ids);
        if let Some(held) = held {
            let _opened = held.await;
        }
        rows
    }

    /// Returns for which rows there were queries since it was asked last.
    fn queries(&self) -> Vec<Vec<u64>> {
        std::mem::take(&mut self.0.lock().unwrap().queries)
    }
}

fn cache() -> Cache {
    crate::builder().build().unwrap()
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

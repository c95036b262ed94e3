//! Which loads the running code is part of, so that a load that needs itself does not wait for itself.
//!
//! A task that leads flights and is about to wait for another one is an edge of a wait-for graph. A wait that would close
//! a circle is refused; the caller then loads for itself, as it would without a cache.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::runtime;

thread_local! {
    static LEADING: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
    static THREAD: u64 = {
        static LAST: AtomicU64 = AtomicU64::new(0);
        LAST.fetch_add(1, Ordering::Relaxed) + 1
    };
    // A part of the numbers for each thread: none has to ask the others.
    static LAST_ID: Cell<u64> = Cell::new(thread() << THREAD_SHIFT);
}

/// A thread makes fewer than 2^40 flights, and there are fewer than 2^24 threads.
const THREAD_SHIFT: u32 = 40;

/// Who waits for whom: flights led by a waiting task, and the flights they wait for.
static WAITS: Mutex<Option<HashMap<u64, Vec<u64>>>> = Mutex::new(None);

/// Returns a number that tells running threads apart; never 0.
pub(crate) fn thread() -> u64 {
    THREAD.with(|thread| *thread)
}

/// Returns a number for a flight, whatever the cache: a load in one may need a load in another, and must not be taken for it.
pub(super) fn next_id() -> u64 {
    let id = LAST_ID.get() + 1;
    LAST_ID.set(id);
    id
}

/// While it lives, the running thread is part of loads.
#[derive(Debug)]
#[must_use = "the thread is part of the loads as long as this lives"]
pub(crate) struct Frame(usize);

impl Frame {
    pub(crate) fn enter(flight: u64) -> Self {
        LEADING.with_borrow_mut(|leading| leading.push(flight));
        Self(1)
    }

    /// As [`enter`](Self::enter), of a load of many keys.
    pub(super) fn enter_all(flights: impl IntoIterator<Item = u64>) -> Self {
        LEADING.with_borrow_mut(|leading| {
            let before = leading.len();
            leading.extend(flights);
            Self(leading.len() - before)
        })
    }
}

impl Drop for Frame {
    fn drop(&mut self) {
        LEADING.with_borrow_mut(|leading| leading.truncate(leading.len() - self.0));
    }
}

/// Returns the loads that the running code is part of.
fn loads() -> Vec<u64> {
    LEADING.with_borrow(Clone::clone)
}

/// Does work that moved here from another thread, as part of the loads it was part of there.
fn part_of<T>(loads: Vec<u64>, work: impl FnOnce() -> T) -> T {
    let _frame = Frame(loads.len());
    LEADING.with_borrow_mut(|leading| leading.extend(loads));
    work()
}

/// Runs blocking code on a thread of ours, as part of the loads that the caller is part of.
// Break this (`runtime::on_thread(work)`) and a load with a timeout that calls itself waits for itself.
pub(crate) async fn on_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let loads = loads();
    runtime::on_thread(move || part_of(loads, work)).await
}

/// Asks to wait for `flight`. Refused with `None` if that flight waits, directly or through others, for a load that the
/// running code is part of. The wait ends when the edge is dropped.
pub(crate) fn may_wait(flight: u64) -> Option<Edge> {
    let leading = loads();
    if leading.is_empty() {
        return Some(Edge { from: leading, to: flight });
    }
    let mut waits = waits();
    let graph = waits.get_or_insert_default();
    if reaches(graph, flight, &leading) {
        return None;
    }
    for from in &leading {
        graph.entry(*from).or_default().push(flight);
    }
    Some(Edge { from: leading, to: flight })
}

/// A wait under way.
#[derive(Debug)]
pub(crate) struct Edge {
    from: Vec<u64>,
    to: u64,
}

impl Drop for Edge {
    fn drop(&mut self) {
        if self.from.is_empty() {
            return;
        }
        let mut waits = waits();
        let graph = waits.get_or_insert_default();
        for from in &self.from {
            let Some(targets) = graph.get_mut(from) else { continue };
            if let Some(index) = targets.iter().position(|to| *to == self.to) {
                targets.swap_remove(index);
            }
            if targets.is_empty() {
                graph.remove(from);
            }
        }
    }
}

/// Whether a walk along the waits from `start` meets one of `goals`.
fn reaches(graph: &HashMap<u64, Vec<u64>>, start: u64, goals: &[u64]) -> bool {
    let mut seen = Vec::new();
    let mut open = vec![start];
    while let Some(flight) = open.pop() {
        if goals.contains(&flight) {
            return true;
        }
        if !seen.contains(&flight) {
            seen.push(flight);
            open.extend(graph.get(&flight).into_iter().flatten());
        }
    }
    false
}

fn waits() -> MutexGuard<'static, Option<HashMap<u64, Vec<u64>>>> {
    WAITS.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_walk_finds_circles_and_ends_without_one() {
        let graph = HashMap::from([(1, vec![2, 3]), (2, vec![4]), (3, vec![2]), (4, vec![3])]);
        assert!(reaches(&graph, 1, &[4]));
        assert!(reaches(&graph, 4, &[2]));
        assert!(!reaches(&graph, 2, &[1]));
        assert!(reaches(&graph, 9, &[9]));
    }
}

//! What was unlinked and waits for its grace.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::grace::GracePeriod;

/// Beginning a period interrupts other cores, so this many share one.
const BATCH: usize = 64;
/// Batches that wait without anybody giving way to those who read them.
const MOST_WAITING: usize = 8;
const MOST_YIELDS: usize = 16;

/// Drops what is buried in it after a period of grace, on the thread of somebody who tends it, and under no lock.
#[derive(Debug)]
pub(super) struct Limbo<G> {
    dead: Mutex<Dead<G>>,
    /// How many there are whose period has not begun, also where the weight is more than should be.
    fresh: AtomicUsize,
    /// What may wait for its period to begin, in the unit of its owner.
    most_weight: u64,
}

#[derive(Debug)]
struct Dead<G> {
    fresh: Vec<G>,
    weight: u64,
    waiting: VecDeque<(GracePeriod, Vec<G>)>,
}

impl<G> Limbo<G> {
    pub(super) fn new(most_weight: u64) -> Self {
        let dead = Dead { fresh: Vec::new(), weight: 0, waiting: VecDeque::new() };
        Self { dead: Mutex::new(dead), fresh: AtomicUsize::new(0), most_weight }
    }

    /// Takes in what was unlinked.
    pub(super) fn bury(&self, garbage: G, weight: u64) {
        let mut dead = self.lock();
        dead.fresh.push(garbage);
        dead.weight = dead.weight.saturating_add(weight);
        let count = if dead.weight > self.most_weight { usize::MAX } else { dead.fresh.len() };
        self.fresh.store(count, Ordering::Relaxed);
    }

    /// Drops what may be dropped, if there is enough of it. To be called under no lock.
    #[inline]
    pub(super) fn tend(&self) {
        if self.fresh.load(Ordering::Relaxed) >= BATCH {
            drop(self.pass());
            self.wait_for_readers();
        }
    }

    /// Gives the thread to others while much waits: most likely a reader was interrupted, and needs a core.
    fn wait_for_readers(&self) {
        for _ in 0..MOST_YIELDS {
            if self.lock().waiting.len() <= MOST_WAITING {
                return;
            }
            std::thread::yield_now();
            drop(self.pass());
        }
    }

    /// Drops what may be dropped, and looks again while something waits, up to `looks` times. Returns how much still waits.
    pub(super) fn flush(&self, looks: usize) -> usize {
        for look in 0..looks.max(1) {
            if look > 0 {
                std::thread::yield_now();
            }
            drop(self.pass());
            let dead = self.lock();
            if dead.fresh.is_empty() && dead.waiting.is_empty() {
                return 0;
            }
        }
        let dead = self.lock();
        dead.fresh.len() + dead.waiting.iter().map(|(_, garbage)| garbage.len()).sum::<usize>()
    }

    /// Begins the period of what is fresh, and returns what has had its own.
    fn pass(&self) -> Vec<Vec<G>> {
        let fresh = {
            let mut dead = self.lock();
            dead.weight = 0;
            self.fresh.store(0, Ordering::Relaxed);
            std::mem::take(&mut dead.fresh)
        };
        // Under no lock: it takes its time.
        let period = if fresh.is_empty() { None } else { GracePeriod::begin() };
        let mut dead = self.lock();
        match period {
            Some(period) => dead.waiting.push_back((period, fresh)),
            None => dead.fresh.extend(fresh),
        }
        let mut passed = Vec::new();
        let waiting = std::mem::take(&mut dead.waiting);
        for (mut period, garbage) in waiting {
            if period.has_passed() {
                passed.push(garbage);
            } else {
                dead.waiting.push_back((period, garbage));
            }
        }
        passed
    }

    fn lock(&self) -> MutexGuard<'_, Dead<G>> {
        self.dead.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! The barrier that Linux really makes: in the models, and under Miri, full fences stand for it.
//!
//! Two threads do the two sides of the protocol at once, again and again. Where the line that makes the barrier for all was dropped
//! (`of_all`), some ten to fifty of the reads went wrong in each of forty runs.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use super::grace::{GracePeriod, Pin, Read, try_pinned};

const ALIVE: u64 = 7;
const GIVEN_BACK: u64 = 0;

const ROUNDS: usize = 15_000;
/// Which rounds show a missing barrier depends on the machine, and on what else it does. So each is another one: in how often a
/// reader looks at the node that it found, in what is written before, and in how the two sides are moved against each other.
const LOOKS: [usize; 3] = [30, 60, 90];
const FAR_STORES: [usize; 4] = [1, 2, 4, 8];
const STEPS: usize = 32;
/// So much memory that a word of it is mostly far away.
const FAR_WORDS: usize = 4 << 20;

#[repr(align(128))]
struct Apart<T>(T);

/// Two nodes, and the place where readers find one of them.
struct World {
    place: Apart<AtomicUsize>,
    nodes: [Apart<AtomicU64>; 2],
    /// Counts the reads that have begun.
    reads: Apart<AtomicU64>,
    is_over: AtomicBool,
}

/// Finds a node, and looks at it for a while; returns whether it was given back meanwhile.
struct Look<'a>(&'a World, usize);

impl Read for Look<'_> {
    type Found = bool;

    fn read(self, _: &Pin) -> bool {
        let node = &self.0.nodes[self.0.place.0.load(Ordering::Acquire)].0;
        (0..self.1).any(|_| node.load(Ordering::Relaxed) == GIVEN_BACK)
    }
}

impl World {
    /// Puts the other node in the place of the one that is there, and gives that back once nobody reads it.
    fn replace(&self, old: usize) {
        let new = 1 - old;
        self.nodes[new].0.store(ALIVE, Ordering::Relaxed);
        self.place.0.store(new, Ordering::Release);
        let mut period = GracePeriod::begin().expect("the system goes on with its barriers");
        spin_until(|| period.has_passed());
        self.nodes[old].0.store(GIVEN_BACK, Ordering::Relaxed);
    }

    /// Waits until a read begins, and a little longer.
    fn wait(&self, steps: usize) {
        let seen = self.reads.0.load(Ordering::Acquire);
        spin_until(|| self.reads.0.load(Ordering::Acquire) != seen);
        (0..steps).for_each(|_| std::hint::spin_loop());
    }

    /// Returns how often it read what was given back.
    fn read(&self) -> usize {
        let (mut far, mut at, mut failures) = (vec![2_u64; FAR_WORDS], 0, 0);
        for read in 0_usize.. {
            if self.is_over.load(Ordering::Relaxed) {
                break;
            }
            self.reads.0.fetch_add(1, Ordering::Release);
            for _ in 0..FAR_STORES[read / LOOKS.len() % FAR_STORES.len()] {
                // Stores are seen in their order, and later than the loads behind them are done: the pin waits for these.
                at = (at + 0x9e37_79b1) % FAR_WORDS;
                far[at] = 1;
            }
            failures += usize::from(try_pinned(Look(self, LOOKS[read % LOOKS.len()])) == Some(true));
        }
        failures
    }
}

/// Waits at full speed, but not for a thread that does not run.
fn spin_until(mut is_so: impl FnMut() -> bool) {
    for spins in 0_u32.. {
        if is_so() {
            return;
        }
        if spins < 2000 { std::hint::spin_loop() } else { std::thread::yield_now() }
    }
}

#[test]
fn a_hit_reads_nothing_that_was_given_back_while_it_pinned() {
    // On one processor nothing happens at once, and each round takes two turns.
    if std::thread::available_parallelism().is_ok_and(|processors| processors.get() < 2) {
        return;
    }
    let world = World {
        place: Apart(AtomicUsize::new(0)),
        nodes: [ALIVE, GIVEN_BACK].map(|state| Apart(AtomicU64::new(state))),
        reads: Apart(AtomicU64::new(0)),
        is_over: AtomicBool::new(false),
    };
    let failures = std::thread::scope(|scope| {
        let reader = scope.spawn(|| world.read());
        for round in 0..ROUNDS {
            world.wait(round % STEPS);
            world.replace(round % 2);
        }
        world.is_over.store(true, Ordering::Relaxed);
        reader.join().expect("it ends")
    });
    assert_eq!(failures, 0);
}

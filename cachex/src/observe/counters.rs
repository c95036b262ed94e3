//! The counters of one method: written without contention, read rarely.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::lane::{self, LANES};
use crate::time::stopwatch::Stopwatch;

/// The look-up after one hit in so many is timed: so few that it costs nothing that could be measured.
const SAMPLE: u64 = 256;
/// After a load that took less, this number of loads are not timed: reading the clock twice would be a good part of them.
const SHORT_LOAD: Duration = Duration::from_micros(10);
const UNTIMED: u64 = 15;

#[inline(always)]
fn is_next_timed(hits_before: u64) -> bool {
    hits_before.is_multiple_of(SAMPLE)
}

/// What is counted by most calls, by those who count in one place; on cache lines of its own.
// Two cache lines: they are fetched in pairs.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Counts {
    hits: AtomicU64,
    stale_hits: AtomicU64,
    misses: AtomicU64,
    loads: AtomicU64,
    /// Loads to come that are not timed.
    untimed: AtomicU64,
    timed_loads: AtomicU64,
    load_nanos: AtomicU64,
    stores: AtomicU64,
    evicted: AtomicU64,
}

macro_rules! counters {
    ($($name:ident),* $(,)?) => {
        /// All that is counted for one method.
        #[derive(Debug, Default)]
        pub(crate) struct Counters {
            lanes: [Counts; LANES],
            $(pub(crate) $name: Counter,)*
        }
    };
}

counters! {
    bypasses, load_errors, followers, fallbacks, timeouts, refreshes, rejected_stores, too_heavy, expired, invalidated, removed,
    sampled_gets, sampled_nanos,
}

/// One number.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    pub(crate) fn one(&self) {
        self.add(1);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Where a thread counts what most calls do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tally<'a>(&'a Counts);

impl Tally<'_> {
    /// Returns whether the next look-up is to be timed.
    #[must_use]
    pub(crate) fn hit(self) -> bool {
        is_next_timed(self.count(&self.0.hits, 1))
    }

    pub(crate) fn stale_hit(self) {
        self.count(&self.0.stale_hits, 1);
    }

    pub(crate) fn miss(self) {
        self.count(&self.0.misses, 1);
    }

    /// Returns what times a load that begins, if it is to be timed. Whether it is has nothing to do with how long it will take.
    pub(crate) fn load_timer(self) -> Option<Stopwatch> {
        // Where several threads count, some of them may see the same number: then a few more go untimed.
        let untimed = self.0.untimed.load(Ordering::Relaxed);
        if untimed == 0 {
            return Some(Stopwatch::start());
        }
        self.0.untimed.store(untimed - 1, Ordering::Relaxed);
        None
    }

    /// Counts a load, and how long it took if that is known.
    pub(crate) fn load(self, took: Option<Duration>) {
        self.count(&self.0.loads, 1);
        let Some(took) = took else { return };
        self.count(&self.0.timed_loads, 1);
        self.count(&self.0.load_nanos, nanos(took));
        if took < SHORT_LOAD {
            self.0.untimed.store(UNTIMED, Ordering::Relaxed);
        }
    }

    pub(crate) fn store(self) {
        self.count(&self.0.stores, 1);
    }

    pub(crate) fn evict(self) {
        self.count(&self.0.evicted, 1);
    }

    /// Adds to a count, and returns what it was.
    fn count(self, count: &AtomicU64, more: u64) -> u64 {
        if !lane::is_owned() {
            return count.fetch_add(more, Ordering::Relaxed);
        }
        // Nobody else writes it: no need for a step that no other can come between.
        let before = count.load(Ordering::Relaxed);
        count.store(before.wrapping_add(more), Ordering::Relaxed);
        before
    }
}

impl Counters {
    /// Counts a hit; returns whether the next look-up of the thread is to be timed.
    #[inline(always)]
    #[must_use]
    pub(crate) fn hit(&self) -> bool {
        /// Where a thread has no lane of its own, or none yet.
        #[cold]
        #[inline(never)]
        fn hit_elsewhere(counters: &Counters) -> bool {
            counters.tally().hit()
        }
        match lane::own(&self.lanes) {
            // As in `Tally::count`.
            Some(counts) => {
                let before = counts.hits.load(Ordering::Relaxed);
                counts.hits.store(before.wrapping_add(1), Ordering::Relaxed);
                is_next_timed(before)
            }
            None => hit_elsewhere(self),
        }
    }

    /// Returns where this thread counts.
    pub(crate) fn tally(&self) -> Tally<'_> {
        Tally(lane::of_thread(&self.lanes))
    }

    pub(crate) fn hits(&self) -> u64 {
        self.sum(|counts| &counts.hits)
    }

    pub(crate) fn stale_hits(&self) -> u64 {
        self.sum(|counts| &counts.stale_hits)
    }

    pub(crate) fn misses(&self) -> u64 {
        self.sum(|counts| &counts.misses)
    }

    pub(crate) fn loads(&self) -> u64 {
        self.sum(|counts| &counts.loads)
    }

    pub(crate) fn timed_loads(&self) -> u64 {
        self.sum(|counts| &counts.timed_loads)
    }

    pub(crate) fn load_time(&self) -> Duration {
        Duration::from_nanos(self.sum(|counts| &counts.load_nanos))
    }

    pub(crate) fn stores(&self) -> u64 {
        self.sum(|counts| &counts.stores)
    }

    pub(crate) fn evicted(&self) -> u64 {
        self.sum(|counts| &counts.evicted)
    }

    fn sum(&self, which: impl Fn(&Counts) -> &AtomicU64) -> u64 {
        self.lanes.iter().map(|counts| which(counts).load(Ordering::Relaxed)).fold(0, u64::wrapping_add)
    }

    /// Notes how long a look-up took.
    #[cold]
    pub(crate) fn note_look(&self, stopwatch: Stopwatch) {
        self.sampled_gets.one();
        self.sampled_nanos.add(nanos(stopwatch.elapsed()));
    }
}

fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::*;

    #[test]
    fn after_a_short_load_some_are_not_timed() {
        let counters = Counters::default();
        let are_timed = |loads| (0..loads).map(|_| counters.tally().load_timer().is_some()).collect::<Vec<_>>();
        assert_eq!(are_timed(2), [true, true], "before any is known");
        counters.tally().load(Some(SHORT_LOAD));
        assert_eq!(are_timed(2), [true, true], "after a long one");
        counters.tally().load(Some(Duration::from_nanos(1)));
        let timed = are_timed(UNTIMED + 2);
        assert_eq!(timed.iter().position(|is_timed| *is_timed), Some(UNTIMED as usize));
        counters.tally().load(None);
        assert_eq!((counters.loads(), counters.timed_loads()), (3, 2));
        assert_eq!(counters.load_time(), SHORT_LOAD + Duration::from_nanos(1));
    }

    #[test]
    fn no_hit_is_lost_however_many_threads_count() {
        const THREADS: u64 = 2 * LANES as u64;
        const EACH: u64 = 20_000;
        let counters = Counters::default();
        let start = Barrier::new(THREADS as usize);
        std::thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    start.wait();
                    let timed = (0..EACH).filter(|_| counters.hit()).count();
                    assert!(timed > 0, "some look-ups are timed");
                });
            }
        });
        assert_eq!(counters.hits(), THREADS * EACH);
    }
}

//! The counters of one method: written without contention, read rarely.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::lane::{self, LANES};
use crate::time::stopwatch::Stopwatch;

/// The look-up after one hit in so many is timed: so few that it costs nothing that could be measured.
const SAMPLE: u64 = 256;
/// Where loads take less on average, one in 16 is timed: reading the clock twice would be a good part of them …
const SHORT_LOAD: Duration = Duration::from_micros(10);
/// … once so many were.
const FIRST_TIMED: u64 = 16;

#[inline(always)]
fn is_next_timed(hits_before: u64) -> bool {
    hits_before.is_multiple_of(SAMPLE)
}

/// Whether a load is timed that comes after so many, of which so many were timed and took so many nanoseconds in all.
fn is_load_timed(loads: u64, timed: u64, nanos: u64) -> bool {
    /// 2^64 by the golden ratio: the multiples are spread evenly, also those of each second number, or third, or sixteenth. So what is
    /// timed does not depend on a pattern in which short loads and long ones come.
    const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
    timed < FIRST_TIMED
        || u128::from(nanos) >= u128::from(timed) * SHORT_LOAD.as_nanos()
        || loads.wrapping_mul(SPREAD) >> 60 == 0
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

    /// Returns what times a load that begins, if it is to be timed.
    pub(crate) fn load_timer(self) -> Option<Stopwatch> {
        let [loads, timed, nanos] =
            [&self.0.loads, &self.0.timed_loads, &self.0.load_nanos].map(|count| count.load(Ordering::Relaxed));
        is_load_timed(loads, timed, nanos).then(Stopwatch::start)
    }

    /// Counts a load, and how long it took if that is known.
    pub(crate) fn load(self, took: Option<Duration>) {
        self.count(&self.0.loads, 1);
        let Some(took) = took else { return };
        self.count(&self.0.timed_loads, 1);
        self.count(&self.0.load_nanos, nanos(took));
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

    /// Counts loads that take so long in turn; returns their mean, as far as it is known.
    fn mean_of(loads: u64, took: impl Fn(u64) -> Duration) -> (Counters, Duration) {
        let counters = Counters::default();
        for load in 0..loads {
            let timer = counters.tally().load_timer();
            counters.tally().load(timer.map(|_| took(load)));
        }
        let mean = counters.load_time() / u32::try_from(counters.timed_loads()).unwrap();
        (counters, mean)
    }

    #[test]
    fn of_short_loads_one_in_sixteen_is_timed_and_of_others_each() {
        let (counters, _) = mean_of(16_000, |_| Duration::from_nanos(300));
        assert_eq!(counters.loads(), 16_000);
        assert!(counters.timed_loads().abs_diff(1_000) < 30, "{}", counters.timed_loads());
        let (counters, mean) = mean_of(100, |_| SHORT_LOAD);
        assert_eq!((counters.timed_loads(), mean), (100, SHORT_LOAD));
    }

    #[test]
    fn the_mean_load_time_is_right_whatever_pattern_loads_come_in() {
        let micros = Duration::from_micros;
        let (_, mean) = mean_of(10_000, |load| micros(if load % 2 == 0 { 1 } else { 5_000 }));
        assert_eq!(mean, micros(5_001) / 2);
        let (_, mean) = mean_of(16_000, |load| micros(if load % 16 == 0 { 1 } else { 5_000 }));
        assert!(mean > micros(4_500), "{mean:?}");
        for period in [2, 3, 16, 17, 256] {
            // So short that they are sampled: 1 µs, and one in so many takes 9 µs.
            let (_, mean) = mean_of(100_000, |load| micros(if load % period == 0 { 9 } else { 1 }));
            let expected = 1_000.0 + 8_000.0 / period as f64;
            assert!((mean.as_nanos() as f64 / expected - 1.0).abs() < 0.2, "{period}: {mean:?} for {expected} ns");
        }
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

//! The counters of one method: written without contention, read rarely.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::lane::{LANES, Lane};
use crate::time::stopwatch::Stopwatch;

/// The look-up after one hit in so many is timed.
const SAMPLE: u64 = 256;

/// What is counted on a hit, by those who count in one place; on cache lines of its own.
// Two cache lines: they are fetched in pairs.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Hits {
    fresh: AtomicU64,
    stale: AtomicU64,
}

macro_rules! counters {
    ($($name:ident),* $(,)?) => {
        /// All that is counted for one method.
        #[derive(Debug, Default)]
        pub(crate) struct Counters {
            hits: [Hits; LANES],
            $(pub(crate) $name: Counter,)*
        }
    };
}

counters! {
    misses, bypasses, loads, load_errors, load_nanos, followers, fallbacks, timeouts, refreshes, stores, rejected_stores, too_heavy,
    evicted, expired, invalidated, removed, sampled_gets, sampled_nanos,
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

/// Where a thread counts its hits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tally<'a> {
    hits: &'a Hits,
    lane: Lane,
}

impl Tally<'_> {
    /// Whether this look-up is one in a few hundred that are timed, so that timing costs nothing that could be measured.
    #[inline(always)]
    pub(crate) fn is_sampled(self) -> bool {
        self.hits.fresh.load(Ordering::Relaxed) % SAMPLE == 1
    }

    #[inline(always)]
    pub(crate) fn hit(self) {
        self.count(&self.hits.fresh);
    }

    pub(crate) fn stale_hit(self) {
        self.count(&self.hits.stale);
    }

    #[inline(always)]
    fn count(self, count: &AtomicU64) {
        if self.lane.is_owned() {
            // Nobody else writes it: no need for a step that no other can come between.
            count.store(count.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        } else {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Counters {
    /// Returns where this thread counts.
    #[inline(always)]
    pub(crate) fn tally(&self) -> Tally<'_> {
        let lane = Lane::of_thread();
        Tally { hits: &self.hits[lane.index()], lane }
    }

    pub(crate) fn hits(&self) -> u64 {
        self.hits.iter().map(|hits| hits.fresh.load(Ordering::Relaxed)).sum()
    }

    pub(crate) fn stale_hits(&self) -> u64 {
        self.hits.iter().map(|hits| hits.stale.load(Ordering::Relaxed)).sum()
    }

    /// Notes how long a look-up took.
    #[cold]
    pub(crate) fn note_look(&self, stopwatch: Stopwatch) {
        self.sampled_gets.one();
        self.sampled_nanos.add(nanos(stopwatch.elapsed()));
    }

    pub(crate) fn note_load(&self, took: Duration) {
        self.loads.one();
        self.load_nanos.add(nanos(took));
    }
}

fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

//! The counters of one method: written without contention, read rarely.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use crate::time::stopwatch::Stopwatch;

const STRIPES: usize = 8;
/// The look-up after one hit in so many is timed.
const SAMPLE: u64 = 256;

thread_local! {
    static STRIPE: usize = {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        NEXT.fetch_add(1, Ordering::Relaxed) % STRIPES
    };
}

/// What is counted on a hit: one stripe for each of a few threads, on cache lines of their own.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Stripe {
    hits: AtomicU64,
    stale_hits: AtomicU64,
}

macro_rules! counters {
    ($($name:ident),* $(,)?) => {
        /// All that is counted for one method.
        #[derive(Debug, Default)]
        pub(crate) struct Counters {
            stripes: [Stripe; STRIPES],
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

impl Counters {
    #[inline]
    pub(crate) fn hit(&self) {
        STRIPE.with(|stripe| self.stripes[*stripe].hits.fetch_add(1, Ordering::Relaxed));
    }

    #[inline]
    pub(crate) fn stale_hit(&self) {
        STRIPE.with(|stripe| self.stripes[*stripe].stale_hits.fetch_add(1, Ordering::Relaxed));
    }

    pub(crate) fn hits(&self) -> u64 {
        self.stripes.iter().map(|stripe| stripe.hits.load(Ordering::Relaxed)).sum()
    }

    pub(crate) fn stale_hits(&self) -> u64 {
        self.stripes.iter().map(|stripe| stripe.stale_hits.load(Ordering::Relaxed)).sum()
    }

    /// Starts a stopwatch for one look-up in a few hundred, so that timing costs nothing that could be measured.
    #[inline]
    pub(crate) fn sample(&self) -> Option<Stopwatch> {
        let hits = STRIPE.with(|stripe| self.stripes[*stripe].hits.load(Ordering::Relaxed));
        (hits % SAMPLE == 1).then(Stopwatch::start)
    }

    pub(crate) fn note_sample(&self, stopwatch: Stopwatch) {
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

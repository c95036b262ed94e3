//! A hit allocates nothing, and a miss its entry: heap allocations of annotated calls, counted on the thread that calls.
//!
//! `allocation-counter` brings the global allocator of this test program, for all its tests; it counts by thread, so what the
//! others do beside is not seen here.

use std::sync::Arc;

use allocation_counter::measure;
use cachex::{Cache, CacheKey, CacheScope, Eviction, cached};
use futures_util::FutureExt;

/// More than the look-up after which a hit is timed, so that one of these is.
const HITS: u64 = 1_000;
const POLICIES: [Eviction; 6] =
    [Eviction::S3Fifo, Eviction::Lru, Eviction::Lfu, Eviction::Fifo, Eviction::Random, Eviction::Sieve];

const CITY: &str = "a city, 16 bytes";
const FILTER: Filter<'static> = Filter { city: CITY, min_age: Some(18), page: 3 };

#[derive(CacheKey)]
struct Filter<'a> {
    city: &'a str,
    min_age: Option<u8>,
    page: u32,
}

#[derive(Clone, CacheScope)]
struct Rows {
    #[scope(cache)]
    cache: Cache,
}

macro_rules! rows {
    ($($blocking:ident, $asynchronous:ident: ($($argument:ident: $ty:ty),*) => $number:expr;)*) => {
        impl Rows {
            $(#[cached(ttl = "1h", tags = ["rows"], local)]
            fn $blocking(&self, $($argument: $ty),*) -> Arc<u64> {
                Arc::new($number)
            }

            #[cached(ttl = "1h", tags = ["rows"], local)]
            async fn $asynchronous(&self, $($argument: $ty),*) -> Arc<u64> {
                Arc::new($number)
            })*
        }
    };
}

rows! {
    by_number, by_number_async: (id: u64) => id;
    by_text, by_text_async: (text: &str) => text.len() as u64;
    by_parts, by_parts_async: (id: u64, text: &str, page: Option<u32>) => id + text.len() as u64 + u64::from(page.unwrap_or(0));
    by_filter, by_filter_async: (filter: &Filter<'_>) => filter.city.len() as u64 + u64::from(filter.page);
}

impl Rows {
    #[cached(ttl = "1h", tags = ["rows", "row:{id}", "all"], local)]
    fn fallible(&self, id: u64) -> Result<Option<Arc<u64>>, String> {
        Ok(Some(Arc::new(id)))
    }

    #[cached(ttl = "1h", tti = "1h", soft_ttl = "30m", local)]
    fn refreshed(&self, id: u64) -> Arc<u64> {
        Arc::new(id)
    }
}

/// Returns how often a call allocates that loads, and how often so many hits do together.
fn count(eviction: Eviction, call: impl Fn(&Rows) -> Arc<u64>) -> (u64, u64) {
    let rows = Rows { cache: Cache::builder().eviction(eviction).build().unwrap() };
    let load = measure(|| drop(call(&rows)));
    let hits = measure(|| (0..HITS).for_each(|_| drop(call(&rows))));
    let stats = rows.cache.stats();
    assert_eq!((stats.loads, stats.hits), (1, HITS));
    (load.count_total, hits.count_total)
}

/// Checks that a call allocates when it loads, and never when it hits.
#[track_caller]
fn check(call: impl Fn(&Rows) -> Arc<u64>) {
    for eviction in POLICIES {
        let (load, hits) = count(eviction, &call);
        assert!(load > 0, "{eviction}: the counter counts");
        assert_eq!(hits, 0, "{eviction}: allocations of {HITS} hits");
    }
}

// Guards that the key is written in place and that nothing on the path of a hit is boxed, collected or cloned but the value.
#[test]
fn a_hit_allocates_nothing_whatever_the_kind_of_key() {
    check(|rows| rows.by_number(7));
    check(|rows| rows.by_text(CITY));
    check(|rows| rows.by_parts(7, CITY, Some(3)));
    check(|rows| rows.by_filter(&FILTER));
}

// Guards besides that the future of a hit is not boxed.
#[test]
fn an_async_hit_allocates_nothing_whatever_the_kind_of_key() {
    check(|rows| rows.by_number_async(7).now_or_never().unwrap());
    check(|rows| rows.by_text_async(CITY).now_or_never().unwrap());
    check(|rows| rows.by_parts_async(7, CITY, Some(3)).now_or_never().unwrap());
    check(|rows| rows.by_filter_async(&FILTER).now_or_never().unwrap());
}

#[test]
fn a_hit_allocates_nothing_whatever_the_options() {
    check(|rows| rows.fallible(7).unwrap().unwrap());
    check(|rows| rows.refreshed(7));
}

// A key is not written down, so its length does not matter; but for the look-up that is timed, one in 256. There a key of more than
// 112 bytes takes the heap, which also shows that it is counted.
#[test]
fn a_hit_with_a_long_key_allocates_where_it_is_timed_only() {
    let long = "x".repeat(20_000);
    let timed = HITS / 256;
    let (_, hits) = count(Eviction::S3Fifo, |rows| rows.by_text(&long));
    assert!((timed..3 * timed).contains(&hits), "{hits} allocations");
    let (_, hits) = count(Eviction::S3Fifo, |rows| rows.by_text_async(&long).now_or_never().unwrap());
    assert!((timed..3 * timed).contains(&hits), "{hits} allocations");
}

/// The capacity, and how many calls have filled the cache before others are counted.
const CAPACITY: u64 = 500;
const FILLING: u64 = 3_000;
const MISSES: u64 = 501;

/// Checks how often a call allocates whose entry another one leaves for, the value aside. It is called with a number and a
/// text of 16 bytes that no other call has.
///
/// Of many such calls the middle one counts: now and then the tier makes room for more of what it gives up in batches.
#[track_caller]
fn check_miss(allocations: u64, call: impl Fn(&Rows, u64, &str) -> Arc<u64>) {
    let texts: Vec<String> = (0..FILLING + MISSES).map(|number| format!("text {number:011}")).collect();
    for eviction in POLICIES {
        let rows = Rows { cache: Cache::builder().max_entries(CAPACITY).eviction(eviction).build().unwrap() };
        let ask = |number: u64| drop(call(&rows, number, &texts[number as usize]));
        (0..FILLING).for_each(ask);
        let mut counts: Vec<u64> =
            (FILLING..FILLING + MISSES).map(|number| measure(|| ask(number)).count_total).collect();
        counts.sort_unstable();
        let of_the_value = measure(|| drop(Arc::new(0_u64))).count_total;
        assert_eq!(counts[counts.len() / 2] - of_the_value, allocations, "{eviction}: {counts:?}");
        let stats = rows.cache.stats();
        assert_eq!((stats.hits, stats.entries), (0, CAPACITY), "{eviction}");
    }
}

fn filter(number: u64, city: &str) -> Filter<'_> {
    Filter { city, min_age: Some(18), page: number as u32 }
}

// Guards that a blocking load borrows what it needs from its call, and that its flight takes the place of one that has ended.
#[test]
fn a_miss_allocates_its_entry_whatever_the_kind_of_key() {
    check_miss(1, |rows, number, _| rows.by_number(number));
    check_miss(1, |rows, _, text| rows.by_text(text));
    check_miss(1, |rows, number, text| rows.by_parts(number, text, Some(3)));
    check_miss(1, |rows, number, text| rows.by_filter(&filter(number, text)));
}

// The future of a miss is boxed, so that a hit does not carry it.
#[test]
fn an_async_miss_allocates_its_entry_and_its_future_whatever_the_kind_of_key() {
    check_miss(2, |rows, number, _| rows.by_number_async(number).now_or_never().unwrap());
    check_miss(2, |rows, _, text| rows.by_text_async(text).now_or_never().unwrap());
    check_miss(2, |rows, number, text| rows.by_parts_async(number, text, Some(3)).now_or_never().unwrap());
    check_miss(2, |rows, number, text| rows.by_filter_async(&filter(number, text)).now_or_never().unwrap());
}

// Guards besides that an entry that is written needs no flight.
#[test]
fn a_value_that_is_given_allocates_its_entry() {
    let primed = |number| Arc::new(number);
    check_miss(1, |rows, number, _| {
        let value = primed(number);
        rows.by_number_prime(&number, &value);
        value
    });
    check_miss(1, |rows, number, text| {
        let value = primed(number);
        rows.by_parts_prime(&number, &text, &Some(3), &value);
        value
    });
}

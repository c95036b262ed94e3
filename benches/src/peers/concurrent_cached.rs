//! `#[concurrent_cached]` of the crate `cached`: a function for each kind of key and value and each capacity, as its cache is
//! a static.
//!
//! As [`Cached`](super::Cached), but there is a lock for each part of the cache.

use std::sync::Arc;

use cached::macros::concurrent_cached;

use super::Memoised;
use crate::service::{Filter, Payload, Person, Value};

/// Functions that keep as many values as said, each for an hour.
pub(crate) struct ConcurrentCached<const CAPACITY: usize = 2_000>;

/// The function that keeps all values for ever.
pub(crate) struct ConcurrentCachedUnbounded;

impl ConcurrentCached {
    pub(crate) fn call_async(id: u64) -> impl Future<Output = Arc<Payload>> {
        by_number_async(id)
    }
}

#[concurrent_cached]
fn by_number_unbounded(id: u64) -> Arc<Payload> {
    Value::load(id)
}

#[concurrent_cached(max_size = 2_000, ttl_secs = 3_600)]
async fn by_number_async(id: u64) -> Arc<Payload> {
    Value::load(id)
}

#[concurrent_cached(max_size = 2_000, ttl_secs = 3_600)]
fn number_by_number(id: u64) -> u64 {
    Value::load(id)
}

#[concurrent_cached(max_size = 2_000, ttl_secs = 3_600)]
fn text_by_number(id: u64) -> String {
    Value::load(id)
}

#[concurrent_cached(max_size = 2_000, ttl_secs = 3_600)]
fn person_by_number(id: u64) -> Person {
    Value::load(id)
}

#[concurrent_cached(max_size = 2_000, ttl_secs = 3_600)]
fn by_text(text: &'static str) -> Arc<Payload> {
    Value::load(text.len() as u64)
}

#[concurrent_cached(max_size = 2_000, ttl_secs = 3_600)]
fn by_parts(parts: (u64, &'static str, Option<u32>)) -> Arc<Payload> {
    Value::load(parts.0 + parts.1.len() as u64 + u64::from(parts.2.unwrap_or(0)))
}

#[concurrent_cached(max_size = 2_000, ttl_secs = 3_600)]
fn by_filter(filter: Filter) -> Arc<Payload> {
    Value::load(filter.city.len() as u64 + u64::from(filter.page))
}

#[concurrent_cached(max_size = 1_000, ttl_secs = 3_600)]
fn by_number_1k(id: u64) -> Arc<Payload> {
    Value::load(id)
}

#[concurrent_cached(max_size = 2_000, ttl_secs = 3_600)]
fn by_number_2k(id: u64) -> Arc<Payload> {
    Value::load(id)
}

#[concurrent_cached(max_size = 20_000, ttl_secs = 3_600)]
fn by_number_20k(id: u64) -> Arc<Payload> {
    Value::load(id)
}

#[concurrent_cached(max_size = 100_000, ttl_secs = 3_600)]
fn by_number_100k(id: u64) -> Arc<Payload> {
    Value::load(id)
}

#[concurrent_cached(max_size = 200_000, ttl_secs = 3_600)]
fn by_number_200k(id: u64) -> Arc<Payload> {
    Value::load(id)
}

#[concurrent_cached(max_size = 2_000_000, ttl_secs = 3_600)]
fn by_number_2m(id: u64) -> Arc<Payload> {
    Value::load(id)
}

macro_rules! memoised {
    ($($subject:ty, $name:literal: $key:ty => $value:ty: $function:ident in $cache:ident;)*) => {$(
        impl Memoised<$key, $value> for $subject {
            const NAME: &'static str = $name;

            fn call(key: $key) -> $value {
                $function(key)
            }

            fn forget() {
                $cache.clear();
            }
        }
    )*};
}

memoised! {
    ConcurrentCachedUnbounded, "concurrent_cached unbounded": u64 => Arc<Payload>: by_number_unbounded in BY_NUMBER_UNBOUNDED;
    ConcurrentCached<1_000>, "concurrent_cached": u64 => Arc<Payload>: by_number_1k in BY_NUMBER_1K;
    ConcurrentCached<2_000>, "concurrent_cached": u64 => Arc<Payload>: by_number_2k in BY_NUMBER_2K;
    ConcurrentCached<20_000>, "concurrent_cached": u64 => Arc<Payload>: by_number_20k in BY_NUMBER_20K;
    ConcurrentCached<100_000>, "concurrent_cached": u64 => Arc<Payload>: by_number_100k in BY_NUMBER_100K;
    ConcurrentCached<200_000>, "concurrent_cached": u64 => Arc<Payload>: by_number_200k in BY_NUMBER_200K;
    ConcurrentCached<2_000_000>, "concurrent_cached": u64 => Arc<Payload>: by_number_2m in BY_NUMBER_2M;
    ConcurrentCached, "concurrent_cached": u64 => u64: number_by_number in NUMBER_BY_NUMBER;
    ConcurrentCached, "concurrent_cached": u64 => String: text_by_number in TEXT_BY_NUMBER;
    ConcurrentCached, "concurrent_cached": u64 => Person: person_by_number in PERSON_BY_NUMBER;
    ConcurrentCached, "concurrent_cached": &'static str => Arc<Payload>: by_text in BY_TEXT;
    ConcurrentCached, "concurrent_cached": (u64, &'static str, Option<u32>) => Arc<Payload>: by_parts in BY_PARTS;
    ConcurrentCached, "concurrent_cached": Filter => Arc<Payload>: by_filter in BY_FILTER;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<F: Memoised<u64, Arc<Payload>>>() {
        let first = F::call(7);
        assert!(Arc::ptr_eq(&first, &F::call(7)));
        F::forget();
        assert!(!Arc::ptr_eq(&first, &F::call(7)));
    }

    #[test]
    fn a_value_is_kept_until_it_is_forgotten() {
        check::<ConcurrentCached>();
        check::<ConcurrentCachedUnbounded>();
    }

    #[test]
    fn old_values_leave_for_later_ones() {
        let call = <ConcurrentCached<1_000> as Memoised<u64, Arc<Payload>>>::call;
        let first = call(0);
        assert!(Arc::ptr_eq(&first, &call(0)));
        (1..=10_000).for_each(|id| drop(call(id)));
        assert!(!Arc::ptr_eq(&first, &call(0)));
    }
}

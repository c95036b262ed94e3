//! `#[cached]` of the crate `cached`: a function for each kind of key and value and each capacity, as its cache is a static.
//!
//! The cache is behind one lock. With a capacity, it is the one that was used last that stays; a hit changes the order, so
//! it takes the lock for writing. Without capacity and time to live, it takes the lock for reading.

use std::sync::Arc;

use cached::Cached as _;
use cached::macros::cached;

use super::Memoised;
use crate::service::{Filter, Payload, Person, Value};

/// Functions that keep as many values as said, each for an hour.
pub(crate) struct Cached<const CAPACITY: usize = 2_000>;

/// The function that keeps all values for ever.
pub(crate) struct CachedUnbounded;

impl Cached {
    pub(crate) fn call_async(id: u64) -> impl Future<Output = Arc<Payload>> {
        by_number_async(id)
    }
}

#[cached]
fn by_number_unbounded(id: u64) -> Arc<Payload> {
    Value::load(id)
}

#[cached(max_size = 2_000, ttl_secs = 3_600)]
async fn by_number_async(id: u64) -> Arc<Payload> {
    Value::load(id)
}

#[cached(max_size = 2_000, ttl_secs = 3_600)]
fn number_by_number(id: u64) -> u64 {
    Value::load(id)
}

#[cached(max_size = 2_000, ttl_secs = 3_600)]
fn text_by_number(id: u64) -> String {
    Value::load(id)
}

#[cached(max_size = 2_000, ttl_secs = 3_600)]
fn person_by_number(id: u64) -> Person {
    Value::load(id)
}

#[cached(max_size = 2_000, ttl_secs = 3_600)]
fn by_text(text: &'static str) -> Arc<Payload> {
    Value::load(text.len() as u64)
}

#[cached(max_size = 2_000, ttl_secs = 3_600)]
fn by_parts(parts: (u64, &'static str, Option<u32>)) -> Arc<Payload> {
    Value::load(parts.0 + parts.1.len() as u64 + u64::from(parts.2.unwrap_or(0)))
}

#[cached(max_size = 2_000, ttl_secs = 3_600)]
fn by_filter(filter: Filter) -> Arc<Payload> {
    Value::load(filter.city.len() as u64 + u64::from(filter.page))
}

#[cached(max_size = 1_000, ttl_secs = 3_600)]
fn by_number_1k(id: u64) -> Arc<Payload> {
    Value::load(id)
}

#[cached(max_size = 2_000, ttl_secs = 3_600)]
fn by_number_2k(id: u64) -> Arc<Payload> {
    Value::load(id)
}

#[cached(max_size = 20_000, ttl_secs = 3_600)]
fn by_number_20k(id: u64) -> Arc<Payload> {
    Value::load(id)
}

#[cached(max_size = 100_000, ttl_secs = 3_600)]
fn by_number_100k(id: u64) -> Arc<Payload> {
    Value::load(id)
}

#[cached(max_size = 200_000, ttl_secs = 3_600)]
fn by_number_200k(id: u64) -> Arc<Payload> {
    Value::load(id)
}

#[cached(max_size = 2_000_000, ttl_secs = 3_600)]
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
                $cache.write().cache_reset();
            }
        }
    )*};
}

memoised! {
    CachedUnbounded, "cached unbounded": u64 => Arc<Payload>: by_number_unbounded in BY_NUMBER_UNBOUNDED;
    Cached<1_000>, "cached": u64 => Arc<Payload>: by_number_1k in BY_NUMBER_1K;
    Cached<2_000>, "cached": u64 => Arc<Payload>: by_number_2k in BY_NUMBER_2K;
    Cached<20_000>, "cached": u64 => Arc<Payload>: by_number_20k in BY_NUMBER_20K;
    Cached<100_000>, "cached": u64 => Arc<Payload>: by_number_100k in BY_NUMBER_100K;
    Cached<200_000>, "cached": u64 => Arc<Payload>: by_number_200k in BY_NUMBER_200K;
    Cached<2_000_000>, "cached": u64 => Arc<Payload>: by_number_2m in BY_NUMBER_2M;
    Cached, "cached": u64 => u64: number_by_number in NUMBER_BY_NUMBER;
    Cached, "cached": u64 => String: text_by_number in TEXT_BY_NUMBER;
    Cached, "cached": u64 => Person: person_by_number in PERSON_BY_NUMBER;
    Cached, "cached": &'static str => Arc<Payload>: by_text in BY_TEXT;
    Cached, "cached": (u64, &'static str, Option<u32>) => Arc<Payload>: by_parts in BY_PARTS;
    Cached, "cached": Filter => Arc<Payload>: by_filter in BY_FILTER;
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
        check::<Cached>();
        check::<CachedUnbounded>();
    }

    #[test]
    fn old_values_leave_for_later_ones() {
        let call = <Cached<1_000> as Memoised<u64, Arc<Payload>>>::call;
        let first = call(0);
        assert!(Arc::ptr_eq(&first, &call(0)));
        (1..=1_000).for_each(|id| drop(call(id)));
        assert!(!Arc::ptr_eq(&first, &call(0)));
    }
}

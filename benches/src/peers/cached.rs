//! `#[cached]` of the crate `cached`: a function for each kind of key and value, as its cache is a static.
//!
//! The cache is behind one lock.

use std::sync::Arc;

use cached::Cached as _;
use cached::macros::cached;

use super::Memoised;
use crate::service::{Filter, Payload, Person, Value};

pub(crate) struct Cached;

impl Cached {
    /// Keeps the values that were used last, 1000 of them.
    pub(crate) fn latest_1k(id: u64) -> Arc<Payload> {
        latest_1k(id)
    }

    /// Keeps the values that were used last, 100 000 of them.
    pub(crate) fn latest_100k(id: u64) -> Arc<Payload> {
        latest_100k(id)
    }

    pub(crate) async fn call_async(id: u64) -> Arc<Payload> {
        by_number_async(id).await
    }
}

#[cached]
fn by_number(id: u64) -> Arc<Payload> {
    Value::load(id)
}

#[cached]
async fn by_number_async(id: u64) -> Arc<Payload> {
    Value::load(id)
}

#[cached]
fn text_by_number(id: u64) -> String {
    Value::load(id)
}

#[cached]
fn person_by_number(id: u64) -> Person {
    Value::load(id)
}

#[cached]
fn by_text(text: &'static str) -> Arc<Payload> {
    Value::load(text.len() as u64)
}

#[cached]
fn by_parts(parts: (u64, &'static str, Option<u32>)) -> Arc<Payload> {
    Value::load(parts.0 + parts.1.len() as u64 + u64::from(parts.2.unwrap_or(0)))
}

#[cached]
fn by_filter(filter: Filter) -> Arc<Payload> {
    Value::load(filter.city.len() as u64 + u64::from(filter.page))
}

#[cached(max_size = 1_000)]
fn latest_1k(id: u64) -> Arc<Payload> {
    Value::load(id)
}

#[cached(max_size = 100_000)]
fn latest_100k(id: u64) -> Arc<Payload> {
    Value::load(id)
}

macro_rules! memoised {
    ($($key:ty => $value:ty: $function:ident in $cache:ident;)*) => {$(
        impl Memoised<$key, $value> for Cached {
            const NAME: &'static str = "cached";

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
    u64 => Arc<Payload>: by_number in BY_NUMBER;
    u64 => String: text_by_number in TEXT_BY_NUMBER;
    u64 => Person: person_by_number in PERSON_BY_NUMBER;
    &'static str => Arc<Payload>: by_text in BY_TEXT;
    (u64, &'static str, Option<u32>) => Arc<Payload>: by_parts in BY_PARTS;
    Filter => Arc<Payload>: by_filter in BY_FILTER;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_values_are_kept_and_no_more_of_them() {
        let first = Cached::latest_1k(0);
        assert!(Arc::ptr_eq(&first, &Cached::latest_1k(0)));
        for id in 1..=1_000 {
            Cached::latest_1k(id);
        }
        assert!(!Arc::ptr_eq(&first, &Cached::latest_1k(0)));
    }

    #[test]
    fn a_value_is_kept_until_it_is_forgotten() {
        let call = || -> Arc<Payload> { Cached::call(7_u64) };
        let first = call();
        assert!(Arc::ptr_eq(&first, &call()));
        <Cached as Memoised<u64, Arc<Payload>>>::forget();
        assert!(!Arc::ptr_eq(&first, &call()));
    }
}

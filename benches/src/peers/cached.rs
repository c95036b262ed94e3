//! `#[cached]` of the crate `cached`: a function for each kind of key and value, as its cache is a static.

use std::sync::Arc;

use cached::Cached;
use cached::macros::cached;

use crate::service::{Filter, Payload, Value};

/// How many entries [`latest`] keeps.
pub(crate) const LATEST_CAPACITY: usize = 10_000;

/// A key by which a function of `cached` can be called.
pub(crate) trait Memoised<V>: Sized {
    fn call(self) -> V;

    /// Forgets all values.
    fn forget();
}

#[cached]
fn by_number(id: u64) -> Arc<Payload> {
    Value::load(id)
}

#[cached]
fn text_by_number(id: u64) -> String {
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

/// Keeps the values that were used last, 10 000 of them.
#[cached(max_size = 10_000)]
pub(crate) fn latest(id: u64) -> Arc<Payload> {
    Value::load(id)
}

macro_rules! memoised {
    ($($key:ty => $value:ty: $function:ident in $cache:ident;)*) => {$(
        impl Memoised<$value> for $key {
            fn call(self) -> $value {
                $function(self)
            }

            fn forget() {
                $cache.write().cache_clear();
            }
        }
    )*};
}

memoised! {
    u64 => Arc<Payload>: by_number in BY_NUMBER;
    u64 => String: text_by_number in TEXT_BY_NUMBER;
    &'static str => Arc<Payload>: by_text in BY_TEXT;
    (u64, &'static str, Option<u32>) => Arc<Payload>: by_parts in BY_PARTS;
    Filter => Arc<Payload>: by_filter in BY_FILTER;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_values_are_kept_and_no_more_of_them() {
        let first = latest(0);
        assert!(Arc::ptr_eq(&first, &latest(0)));
        for id in 1..=LATEST_CAPACITY as u64 {
            latest(id);
        }
        assert!(!Arc::ptr_eq(&first, &latest(0)));
    }

    #[test]
    fn a_value_is_kept_until_it_is_forgotten() {
        let first: Arc<Payload> = 7_u64.call();
        assert!(Arc::ptr_eq(&first, &7_u64.call()));
        <u64 as Memoised<Arc<Payload>>>::forget();
        assert!(!Arc::ptr_eq(&first, &7_u64.call()));
    }
}

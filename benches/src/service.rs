//! The annotated methods that are measured, their keys and values, and what they load.

use std::sync::Arc;

use cachex::{Cache, CacheKey, CacheScope, Eviction, cached};
use hitbox_fn::prelude::CacheableResponse;
use serde::{Deserialize, Serialize};

/// What most methods return, shared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, CacheableResponse)]
pub(crate) struct Payload {
    pub(crate) id: u64,
    pub(crate) numbers: [u64; 3],
}

impl Payload {
    pub(crate) fn numbered(id: u64) -> Self {
        Self { id, numbers: [id ^ 1, id ^ 2, id ^ 3] }
    }
}

/// A value that is cloned with what it owns.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Person {
    name: String,
    city: String,
}

/// A value that can be loaded.
pub(crate) trait Value: Clone + Send + Sync + 'static {
    fn load(id: u64) -> Self;
}

impl Value for Arc<Payload> {
    #[inline(never)]
    fn load(id: u64) -> Self {
        Arc::new(Payload::numbered(id))
    }
}

/// Is copied, and shares nothing that two threads would both write.
impl Value for u64 {
    #[inline(never)]
    fn load(id: u64) -> Self {
        id ^ 1
    }
}

impl Value for String {
    #[inline(never)]
    fn load(id: u64) -> Self {
        format!("value {id:020}")
    }
}

impl Value for Person {
    #[inline(never)]
    fn load(id: u64) -> Self {
        Self { name: format!("name {id:020}"), city: format!("city {id:020}") }
    }
}

/// A derived key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, CacheKey)]
pub(crate) struct Filter {
    pub(crate) city: &'static str,
    pub(crate) min_age: Option<u8>,
    pub(crate) page: u32,
}

/// Who answers by a method whose tags are constants, which the method has and not each entry; beside `cachex`, where tags are made from
/// the arguments.
pub(crate) const CONSTANT: &str = "cachex constant";

/// The type with the annotated methods.
#[derive(CacheScope)]
pub(crate) struct Service {
    #[scope(cache)]
    pub(crate) cache: Cache,
}

impl Service {
    /// Makes a service with a cache of its own.
    pub(crate) fn new(max_entries: u64, eviction: Eviction) -> Result<Self, String> {
        let cache = Cache::builder().max_entries(max_entries).eviction(eviction).build();
        Ok(Self { cache: cache.map_err(|error| error.to_string())? })
    }

    #[cached(ttl = "1h")]
    pub(crate) fn untagged(&self, id: u64) -> Arc<Payload> {
        Value::load(id)
    }

    #[cached(ttl = "1h", tags = ["rows"])]
    pub(crate) fn by_number(&self, id: u64) -> Arc<Payload> {
        Value::load(id)
    }

    #[cached(ttl = "1h", tags = ["rows", "payloads", "numbers"])]
    pub(crate) fn three_tags(&self, id: u64) -> Arc<Payload> {
        Value::load(id)
    }

    #[cached(ttl = "1h", tags = ["row:{id}"])]
    pub(crate) fn by_row(&self, id: u64) -> Arc<Payload> {
        Value::load(id)
    }

    #[cached(ttl = "1h", tags = ["row:{id}", "payload:{id}", "numbers:{id}"])]
    pub(crate) fn three_tags_of_row(&self, id: u64) -> Arc<Payload> {
        Value::load(id)
    }

    #[cached(ttl = "1h", tags = ["group:{group}"])]
    pub(crate) fn in_group(&self, group: u64, id: u64) -> Arc<Payload> {
        Value::load(group ^ id)
    }

    #[cached(ttl = "1h", tags = ["others"])]
    pub(crate) fn otherwise_tagged(&self, id: u64) -> Arc<Payload> {
        Value::load(id)
    }

    #[cached(ttl = "1h", tags = ["rows"])]
    pub(crate) async fn by_number_async(&self, id: u64) -> Arc<Payload> {
        Value::load(id)
    }

    #[cached(ttl = "1h", tags = ["row:{id}"])]
    pub(crate) async fn by_row_async(&self, id: u64) -> Arc<Payload> {
        Value::load(id)
    }

    #[cached(ttl = "1h", tags = ["rows"])]
    pub(crate) fn number_by_number(&self, id: u64) -> u64 {
        Value::load(id)
    }

    #[cached(ttl = "1h", tags = ["rows"])]
    pub(crate) fn text_by_number(&self, id: u64) -> String {
        Value::load(id)
    }

    #[cached(ttl = "1h", tags = ["rows"])]
    pub(crate) fn person_by_number(&self, id: u64) -> Person {
        Value::load(id)
    }

    #[cached(ttl = "1h", tags = ["rows"])]
    pub(crate) fn by_text(&self, text: &str) -> Arc<Payload> {
        Value::load(text.len() as u64)
    }

    #[cached(ttl = "1h", tags = ["rows"])]
    pub(crate) async fn by_text_async(&self, text: &str) -> Arc<Payload> {
        Value::load(text.len() as u64)
    }

    #[cached(ttl = "1h", tags = ["rows"])]
    pub(crate) fn by_parts(&self, id: u64, text: &str, page: Option<u32>) -> Arc<Payload> {
        Value::load(id + text.len() as u64 + u64::from(page.unwrap_or(0)))
    }

    #[cached(ttl = "1h", tags = ["rows"])]
    pub(crate) async fn by_parts_async(&self, id: u64, text: &str, page: Option<u32>) -> Arc<Payload> {
        Value::load(id + text.len() as u64 + u64::from(page.unwrap_or(0)))
    }

    #[cached(ttl = "1h", tags = ["rows"])]
    pub(crate) fn by_filter(&self, filter: &Filter) -> Arc<Payload> {
        Value::load(filter.city.len() as u64 + u64::from(filter.page))
    }

    #[cached(ttl = "1h", tags = ["rows"])]
    pub(crate) async fn by_filter_async(&self, filter: &Filter) -> Arc<Payload> {
        Value::load(filter.city.len() as u64 + u64::from(filter.page))
    }

    #[cached(ttl = "1h", tags = ["rows"], single_flight = false)]
    pub(crate) fn alone(&self, id: u64) -> Arc<Payload> {
        Value::load(id)
    }
}

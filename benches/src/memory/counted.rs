//! Values that count themselves, and who keeps them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use cached::macros::{cached, concurrent_cached};
use cachex::{Cache, CacheScope};
use serde::{Deserialize, Serialize};

/// How many values are alive.
static LIVE: AtomicU64 = AtomicU64::new(0);

/// A value as [`Payload`](crate::service::Payload) is; it counts itself.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Counted {
    id: u64,
    numbers: [u64; 3],
}

impl Counted {
    /// Bytes of a value in its `Arc`, with the two counters of that.
    pub(super) const BYTES: u64 = (size_of::<Self>() + 2 * size_of::<usize>()) as u64;

    pub(super) fn load(id: u64) -> Arc<Self> {
        LIVE.fetch_add(1, Ordering::Relaxed);
        Arc::new(Self { id, numbers: [id ^ 1, id ^ 2, id ^ 3] })
    }

    /// Returns how many values are alive.
    pub(super) fn live() -> u64 {
        LIVE.load(Ordering::Relaxed)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        LIVE.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The type with the annotated methods.
#[derive(CacheScope)]
pub(super) struct Counting {
    #[scope(cache)]
    cache: Cache,
}

impl Counting {
    pub(super) fn new(capacity: u64) -> Result<Self, String> {
        let cache = Cache::builder().max_entries(capacity).build().map_err(|error| error.to_string())?;
        Ok(Self { cache })
    }

    #[cachex::cached(ttl = "1h", tags = ["rows"])]
    pub(super) fn tagged(&self, id: u64) -> Arc<Counted> {
        Counted::load(id)
    }

    #[cachex::cached(ttl = "1h")]
    pub(super) fn no_tags(&self, id: u64) -> Arc<Counted> {
        Counted::load(id)
    }

    #[cachex::cached(ttl = "1h", tags = ["a", "b", "c", "d", "e", "f", "g", "h"])]
    pub(super) fn eight_tags(&self, id: u64) -> Arc<Counted> {
        Counted::load(id)
    }

    #[cachex::cached(ttl = "1h", tags = ["rows", "payloads", "numbers"])]
    pub(super) fn three_tags(&self, id: u64) -> Arc<Counted> {
        Counted::load(id)
    }

    #[cachex::cached(ttl = "1h", tags = ["a:{id}"])]
    pub(super) fn one_of_row(&self, id: u64) -> Arc<Counted> {
        Counted::load(id)
    }

    #[cachex::cached(ttl = "1h", tags = ["a:{id}", "b:{id}", "c:{id}"])]
    pub(super) fn three_of_row(&self, id: u64) -> Arc<Counted> {
        Counted::load(id)
    }

    #[cachex::cached(ttl = "1h", tags = ["a:{id}", "b:{id}", "c:{id}", "d:{id}", "e:{id}", "f:{id}", "g:{id}", "h:{id}"])]
    pub(super) fn eight_of_row(&self, id: u64) -> Arc<Counted> {
        Counted::load(id)
    }

    /// Does what was put off, and drops what nobody needs.
    pub(super) fn settle(&self) {
        self.cache.reclaim();
    }

    #[cachex::cached]
    pub(super) fn plain(&self, id: u64) -> Arc<Counted> {
        Counted::load(id)
    }
}

#[cached]
pub(super) fn cached_all(id: u64) -> Arc<Counted> {
    Counted::load(id)
}

#[cached(max_size = 20_000, ttl_secs = 3_600)]
pub(super) fn cached_20k(id: u64) -> Arc<Counted> {
    Counted::load(id)
}

#[cached(max_size = 1_000_000, ttl_secs = 3_600)]
pub(super) fn cached_1m(id: u64) -> Arc<Counted> {
    Counted::load(id)
}

#[concurrent_cached]
pub(super) fn concurrent_all(id: u64) -> Arc<Counted> {
    Counted::load(id)
}

#[concurrent_cached(max_size = 20_000, ttl_secs = 3_600)]
pub(super) fn concurrent_20k(id: u64) -> Arc<Counted> {
    Counted::load(id)
}

#[concurrent_cached(max_size = 1_000_000, ttl_secs = 3_600)]
pub(super) fn concurrent_1m(id: u64) -> Arc<Counted> {
    Counted::load(id)
}

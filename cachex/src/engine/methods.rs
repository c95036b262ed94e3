//! The methods a cache has met: their rules in force, their epoch, their counters.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use crate::entry::stamp::Epoch;
use crate::method::Region;
use crate::observe::counters::Counters;
use crate::policy::Policy;

/// One region in one cache.
#[derive(Debug)]
pub(crate) struct Method {
    pub(crate) region: &'static Region,
    /// The last invalidation of all entries of the method.
    pub(crate) epoch: Epoch,
    pub(crate) counters: Counters,
    is_enabled: AtomicBool,
    policy: RwLock<Arc<Policy>>,
}

impl Method {
    fn new(region: &'static Region, policy: Policy) -> Self {
        Self {
            region,
            epoch: Epoch::default(),
            counters: Counters::default(),
            is_enabled: AtomicBool::new(policy.enabled),
            policy: RwLock::new(Arc::new(policy)),
        }
    }

    #[inline]
    pub(crate) fn is_enabled(&self) -> bool {
        self.is_enabled.load(Ordering::Relaxed)
    }

    pub(crate) fn policy(&self) -> Arc<Policy> {
        self.policy.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Changes the rules of loads to come; entries keep the times they were stored with.
    pub(crate) fn set_policy(&self, policy: Policy) {
        self.is_enabled.store(policy.enabled, Ordering::Relaxed);
        *self.policy.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(policy);
    }
}

/// Regions in the first bucket; each bucket after it is twice as large.
const FIRST: usize = 32;
const BUCKETS: usize = 28;

type Bucket = OnceLock<Box<[OnceLock<Arc<Method>>]>>;

/// All methods a cache has met, found by the number of their region without a lock: buckets that are never moved.
pub(crate) struct Methods {
    buckets: [Bucket; BUCKETS],
}

impl Methods {
    pub(crate) fn new() -> Self {
        Self { buckets: [const { OnceLock::new() }; BUCKETS] }
    }

    /// Returns the method of a region, made with `policy` if it is new here.
    #[inline(always)]
    pub(crate) fn get(&self, region: &'static Region, policy: impl Fn() -> Policy) -> &Arc<Method> {
        let (bucket, index) = place(region.id());
        match self.buckets[bucket].get().and_then(|bucket| bucket[index].get()) {
            Some(method) => method,
            None => self.meet(region, policy),
        }
    }

    /// Returns the method of the region with a number, if it is known here.
    pub(crate) fn known(&self, region: u32) -> Option<&Arc<Method>> {
        let (bucket, index) = place(region);
        self.buckets[bucket].get()?[index].get()
    }

    #[cold]
    fn meet(&self, region: &'static Region, policy: impl Fn() -> Policy) -> &Arc<Method> {
        let (bucket, index) = place(region.id());
        let size = FIRST << bucket;
        let bucket = self.buckets[bucket].get_or_init(|| (0..size).map(|_| OnceLock::new()).collect());
        let method = bucket[index].get_or_init(|| Arc::new(Method::new(region, policy())));
        // Asked again now that it is listed: settings may have come in between, and not found it.
        method.set_policy(policy());
        method
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<Method>> {
        self.buckets.iter().filter_map(OnceLock::get).flat_map(|bucket| bucket.iter()).filter_map(OnceLock::get)
    }
}

impl fmt::Debug for Methods {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().map(|method| method.region.signature())).finish()
    }
}

/// Returns the bucket of a region and its index there.
#[inline(always)]
fn place(id: u32) -> (usize, usize) {
    let position = id as usize + FIRST;
    let bucket = (position.ilog2() - FIRST.ilog2()) as usize;
    (bucket, position - (FIRST << bucket))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_fill_each_bucket_in_order() {
        assert_eq!(place(0), (0, 0));
        assert_eq!(place(31), (0, 31));
        assert_eq!(place(32), (1, 0));
        assert_eq!(place(95), (1, 63));
        assert_eq!(place(96), (2, 0));
        let (bucket, index) = place(u32::MAX);
        assert!(bucket < BUCKETS && index < FIRST << bucket);
    }
}

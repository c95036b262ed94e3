//! The methods a cache has met: their rules in force, their epoch, their counters.

use std::fmt;
#[cfg(feature = "remote")]
use std::sync::atomic::AtomicU64;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

#[cfg(feature = "remote")]
use super::remote::groups_of;
use crate::entry::stamp::{Epoch, Stamp};
use crate::entry::tags::{TagId, TagIds};
use crate::method::Region;
use crate::observe::counters::Counters;
use crate::policy::Policy;
#[cfg(feature = "remote")]
use crate::store::Group;
use crate::sync::fence;

/// One region in one cache.
#[derive(Debug)]
pub(crate) struct Method {
    pub(crate) region: &'static Region,
    /// What the stamp of an entry has to reach for a plain hit: not less than the method's epoch and that of the whole cache, and
    /// out of reach while the method is disabled, or kept elsewhere only.
    pub(crate) floor: Epoch,
    /// The last invalidation of all entries of the method.
    pub(crate) epoch: Epoch,
    pub(crate) counters: Counters,
    is_enabled: AtomicBool,
    /// Whether entries are kept in memory.
    is_kept_here: AtomicBool,
    /// The rules in force until others are set: for most methods, always.
    first_policy: Arc<Policy>,
    has_changed: AtomicBool,
    changed_policy: RwLock<Option<Arc<Policy>>>,
    /// The numbers of the tags that the annotation names as they are.
    constants: Box<[TagId]>,
    /// The digest of the type of values that was last asked for in L2, or 0.
    #[cfg(feature = "remote")]
    schema: AtomicU64,
    /// The groups in L2 that all values belong to.
    #[cfg(feature = "remote")]
    groups: Box<[Group]>,
}

impl Method {
    fn new(region: &'static Region, policy: Policy, constants: Box<[TagId]>) -> Self {
        Self {
            region,
            floor: Epoch::default(),
            epoch: Epoch::default(),
            counters: Counters::default(),
            is_enabled: AtomicBool::new(policy.enabled),
            is_kept_here: AtomicBool::new(policy.keeps_in_memory()),
            first_policy: Arc::new(policy),
            has_changed: AtomicBool::new(false),
            changed_policy: RwLock::new(None),
            constants,
            #[cfg(feature = "remote")]
            schema: AtomicU64::new(0),
            #[cfg(feature = "remote")]
            groups: groups_of(region),
        }
    }

    /// Notes the type of values that is asked for in L2. Keys by hand may have any.
    #[cfg(feature = "remote")]
    pub(crate) fn note_schema(&self, schema: Option<u64>) {
        if !std::ptr::eq(self.region, Region::manual()) {
            self.schema.store(schema.unwrap_or_default(), Ordering::Relaxed);
        }
    }

    /// Returns the groups in L2 that all values belong to: everything, the method, and the tags that the annotation names as they are.
    #[cfg(feature = "remote")]
    pub(crate) fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// Returns what tells the type of values from others, if that is known.
    #[cfg(feature = "remote")]
    pub(crate) fn schema(&self) -> Option<u64> {
        match self.schema.load(Ordering::Relaxed) {
            0 => None,
            schema => Some(schema),
        }
    }

    /// Returns the numbers of the tags that all entries of the method have: so none names them.
    #[inline(always)]
    pub(crate) fn constants(&self) -> &[TagId] {
        &self.constants
    }

    #[inline]
    pub(crate) fn is_enabled(&self) -> bool {
        self.is_enabled.load(Ordering::Relaxed)
    }

    /// Whether entries are kept in memory: else no call is answered from there.
    #[inline]
    pub(crate) fn is_kept_here(&self) -> bool {
        self.is_kept_here.load(Ordering::Relaxed)
    }

    pub(crate) fn policy(&self) -> Arc<Policy> {
        self.changed_policy().unwrap_or_else(|| self.first_policy.clone())
    }

    /// Returns the rules that the method had first.
    pub(crate) fn first_policy(&self) -> &Policy {
        &self.first_policy
    }

    /// Returns the rules in force if they are not the first ones.
    #[inline]
    pub(crate) fn changed_policy(&self) -> Option<Arc<Policy>> {
        // Acquire: who sees that they have changed finds them.
        if !self.has_changed.load(Ordering::Acquire) {
            return None;
        }
        self.changed_policy.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Makes plain hits possible again if the method was enabled again. `epoch` is that of the whole cache; to be called while nothing
    /// can be invalidated.
    pub(crate) fn reopen(&self, epoch: Stamp) {
        // While this is held, the method is neither enabled nor disabled.
        let _policy = self.changed_policy.read().unwrap_or_else(PoisonError::into_inner);
        if self.is_enabled() && self.is_kept_here() {
            self.floor.lower(self.epoch.get().max(epoch));
        }
    }

    /// Changes the rules of loads to come; entries keep the times they were stored with.
    ///
    /// `policy` is asked under the lock that the others take: who was asked last knows best.
    pub(crate) fn set_policy(&self, policy: impl FnOnce() -> Policy) {
        let mut changed = self.changed_policy.write().unwrap_or_else(PoisonError::into_inner);
        let policy = policy();
        self.is_enabled.store(policy.enabled, Ordering::Relaxed);
        self.is_kept_here.store(policy.keeps_in_memory(), Ordering::Relaxed);
        if !policy.enabled || !policy.keeps_in_memory() {
            self.floor.raise(Stamp::latest());
        }
        if changed.is_some() || policy != *self.first_policy {
            *changed = Some(Arc::new(policy));
            self.has_changed.store(true, Ordering::Release);
        }
    }
}

/// Regions that are found with one look; few programs have more.
const FIRST: usize = 256;
const BUCKETS: usize = 25;

type Bucket = Box<[OnceLock<Arc<Method>>]>;

/// All methods a cache has met, found by the number of their region without a lock: buckets that are never moved, each twice
/// as large as the one before.
pub(crate) struct Methods {
    first: [OnceLock<Arc<Method>>; FIRST],
    others: [OnceLock<Bucket>; BUCKETS],
}

impl Methods {
    pub(crate) fn new() -> Self {
        Self { first: [const { OnceLock::new() }; FIRST], others: [const { OnceLock::new() }; BUCKETS] }
    }

    /// Returns the method of a region, if it has an early number and is known here.
    #[inline(always)]
    pub(crate) fn early(&self, region: &'static Region) -> Option<&Arc<Method>> {
        self.first.get(region.id() as usize).and_then(OnceLock::get)
    }

    /// Returns the method of the region with a number, if it is known here.
    pub(crate) fn known(&self, region: u32) -> Option<&Arc<Method>> {
        match place(region) {
            (None, index) => self.first[index].get(),
            (Some(bucket), index) => self.others[bucket].get()?[index].get(),
        }
    }

    /// Returns the method of a region, made with `policy` and the numbers of its constant tags if it is new here. `epoch` returns that of
    /// the whole cache.
    pub(crate) fn meet(
        &self,
        region: &'static Region,
        policy: impl Fn() -> Policy,
        constants: impl FnOnce() -> TagIds,
        epoch: impl Fn() -> Stamp,
    ) -> &Arc<Method> {
        if let Some(known) = self.known(region.id()) {
            return known;
        }
        let place = match place(region.id()) {
            (None, index) => &self.first[index],
            (Some(number), index) => &self.others[number].get_or_init(|| bucket(FIRST << number))[index],
        };
        let method = place.get_or_init(|| Arc::new(Method::new(region, policy(), constants().as_slice().into())));
        // Asked again now that it is listed: settings may have come in between, and not found it. So may an invalidation of everything.
        // (Entries of the method there are none from before it was listed.)
        method.set_policy(policy);
        // As in `Engine::clear`: either it finds the method, or its epoch is found here.
        fence(crate::sync::Ordering::SeqCst);
        method.floor.raise(epoch());
        method
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<Method>> {
        let others = self.others.iter().filter_map(OnceLock::get).flat_map(|bucket| bucket.iter());
        self.first.iter().chain(others).filter_map(OnceLock::get)
    }
}

fn bucket(size: usize) -> Bucket {
    (0..size).map(|_| OnceLock::new()).collect()
}

impl fmt::Debug for Methods {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().map(|method| method.region.signature())).finish()
    }
}

/// Returns the bucket of a region, if it is not the first, and its index there.
fn place(id: u32) -> (Option<usize>, usize) {
    let id = id as usize;
    if id < FIRST {
        return (None, id);
    }
    let bucket = (id.ilog2() - FIRST.ilog2()) as usize;
    (Some(bucket), id - (FIRST << bucket))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_fill_each_bucket_in_order() {
        assert_eq!(place(0), (None, 0));
        assert_eq!(place(255), (None, 255));
        assert_eq!(place(256), (Some(0), 0));
        assert_eq!(place(511), (Some(0), 255));
        assert_eq!(place(512), (Some(1), 0));
        let (bucket, index) = place(u32::MAX);
        assert!(bucket.is_some_and(|bucket| bucket < BUCKETS && index < FIRST << bucket));
    }
}

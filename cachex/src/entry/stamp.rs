//! The logical clock of a cache.

use crate::sync::{AtomicU64, Ordering};

/// A reading of a cache's logical clock: how many invalidations it had seen.
///
/// A load takes one before it begins; its value is current as long as nothing it depends on was invalidated later.
///
/// # Examples
///
/// ```
/// use cachex::Cache;
///
/// let cache = Cache::builder().build()?;
/// let before = cache.stamp();
/// cache.invalidate_tags(["users"]);
/// assert!(cache.stamp() > before);
/// # Ok::<(), cachex::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stamp(u64);

impl Stamp {
    /// The latest of all: what no reading comes after.
    pub(crate) const fn latest() -> Self {
        Self(u64::MAX)
    }

    #[inline(always)]
    pub(crate) fn number(self) -> u64 {
        self.0
    }
}

/// The logical clock itself: one counter, moved on by every invalidation.
#[derive(Debug)]
pub(crate) struct Sequence(AtomicU64);

impl Sequence {
    pub(crate) fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// Reads the clock. Acquire: who reads the number of an invalidation also sees the write it followed.
    pub(crate) fn now(&self) -> Stamp {
        Stamp(self.0.load(Ordering::Acquire))
    }

    /// Moves the clock on and returns the new reading, which no stamp taken before has reached.
    pub(crate) fn step(&self) -> Stamp {
        Stamp(self.0.fetch_add(1, Ordering::AcqRel) + 1)
    }
}

/// The clock of the last invalidation of something: a tag, a method, a key in flight, the whole cache.
#[derive(Debug, Default)]
pub(crate) struct Epoch(AtomicU64);

impl Epoch {
    pub(crate) fn at(stamp: Stamp) -> Self {
        Self(AtomicU64::new(stamp.0))
    }

    /// Notes an invalidation; an older one never takes back a newer one.
    pub(crate) fn raise(&self, to: Stamp) {
        self.0.fetch_max(to.0, Ordering::AcqRel);
    }

    /// Takes back what was noted. To be called only by who knows that nobody notes an invalidation meanwhile.
    pub(crate) fn lower(&self, to: Stamp) {
        self.0.store(to.0, Ordering::Release);
    }

    pub(crate) fn get(&self) -> Stamp {
        Stamp(self.0.load(Ordering::Acquire))
    }

    /// Whether a value whose load began at `stamp` saw every invalidation noted here.
    #[inline]
    pub(crate) fn allows(&self, stamp: Stamp) -> bool {
        self.0.load(Ordering::Acquire) <= stamp.0
    }
}

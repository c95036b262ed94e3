//! Values that are counted: how many live, and that each was dropped once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

/// All values that were ever made, by number.
pub(super) struct Census {
    made: AtomicUsize,
    living: AtomicUsize,
    drops: Box<[AtomicU8]>,
}

/// What the source held for `id` at `version`.
pub(super) struct Counted {
    pub(super) id: usize,
    pub(super) version: u64,
    number: usize,
    census: Arc<Census>,
}

impl Census {
    /// Has room for so many values.
    pub(super) fn of(most: usize) -> Arc<Self> {
        let drops = (0..most).map(|_| AtomicU8::new(0)).collect();
        Arc::new(Self { made: AtomicUsize::new(0), living: AtomicUsize::new(0), drops })
    }

    pub(super) fn value(self: &Arc<Self>, id: usize, version: u64) -> Arc<Counted> {
        let number = self.made.fetch_add(1, Ordering::SeqCst);
        assert!(number < self.drops.len(), "more values than there is work");
        self.living.fetch_add(1, Ordering::SeqCst);
        Arc::new(Counted { id, version, number, census: self.clone() })
    }

    pub(super) fn living(&self) -> usize {
        self.living.load(Ordering::SeqCst)
    }

    pub(super) fn made(&self) -> usize {
        self.made.load(Ordering::SeqCst)
    }

    /// Checks that every value that was made was dropped, and only once.
    pub(super) fn check_all_are_dropped(&self) {
        // The background may be in the middle of a reclaim, and holds the cache until it ends.
        let _are_dropped = (0..1_000_000).any(|_| {
            std::thread::yield_now();
            self.living() == 0
        });
        let drops: Vec<_> = self.drops[..self.made()].iter().map(|drops| drops.load(Ordering::SeqCst)).collect();
        let count = |times| drops.iter().filter(|drops| **drops == times).count();
        assert_eq!((count(0), count(1)), (0, drops.len()), "values that were dropped never, and once");
    }
}

impl Counted {
    /// Checks that this is a value for `id`, no older than `version`, and was not dropped while somebody has it.
    #[track_caller]
    pub(super) fn check(&self, id: usize, version: u64) {
        assert_eq!(self.id, id, "the value of another key");
        assert!(self.version >= version, "read {} after {version} was published", self.version);
        assert_eq!(self.census.drops[self.number].load(Ordering::SeqCst), 0, "the value was dropped already");
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.census.drops[self.number].fetch_add(1, Ordering::SeqCst);
        self.census.living.fetch_sub(1, Ordering::SeqCst);
    }
}

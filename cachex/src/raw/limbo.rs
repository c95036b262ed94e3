//! What was unlinked and waits for its grace.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use smallvec::SmallVec;

use super::grace::GracePeriod;

/// Beginning a period is a call of the system, so this many share one.
const BATCH: usize = 64;
/// Where several threads are at work it interrupts the others, which takes longer than all else that is done for so many. Then it is this
/// many, or one in so many of those that are held, if these are fewer.
const LARGE_BATCH: usize = 512;
const LARGE_PART: usize = 4;
/// Batches that wait without anybody giving way to those who read them.
const MOST_WAITING: usize = 8;
const MOST_YIELDS: usize = 16;

/// Drops what is buried in it after a period of grace, on the thread of somebody who tends it, and under no lock.
#[derive(Debug)]
pub(super) struct Limbo<G> {
    dead: Mutex<Dead<G>>,
    /// How many there are whose period has not begun, also where the weight is more than should be.
    fresh: AtomicUsize,
    /// Whether the last period interrupted others.
    has_others: AtomicBool,
    /// What may wait for its period to begin, in the unit of its owner …
    most_weight: u64,
    /// … and how many, and of which weight, may wait with one of those who bury.
    most_kept: usize,
    most_kept_weight: u64,
}

#[derive(Debug)]
struct Dead<G> {
    fresh: Fresh<G>,
    waiting: VecDeque<(GracePeriod, Vec<G>)>,
}

/// What has had its period: one batch, mostly.
type Passed<G> = SmallVec<[Vec<G>; 2]>;

/// What was unlinked and whose period has not begun. Who buries much has one, under a lock of its own: so that one is
/// not taken for each.
#[derive(Debug)]
pub(super) struct Fresh<G> {
    garbage: Vec<G>,
    weight: u64,
}

impl<G> Fresh<G> {
    pub(super) fn new() -> Self {
        Self { garbage: Vec::new(), weight: 0 }
    }

    fn add(&mut self, other: &mut Self) {
        self.garbage.append(&mut other.garbage);
        self.weight = self.weight.saturating_add(std::mem::take(&mut other.weight));
    }
}

impl<G> Limbo<G> {
    /// `burying` is how many bury: what waits with all of them is less than the smaller batch, and half of the weight.
    pub(super) fn new(most_weight: u64, burying: usize) -> Self {
        let dead = Dead { fresh: Fresh::new(), waiting: VecDeque::new() };
        Self {
            dead: Mutex::new(dead),
            fresh: AtomicUsize::new(0),
            has_others: AtomicBool::new(false),
            most_weight: most_weight / 2,
            most_kept: (BATCH / burying).saturating_sub(1),
            most_kept_weight: most_weight / 2 / burying as u64,
        }
    }

    /// Takes in what was unlinked; some of it is kept by who buries.
    pub(super) fn bury(&self, kept: &mut Fresh<G>, garbage: G, weight: u64) {
        kept.garbage.push(garbage);
        kept.weight = kept.weight.saturating_add(weight);
        if kept.garbage.len() > self.most_kept || kept.weight > self.most_kept_weight {
            self.take_over(kept);
        }
    }

    /// Takes over what is kept by who buries.
    pub(super) fn take_over(&self, kept: &mut Fresh<G>) {
        let mut dead = self.lock();
        dead.fresh.add(kept);
        let is_heavy = dead.fresh.weight > self.most_weight;
        self.fresh.store(if is_heavy { usize::MAX } else { dead.fresh.garbage.len() }, Ordering::Relaxed);
    }

    /// Drops what may be dropped, if there is enough of it beside the `held` that are not buried. To be called under no lock.
    #[inline]
    pub(super) fn tend(&self, held: impl FnOnce() -> usize) {
        let fresh = self.fresh.load(Ordering::Relaxed);
        if fresh >= BATCH && fresh >= self.batch(held) {
            self.drop_some();
        }
    }

    /// Returns how many share a period.
    fn batch(&self, held: impl FnOnce() -> usize) -> usize {
        if self.has_others.load(Ordering::Relaxed) { (held() / LARGE_PART).clamp(BATCH, LARGE_BATCH) } else { BATCH }
    }

    #[cold]
    #[inline(never)]
    fn drop_some(&self) {
        drop(self.pass());
        self.wait_for_readers();
    }

    /// Gives the thread to others while much waits: most likely a reader was interrupted, and needs a core.
    fn wait_for_readers(&self) {
        for _ in 0..MOST_YIELDS {
            if self.lock().waiting.len() <= MOST_WAITING {
                return;
            }
            std::thread::yield_now();
            drop(self.pass());
        }
    }

    /// Drops what may be dropped, and looks again while something waits, up to `looks` times. Returns how much still waits.
    pub(super) fn flush(&self, looks: usize) -> usize {
        for look in 0..looks.max(1) {
            if look > 0 {
                std::thread::yield_now();
            }
            drop(self.pass());
            let dead = self.lock();
            if dead.fresh.garbage.is_empty() && dead.waiting.is_empty() {
                return 0;
            }
        }
        let dead = self.lock();
        dead.fresh.garbage.len() + dead.waiting.iter().map(|(_, garbage)| garbage.len()).sum::<usize>()
    }

    /// Begins the period of what is fresh, and returns what has had its own.
    fn pass(&self) -> Passed<G> {
        let fresh = {
            let mut dead = self.lock();
            self.fresh.store(0, Ordering::Relaxed);
            dead.fresh.weight = 0;
            let usual = dead.fresh.garbage.len().min(LARGE_BATCH);
            std::mem::replace(&mut dead.fresh.garbage, Vec::with_capacity(usual))
        };
        // Under no lock: it takes its time.
        let period = if fresh.is_empty() { None } else { GracePeriod::begin() };
        let mut dead = self.lock();
        if let Some(period) = &period {
            self.has_others.store(period.has_others(), Ordering::Relaxed);
        }
        match period {
            Some(period) => dead.waiting.push_back((period, fresh)),
            None => dead.fresh.garbage.extend(fresh),
        }
        let mut passed = Passed::new();
        for _ in 0..dead.waiting.len() {
            let Some((mut period, garbage)) = dead.waiting.pop_front() else { break };
            if period.has_passed() {
                passed.push(garbage);
            } else {
                dead.waiting.push_back((period, garbage));
            }
        }
        passed
    }

    fn lock(&self) -> MutexGuard<'_, Dead<G>> {
        self.dead.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(all(test, not(cachex_loom)))]
mod tests {
    use super::*;

    /// Buries with each of so many in turn, things of this weight, and returns the most that waited after any of it, and its weight.
    fn most_waiting(burying: usize, weight: u64, most_weight: u64) -> (usize, u64) {
        let limbo = Limbo::new(most_weight, burying);
        let mut kept: Vec<_> = (0..burying).map(|_| Fresh::new()).collect();
        let (mut most, mut heaviest) = (0, 0);
        for turn in 0..1000 {
            limbo.bury(&mut kept[turn * 7 % burying], (), weight);
            limbo.tend(|| 1000);
            let dead = limbo.lock();
            let waiting = kept.iter().chain([&dead.fresh]);
            let (count, weight) =
                waiting.fold((0, 0), |(count, weight), fresh| (count + fresh.garbage.len(), weight + fresh.weight));
            (most, heaviest) = (most.max(count), heaviest.max(weight));
        }
        kept.iter_mut().for_each(|kept| limbo.take_over(kept));
        // Other tests may read meanwhile, but end.
        assert_eq!(limbo.flush(1_000_000), 0);
        (most, heaviest)
    }

    #[test]
    fn what_waits_for_its_period_to_begin_is_bounded_however_many_bury() {
        // Other tests may read meanwhile: then it is the larger batch.
        for burying in [1, 2, 16, 64, 256] {
            let (most, _) = most_waiting(burying, 1, 1 << 20);
            assert!((BATCH - 1..1000 / LARGE_PART + BATCH).contains(&most), "{most} with {burying}");
        }
    }

    #[test]
    fn a_batch_is_larger_where_a_period_interrupts_others_and_much_is_held() {
        let limbo = Limbo::<()>::new(1 << 20, 1);
        let sizes = || [0, 100, 1_000, 1_000_000].map(|held| limbo.batch(|| held));
        assert_eq!(sizes(), [BATCH; 4]);
        limbo.has_others.store(true, Ordering::Relaxed);
        assert_eq!(sizes(), [BATCH, BATCH, 250, LARGE_BATCH]);
    }

    #[test]
    fn heavy_things_wait_for_few_others() {
        for burying in [1, 2, 16, 64] {
            let (most, heaviest) = most_waiting(burying, 100, 1000);
            assert!(most > 0 && heaviest <= 1000, "{heaviest} with {burying}");
        }
        assert_eq!(most_waiting(4, 1001, 1000), (0, 0));
    }
}

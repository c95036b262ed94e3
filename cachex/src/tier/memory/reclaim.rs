//! Taking out what is of no use any more, without being asked for it.

use std::sync::atomic::Ordering;

use super::policy::SlotId;
use super::shard::Shard;
use super::{Left, MemoryTier, read, write};
use crate::entry::Entry;
use crate::key::{Key, KeyRef};
use crate::time::Timestamp;

/// How many entries leave under one hold of a lock.
const BATCH: usize = 64;
/// How many slots a call looks at that does not look at all.
const STEP: usize = 16;

/// What was taken out because it was of no use any more.
#[derive(Debug, Default)]
pub(crate) struct Reclaimed {
    /// By age.
    pub(crate) expired: Left,
    /// Because it was wrong.
    pub(crate) invalidated: Left,
}

impl MemoryTier {
    /// Removes every entry that is dead by age at `now`, and those among a few slots that are not current; with `scan_all`
    /// all that are not current. Each call without `scan_all` looks at other slots, until it begins anew.
    ///
    /// Cheap if nothing is due: one atomic load for the ages. `is_current` runs under a lock and must not call the tier.
    pub(crate) fn reclaim(
        &self,
        now: Timestamp,
        is_current: &dyn Fn(&Key, &Entry) -> bool,
        scan_all: bool,
    ) -> Reclaimed {
        let mut reclaimed = Reclaimed::default();
        if self.due_at.load(Ordering::Relaxed) <= now.as_nanos() {
            self.reclaim_expired(now, &mut reclaimed.expired);
        }
        if scan_all {
            for index in 0..self.shards.len() {
                let numbers = read(&self.shards[index]).slots().numbers();
                for start in (0..numbers).step_by(BATCH) {
                    self.reclaim_invalidated(index, start, BATCH, is_current, &mut reclaimed.invalidated);
                }
            }
        } else {
            let turn = self.scan_turn.fetch_add(1, Ordering::Relaxed);
            let start = (turn / self.shards.len()).wrapping_mul(STEP);
            self.reclaim_invalidated(turn % self.shards.len(), start, STEP, is_current, &mut reclaimed.invalidated);
        }
        reclaimed
    }

    /// Returns a time not later than the first at which an entry dies by age, as things stand; `None` if none does.
    ///
    /// It may be too early, since an access puts off the end of an idle entry: a [`reclaim`](Self::reclaim) at that time
    /// then removes nothing and finds the next one. Takes the read lock of each shard in turn.
    #[cfg(test)]
    pub(crate) fn next_deadline(&self) -> Option<Timestamp> {
        self.shards.iter().filter_map(|shard| read(shard).next_deadline()).min()
    }

    /// Puts an entry whose end was moved in its new place in the queue of deadlines.
    pub(crate) fn requeue(&self, at: KeyRef<'_>) {
        let mut shard = write(self.shard(at.hash));
        if let Some(slot) = shard.find(at) {
            shard.requeue(slot);
            self.note_deadline(shard.next_deadline().unwrap_or(Timestamp::NEVER));
        }
    }

    /// Notes that an entry dies at `due_at`. Called under the lock of its shard, after it was queued.
    pub(super) fn note_deadline(&self, due_at: Timestamp) {
        if due_at.as_nanos() < self.due_at.load(Ordering::Relaxed) {
            self.due_at.fetch_min(due_at.as_nanos(), Ordering::Relaxed);
        }
    }

    fn reclaim_expired(&self, now: Timestamp, expired: &mut Left) {
        // From here on entries that are queued note their deadlines anew; those queued before are seen below.
        self.due_at.store(Timestamp::NEVER.as_nanos(), Ordering::Relaxed);
        for shard in &self.shards {
            loop {
                let mut shard = write(shard);
                let before = expired.len();
                while expired.len() - before < BATCH
                    && let Some(slot) = shard.next_dead(now)
                {
                    expired.push(self.take(&mut shard, slot).into_pair());
                }
                if expired.len() - before < BATCH {
                    self.note_deadline(shard.next_deadline().unwrap_or(Timestamp::NEVER));
                    break;
                }
            }
        }
    }

    /// Removes what is not current among `count` slots of a shard from `start` on; past the end it begins at the first.
    fn reclaim_invalidated(
        &self,
        index: usize,
        start: usize,
        count: usize,
        is_current: &dyn Fn(&Key, &Entry) -> bool,
        invalidated: &mut Left,
    ) {
        let wrong = wrong_slots(&read(&self.shards[index]), start, count, is_current);
        if wrong.is_empty() {
            return;
        }
        let mut shard = write(&self.shards[index]);
        for slot in wrong {
            // Between the locks the slot may have come to hold something else.
            if shard.slots().get(slot).is_some_and(|slot| !is_current(&slot.key, &slot.entry)) {
                invalidated.push(self.take(&mut shard, slot).into_pair());
            }
        }
    }
}

fn wrong_slots(shard: &Shard, start: usize, count: usize, is_current: &dyn Fn(&Key, &Entry) -> bool) -> Vec<SlotId> {
    let numbers = shard.slots().numbers();
    let looked_at = (0..count.min(numbers)).map(|offset| ((start % numbers + offset) % numbers) as SlotId);
    looked_at.filter(|slot| shard.slots().get(*slot).is_some_and(|slot| !is_current(&slot.key, &slot.entry))).collect()
}

//! Taking out what is of no use any more, without being asked for it.

use std::sync::atomic::Ordering;

use super::policy::SlotId;
use super::shard::ShardOwner;
use super::{Left, MemoryTier};
use crate::entry::Entry;
use crate::key::KeyRef;
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
    pub(crate) fn reclaim(&self, now: Timestamp, is_current: &dyn Fn(&Entry) -> bool, scan_all: bool) -> Reclaimed {
        let mut reclaimed = Reclaimed::default();
        if self.due_at.load(Ordering::Relaxed) <= now.as_nanos() {
            self.reclaim_expired(now, &mut reclaimed.expired);
        }
        if scan_all {
            for index in 0..self.table.shards() {
                let numbers = self.table.own(index).nodes().numbers();
                for start in (0..numbers).step_by(BATCH) {
                    self.reclaim_invalidated(index, start, BATCH, is_current, &mut reclaimed.invalidated);
                }
            }
        } else {
            let turn = self.scan_turn.fetch_add(1, Ordering::Relaxed);
            let start = (turn / self.table.shards()).wrapping_mul(STEP);
            self.reclaim_invalidated(turn % self.table.shards(), start, STEP, is_current, &mut reclaimed.invalidated);
        }
        reclaimed
    }

    /// Returns when the first entry dies by age, as things stand; `None` if none does. Takes the lock of each shard in turn.
    #[cfg(test)]
    pub(crate) fn next_deadline(&self) -> Option<Timestamp> {
        let first = |index| {
            let mut shard = self.table.own(index);
            loop {
                // Too early where an entry has left, or was used: then a look at that time makes it right.
                let due_at = shard.state().next_deadline();
                if due_at == Timestamp::NEVER || shard.next_dead(due_at).is_some() {
                    return due_at;
                }
            }
        };
        let due_at = (0..self.table.shards()).map(first).min();
        due_at.filter(|due_at| *due_at != Timestamp::NEVER)
    }

    /// Gives the entry of a key another end.
    pub(crate) fn expire_at(&self, at: KeyRef<'_>, entry: &Entry, end: Timestamp) {
        let mut shard = self.own(at.hash);
        entry.expire_at(end);
        if shard.has(entry) {
            shard.state_mut().queue(entry.number(), entry.dead_at());
            self.note_deadline(shard.state().next_deadline());
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
        for index in 0..self.table.shards() {
            loop {
                let mut shard = self.table.own(index);
                let before = expired.len();
                while expired.len() - before < BATCH
                    && let Some(slot) = shard.next_dead(now)
                {
                    let dead = Entry::clone(&shard.nodes().node(slot));
                    expired.push(self.take(&mut shard, &dead));
                }
                if expired.len() - before < BATCH {
                    self.note_deadline(shard.state().next_deadline());
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
        is_current: &dyn Fn(&Entry) -> bool,
        invalidated: &mut Left,
    ) {
        let mut shard = self.table.own(index);
        for slot in slots_from(&shard, start, count) {
            let wrong = shard.nodes().get(slot).filter(|entry| !is_current(entry));
            let wrong = wrong.map(|entry| Entry::clone(&entry));
            if let Some(wrong) = wrong {
                invalidated.push(self.take(&mut shard, &wrong));
            }
        }
    }
}

fn slots_from(shard: &ShardOwner<'_>, start: usize, count: usize) -> impl Iterator<Item = SlotId> + use<> {
    let numbers = shard.nodes().numbers();
    (0..count.min(numbers)).map(move |offset| ((start % numbers + offset) % numbers) as SlotId)
}

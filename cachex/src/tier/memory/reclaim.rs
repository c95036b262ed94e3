//! Taking out what is of no use any more, without being asked for it.

use std::sync::atomic::Ordering;

use super::policy::SlotId;
use super::{Left, MemoryTier};
use crate::entry::Entry;
use crate::key::KeyRef;
use crate::time::Timestamp;

/// How many entries leave, and how many slots are looked at, under one hold of a lock.
const BATCH: usize = 64;

/// A walk over all slots, a part at a time. An entry that is there all the while is met: it stays in its slot.
#[derive(Debug, Default)]
pub(crate) struct Walk {
    shard: usize,
    slot: usize,
}

impl Walk {
    /// A walk that meets nothing more.
    pub(crate) fn ended() -> Self {
        Self { shard: usize::MAX, slot: 0 }
    }
}

/// What was taken out because it was of no use any more.
#[derive(Debug, Default)]
pub(crate) struct Reclaimed {
    /// By age.
    pub(crate) expired: Left,
    /// Because it was wrong.
    pub(crate) invalidated: Left,
}

impl MemoryTier {
    /// Removes every entry that is dead by age at `now`, and those that are not current among `slots` slots from where `walk` stands on.
    ///
    /// Cheap if nothing is due: one atomic load for the ages. `is_current` runs under a lock and must not call the tier.
    pub(crate) fn reclaim(
        &self,
        now: Timestamp,
        is_current: &dyn Fn(&Entry) -> bool,
        walk: &mut Walk,
        slots: usize,
    ) -> Reclaimed {
        let mut reclaimed = Reclaimed::default();
        if self.due_at.load(Ordering::Relaxed) <= now.as_nanos() {
            self.reclaim_expired(now, &mut reclaimed.expired);
        }
        let mut left = slots;
        while left > 0 && !self.has_ended(walk) {
            left -= self.reclaim_invalidated(walk, left.min(BATCH), is_current, &mut reclaimed.invalidated);
        }
        reclaimed
    }

    /// Returns how many slots a walk has to look at: as many as there ever were entries at once, since all were last removed.
    pub(crate) fn slots(&self) -> usize {
        (0..self.table.shards()).map(|index| self.table.own(index).nodes().numbers()).sum()
    }

    /// Whether a walk has come to its end.
    pub(crate) fn has_ended(&self, walk: &Walk) -> bool {
        walk.shard >= self.table.shards()
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

    /// Removes what is not current among the next `most` slots of a shard, and moves on. Returns how many slots it has looked at.
    fn reclaim_invalidated(
        &self,
        walk: &mut Walk,
        most: usize,
        is_current: &dyn Fn(&Entry) -> bool,
        invalidated: &mut Left,
    ) -> usize {
        let mut shard = self.table.own(walk.shard);
        let numbers = shard.nodes().numbers();
        let slots = walk.slot..numbers.min(walk.slot + most);
        let looked_at = slots.len();
        for slot in slots {
            let wrong = shard.nodes().get(slot as SlotId).filter(|entry| !is_current(entry));
            let wrong = wrong.map(|entry| Entry::clone(&entry));
            if let Some(wrong) = wrong {
                invalidated.push(self.take(&mut shard, &wrong));
            }
        }
        walk.slot += looked_at;
        if walk.slot >= numbers {
            *walk = Walk { shard: walk.shard + 1, slot: 0 };
        }
        looked_at
    }
}

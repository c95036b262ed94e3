//! Walks over all entries, and emptying the tier.
//!
//! A walk sees each entry that is there from its beginning to its end. What comes or goes meanwhile it may see or not.

use std::sync::Arc;

use super::policy::SlotId;
use super::shard::Shard;
use super::{Left, MemoryTier, key_ref_of, read, write};
use crate::entry::Entry;
use crate::key::Key;

/// How many entries a walk takes note of under one hold of a lock.
const BATCH: usize = 64;

/// An entry that a walk came across.
struct Seen {
    key: Key,
    hash: u64,
    entry: Arc<Entry>,
}

impl MemoryTier {
    /// Calls `f` with each entry, whatever its age and validity; under no lock, so `f` may call the tier.
    pub(crate) fn for_each(&self, f: &mut dyn FnMut(&Key, &Arc<Entry>)) {
        self.walk(&mut |seen| f(&seen.key, &seen.entry));
    }

    /// Removes every entry for which `keep` returns `false`, and returns them.
    ///
    /// `keep` runs under no lock and may call the tier. An entry that was replaced meanwhile is left alone.
    pub(crate) fn retain(&self, keep: &mut dyn FnMut(&Key, &Entry) -> bool) -> Left {
        let mut removed = Vec::new();
        self.walk(&mut |seen| {
            let is_removed =
                !keep(&seen.key, &seen.entry) && self.remove_same(key_ref_of(&seen.key, seen.hash), &seen.entry);
            if is_removed {
                removed.push((seen.key, seen.entry));
            }
        });
        removed
    }

    /// Removes everything and returns it.
    pub(crate) fn clear(&self) -> Left {
        let mut removed = Vec::new();
        for (index, shard) in (0..).zip(&self.shards) {
            let empty = Shard::new(self.eviction, self.seed.wrapping_add(index));
            let full = {
                let mut shard = write(shard);
                let full = std::mem::replace(&mut *shard, empty);
                full.slots().for_each_filled(|slot| self.count_out(&slot.entry));
                full
            };
            removed.extend(full.into_slots().map(|slot| (slot.key, slot.entry)));
        }
        removed
    }

    fn walk(&self, visit: &mut dyn FnMut(Seen)) {
        for shard in &self.shards {
            let mut start = 0;
            loop {
                let (batch, next) = batch(&read(shard), start);
                batch.into_iter().for_each(&mut *visit);
                let Some(next) = next else { break };
                start = next;
            }
        }
    }
}

/// Returns what is in the slots from `start` on, and where to go on.
fn batch(shard: &Shard, start: usize) -> (Vec<Seen>, Option<usize>) {
    let end = (start + BATCH).min(shard.slots().numbers());
    let filled = (start..end).filter_map(|slot| shard.slots().get(slot as SlotId));
    let seen = filled.map(|slot| Seen { key: slot.key.clone(), hash: slot.hash, entry: slot.entry.clone() });
    (seen.collect(), (end < shard.slots().numbers()).then_some(end))
}

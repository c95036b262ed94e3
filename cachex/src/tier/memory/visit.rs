//! Walks over all entries, and emptying the tier.
//!
//! A walk sees each entry that is there from its beginning to its end. What comes or goes meanwhile it may see or not.

use super::policy::SlotId;
use super::shard::ShardOwner;
use super::{Left, MemoryTier};
use crate::entry::Entry;

/// How many entries a walk takes note of under one hold of a lock.
const BATCH: usize = 64;

impl MemoryTier {
    /// Calls `f` with each entry, whatever its age and validity; under no lock, so `f` may call the tier.
    pub(crate) fn for_each(&self, f: &mut dyn FnMut(&Entry)) {
        self.walk(&mut |entry| f(&entry));
    }

    /// Removes every entry for which `keep` returns `false`, and returns them.
    ///
    /// `keep` runs under no lock and may call the tier. An entry that was replaced meanwhile is left alone.
    pub(crate) fn retain(&self, keep: &mut dyn FnMut(&Entry) -> bool) -> Left {
        let mut removed = Left::new();
        self.walk(&mut |entry| {
            if !keep(&entry) && self.remove_same(&entry) {
                removed.push(entry);
            }
        });
        removed
    }

    /// Removes everything and returns it.
    pub(crate) fn clear(&self) -> Left {
        let mut removed = Left::new();
        for index in 0..self.table.shards() {
            let policy = self.eviction.policy(self.seed.wrapping_add(index as u64));
            let emptied = self.table.own(index).drain(policy);
            removed.extend(emptied.into_iter().inspect(|entry| self.count_out(entry)));
        }
        removed
    }

    fn walk(&self, visit: &mut dyn FnMut(Entry)) {
        for index in 0..self.table.shards() {
            let mut start = 0;
            loop {
                let (batch, next) = batch(&self.table.own(index), start);
                batch.into_iter().for_each(&mut *visit);
                let Some(next) = next else { break };
                start = next;
            }
        }
    }
}

/// Returns what is in the slots from `start` on, and where to go on.
fn batch(shard: &ShardOwner<'_>, start: usize) -> (Vec<Entry>, Option<usize>) {
    let nodes = shard.nodes();
    let end = (start + BATCH).min(nodes.numbers());
    let filled = (start..end).filter_map(|slot| nodes.get(slot as SlotId));
    (filled.map(|entry| Entry::clone(&entry)).collect(), (end < nodes.numbers()).then_some(end))
}

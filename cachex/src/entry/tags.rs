//! The clocks of tags, V(T): which tag was invalidated when, for the tags that some entry carries.
//!
//! A cell is dropped once no entry, load, fence or method holds it; what it knew goes into the *floor*. A tag without a cell counts
//! as invalidated at the floor, so forgetting causes misses and never stale hits. What a load under way may still ask for
//! is not forgotten: a cell stays while a load runs that began before its last invalidation (the *horizon*), unless there
//! are too many.

use std::hash::BuildHasher;

use foldhash::quality::RandomState;
use hashbrown::HashTable;
use smallvec::SmallVec;

use super::stamp::{Epoch, Stamp};
use crate::sync::{Arc, AtomicU32, Mutex, Ordering, lock};
use crate::tag::Tag;

#[cfg(not(cachex_loom))]
const SHARDS: usize = 16;
#[cfg(cachex_loom)]
const SHARDS: usize = 1;
/// Cells a shard holds before it looks for ones to drop.
const FIRST_SWEEP: usize = 64;
/// Cells a shard holds before it drops also those that a load under way may ask for.
const MOST: usize = 8192;

/// The clock of one tag.
#[derive(Debug)]
pub struct TagCell {
    tag: Tag,
    epoch: Epoch,
    fences: AtomicU32,
}

impl TagCell {
    pub(crate) fn tag(&self) -> &Tag {
        &self.tag
    }

    #[inline]
    pub(crate) fn allows(&self, stamp: Stamp) -> bool {
        self.fences.load(Ordering::Acquire) == 0 && self.epoch.allows(stamp)
    }

    pub(crate) fn invalidate(&self, at: Stamp) {
        self.epoch.raise(at);
    }

    pub(crate) fn fence(&self) {
        self.fences.fetch_add(1, Ordering::AcqRel);
    }

    pub(crate) fn release(&self) {
        self.fences.fetch_sub(1, Ordering::AcqRel);
    }

    #[cfg(feature = "remote")]
    pub(crate) fn is_fenced(&self) -> bool {
        self.fences.load(Ordering::Acquire) != 0
    }

    pub(crate) fn invalidated_at(&self) -> Stamp {
        self.epoch.get()
    }
}

/// Whether a value whose load began at `stamp` saw every invalidation of these tags, and none is fenced.
#[inline]
pub(crate) fn allow(cells: &[Arc<TagCell>], stamp: Stamp) -> bool {
    cells.iter().all(|cell| cell.allows(stamp))
}

/// As [`allow`], fences aside.
pub(crate) fn were_current(cells: &[Arc<TagCell>], stamp: Stamp) -> bool {
    cells.iter().all(|cell| cell.epoch.allows(stamp))
}

/// A cell, shared by all who hold it.
pub(crate) type SharedCell = Arc<TagCell>;

/// The cells of some tags.
#[derive(Clone, Debug, Default)]
pub(crate) struct TagCells(SmallVec<[Arc<TagCell>; 2]>);

impl TagCells {
    pub(crate) fn as_slice(&self) -> &[Arc<TagCell>] {
        &self.0
    }

    /// As [`were_current`].
    pub(crate) fn were_current(&self, stamp: Stamp) -> bool {
        were_current(&self.0, stamp)
    }
}

impl From<&[Arc<TagCell>]> for TagCells {
    fn from(cells: &[Arc<TagCell>]) -> Self {
        Self(cells.iter().cloned().collect())
    }
}

/// All cells of a cache.
#[derive(Debug)]
pub(crate) struct TagClocks {
    hasher: RandomState,
    shards: [Mutex<Shard>; SHARDS],
    floor: Epoch,
}

#[derive(Debug)]
struct Shard {
    cells: HashTable<Arc<TagCell>>,
    sweep_at: usize,
}

impl TagClocks {
    pub(crate) fn new() -> Self {
        let shard = |_| Mutex::new(Shard { cells: HashTable::new(), sweep_at: FIRST_SWEEP });
        Self { shards: std::array::from_fn(shard), hasher: RandomState::default(), floor: Epoch::default() }
    }

    /// Returns the cells of `tags`, made where there are none. No load is under way that began before `horizon`.
    pub(crate) fn cells<'a>(&self, tags: impl IntoIterator<Item = &'a Tag>, horizon: impl Fn() -> Stamp) -> TagCells {
        TagCells(tags.into_iter().map(|tag| self.cell(tag, &horizon)).collect())
    }

    /// Returns the cell of a tag; see [`cells`](Self::cells).
    pub(crate) fn cell(&self, tag: &Tag, horizon: impl Fn() -> Stamp) -> Arc<TagCell> {
        let hash = self.hasher.hash_one(tag);
        // The table takes the lowest bits, and the highest.
        let mut shard = lock(&self.shards[(hash >> 32) as usize % SHARDS]);
        if let Some(cell) = shard.cells.find(hash, |cell| cell.tag == *tag) {
            return cell.clone();
        }
        if shard.cells.len() >= shard.sweep_at {
            self.sweep_shard(&mut shard, horizon());
        }
        // The floor is read under the lock under which cells are dropped: a cell dropped before has raised it.
        let cell =
            Arc::new(TagCell { tag: tag.clone(), epoch: Epoch::at(self.floor.get()), fences: AtomicU32::new(0) });
        shard.cells.insert_unique(hash, cell.clone(), |cell| self.hasher.hash_one(&cell.tag));
        cell
    }

    /// Drops the cells that nobody holds and nobody can ask for. No load is under way that began before `horizon`.
    pub(crate) fn sweep(&self, horizon: Stamp) {
        for shard in &self.shards {
            self.sweep_shard(&mut lock(shard), horizon);
        }
    }

    /// Returns the number of tags with a cell.
    pub(crate) fn len(&self) -> usize {
        self.shards.iter().map(|shard| lock(shard).cells.len()).sum()
    }

    fn sweep_shard(&self, shard: &mut Shard, horizon: Stamp) {
        let is_crowded = shard.cells.len() > MOST;
        shard.cells.retain(|cell| {
            // Under the shard's lock nobody can take a cell from the table: if only the table holds it, it stays so.
            // `get_mut` and not `strong_count`: it also makes visible what the last holder wrote, its invalidation.
            let Some(cell) = Arc::get_mut(cell) else { return true };
            if !is_crowded && !cell.epoch.allows(horizon) {
                return true;
            }
            // Break this (drop the line) and a load that began before an invalidation is allowed once the tag is forgotten.
            self.floor.raise(cell.invalidated_at());
            false
        });
        shard.sweep_at = FIRST_SWEEP.max(2 * shard.cells.len());
    }
}

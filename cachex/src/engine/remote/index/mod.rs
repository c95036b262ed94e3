//! The index of tags and keys in L2: what was stored is noted there, and what was invalidated is removed.
//!
//! Reading order: this file (noting), [`reclaim`] (removing what was invalidated), [`listing`] (what users ask).
//!
//! Nothing that is answered depends on it: whether a value is right is asked of the clocks alone. So nobody waits for it, and nothing is done twice for
//! it. What may be wrong with it, and what comes of that:
//!
//! - *A key is missing* (noting fell behind or failed, another process has no index, the server dropped it, two processes noted one key at once): it is not listed, and its
//!   value stays until it expires.
//! - *A key is there that should not be*: it is listed. Nothing is removed for that: what is removed has been read, and has the tag itself.
//! - *A key is noted late*, behind its removal: as above, until it expires in the index.
//!
//! A value is removed only if it begins with the very bytes that were seen, and these say that it has the tag, and was loaded before the tag's last
//! invalidation. Any value that begins so is invalid for good, for the clock of a group never goes back. So whatever was stored meanwhile stays,
//! unless it is as wrong. Leases are left alone.

pub(in crate::engine) mod listing;
mod reclaim;

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::timeout;

use super::Remote;
use crate::key::Key;
use crate::runtime;
use crate::store::Group;
use crate::store::index::Note;

/// Keys, and tags, that wait to be seen to: more are left out.
const MOST: usize = 10_000;
/// So often it is looked whether there is an engine, where there is nothing to do.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// How the index is kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct IndexRules {
    /// Keys in one step.
    pub(crate) batch: usize,
    /// How long a key is remembered at most.
    pub(crate) ttl: Duration,
    /// Whether values are removed once their tag is invalidated.
    pub(crate) reclaims: bool,
}

/// What is to be done for the index.
#[derive(Debug)]
pub(super) struct Indexing {
    pub(super) rules: IndexRules,
    changes: Mutex<VecDeque<Change>>,
    invalidated: Mutex<Invalidated>,
    changed: Arc<Notify>,
    to_reclaim: Arc<Notify>,
}

/// Tags in the order in which they were invalidated, each once.
#[derive(Debug, Default)]
struct Invalidated {
    order: VecDeque<Box<str>>,
    all: HashSet<Box<str>>,
}

/// What became of a key.
#[derive(Debug)]
enum Change {
    Stored(Note),
    Removed(Box<str>),
}

impl Change {
    fn key(&self) -> &str {
        match self {
            Self::Stored(note) => &note.key,
            Self::Removed(key) => key,
        }
    }
}

impl Indexing {
    pub(super) fn new(rules: IndexRules) -> Self {
        let (changed, to_reclaim) = (Arc::default(), Arc::default());
        Self { rules, changes: Mutex::default(), invalidated: Mutex::default(), changed, to_reclaim }
    }

    /// Puts in what became of a key. Returns whether there is room.
    fn add(&self, change: Change) -> bool {
        let mut changes = lock(&self.changes);
        if changes.len() >= MOST {
            return false;
        }
        changes.push_back(change);
        drop(changes);
        self.changed.notify_one();
        true
    }

    /// Takes what is done in one step: of each key the last that became of it.
    fn take(&self) -> (Vec<Note>, Vec<Box<str>>) {
        let mut changes = lock(&self.changes);
        let count = changes.len().min(self.rules.batch);
        let mut last = HashMap::new();
        for change in changes.drain(..count) {
            // Break this (note each of them) and what a key had, has not and has again is taken from it.
            last.insert(Box::<str>::from(change.key()), change);
        }
        drop(changes);
        let (mut notes, mut removed) = (Vec::new(), Vec::new());
        for change in last.into_values() {
            match change {
                Change::Stored(note) => notes.push(note),
                Change::Removed(key) => removed.push(key),
            }
        }
        (notes, removed)
    }
}

fn lock<T>(what: &Mutex<T>) -> MutexGuard<'_, T> {
    what.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Remote {
    /// Begins to keep the index, if there is one.
    pub(super) fn keep_index(self: &Arc<Self>) {
        let Some(index) = &self.index else { return };
        runtime::spawn_own(keep_noting(Arc::downgrade(self), index.changed.clone()));
        if index.rules.reclaims {
            runtime::spawn_own(reclaim::keep_reclaiming(Arc::downgrade(self), index.to_reclaim.clone()));
        }
    }

    /// Says that a value was stored.
    pub(super) fn note_stored(&self, name: &str, key: &Key, groups: &[Group], life: Option<Duration>) {
        let Some(index) = &self.index else { return };
        let life = life.unwrap_or(Duration::MAX).min(index.rules.ttl);
        let mut tags: Vec<Box<str>> = groups.iter().filter_map(Group::as_tag).map(Into::into).collect();
        tags.sort_unstable();
        tags.dedup();
        let method = key.region().remote_name().into();
        self.note_change(
            index,
            Change::Stored(Note { key: name.into(), tags, method, arguments: key.bytes().to_vec(), life }),
        );
    }

    /// Says that a key was removed.
    pub(super) fn note_removed(&self, name: &str) {
        if let Some(index) = &self.index {
            self.note_change(index, Change::Removed(name.into()));
        }
    }

    fn note_change(&self, index: &Indexing, change: Change) {
        if !index.add(change) {
            self.counters.unindexed.one();
        }
    }

    /// Does one step of what there is to note. Returns whether there was something.
    async fn note_some(&self) -> bool {
        let (Some(index), Some(store)) = (&self.index, self.store.index()) else { return false };
        let (notes, removed) = index.take();
        if notes.is_empty() && removed.is_empty() {
            return false;
        }
        let count = (notes.len() + removed.len()) as u64;
        let noted = async {
            if !notes.is_empty() {
                store.note(&notes).await?;
            }
            if removed.is_empty() { Ok(()) } else { store.forget(&removed, None).await }
        };
        match noted.await {
            Ok(()) => self.counters.indexed.add(notes.len() as u64),
            Err(failed) => {
                self.note_trouble(&failed);
                self.counters.unindexed.add(count);
            }
        }
        true
    }
}

/// Notes what was stored and removed, as long as there is somebody who stores.
async fn keep_noting(remote: Weak<Remote>, changed: Arc<Notify>) {
    loop {
        let Some(known) = remote.upgrade() else { return };
        let was_busy = known.note_some().await;
        drop(known);
        if !was_busy {
            let _elapsed = timeout(LONGEST_PAUSE, changed.notified()).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn indexing(batch: usize) -> Indexing {
        Indexing::new(IndexRules { batch, ttl: Duration::from_secs(60), reclaims: true })
    }

    fn stored(key: &str, tag: &str) -> Change {
        let life = Duration::from_secs(1);
        Change::Stored(Note {
            key: key.into(),
            tags: vec![tag.into()],
            method: "m".into(),
            arguments: Vec::new(),
            life,
        })
    }

    #[test]
    fn of_a_key_the_last_change_counts() {
        let index = indexing(10);
        for change in [stored("k", "a"), stored("k", "b"), Change::Removed("k".into()), stored("k", "a")] {
            assert!(index.add(change));
        }
        let (notes, removed) = index.take();
        assert_eq!((notes.len(), removed.len()), (1, 0));
        assert_eq!(notes[0].tags, [Box::from("a")]);
    }

    #[test]
    fn what_waits_is_bounded_and_taken_in_steps() {
        let index = indexing(4_000);
        let added = (0..MOST + 5).filter(|number| index.add(Change::Removed(number.to_string().into()))).count();
        assert_eq!(added, MOST);
        let steps: Vec<_> = (0..4).map(|_| index.take().1.len()).collect();
        assert_eq!(steps, [4_000, 4_000, 2_000, 0]);
    }
}

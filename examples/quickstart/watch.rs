//! Tells whether a read is stale.
//!
//! Each write has the number of its commit, which is the version of the row it wrote. A writer publishes that number here when the
//! writing method has returned: when the write is committed *and* its invalidation has returned. A reader notes what is published, then
//! reads. An answer with an older version than noted is stale, and so is one without a city that was there all the time.
//!
//! Nothing in here knows the cache. To see that the check has teeth, remove `#[invalidates(…)]` from `rename`, or a tag or a
//! call from that of any other method of the repository that writes: hundreds of reads are stale, and the program fails.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use crate::question::{Answer, Expected};

/// What is published of every city, by its identity.
pub(crate) struct Watch(Box<[Published]>);

#[derive(Default)]
struct Published {
    /// The newest version whose write has returned.
    version: AtomicI64,
    /// How often the city has begun to leave, or has come back; so an odd number says that it may be missing.
    moves: AtomicU64,
}

/// What was published of a city before a read.
pub(crate) struct Note {
    version: i64,
    moves: u64,
}

impl Watch {
    /// Watches cities up to an identity.
    pub(crate) fn new(last: i32) -> Self {
        Self((0..=last).map(|_| Published::default()).collect())
    }

    fn published(&self, id: i32) -> &Published {
        &self.0[id as usize]
    }

    /// Publishes that the write of a version has returned.
    pub(crate) fn publish(&self, id: i32, version: i64) {
        self.published(id).version.fetch_max(version, Ordering::SeqCst);
    }

    /// Publishes that a city is about to be removed.
    pub(crate) fn leave(&self, id: i32) {
        self.published(id).moves.fetch_add(1, Ordering::SeqCst);
    }

    /// Publishes that a city was added again, and that the method has returned.
    pub(crate) fn come_back(&self, id: i32, version: i64) {
        self.publish(id, version);
        self.published(id).moves.fetch_add(1, Ordering::SeqCst);
    }

    /// Notes what is published of the expected cities: to be called before the read.
    pub(crate) fn note(&self, expected: &Expected, notes: &mut Vec<Note>) {
        notes.clear();
        notes.extend(expected.ids.iter().map(|id| {
            let published = self.published(*id);
            let moves = published.moves.load(Ordering::SeqCst);
            Note { version: published.version.load(Ordering::SeqCst), moves }
        }));
    }

    /// Returns whether an answer is older than what was noted before it.
    pub(crate) fn is_stale(&self, expected: &Expected, notes: &[Note], answer: &Answer) -> bool {
        let versions = answer.versions();
        expected.ids.iter().zip(notes).enumerate().any(|(rank, (id, note))| {
            match versions.binary_search_by_key(id, |(id, _)| *id) {
                Ok(found) => versions[found].1 < note.version,
                Err(_) => rank < expected.required && self.was_there(*id, note),
            }
        })
    }

    /// Returns whether a city was there all the time since it was noted.
    fn was_there(&self, id: i32, note: &Note) -> bool {
        note.moves.is_multiple_of(2) && self.published(id).moves.load(Ordering::SeqCst) == note.moves
    }
}

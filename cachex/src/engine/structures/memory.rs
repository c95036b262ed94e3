//! Structures and locks in memory, for a cache without a second tier.

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::key::Key;
use crate::structure::{Answer, Operation, OtherKind, Record};
use crate::time::Timestamp;

const SHELVES: usize = 16;

/// All structures of a cache. None leaves for room: they are not copies of something.
#[derive(Debug, Default)]
pub(in crate::engine) struct Shelves {
    shelves: [Shelf; SHELVES],
    next: AtomicUsize,
}

#[derive(Debug, Default)]
struct Shelf(Mutex<HashMap<Key, Record>>);

impl Shelves {
    /// Does what is asked of a key.
    pub(super) fn apply(
        &self,
        key: &Key,
        operation: &Operation,
        life: Option<Duration>,
        now: Timestamp,
    ) -> Result<Answer, OtherKind> {
        let index = foldhash::fast::FixedState::with_seed(0).hash_one(key) as usize % SHELVES;
        let (mut shelf, now) = (self.shelves[index].lock(), micros(now));
        if let Some(record) = shelf.get_mut(key) {
            return record.apply(operation, life, now);
        }
        let mut record = Record::default();
        let answer = record.apply(operation, life, now);
        // What was only looked at leaves nothing behind.
        if !record.is_over(now) {
            shelf.insert(key.clone(), record);
        }
        answer
    }

    /// Forgets what is over.
    pub(in crate::engine) fn reclaim(&self, now: Timestamp) {
        self.shelves.iter().for_each(|shelf| shelf.reclaim(micros(now)));
    }

    /// Forgets what is over in a part, another one each time.
    pub(in crate::engine) fn reclaim_some(&self, now: Timestamp) {
        let next = self.next.fetch_add(1, Ordering::Relaxed);
        self.shelves[next % SHELVES].reclaim(micros(now));
    }

    #[cfg(test)]
    pub(in crate::engine) fn len(&self) -> usize {
        self.shelves.iter().map(|shelf| shelf.lock().len()).sum()
    }
}

impl Shelf {
    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Record>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reclaim(&self, now: u64) {
        let mut records = self.lock();
        records.retain(|_, record| !record.is_over(now));
        if records.len() < records.capacity() / 4 {
            records.shrink_to_fit();
        }
    }
}

fn micros(now: Timestamp) -> u64 {
    now.as_nanos() / 1_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_over_is_given_back_and_nothing_else_is() {
        let shelves = Shelves::default();
        let minute = Duration::from_secs(60);
        for number in 0..100_u64 {
            let key = Key::entity("counter", &number);
            let life = number.is_multiple_of(2).then_some(minute);
            shelves.apply(&key, &Operation::Count(1), life, Timestamp::default()).expect("it is a counter");
            let looked = shelves.apply(&Key::entity("none", &number), &Operation::Counter, None, Timestamp::default());
            assert_eq!(looked, Ok(Answer::Missing));
        }
        assert_eq!(shelves.len(), 100);
        let later = Timestamp::default().after(minute);
        (0..SHELVES).for_each(|_| shelves.reclaim_some(later));
        assert_eq!(shelves.len(), 50);
    }
}

//! Structures and locks in memory, for a cache without a second tier.

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::key::Key;
use crate::structure::{Answer, Operation, OtherKind, Record};
use crate::time::{Clock, Timestamp};

const SHELVES: usize = 16;

/// All structures of a cache. None leaves for room: they are not copies of something.
#[derive(Debug, Default)]
pub(in crate::engine) struct Shelves {
    shelves: [Shelf; SHELVES],
    next: AtomicUsize,
}

#[derive(Debug, Default)]
struct Shelf(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    records: HashMap<Key, Record>,
    /// The highest fencing token that was given of any lock here: so none has to be remembered for its own.
    token: u64,
}

impl Kept {
    /// Returns a token above all that were given here, and not below the time of day: so tokens grow from one process to the next as well.
    fn token(&mut self, day: Duration) -> u64 {
        self.token = (self.token + 1).max(u64::try_from(day.as_micros()).unwrap_or(u64::MAX / 2));
        self.token
    }
}

impl Shelves {
    /// Does what is asked of a key.
    pub(super) fn apply(
        &self,
        key: &Key,
        operation: &Operation,
        life: Option<Duration>,
        clock: &dyn Clock,
    ) -> Result<Answer, OtherKind> {
        let index = foldhash::fast::FixedState::with_seed(0).hash_one(key) as usize % SHELVES;
        let (mut shelf, now) = (self.shelves[index].lock(), micros(clock.now()));
        let answer = shelf.apply(key, operation, life, now)?;
        // Break this (take the token of the record, whose time is that of this process) and tokens begin anew with each process.
        Ok(if let Answer::Token(_) = answer { Answer::Token(shelf.token(clock.unix_time())) } else { answer })
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
        self.shelves.iter().map(|shelf| shelf.lock().records.len()).sum()
    }
}

impl Kept {
    fn apply(
        &mut self,
        key: &Key,
        operation: &Operation,
        life: Option<Duration>,
        now: u64,
    ) -> Result<Answer, OtherKind> {
        if let Some(record) = self.records.get_mut(key) {
            let answer = record.apply(operation, life, now);
            // Break this (leave it there) and each key that was ever locked takes room.
            if record.is_idle(now) {
                self.records.remove(key);
            }
            return answer;
        }
        let mut record = Record::default();
        let answer = record.apply(operation, life, now);
        // What was only looked at leaves nothing behind.
        if !record.is_idle(now) {
            self.records.insert(key.clone(), record);
        }
        answer
    }
}

impl Shelf {
    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reclaim(&self, now: u64) {
        let records = &mut self.lock().records;
        records.retain(|_, record| !record.is_idle(now));
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
    use crate::time::ManualClock;

    #[test]
    fn what_is_over_is_given_back_and_nothing_else_is() {
        let (shelves, clock) = (Shelves::default(), ManualClock::new());
        let minute = Duration::from_secs(60);
        for number in 0..100_u64 {
            let key = Key::entity("counter", &number);
            let life = number.is_multiple_of(2).then_some(minute);
            shelves.apply(&key, &Operation::Count(1), life, &clock).expect("it is a counter");
            let looked = shelves.apply(&Key::entity("none", &number), &Operation::Counter, None, &clock);
            assert_eq!(looked, Ok(Answer::Missing));
        }
        assert_eq!(shelves.len(), 100);
        clock.advance(minute);
        (0..SHELVES).for_each(|_| shelves.reclaim_some(clock.now()));
        assert_eq!(shelves.len(), 50);
    }

    #[test]
    fn a_lock_that_has_ended_takes_no_room_and_tokens_grow_all_the_same() {
        let (shelves, clock, minute) = (Shelves::default(), ManualClock::new(), Duration::from_secs(60));
        let mut last = 0;
        for owner in 0..10 {
            let (key, lock) = (Key::entity("lock", &(owner % 2)), Operation::Lock(owner, minute));
            let Ok(Answer::Token(token)) = shelves.apply(&key, &lock, None, &clock) else { panic!("nobody has it") };
            assert_eq!(shelves.len(), 1);
            // Of one key: others may be on other shelves.
            if owner % 2 == 0 {
                assert!(token > last);
                last = token;
                shelves.apply(&key, &Operation::Release(owner), None, &clock).expect("it is a lock");
            } else {
                clock.advance(minute);
                shelves.reclaim(clock.now());
            }
            assert_eq!(shelves.len(), 0);
        }
    }
}

//! Numbers of notices.
//!
//! Who misses a number throws away all that is in memory. So heartbeats, which say how many there were, wait while one that was drawn is on its
//! way; and what the store refused to do, the others are told all the same.

use std::sync::atomic::{AtomicU64, Ordering};

use super::Remote;
use crate::backplane::notice::Subject;
use crate::runtime::together;
use crate::store::{Notice, StoreError, StoreErrorKind};

/// So many notices are on their way at once: of more, others would take those that are overtaken for lost.
const AT_ONCE: usize = 512;

/// The numbers of a cache.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    drawn: AtomicU64,
    /// How many are drawing, and have not told all yet.
    telling: AtomicU64,
}

impl Numbers {
    /// Returns how many there were.
    pub(super) fn count(&self) -> u64 {
        self.drawn.load(Ordering::Relaxed)
    }

    /// Returns how many there were, if none of them is on its way.
    // Break this (count them afterwards) and one that was drawn in between is on its way.
    pub(super) fn all_told(&self) -> Option<u64> {
        let count = self.drawn.load(Ordering::SeqCst);
        (self.telling.load(Ordering::SeqCst) == 0).then_some(count)
    }
}

/// Somebody who tells others: until it is dropped, no heartbeat says how many notices there were.
pub(super) struct Telling<'a>(&'a Remote);

impl Remote {
    /// Begins to tell.
    pub(super) fn telling(&self) -> Telling<'_> {
        self.numbers.telling.fetch_add(1, Ordering::SeqCst);
        Telling(self)
    }
}

impl Telling<'_> {
    /// Returns what others are to be told, by the next number.
    pub(super) fn notice(&self, subject: Subject) -> Notice {
        let number = self.0.numbers.drawn.fetch_add(1, Ordering::SeqCst) + 1;
        self.0.numbered(subject, number)
    }

    /// Tells others what the store did not.
    pub(super) async fn tell(&self, notices: Vec<Notice>) {
        let mut rest = notices.into_iter();
        loop {
            let part: Vec<_> = rest.by_ref().take(AT_ONCE).map(|notice| self.0.store.publish(notice)).collect();
            if part.is_empty() {
                return;
            }
            // Of what does not arrive the next heartbeat says that it is lost.
            let _ignored = together(part).await;
        }
    }

    /// Ends a step of which others were to be told: also if it was refused.
    // Break this (leave the number) and as long as a server takes no writes, each that fails empties the memory of all others.
    pub(super) async fn ended<T>(self, done: Result<T, StoreError>, notice: Notice) -> Result<T, StoreError> {
        if done.as_ref().is_err_and(is_refusal) {
            self.tell(vec![notice]).await;
        }
        done
    }
}

impl Drop for Telling<'_> {
    fn drop(&mut self) {
        self.0.numbers.telling.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Whether it is certain that nobody was told, while somebody can be.
pub(super) fn is_refusal(error: &StoreError) -> bool {
    matches!(error.kind(), StoreErrorKind::Refused | StoreErrorKind::OtherKind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_is_told_only_if_nothing_is_on_its_way() {
        let numbers = Numbers::default();
        numbers.telling.fetch_add(1, Ordering::SeqCst);
        numbers.drawn.fetch_add(1, Ordering::SeqCst);
        assert_eq!((numbers.all_told(), numbers.count()), (None, 1));
        numbers.telling.fetch_sub(1, Ordering::SeqCst);
        assert_eq!(numbers.all_told(), Some(1));
    }
}

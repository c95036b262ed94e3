//! Numbers of notices.
//!
//! Who misses a number throws away all that is in memory. So heartbeats, which say how many there were, say it of those before the first that is on its
//! way; and what the store did not do, the others are told all the same.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::Remote;
use crate::backplane::notice::{Subject, number_in};
use crate::runtime::together;
use crate::store::{Notice, StoreError, StoreErrorKind};

/// So many numbers after one that is still under way others may be told of. They take it for lost if many more come early ([`gaps`](crate::backplane::gaps)):
/// with what is drawn at once, by some hundred writers and for some hundred keys, it stays well below that.
const FARTHEST: u64 = 1024;

/// The numbers of a cache.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    state: Mutex<State>,
    /// Some are not under way any more.
    ended: Notify,
}

#[derive(Debug, Default)]
struct State {
    drawn: u64,
    /// Up to which others were told that there were so many: none of these is drawn again.
    announced: u64,
    /// Those of which it is not known yet that others were told.
    under_way: BTreeSet<u64>,
    /// Those that were given back while later ones had been drawn.
    unused: BTreeSet<u64>,
    /// How many were told.
    sent: u64,
}

impl Numbers {
    /// Returns how many were told, or may have been.
    pub(super) fn sent(&self) -> u64 {
        self.lock().sent
    }

    /// Waits until the first that is under way is not far behind.
    // Break this (return at once) and if one is slow, as many that are not have others take it for lost, and empty their memory.
    async fn not_far_ahead(&self) {
        loop {
            let ended = self.ended.notified();
            if !self.lock().is_far_ahead() {
                return;
            }
            ended.await;
        }
    }

    /// Returns up to which number all were told.
    // Break this (say how many there were) and others take for lost what is on its way.
    pub(super) fn told(&self) -> u64 {
        let mut state = self.lock();
        let told = state.under_way.first().map_or(state.drawn, |first| first - 1);
        state.announced = state.announced.max(told);
        told
    }

    fn draw(&self) -> u64 {
        let mut state = self.lock();
        state.drawn += 1;
        let number = state.drawn;
        state.under_way.insert(number);
        number
    }

    /// Ends numbers, and takes those back of which nobody was told.
    // Break this (take none back) and after an outage others take for lost what was tried in it, and empty their memory.
    fn end(&self, numbers: &[u64], untold: &[u64]) {
        let mut state = self.lock();
        let State { drawn, announced, under_way, unused, sent } = &mut *state;
        for number in numbers {
            under_way.remove(number);
        }
        *sent += (numbers.len() - untold.len()) as u64;
        unused.extend(untold);
        // Break this (drop the first condition) and a number that others have heard of is drawn for something else.
        while *drawn > *announced && unused.remove(drawn) {
            *drawn -= 1;
        }
        unused.retain(|number| *number > *announced);
        drop(state);
        self.ended.notify_waiters();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn is_far_ahead(&self) -> bool {
        self.under_way.first().is_some_and(|first| self.drawn - first >= FARTHEST)
    }
}

/// Somebody who tells others: until it is dropped, its numbers are on their way.
pub(super) struct Telling<'a> {
    remote: &'a Remote,
    drawn: Mutex<Drawn>,
}

/// The numbers of somebody who tells others, and those of them of which nobody was told.
#[derive(Debug, Default)]
struct Drawn {
    all: Vec<u64>,
    unused: Vec<u64>,
}

/// Whether others may have been told with a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sent {
    Maybe,
    Not,
}

impl Remote {
    /// Returns how it is with a step that has failed: where a part of the store can be reached, it may have been told there.
    pub(super) fn sent_with(&self, failed: &StoreError) -> Sent {
        if failed.kind() == StoreErrorKind::Down && !self.store.is_up() { Sent::Not } else { Sent::Maybe }
    }

    /// Begins to tell, once what was begun long before has ended: nobody begins twice at once, for then he would wait for himself.
    pub(super) async fn telling(&self) -> Telling<'_> {
        self.numbers.not_far_ahead().await;
        Telling { remote: self, drawn: Mutex::default() }
    }
}

impl Telling<'_> {
    /// Returns what others are to be told, by the next number.
    pub(super) fn notice(&self, subject: Subject) -> Notice {
        let number = self.remote.numbers.draw();
        self.drawn().all.push(number);
        self.remote.numbered(subject, number)
    }

    /// Tells others what the store did not, or may not have: twice does no harm. Returns whether they were told, as far as is known.
    pub(super) async fn tell(&self, notices: Vec<Notice>, sent: Sent) -> bool {
        let store = &self.remote.store;
        // Of what does not arrive the next heartbeat says that it is lost. What is out of reach says so at once.
        // Break this (don't try while a part of the store is gone) and what could not be done there is told anew each second, and empties the memory of all others.
        let numbers: Vec<_> = notices.iter().filter_map(|notice| number_in(&notice.head)).collect();
        let told = together(notices.into_iter().map(|notice| store.publish(notice))).await;
        if sent == Sent::Not {
            let is_unused = |told: &Result<(), StoreError>| {
                told.as_ref().is_err_and(|failed| failed.kind() == StoreErrorKind::Down)
            };
            let unused = numbers.into_iter().zip(&told).filter(|(_, told)| is_unused(told)).map(|(number, _)| number);
            self.drawn().unused.extend(unused);
        }
        told.iter().all(Result::is_ok)
    }

    fn drawn(&self) -> MutexGuard<'_, Drawn> {
        self.drawn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends a step of which others were to be told: also if it failed.
    // Break this (leave the number) and as long as a server takes no writes, each that fails empties the memory of all others.
    pub(super) async fn ended<T>(self, done: Result<T, StoreError>, notice: Notice) -> Result<T, StoreError> {
        if let Err(failed) = &done {
            self.tell(vec![notice], self.remote.sent_with(failed)).await;
        }
        done
    }
}

impl Drop for Telling<'_> {
    fn drop(&mut self) {
        let Drawn { all, unused } = std::mem::take(&mut *self.drawn());
        self.remote.numbers.end(&all, &unused);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn others_are_told_of_all_before_the_first_that_is_on_its_way() {
        let numbers = Numbers::default();
        assert_eq!(numbers.told(), 0);
        assert_eq!([numbers.draw(), numbers.draw(), numbers.draw()], [1, 2, 3]);
        assert_eq!((numbers.told(), numbers.sent()), (0, 0));
        numbers.end(&[1, 3], &[]);
        assert_eq!((numbers.told(), numbers.sent()), (1, 2));
        numbers.end(&[2], &[]);
        assert_eq!((numbers.told(), numbers.sent()), (3, 3));
    }

    #[test]
    fn numbers_of_which_nobody_was_told_are_drawn_again() {
        let numbers = Numbers::default();
        assert_eq!([numbers.draw(), numbers.draw(), numbers.draw()], [1, 2, 3]);
        numbers.end(&[2], &[2]);
        numbers.end(&[1], &[]);
        numbers.end(&[3], &[3]);
        assert_eq!((numbers.told(), numbers.sent(), numbers.draw()), (1, 1, 2));
        // But not those that others have heard of.
        assert_eq!(numbers.draw(), 3);
        numbers.end(&[2], &[2]);
        assert_eq!(numbers.told(), 2, "a later one is on its way");
        numbers.end(&[3], &[3]);
        assert_eq!((numbers.told(), numbers.draw(), numbers.lock().unused.len()), (2, 3, 0));
    }

    #[test]
    fn nobody_gets_far_ahead_of_one_that_is_slow() {
        let numbers = Numbers::default();
        let begins = || numbers.not_far_ahead().now_or_never().is_some();
        let drawn: Vec<_> = std::iter::repeat_with(|| begins().then(|| numbers.draw())).take(2000).flatten().collect();
        assert_eq!(drawn.len() as u64, FARTHEST + 1);
        numbers.end(&drawn[1..], &[]);
        let mut waiting = Box::pin(numbers.not_far_ahead());
        assert!(waiting.as_mut().now_or_never().is_none());
        numbers.end(&[1], &[]);
        assert!(waiting.now_or_never().is_some());
    }
}

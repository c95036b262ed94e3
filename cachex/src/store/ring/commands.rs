//! What the ring is asked, and which of its stores it asks.

use std::sync::Arc;
use std::time::Duration;

use super::Ring;
use crate::runtime::together;
use crate::store::ears::Ears;
use crate::store::{
    Ask, Doing, Group, Invalidation, Lease, Listener, Notice, Read, Reading, Settling, Store, StoreError,
    StoreErrorKind, Structures,
};

impl Store for Ring {
    fn start(&self, listener: Arc<dyn Listener>) {
        self.listening.get_or_init(|| {
            let ears = Arc::new(Ears::new(listener));
            ears.want((0..self.stores.len() as u64).collect());
            for (store, number) in self.all().zip(0..) {
                store.start(ears.ear(number));
            }
        });
    }

    /// Whether one of them can be reached: the others cost their own keys.
    fn is_up(&self) -> bool {
        self.all().any(Store::is_up)
    }

    fn is_whole(&self) -> bool {
        self.all().all(Store::is_whole)
    }

    /// Each store has to take it. While one is out of reach, what is tried again arrives in the others again and again.
    // Break this (say `is_up`) and each invalidation sends all that could not be delivered to the stores that have it already.
    fn takes_invalidations(&self) -> bool {
        self.all().all(Store::takes_invalidations)
    }

    fn reaches(&self, key: &str) -> bool {
        self.store(key).reaches(key)
    }

    fn has_notices(&self) -> bool {
        self.all().all(Store::has_notices)
    }

    fn staleness(&self) -> Duration {
        self.all().map(Store::staleness).max().unwrap_or_default()
    }

    fn read<'a>(&'a self, key: &'a str, groups: &'a [Group]) -> Doing<'a, Read> {
        self.store(key).read(key, groups)
    }

    fn clocks<'a>(&'a self, key: &'a str, groups: &'a [Group]) -> Doing<'a, Vec<Option<Reading>>> {
        self.store(key).clocks(key, groups)
    }

    fn lease<'a>(&'a self, ask: Ask<'a>) -> Doing<'a, Lease> {
        self.store(ask.key).lease(ask)
    }

    fn begin<'a>(&'a self, key: &'a str, groups: &'a [Group], life: Option<Duration>) -> Doing<'a, Reading> {
        self.store(key).begin(key, groups, life)
    }

    fn mint<'a>(
        &'a self,
        key: &'a str,
        groups: &'a [Group],
        since: Reading,
        life: Option<Duration>,
    ) -> Doing<'a, Option<Reading>> {
        self.store(key).mint(key, groups, since, life)
    }

    fn put<'a>(
        &'a self,
        key: &'a str,
        token: u64,
        value: Vec<u8>,
        life: Option<Duration>,
        stored: Notice,
    ) -> Doing<'a, bool> {
        self.store(key).put(key, token, value, life, stored)
    }

    fn renew<'a>(&'a self, key: &'a str, token: u64, span: Duration) -> Doing<'a, bool> {
        self.store(key).renew(key, token, span)
    }

    fn release<'a>(&'a self, key: &'a str, token: u64) -> Doing<'a, ()> {
        self.store(key).release(key, token)
    }

    fn write<'a>(&'a self, key: &'a str, value: Vec<u8>, life: Option<Duration>, written: Notice) -> Doing<'a, ()> {
        self.store(key).write(key, value, life, written)
    }

    fn takes_updates(&self, key: &str) -> bool {
        self.store(key).takes_updates(key)
    }

    fn announce<'a>(&'a self, key: &'a str, token: u64, span: Duration) -> Doing<'a, ()> {
        self.store(key).announce(key, token, span)
    }

    /// The store of the key settles, and all others invalidate the same; then it is told.
    fn settle<'a>(&'a self, key: &'a str, update: &'a Settling) -> Doing<'a, Option<Reading>> {
        if update.invalidated.is_empty() {
            return self.store(key).settle(key, update);
        }
        Box::pin(async move {
            let of_key = self.index_of(key);
            let quietly = Settling { notice: Notice::silent(), ..update.clone() };
            let (groups, notices) = (update.invalidated.clone(), vec![Notice::silent()]);
            let same = Invalidation { groups, keys: Vec::new(), notices };
            let each = self.all().enumerate().map(|(index, store)| {
                let (quietly, same) = (&quietly, &same);
                async move {
                    if index == of_key {
                        return store.settle(key, quietly).await;
                    }
                    store.invalidate(same).await.map(|_no_keys| None)
                }
            });
            let done = together(each).await;
            // As of an invalidation: also if one of them has failed, for what others have in memory.
            self.teller().publish(update.notice.clone()).await.map_err(StoreError::in_part)?;
            let settled = done.into_iter().collect::<Result<Vec<_>, _>>().map_err(StoreError::in_part)?;
            Ok(settled.into_iter().flatten().next())
        })
    }

    fn write_announced<'a>(
        &'a self,
        key: &'a str,
        token: u64,
        value: Vec<u8>,
        life: Option<Duration>,
        written: Notice,
    ) -> Doing<'a, bool> {
        self.store(key).write_announced(key, token, value, life, written)
    }

    fn remove_same<'a>(&'a self, key: &'a str, value: &'a [u8]) -> Doing<'a, ()> {
        self.store(key).remove_same(key, value)
    }

    fn replace_same<'a>(
        &'a self,
        key: &'a str,
        value: &'a [u8],
        next: Vec<u8>,
        life: Duration,
        written: Notice,
    ) -> Doing<'a, bool> {
        self.store(key).replace_same(key, value, next, life, written)
    }

    fn invalidate<'a>(&'a self, what: &'a Invalidation) -> Doing<'a, Vec<Box<str>>> {
        Box::pin(async move {
            let notices = what.notices.iter().map(|_| Notice::silent()).collect();
            let quietly = Invalidation { notices, ..what.clone() };
            let done = together(self.all().map(|store| store.invalidate(&quietly))).await;
            // Break this (tell before, as each store would) and who is told finds in another store what was valid before.
            let tell = what.notices.iter().map(|notice| self.teller().publish(notice.clone()));
            let told: Vec<Result<(), StoreError>> = together(tell).await;
            let is_told = told.iter().any(Result::is_ok);
            // Tags are in all of them, and each key is in one.
            let are_keys = what.groups.is_empty() && done.iter().any(Result::is_ok);
            let (mut missed, mut broken) = (Vec::new(), None);
            for (index, done) in done.into_iter().enumerate() {
                // Another one than that of a key has nothing of it, unless the list was another once.
                let are_of_it = |keys: &[Box<str>]| {
                    keys.iter().filter(|key| self.index_of(key) == index).cloned().collect::<Vec<_>>()
                };
                match done {
                    Ok(keys) => missed.extend(are_of_it(&keys)),
                    // Break this (fail) and as long as one store is gone, or refuses, no key is removed for good from any.
                    Err(failed) if are_keys && failed.kind() != StoreErrorKind::Unknown => {
                        missed.extend(are_of_it(&what.keys));
                    }
                    // What took as long as it may is told first: it would take so again.
                    Err(failed) => broken = Some(worse(broken, failed)),
                }
            }
            if let Some(failed) = broken {
                return Err(if is_told { failed.in_part() } else { failed });
            }
            // It is done.
            told.into_iter().collect::<Result<(), _>>().map_err(StoreError::in_part)?;
            Ok(missed)
        })
    }

    /// Break this (ask the store of the key) and with another list of stores counters and locks are other ones.
    fn structures(&self, key: &str) -> Option<&dyn Structures> {
        self.stores[self.fixed?].1.structures(key)
    }

    fn warning(&self) -> Option<&'static str> {
        self.all().find_map(Store::warning)
    }

    fn publish<'a>(&'a self, notice: Notice) -> Doing<'a, ()> {
        self.teller().publish(notice)
    }
}

/// Returns which of two tells more of what is wrong.
fn worse(one: Option<StoreError>, other: StoreError) -> StoreError {
    let weight = |failed: &StoreError| match failed.kind() {
        StoreErrorKind::Unknown => 2,
        StoreErrorKind::Refused | StoreErrorKind::OtherKind => 1,
        StoreErrorKind::Down => 0,
    };
    match one {
        Some(one) if weight(&one) >= weight(&other) => one,
        _ => other,
    }
}

//! A store with a flaw.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cachex::store::{
    Ask, Doing, Group, Invalidation, Lease, Listener, Notice, Read, Reading, Settling, Store, StoreError, mark,
};

use super::Flaw;
use crate::redis::pause;

/// A store with a flaw.
#[derive(Debug)]
pub(super) struct Flawed {
    pub(super) store: Arc<dyn Store>,
    pub(super) flaw: Flaw,
    pub(super) calls: AtomicU64,
    pub(super) shared: Arc<Shared>,
}

/// What all that are one store know.
#[derive(Debug, Default)]
pub(super) struct Shared {
    /// The first clocks of groups that were read.
    remembered: Mutex<HashMap<String, Reading>>,
    /// Who has announced an update of a key last.
    pub(super) notes: Mutex<HashMap<String, u64>>,
    /// Who has asked for the lease of a key last.
    pub(super) leases: Mutex<HashMap<String, u64>>,
    /// Who was granted it last.
    holders: Mutex<HashMap<String, u64>>,
}

impl Flawed {
    pub(super) fn new(store: Box<dyn Store>, flaw: Flaw, shared: &Arc<Shared>) -> Self {
        Self { store: Arc::from(store), flaw, calls: AtomicU64::new(0), shared: shared.clone() }
    }

    pub(super) fn has(&self, flaw: Flaw) -> bool {
        self.flaw == flaw
    }

    fn key<'a>(&self, key: &'a str) -> &'a str {
        if self.has(Flaw::KeysAreAlike) && key.len() > 200 { &key[..200] } else { key }
    }

    pub(super) fn life(&self, life: Option<Duration>) -> Option<Duration> {
        life.filter(|_| !self.has(Flaw::ValuesAreForever))
    }

    fn altered(&self, clocks: Vec<Option<Reading>>) -> Vec<Option<Reading>> {
        let alter = |clock: Option<Reading>| match self.flaw {
            Flaw::UnknownGroupsAreValid => clock.or(Some(Reading(0))),
            Flaw::ClocksAreLost => None,
            Flaw::BeginningsAreEarly => clock.map(|at| Reading(at.0 + 1)),
            _ => clock,
        };
        clocks.into_iter().map(alter).collect()
    }
}

impl Store for Flawed {
    fn start(&self, listener: Arc<dyn Listener>) {
        self.store.start(listener);
    }

    fn is_up(&self) -> bool {
        self.store.is_up()
    }

    fn has_notices(&self) -> bool {
        !self.has(Flaw::ListensToNothing)
    }

    fn read<'a>(&'a self, key: &'a str, groups: &'a [Group]) -> Doing<'a, Read> {
        let key = self.key(key);
        Box::pin(async move {
            let Read { value, mut clocks } = self.store.read(key, groups).await?;
            if self.has(Flaw::ClocksAreRemembered) {
                let mut remembered = self.shared.remembered.lock().unwrap();
                for (clock, group) in clocks.iter_mut().zip(groups) {
                    *clock = clock.map(|at| *remembered.entry(format!("{group:?}")).or_insert(at));
                }
            }
            let cut = |mut value: Vec<u8>| {
                value.truncate(if self.has(Flaw::ValuesAreCutOff) { 1000 } else { usize::MAX });
                value
            };
            Ok(Read { value: value.map(cut), clocks: self.altered(clocks) })
        })
    }

    fn clocks<'a>(&'a self, key: &'a str, groups: &'a [Group]) -> Doing<'a, Vec<Option<Reading>>> {
        Box::pin(async move { Ok(self.altered(self.store.clocks(key, groups).await?)) })
    }

    fn lease<'a>(&'a self, ask: Ask<'a>) -> Doing<'a, Lease> {
        Box::pin(async move {
            let read = self.store.read(ask.key, &[]).await?.value.unwrap_or_default();
            let seen = if self.has(Flaw::OtherValuesAreNotTold) { mark(&read) } else { ask.seen };
            let span = if self.has(Flaw::LeasesAreForever) { Duration::from_secs(600) } else { ask.span };
            if self.has(Flaw::ShortValuesHaveAMark) && (17..32).contains(&read.len()) {
                return Ok(Lease::Stored);
            }
            let lease = self.store.lease(Ask { seen, span, ..ask }).await?;
            if lease == Lease::Granted {
                self.shared.holders.lock().unwrap().insert(ask.key.to_owned(), ask.token);
            }
            self.shared.leases.lock().unwrap().insert(ask.key.to_owned(), ask.token);
            if self.has(Flaw::LeasesTakeTheNote) {
                self.store.announce(ask.key, 0, span).await?;
            }
            Ok(if self.has(Flaw::LeasesAreForAll) && lease == Lease::Held { Lease::Granted } else { lease })
        })
    }

    fn begin<'a>(&'a self, key: &'a str, groups: &'a [Group], life: Option<Duration>) -> Doing<'a, Reading> {
        Box::pin(async move {
            let reading = self.store.begin(key, groups, life).await?;
            let is_odd = self.calls.fetch_add(1, Ordering::Relaxed) % 2 == 1;
            Ok(Reading(reading.0 - if self.has(Flaw::ClocksGoBack) && is_odd { 10_000_000 } else { 0 }))
        })
    }

    fn mint<'a>(
        &'a self,
        key: &'a str,
        groups: &'a [Group],
        since: Reading,
        life: Option<Duration>,
    ) -> Doing<'a, Option<Reading>> {
        Box::pin(async move {
            Ok(match self.flaw {
                Flaw::MintGivesAlways => Some(self.store.begin(key, groups, life).await?),
                Flaw::MintGivesNever => None,
                Flaw::MintGivesEarlyStamps => {
                    self.store.mint(key, groups, since, life).await?.map(|at| Reading(at.0 - 1))
                }
                _ => self.store.mint(key, groups, since, life).await?,
            })
        })
    }

    fn put<'a>(
        &'a self,
        key: &'a str,
        token: u64,
        value: Vec<u8>,
        life: Option<Duration>,
        stored: Notice,
    ) -> Doing<'a, bool> {
        Box::pin(async move {
            if self.has(Flaw::PutsAreLost) {
                return Ok(true);
            }
            let needs_none = self.has(Flaw::PutsNeedNoLease);
            if needs_none || self.has(Flaw::PutsNeedALeaseOnce) {
                return self.store.write(key, value, self.life(life), stored).await.map(|()| true);
            }
            self.store.put(key, token, value, self.life(life), stored).await
        })
    }

    fn renew<'a>(&'a self, key: &'a str, token: u64, span: Duration) -> Doing<'a, bool> {
        Box::pin(async move {
            if self.has(Flaw::RenewalsDoNothing) { Ok(true) } else { self.store.renew(key, token, span).await }
        })
    }

    fn release<'a>(&'a self, key: &'a str, token: u64) -> Doing<'a, ()> {
        let holder = self.shared.holders.lock().unwrap().get(key).copied();
        let token = holder.filter(|_| self.has(Flaw::ReleasesAreForAll)).unwrap_or(token);
        self.store.release(key, token)
    }

    fn write<'a>(&'a self, key: &'a str, value: Vec<u8>, life: Option<Duration>, written: Notice) -> Doing<'a, ()> {
        if self.has(Flaw::WritesAreLost) {
            return self.store.publish(written);
        }
        Box::pin(async move {
            self.store.write(self.key(key), value, self.life(life), written).await?;
            if self.has(Flaw::WritesLeaveTheNote) { self.note_again(key).await } else { Ok(()) }
        })
    }

    fn takes_updates(&self, key: &str) -> bool {
        self.store.takes_updates(key)
    }

    fn announce<'a>(&'a self, key: &'a str, token: u64, span: Duration) -> Doing<'a, ()> {
        Box::pin(self.announce_wrongly(key, token, span))
    }

    fn settle<'a>(&'a self, key: &'a str, update: &'a Settling) -> Doing<'a, Option<Reading>> {
        Box::pin(self.settle_wrongly(key, update))
    }

    fn write_announced<'a>(
        &'a self,
        key: &'a str,
        token: u64,
        value: Vec<u8>,
        life: Option<Duration>,
        written: Notice,
    ) -> Doing<'a, bool> {
        Box::pin(self.write_announced_wrongly(key, token, value, life, written))
    }

    fn remove_same<'a>(&'a self, key: &'a str, value: &'a [u8]) -> Doing<'a, ()> {
        Box::pin(async move {
            let there = self.store.read(key, &[]).await?.value.unwrap_or_default();
            let value = if self.has(Flaw::AnythingIsRemoved) { &there } else { value };
            self.store.remove_same(key, value).await
        })
    }

    fn replace_same<'a>(
        &'a self,
        key: &'a str,
        value: &'a [u8],
        next: Vec<u8>,
        life: Duration,
        written: Notice,
    ) -> Doing<'a, bool> {
        Box::pin(async move {
            if self.has(Flaw::AnythingIsReplaced) {
                return self.store.write(key, next, Some(life), written).await.map(|()| true);
            }
            self.store.replace_same(key, value, next, life, written).await
        })
    }

    fn invalidate<'a>(&'a self, what: &'a Invalidation) -> Doing<'a, Vec<Box<str>>> {
        Box::pin(async move {
            let refused = self.invalidate_wrongly(what.clone()).await?;
            for key in &what.keys {
                match self.flaw {
                    Flaw::RemovalsLeaveTheNote => self.note_again(key).await?,
                    Flaw::RefusedUpdatesAreNotTold => drop(self.shared.notes.lock().unwrap().remove(&**key)),
                    _ => {}
                }
            }
            Ok(refused)
        })
    }

    fn remove_all<'a>(&'a self, is_meant: &'a (dyn Fn(&str) -> bool + Send + Sync)) -> Doing<'a, bool> {
        Box::pin(async move {
            let is_done = self.store.remove_all(is_meant).await?;
            if self.has(Flaw::RemovalsOfAllLeaveTheNote) {
                let keys: Vec<_> = self.shared.notes.lock().unwrap().keys().cloned().collect();
                for key in keys.iter().filter(|key| is_meant(key)) {
                    self.note_again(key).await?;
                }
            }
            Ok(is_done || self.has(Flaw::RemovalsOfAllAreLost))
        })
    }

    fn publish<'a>(&'a self, notice: Notice) -> Doing<'a, ()> {
        self.store.publish(notice)
    }
}

impl Flawed {
    async fn invalidate_wrongly(&self, mut what: Invalidation) -> Result<Vec<Box<str>>, StoreError> {
        match self.flaw {
            Flaw::InvalidationsAreForgotten => what.groups.clear(),
            Flaw::UntoldInvalidationsDoNothing if what.notices.is_empty() => return Ok(Vec::new()),
            Flaw::InvalidationsAreLate => {
                let store = self.store.clone();
                tokio::spawn(async move {
                    pause(Duration::from_millis(20)).await;
                    let _late = store.invalidate(&what).await;
                });
                return Ok(Vec::new());
            }
            Flaw::UnknownGroupsAreNotInvalidated => {
                let clocks = self.store.clocks("", &what.groups).await?;
                let mut clocks = clocks.into_iter();
                what.groups.retain(|_| clocks.next().flatten().is_some());
            }
            Flaw::RemovalsLeaveTheLease => {
                for key in std::mem::take(&mut what.keys) {
                    if let Some(value) = self.store.read(&key, &[]).await?.value {
                        self.store.remove_same(&key, &value).await?;
                    }
                }
            }
            Flaw::RemovalsLeaveTheValue => what.keys.clear(),
            Flaw::OthersAreNotTold => what.notices.clear(),
            Flaw::OthersAreToldTooEarly => {
                for notice in &what.notices {
                    self.store.publish(notice.clone()).await?;
                }
                pause(Duration::from_millis(50)).await;
            }
            Flaw::AllGroupsAreOne => {
                // Those that a rule calls `one` and `other` have the same end.
                let other = |group: &Group| Group::tag(&group.as_tag().unwrap_or_default().replace("one#", "other#"));
                let others: Vec<_> = what.groups.iter().map(other).collect();
                what.groups.extend(others);
            }
            _ => {}
        }
        self.store.invalidate(&what).await
    }
}

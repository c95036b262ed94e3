//! Stores that break a rule each: the suite of the contract finds them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cachex::store::{
    Ask, Doing, Group, Invalidation, Lease, Listener, Notice, Read, Reading, Store, conformance, mark,
};
use cachex_tests::folder::Folder;
use futures_util::future::join_all;

use super::files;
use crate::redis::pause;

/// What a store does wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Flaw {
    None,
    ClocksGoBack,
    InvalidationsAreForgotten,
    InvalidationsAreLate,
    UnknownGroupsAreNotInvalidated,
    UnknownGroupsAreValid,
    ClocksAreLost,
    BeginningsAreEarly,
    MintGivesAlways,
    MintGivesEarlyStamps,
    MintGivesNever,
    PutsNeedNoLease,
    PutsNeedALeaseOnce,
    PutsAreLost,
    RemovalsLeaveTheLease,
    RemovalsLeaveTheValue,
    LeasesAreForever,
    LeasesAreForAll,
    RenewalsDoNothing,
    ValuesAreForever,
    ValuesAreCutOff,
    KeysAreAlike,
    WritesAreLost,
    AnythingIsReplaced,
    AnythingIsRemoved,
    OthersAreNotTold,
    OthersAreToldTooEarly,
    ListensToNothing,
    ClocksAreRemembered,
    OtherValuesAreNotTold,
    AllGroupsAreOne,
    RemovalsOfAllAreLost,
}

/// Each flaw, and the rule that it breaks.
const FLAWS: [(Flaw, &str); 31] = [
    (Flaw::ClocksGoBack, "the clock never goes back"),
    (Flaw::InvalidationsAreForgotten, "an invalidation steps the clock"),
    (Flaw::InvalidationsAreLate, "an invalidation outdates what was stamped before"),
    (
        Flaw::UnknownGroupsAreNotInvalidated,
        "an invalidation of a group without a clock outdates what was stamped before",
    ),
    (Flaw::UnknownGroupsAreValid, "a group without a clock is a miss"),
    (Flaw::ClocksAreLost, "a group that was begun with has a clock"),
    (Flaw::BeginningsAreEarly, "a group gets a clock that is not above the load's"),
    (Flaw::MintGivesAlways, "mint refuses what was invalidated since"),
    (Flaw::MintGivesEarlyStamps, "mint gives a stamp that is enough"),
    (Flaw::MintGivesNever, "a load that found out its groups is stamped"),
    (Flaw::PutsNeedNoLease, "nothing is put without the lease"),
    (Flaw::PutsNeedALeaseOnce, "a write by hand takes the lease"),
    (Flaw::PutsAreLost, "a value that was put is read"),
    (Flaw::RemovalsLeaveTheLease, "the removal of a key takes its value and its lease"),
    (Flaw::RemovalsLeaveTheValue, "nothing older than the removal of its key is read"),
    (Flaw::LeasesAreForever, "a lease that has ended is of no use"),
    (Flaw::LeasesAreForAll, "a lease has one holder"),
    (Flaw::RenewalsDoNothing, "a lease that is renewed holds"),
    (Flaw::ValuesAreForever, "a value that has ended is not read"),
    (Flaw::ValuesAreCutOff, "a value is read as it was written"),
    (Flaw::KeysAreAlike, "keys and groups are told apart, whatever their names"),
    (Flaw::WritesAreLost, "a value that was written by hand is read"),
    (Flaw::AnythingIsReplaced, "what is removed is not replaced"),
    (Flaw::AnythingIsRemoved, "exactly the value that is named is removed or replaced"),
    (Flaw::OthersAreNotTold, "a notice is heard, or said to be missed"),
    (Flaw::OthersAreToldTooEarly, "who has heard of an invalidation reads nothing from before"),
    (Flaw::ListensToNothing, "a store without notices does not say that it listens"),
    (Flaw::ClocksAreRemembered, "nothing older than an invalidation of its group is valid"),
    (Flaw::OtherValuesAreNotTold, "who asks for a lease is told of another value"),
    (Flaw::AllGroupsAreOne, "other groups stay valid"),
    (Flaw::RemovalsOfAllAreLost, "the removal of all keys of some kind takes their values and leases"),
];

#[tokio::test]
async fn each_is_found_by_the_rule_that_it_breaks() {
    let checks = FLAWS.map(|(flaw, rule)| async move {
        let folder = Folder::new();
        let checked = conformance::check(async || Flawed::new(&folder, flaw)).await;
        let broken: Vec<_> = checked.err().iter().flat_map(|broken| broken.names().collect::<Vec<_>>()).collect();
        (!broken.contains(&rule)).then(|| format!("{flaw:?} does not break `{rule}`, but {broken:?}"))
    });
    let unnoticed: Vec<_> = join_all(checks).await.into_iter().flatten().collect();
    assert!(unnoticed.is_empty(), "{}", unnoticed.join("\n"));
}

#[tokio::test]
async fn a_store_without_one_is_not() {
    let folder = Folder::new();
    let checked = conformance::check(async || Flawed::new(&folder, Flaw::None)).await;
    assert!(checked.is_ok(), "{checked:?}");
}

/// A directory with a flaw.
#[derive(Debug)]
struct Flawed {
    store: Arc<dyn Store>,
    flaw: Flaw,
    calls: AtomicU64,
    /// The clocks of the last read.
    remembered: Mutex<Option<Vec<Option<Reading>>>>,
}

impl Flawed {
    fn new(folder: &Folder, flaw: Flaw) -> Self {
        Self { store: Arc::from(files(folder)), flaw, calls: AtomicU64::new(0), remembered: Mutex::default() }
    }

    fn has(&self, flaw: Flaw) -> bool {
        self.flaw == flaw
    }

    fn key<'a>(&self, key: &'a str) -> &'a str {
        if self.has(Flaw::KeysAreAlike) && key.len() > 200 { &key[..200] } else { key }
    }

    fn life(&self, life: Option<Duration>) -> Option<Duration> {
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
            if self.has(Flaw::ClocksAreRemembered) && !groups.is_empty() {
                let mut remembered = self.remembered.lock().unwrap();
                clocks =
                    remembered.replace(clocks.clone()).filter(|known| known.len() == groups.len()).unwrap_or(clocks);
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
            let lease = self.store.lease(Ask { seen, span, ..ask }).await?;
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
        self.store.release(key, token)
    }

    fn write<'a>(&'a self, key: &'a str, value: Vec<u8>, life: Option<Duration>, written: Notice) -> Doing<'a, ()> {
        if self.has(Flaw::WritesAreLost) {
            return self.store.publish(written);
        }
        self.store.write(self.key(key), value, self.life(life), written)
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
        Box::pin(async move { self.invalidate_wrongly(what.clone()).await })
    }

    fn remove_all<'a>(&'a self, is_meant: &'a (dyn Fn(&str) -> bool + Send + Sync)) -> Doing<'a, bool> {
        Box::pin(async move { Ok(self.store.remove_all(is_meant).await? || self.has(Flaw::RemovalsOfAllAreLost)) })
    }

    fn publish<'a>(&'a self, notice: Notice) -> Doing<'a, ()> {
        self.store.publish(notice)
    }
}

impl Flawed {
    async fn invalidate_wrongly(&self, mut what: Invalidation) -> Result<Vec<Box<str>>, cachex::store::StoreError> {
        match self.flaw {
            Flaw::InvalidationsAreForgotten => what.groups.clear(),
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

//! Many at once: what is read is never older than an invalidation that had returned before.

use std::cell::Cell;
use std::time::Duration;

use super::ground::{Ground, LONG, OrSay, all, groups, hold, key, notice, number, rules, value};
use crate::runtime;
use crate::store::{Ask, Group, Lease, Reading, Store, mark};

rules! {
    "nothing older than an invalidation of its group is valid" => groups_in_a_race,
    "nothing older than an invalidation of a group that its load found out is valid" => found_out_in_a_race,
    "nothing older than the removal of its key is read" => keys_in_a_race,
}

/// Writes of each of two writers; the others go on until these are done.
const ROUNDS: u64 = 50;

/// What is invalidated, and what is known before a load.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Group,
    FoundOut,
    Key,
}

/// One who writes; dropped, it has ended.
struct Writing<'a>(&'a Cell<u32>);

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get().saturating_sub(1));
    }
}

struct Race<'a> {
    on: &'a Ground,
    kind: Kind,
    name: String,
    group: [Group; 1],
    /// What is loaded.
    source: Cell<u64>,
    /// What it was when the last invalidation began that has returned.
    settled: Cell<u64>,
    seed: Cell<u64>,
    writers: Cell<u32>,
}

async fn groups_in_a_race(on: &Ground) -> Result<(), String> {
    race(on, Kind::Group).await
}

async fn found_out_in_a_race(on: &Ground) -> Result<(), String> {
    race(on, Kind::FoundOut).await
}

async fn keys_in_a_race(on: &Ground) -> Result<(), String> {
    race(on, Kind::Key).await
}

async fn race(on: &Ground, kind: Kind) -> Result<(), String> {
    let (name, group) = (on.key(&format!("race {}", kind as u8)), [on.group(&format!("race {}", kind as u8))]);
    let (source, settled) = (Cell::new(1), Cell::new(1));
    let race = Race { on, kind, name, group, source, settled, seed: Cell::new(1), writers: Cell::new(2) };
    let (race, stores) = (&race, [&*on.a, &*on.b]);
    let writers = stores.map(|store| Box::pin(race.write(store)) as _);
    let loaders = stores.into_iter().chain(stores).map(|store| Box::pin(race.load(store)) as _);
    let readers = stores.into_iter().chain(stores).map(|store| Box::pin(race.read(store)) as _);
    all(loaders.chain(readers).chain(writers).collect()).await
}

impl Race<'_> {
    async fn write(&self, store: &dyn Store) -> Result<(), String> {
        let _writing = Writing(&self.writers);
        for _ in 0..ROUNDS {
            // Long enough for a load in between, or nothing is ever valid.
            runtime::sleep(Duration::from_millis(self.random() % 6)).await;
            let next = self.source.get() + 1;
            self.source.set(next);
            let what = if self.kind == Kind::Key { key(&self.name, "race") } else { groups(&self.group, "race") };
            store.invalidate(&what).await.or_say("invalidate")?;
            self.settled.set(self.settled.get().max(next));
        }
        Ok(())
    }

    async fn load(&self, store: &dyn Store) -> Result<(), String> {
        while self.writers.get() > 0 {
            self.some_time().await;
            let seen = store.read(&self.name, &[]).await.or_say("read")?.value.unwrap_or_default();
            let token = self.on.token();
            let ask = Ask { key: &self.name, token, span: LONG, seen: mark(&seen) };
            if store.lease(ask).await.or_say("lease")? != Lease::Granted {
                continue;
            }
            let known = if self.kind == Kind::FoundOut { &[][..] } else { &self.group };
            let since = store.begin(&self.name, known, Some(LONG)).await.or_say("begin")?;
            let loaded = self.source.get();
            self.some_time().await;
            let stamp = match self.kind {
                Kind::FoundOut => store.mint(&self.name, &self.group, since, Some(LONG)).await.or_say("mint")?,
                Kind::Group | Kind::Key => Some(since),
            };
            let Some(stamp) = stamp else {
                store.release(&self.name, token).await.or_say("release")?;
                continue;
            };
            let sealed = [&value(loaded)[..], &stamp.0.to_be_bytes()].concat();
            store.put(&self.name, token, sealed, Some(LONG), notice("race")).await.or_say("put")?;
        }
        Ok(())
    }

    async fn read(&self, store: &dyn Store) -> Result<(), String> {
        while self.writers.get() > 0 {
            self.some_time().await;
            let settled = self.settled.get();
            let read = store.read(&self.name, &self.group).await.or_say("read")?;
            let Some(value) = read.value else { continue };
            let stamp = value.last_chunk().map(|bytes| Reading(u64::from_be_bytes(*bytes)));
            let (Some(stamp), Some(loaded)) = (stamp, number(&value)) else {
                return Err("a value is read otherwise than it was put".to_owned());
            };
            let is_valid =
                self.kind == Kind::Key || read.clocks.iter().all(|clock| clock.is_some_and(|at| at <= stamp));
            hold!(
                !is_valid || loaded >= settled,
                "version {loaded} is valid (stamped {stamp:?}, clocks {:?}) after the invalidation of version {settled} had returned",
                read.clocks
            );
        }
        Ok(())
    }

    fn random(&self) -> u64 {
        self.seed.set(self.seed.get().wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407));
        self.seed.get() >> 33
    }

    /// Lets the others do something.
    async fn some_time(&self) {
        for _ in 0..=self.random() % 4 {
            let mut is_over = false;
            std::future::poll_fn(|cx| {
                cx.waker().wake_by_ref();
                if std::mem::replace(&mut is_over, true) {
                    std::task::Poll::Ready(())
                } else {
                    std::task::Poll::Pending
                }
            })
            .await;
        }
    }
}

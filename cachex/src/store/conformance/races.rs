//! Many at once: what is read is never older than an invalidation that had returned before.

use std::cell::Cell;
use std::time::Duration;

use super::ground::{Ground, LONG, OrSay, all, groups, hold, key, notice, number, rules, value};
use super::updates::Update;
use crate::runtime;
use crate::store::{Ask, Group, Lease, Reading, Store, mark};

rules! {
    "nothing older than an invalidation of its group is valid" => groups_in_a_race,
    "nothing older than an invalidation of a group that its load found out is valid" => found_out_in_a_race,
    "nothing older than the removal of its key is read" => keys_in_a_race,
    "nothing older than an update of its key is read" => updates_in_a_race,
}

/// Writes of each of two writers; the others go on until these are done.
const ROUNDS: u64 = 50;
/// So often it is read in vain before one who writes goes on, …
const READS_IN_VAIN: u64 = 100;
/// … and this so often in all: a store may lose whatever it is given.
const WAITS_IN_VAIN: u32 = 4;

/// What is invalidated, and what is known before a load.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Group,
    FoundOut,
    Key,
    Update,
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
    /// Whether something valid was read since the last change.
    has_been_valid: Cell<bool>,
    reads: Cell<u64>,
    waits_in_vain: Cell<u32>,
    /// Whether something has failed: the others need not go on.
    is_decided: Cell<bool>,
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

async fn updates_in_a_race(on: &Ground) -> Result<(), String> {
    race(on, Kind::Update).await
}

async fn race(on: &Ground, kind: Kind) -> Result<(), String> {
    let (name, group) = (on.key(&format!("race {}", kind as u8)), [on.group(&format!("race {}", kind as u8))]);
    let (source, settled) = (Cell::new(1), Cell::new(1));
    let (has_been_valid, reads) = (Cell::new(false), Cell::new(0));
    let (seed, writers, waits_in_vain, is_decided) = (Cell::new(1), Cell::new(2), Cell::new(0), Cell::new(false));
    let race = Race {
        on,
        kind,
        name,
        group,
        source,
        settled,
        has_been_valid,
        reads,
        waits_in_vain,
        is_decided,
        seed,
        writers,
    };
    let (race, stores) = (&race, [&*on.a, &*on.b]);
    let writers = stores.map(|store| Box::pin(race.decides(race.write(store))) as _);
    let loaders = stores.into_iter().chain(stores).map(|store| Box::pin(race.decides(race.load(store))) as _);
    let readers = stores.into_iter().chain(stores).map(|store| Box::pin(race.decides(race.read(store))) as _);
    all(loaders.chain(readers).chain(writers).collect()).await
}

impl Race<'_> {
    /// Ends the race with who fails.
    async fn decides(&self, part: impl Future<Output = Result<(), String>>) -> Result<(), String> {
        let ended = part.await;
        if ended.is_err() {
            self.is_decided.set(true);
        }
        ended
    }

    fn goes_on(&self) -> bool {
        self.writers.get() > 0 && !self.is_decided.get()
    }

    async fn write(&self, store: &dyn Store) -> Result<(), String> {
        let _writing = Writing(&self.writers);
        for _ in 0..ROUNDS {
            self.something_valid().await;
            if !self.goes_on() {
                break;
            }
            if self.kind == Kind::Update {
                self.update(store).await?;
                continue;
            }
            let next = self.source.get() + 1;
            self.source.set(next);
            let what = if self.kind == Kind::Key { key(&self.name, "race") } else { groups(&self.group, "race") };
            store.invalidate(&what).await.or_say("invalidate")?;
            self.settled.set(self.settled.get().max(next));
            self.has_been_valid.set(false);
        }
        Ok(())
    }

    /// Waits until there is something valid, and for some time more. However slow a store is, without that nothing could be wrong.
    async fn something_valid(&self) {
        let last = self.reads.get() + READS_IN_VAIN;
        while self.goes_on() && !self.has_been_valid.get() && self.waits_in_vain.get() < WAITS_IN_VAIN {
            if self.reads.get() > last {
                self.waits_in_vain.set(self.waits_in_vain.get() + 1);
                break;
            }
            runtime::sleep(Duration::from_millis(1)).await;
        }
        runtime::sleep(Duration::from_millis(self.random() % 6)).await;
    }

    /// Announces a change of the source, makes it, and writes what the source has become.
    async fn update(&self, store: &dyn Store) -> Result<(), String> {
        let update = Update::begin(self.on, store, &self.name).await?;
        self.some_time().await;
        let next = self.source.get() + 1;
        self.source.set(next);
        self.some_time().await;
        update.write(next, Some(LONG)).await?;
        self.settled.set(self.settled.get().max(next));
        self.has_been_valid.set(false);
        Ok(())
    }

    async fn load(&self, store: &dyn Store) -> Result<(), String> {
        while self.goes_on() {
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
                Kind::Group | Kind::Key | Kind::Update => Some(since),
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
        while self.goes_on() {
            self.some_time().await;
            let settled = self.settled.get();
            let read = store.read(&self.name, &self.group).await.or_say("read")?;
            self.reads.set(self.reads.get() + 1);
            let Some(value) = read.value else { continue };
            let stamp = value.last_chunk().map(|bytes| Reading(u64::from_be_bytes(*bytes)));
            let (Some(stamp), Some(loaded)) = (stamp, number(&value)) else {
                return Err("a value is read otherwise than it was put".to_owned());
            };
            let is_valid = matches!(self.kind, Kind::Key | Kind::Update)
                || read.clocks.iter().all(|clock| clock.is_some_and(|at| at <= stamp));
            hold!(
                !is_valid || loaded >= settled,
                "version {loaded} is valid (stamped {stamp:?}, clocks {:?}) after the invalidation of version {settled} had returned",
                read.clocks
            );
            if is_valid {
                self.has_been_valid.set(true);
            }
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

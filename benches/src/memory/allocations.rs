//! Allocations for each call.

use std::hint::black_box;
use std::sync::Arc;

use cachex::Eviction;
use tokio::runtime::{Builder, Runtime};

use super::counter;
use crate::hit::keys::{NumberedKey, keys};
use crate::peers::{Bounded, Cached, ConcurrentCached, Foyer, Hitbox, Memoised, Moka, MokaFuture, QuickCache};
use crate::row::Row;
use crate::service::{Filter, Payload, Service, Value};

/// How many calls are counted, and how many entries a cache keeps.
const CALLS: u32 = 1_000;

type Tuple = (u64, &'static str, Option<u32>);

/// Returns all rows; of [`CALLS`] calls, however many entries there are elsewhere.
pub(super) fn rows(_entries: u64) -> Result<Vec<Row>, String> {
    let mut rows = Vec::new();
    let service = || Service::new(u64::from(CALLS), Eviction::S3Fifo);
    let (blocking, asynchronous) = (service()?, service()?);
    let mut blocking_rows = Calls { is_async: false, subject: "cachex", load: shared, rows: &mut rows };
    blocking_rows.count("u64", |keys: &[u64]| ask(keys, |id| blocking.by_number(id)));
    blocking_rows.count("&str", |keys: &[&'static str]| ask(keys, |text| blocking.by_text(text)));
    blocking_rows.count("tuple", |keys: &[Tuple]| ask(keys, |(id, text, page)| blocking.by_parts(id, text, page)));
    blocking_rows.count("struct", |keys: &[Filter]| ask(keys, |filter| blocking.by_filter(&filter)));
    let runtime = runtime()?;
    let mut async_rows = Calls { is_async: true, subject: "cachex", load: shared, rows: &mut rows };
    let cache = &asynchronous;
    async_rows.count("u64", |keys: &[u64]| wait(&runtime, keys, |id| cache.by_number_async(id)));
    async_rows.count("&str", |keys: &[&'static str]| wait(&runtime, keys, |text| cache.by_text_async(text)));
    async_rows
        .count("tuple", |keys: &[Tuple]| wait(&runtime, keys, |(id, text, page)| cache.by_parts_async(id, text, page)));
    async_rows.count("struct", |keys: &[Filter]| {
        wait(&runtime, keys, |filter| async move { cache.by_filter_async(&filter).await })
    });
    peers(&mut rows);
    async_peers(&runtime, &mut rows);
    Ok(rows)
}

fn peers(rows: &mut Vec<Row>) {
    bounded::<QuickCache<u64, Arc<Payload>>>(rows);
    bounded::<Moka<u64, Arc<Payload>>>(rows);
    bounded::<Foyer<u64, Arc<Payload>>>(rows);
    function::<Cached<1_000>>(rows);
    function::<ConcurrentCached<1_000>>(rows);
}

fn function<F: Memoised<u64, Arc<Payload>>>(rows: &mut Vec<Row>) {
    let mut calls = Calls { is_async: false, subject: F::NAME, load: shared, rows };
    calls.count("u64", |keys: &[u64]| ask(keys, F::call));
}

fn bounded<P: Bounded<u64, Arc<Payload>>>(rows: &mut Vec<Row>) {
    let cache = P::bounded(CALLS as usize);
    let mut calls = Calls { is_async: false, subject: P::NAME, load: shared, rows };
    calls.count("u64", |keys: &[u64]| {
        ask(keys, |id| cache.get(&id).unwrap_or_else(|| cache.get_or_load(id, || Value::load(id))))
    });
}

fn async_peers(runtime: &Runtime, rows: &mut Vec<Row>) {
    let moka = &MokaFuture::bounded(CALLS as usize);
    let mut calls = Calls { is_async: true, subject: MokaFuture::<u64, Arc<Payload>>::NAME, load: shared, rows };
    calls.count("u64", |keys: &[u64]| {
        wait(runtime, keys, |id| async move {
            match moka.get(&id).await {
                Some(value) => value,
                None => moka.get_or_load(id, async { <Arc<Payload>>::load(id) }).await,
            }
        })
    });
    let hitbox = Hitbox::bounded(CALLS as usize);
    let mut calls = Calls { is_async: true, subject: Hitbox::NAME, load: plain, rows };
    calls.count("u64", |keys: &[u64]| wait(runtime, keys, |id| hitbox.call(id)));
}

/// Asks for each key, and returns how often that allocates.
fn ask<K: Copy, V>(keys: &[K], call: impl Fn(K) -> V) -> u64 {
    counter::allocations(|| keys.iter().for_each(|key| drop(black_box(call(*key)))))
}

/// The same for async callers; what the runtime itself allocates is left out.
fn wait<K: Copy, F: Future>(runtime: &Runtime, keys: &[K], call: impl Fn(K) -> F) -> u64 {
    runtime.block_on(async {
        let before = counter::so_far();
        for key in keys {
            drop(black_box(call(*key).await));
        }
        counter::so_far() - before
    })
}

fn runtime() -> Result<Runtime, String> {
    Builder::new_current_thread().build().map_err(|error| format!("a runtime can't be made: {error}"))
}

/// The calls of one subject.
struct Calls<'a> {
    is_async: bool,
    subject: &'static str,
    /// What a miss runs, alone.
    load: fn(u64),
    rows: &'a mut Vec<Row>,
}

impl Calls<'_> {
    /// Counts hits and misses by one kind of key; `ask` asks for each key and returns how often that allocates.
    fn count<K: NumberedKey>(&mut self, kind: &str, ask: impl Fn(&[K]) -> u64) {
        let calls = CALLS as usize;
        let keys = keys::<K>(6 * CALLS);
        let (resident, other) = keys.split_at(calls / 10);
        for _ in 0..4 {
            ask(resident);
        }
        let hits = (0..10).map(|_| ask(resident)).sum();
        let (before, missing) = other.split_at(other.len() - calls);
        ask(before);
        let loads = counter::allocations(|| (0..calls as u64).for_each(self.load));
        let misses = ask(missing).saturating_sub(loads);
        self.row("hit", kind, hits);
        self.row("miss", kind, misses);
    }

    fn row(&mut self, what: &str, kind: &str, allocations: u64) {
        let kind_of_call = if self.is_async { "async " } else { "" };
        self.rows.push(Row {
            suite: super::SUITE.name.into(),
            case: format!("{kind_of_call}{what}, {kind} key").into(),
            subject: self.subject.into(),
            threads: 1,
            entries: CALLS as usize,
            value: allocations as f64 / f64::from(CALLS),
            unit: "allocs".into(),
        });
    }
}

fn shared(id: u64) {
    drop(black_box(<Arc<Payload>>::load(id)));
}

fn plain(id: u64) {
    black_box(Payload::numbered(id));
}

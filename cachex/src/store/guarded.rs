//! A store of somebody else, whose panics are errors.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use super::{
    Ask, Doing, Group, Index, Invalidation, Lease, Listener, Notice, Null, Read, Reading, Settling, Store, StoreError,
    StoreErrorKind, Structures,
};
use crate::caught::caught;
use crate::runtime;

/// A store whose panics are errors: neither does a call break of one, nor what is done in the background. (But for panics of futures that are dropped
/// before they end.)
#[derive(Debug)]
pub(crate) struct Guarded(Box<dyn Store>);

impl Guarded {
    pub(crate) fn new(store: Box<dyn Store>) -> Self {
        Self(store)
    }
}

impl Drop for Guarded {
    /// Drops the store on a thread of its own: that may take long, or end a runtime, which must not be done where others are driven.
    // Break this (drop it here) and whoever happens to be the last to use the cache, on whatever thread, waits for it, or panics.
    fn drop(&mut self) {
        let store = std::mem::replace(&mut self.0, Box::new(Null));
        runtime::spawn_own(runtime::on_thread(move || {
            let _dropped = caught(|| drop(store));
        }));
    }
}

fn panicked<T>() -> Result<T, StoreError> {
    Err(StoreError::new(StoreErrorKind::Unknown, "the store panicked"))
}

fn guarded<'a, T: Send + 'a>(begin: impl FnOnce() -> Doing<'a, T>) -> Doing<'a, T> {
    let Some(doing) = caught(begin) else { return Box::pin(async { panicked() }) };
    let mut doing = Some(doing);
    Box::pin(poll_fn(move |cx| {
        let polled = caught(|| doing.as_mut().map_or_else(|| Poll::Ready(panicked()), |doing| doing.as_mut().poll(cx)));
        polled.unwrap_or_else(|| {
            let _dropped = caught(|| drop(doing.take()));
            Poll::Ready(panicked())
        })
    }))
}

impl Store for Guarded {
    fn start(&self, listener: Arc<dyn Listener>) {
        let _started = caught(|| self.0.start(listener));
    }

    fn is_up(&self) -> bool {
        caught(|| self.0.is_up()).unwrap_or(false)
    }

    fn is_whole(&self) -> bool {
        caught(|| self.0.is_whole()).unwrap_or(false)
    }

    fn takes_invalidations(&self) -> bool {
        caught(|| self.0.takes_invalidations()).unwrap_or(false)
    }

    fn reaches(&self, key: &str) -> bool {
        caught(|| self.0.reaches(key)).unwrap_or(false)
    }

    fn warning(&self) -> Option<&'static str> {
        caught(|| self.0.warning()).flatten()
    }

    fn has_notices(&self) -> bool {
        caught(|| self.0.has_notices()).unwrap_or(true)
    }

    fn staleness(&self) -> Duration {
        caught(|| self.0.staleness()).unwrap_or_default()
    }

    fn read<'a>(&'a self, key: &'a str, groups: &'a [Group]) -> Doing<'a, Read> {
        guarded(|| self.0.read(key, groups))
    }

    fn clocks<'a>(&'a self, key: &'a str, groups: &'a [Group]) -> Doing<'a, Vec<Option<Reading>>> {
        guarded(|| self.0.clocks(key, groups))
    }

    fn lease<'a>(&'a self, ask: Ask<'a>) -> Doing<'a, Lease> {
        guarded(|| self.0.lease(ask))
    }

    fn begin<'a>(&'a self, key: &'a str, groups: &'a [Group], life: Option<Duration>) -> Doing<'a, Reading> {
        guarded(|| self.0.begin(key, groups, life))
    }

    fn mint<'a>(
        &'a self,
        key: &'a str,
        groups: &'a [Group],
        since: Reading,
        life: Option<Duration>,
    ) -> Doing<'a, Option<Reading>> {
        guarded(|| self.0.mint(key, groups, since, life))
    }

    fn put<'a>(
        &'a self,
        key: &'a str,
        token: u64,
        value: Vec<u8>,
        life: Option<Duration>,
        stored: Notice,
    ) -> Doing<'a, bool> {
        guarded(|| self.0.put(key, token, value, life, stored))
    }

    fn renew<'a>(&'a self, key: &'a str, token: u64, span: Duration) -> Doing<'a, bool> {
        guarded(|| self.0.renew(key, token, span))
    }

    fn release<'a>(&'a self, key: &'a str, token: u64) -> Doing<'a, ()> {
        guarded(|| self.0.release(key, token))
    }

    fn write<'a>(&'a self, key: &'a str, value: Vec<u8>, life: Option<Duration>, written: Notice) -> Doing<'a, ()> {
        guarded(|| self.0.write(key, value, life, written))
    }

    fn takes_updates(&self, key: &str) -> bool {
        caught(|| self.0.takes_updates(key)).unwrap_or(false)
    }

    fn announce<'a>(&'a self, key: &'a str, token: u64, span: Duration) -> Doing<'a, ()> {
        guarded(|| self.0.announce(key, token, span))
    }

    fn settle<'a>(&'a self, key: &'a str, update: &'a Settling) -> Doing<'a, Option<Reading>> {
        guarded(|| self.0.settle(key, update))
    }

    fn write_announced<'a>(
        &'a self,
        key: &'a str,
        token: u64,
        value: Vec<u8>,
        life: Option<Duration>,
        written: Notice,
    ) -> Doing<'a, bool> {
        guarded(|| self.0.write_announced(key, token, value, life, written))
    }

    fn remove_same<'a>(&'a self, key: &'a str, value: &'a [u8]) -> Doing<'a, ()> {
        guarded(|| self.0.remove_same(key, value))
    }

    fn replace_same<'a>(
        &'a self,
        key: &'a str,
        value: &'a [u8],
        next: Vec<u8>,
        life: Duration,
        written: Notice,
    ) -> Doing<'a, bool> {
        guarded(|| self.0.replace_same(key, value, next, life, written))
    }

    fn invalidate<'a>(&'a self, what: &'a Invalidation) -> Doing<'a, Vec<Box<str>>> {
        guarded(|| self.0.invalidate(what))
    }

    fn structures(&self, key: &str) -> Option<&dyn Structures> {
        caught(|| self.0.structures(key)).flatten()
    }

    fn index(&self) -> Option<&dyn Index> {
        caught(|| self.0.index()).flatten()
    }

    fn remove_all<'a>(&'a self, is_meant: &'a (dyn Fn(&str) -> bool + Send + Sync)) -> Doing<'a, bool> {
        guarded(|| self.0.remove_all(is_meant))
    }

    fn publish<'a>(&'a self, notice: Notice) -> Doing<'a, ()> {
        guarded(|| self.0.publish(notice))
    }
}

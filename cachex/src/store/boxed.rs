//! A store in a box, whatever it is.

use std::sync::Arc;
use std::time::Duration;

use super::{
    Ask, Doing, Group, Index, Invalidation, Lease, Listener, Notice, Read, Reading, Settling, Store, Structures,
};

/// A store in a box is one.
impl Store for Box<dyn Store> {
    fn start(&self, listener: Arc<dyn Listener>) {
        (**self).start(listener);
    }

    fn is_up(&self) -> bool {
        (**self).is_up()
    }

    fn is_whole(&self) -> bool {
        (**self).is_whole()
    }

    fn takes_invalidations(&self) -> bool {
        (**self).takes_invalidations()
    }

    fn reaches(&self, key: &str) -> bool {
        (**self).reaches(key)
    }

    fn warning(&self) -> Option<&'static str> {
        (**self).warning()
    }

    fn has_notices(&self) -> bool {
        (**self).has_notices()
    }

    fn staleness(&self) -> Duration {
        (**self).staleness()
    }

    fn read<'a>(&'a self, key: &'a str, groups: &'a [Group]) -> Doing<'a, Read> {
        (**self).read(key, groups)
    }

    fn clocks<'a>(&'a self, key: &'a str, groups: &'a [Group]) -> Doing<'a, Vec<Option<Reading>>> {
        (**self).clocks(key, groups)
    }

    fn lease<'a>(&'a self, ask: Ask<'a>) -> Doing<'a, Lease> {
        (**self).lease(ask)
    }

    fn begin<'a>(&'a self, key: &'a str, groups: &'a [Group], life: Option<Duration>) -> Doing<'a, Reading> {
        (**self).begin(key, groups, life)
    }

    fn mint<'a>(
        &'a self,
        key: &'a str,
        groups: &'a [Group],
        since: Reading,
        life: Option<Duration>,
    ) -> Doing<'a, Option<Reading>> {
        (**self).mint(key, groups, since, life)
    }

    fn put<'a>(
        &'a self,
        key: &'a str,
        token: u64,
        value: Vec<u8>,
        life: Option<Duration>,
        stored: Notice,
    ) -> Doing<'a, bool> {
        (**self).put(key, token, value, life, stored)
    }

    fn renew<'a>(&'a self, key: &'a str, token: u64, span: Duration) -> Doing<'a, bool> {
        (**self).renew(key, token, span)
    }

    fn release<'a>(&'a self, key: &'a str, token: u64) -> Doing<'a, ()> {
        (**self).release(key, token)
    }

    fn write<'a>(&'a self, key: &'a str, value: Vec<u8>, life: Option<Duration>, written: Notice) -> Doing<'a, ()> {
        (**self).write(key, value, life, written)
    }

    fn takes_updates(&self, key: &str) -> bool {
        (**self).takes_updates(key)
    }

    fn announce<'a>(&'a self, key: &'a str, token: u64, span: Duration) -> Doing<'a, ()> {
        (**self).announce(key, token, span)
    }

    fn settle<'a>(&'a self, key: &'a str, update: &'a Settling) -> Doing<'a, Option<Reading>> {
        (**self).settle(key, update)
    }

    fn write_announced<'a>(
        &'a self,
        key: &'a str,
        token: u64,
        value: Vec<u8>,
        life: Option<Duration>,
        written: Notice,
    ) -> Doing<'a, bool> {
        (**self).write_announced(key, token, value, life, written)
    }

    fn remove_same<'a>(&'a self, key: &'a str, value: &'a [u8]) -> Doing<'a, ()> {
        (**self).remove_same(key, value)
    }

    fn replace_same<'a>(
        &'a self,
        key: &'a str,
        value: &'a [u8],
        next: Vec<u8>,
        life: Duration,
        written: Notice,
    ) -> Doing<'a, bool> {
        (**self).replace_same(key, value, next, life, written)
    }

    fn invalidate<'a>(&'a self, what: &'a Invalidation) -> Doing<'a, Vec<Box<str>>> {
        (**self).invalidate(what)
    }

    fn structures(&self, key: &str) -> Option<&dyn Structures> {
        (**self).structures(key)
    }

    fn index(&self) -> Option<&dyn Index> {
        (**self).index()
    }

    fn remove_all<'a>(&'a self, is_meant: &'a (dyn Fn(&str) -> bool + Send + Sync)) -> Doing<'a, bool> {
        (**self).remove_all(is_meant)
    }

    fn publish<'a>(&'a self, notice: Notice) -> Doing<'a, ()> {
        (**self).publish(notice)
    }
}

//! A store that keeps nothing.

use std::sync::Arc;
use std::time::Duration;

use super::{Ask, Doing, Group, Invalidation, Lease, Listener, Notice, Read, Reading, Store};

/// Keeps nothing and always works: every read is a miss, every lease is granted, and what is put is let go. `remote.store = "null"` in a configuration.
///
/// It shows what a second tier costs without one, and switches one off without touching the rest of a configuration. Processes do not hear of each other's invalidations, as without
/// a second tier; and as notices can't come in, what is in memory lives no longer than [`staleness`](Store::staleness), or `remote.outage_ttl`.
///
/// # Examples
///
/// ```
/// use cachex::Cache;
/// use cachex::store::Null;
///
/// let cache = Cache::builder().store(Null).build()?;
/// assert!(cache.remote_stats().is_some_and(|stats| stats.is_up));
/// # Ok::<(), cachex::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Null;

impl Store for Null {
    fn start(&self, listener: Arc<dyn Listener>) {
        listener.up();
    }

    fn is_up(&self) -> bool {
        true
    }

    fn has_notices(&self) -> bool {
        false
    }

    fn read<'a>(&'a self, _key: &'a str, groups: &'a [Group]) -> Doing<'a, Read> {
        Box::pin(async { Ok(Read { value: None, clocks: vec![None; groups.len()] }) })
    }

    fn clocks<'a>(&'a self, _key: &'a str, groups: &'a [Group]) -> Doing<'a, Vec<Option<Reading>>> {
        Box::pin(async { Ok(vec![None; groups.len()]) })
    }

    fn lease<'a>(&'a self, _ask: Ask<'a>) -> Doing<'a, Lease> {
        Box::pin(async { Ok(Lease::Granted) })
    }

    fn begin<'a>(&'a self, _key: &'a str, _groups: &'a [Group], _life: Option<Duration>) -> Doing<'a, Reading> {
        Box::pin(async { Ok(Reading(0)) })
    }

    fn mint<'a>(
        &'a self,
        _key: &'a str,
        _groups: &'a [Group],
        _since: Reading,
        _life: Option<Duration>,
    ) -> Doing<'a, Option<Reading>> {
        Box::pin(async { Ok(None) })
    }

    fn put<'a>(
        &'a self,
        _key: &'a str,
        _token: u64,
        _value: Vec<u8>,
        _life: Option<Duration>,
        _stored: Notice,
    ) -> Doing<'a, bool> {
        Box::pin(async { Ok(false) })
    }

    fn renew<'a>(&'a self, _key: &'a str, _token: u64, _span: Duration) -> Doing<'a, bool> {
        Box::pin(async { Ok(true) })
    }

    fn release<'a>(&'a self, _key: &'a str, _token: u64) -> Doing<'a, ()> {
        Box::pin(async { Ok(()) })
    }

    fn write<'a>(&'a self, _key: &'a str, _value: Vec<u8>, _life: Option<Duration>, _written: Notice) -> Doing<'a, ()> {
        Box::pin(async { Ok(()) })
    }

    fn remove_same<'a>(&'a self, _key: &'a str, _value: &'a [u8]) -> Doing<'a, ()> {
        Box::pin(async { Ok(()) })
    }

    fn replace_same<'a>(
        &'a self,
        _key: &'a str,
        _value: &'a [u8],
        _next: Vec<u8>,
        _life: Duration,
        _written: Notice,
    ) -> Doing<'a, bool> {
        Box::pin(async { Ok(false) })
    }

    fn invalidate<'a>(&'a self, _what: &'a Invalidation) -> Doing<'a, Vec<Box<str>>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn publish<'a>(&'a self, _notice: Notice) -> Doing<'a, ()> {
        Box::pin(async { Ok(()) })
    }
}

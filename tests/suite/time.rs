//! What time does to entries and to calls, under a clock that the tests move.
//!
//! Reading order: [`age`] (how long an entry is of use), [`refresh`] (stale entries), [`patience`] (expired entries, and callers
//! that do not wait), [`rules`] (what the value says), [`reclaim`] (what goes without being asked for).

mod age;
mod patience;
mod reclaim;
mod refresh;
mod rules;

use std::time::Duration;

use cachex::MethodSettings;
use cachex::time::ManualClock;

use crate::source::{Source, Stepped};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const MOMENT: Duration = Duration::from_nanos(1);

/// A source whose cache is moved by the clock, and never reclaims by itself.
fn source() -> (Source, ManualClock) {
    let clock = ManualClock::new();
    let cache = crate::builder().clock(clock.clone()).reclaim_interval(Duration::from_secs(3_600)).build().unwrap();
    (Source::new(cache), clock)
}

/// As [`source`], with rules for [`Source::find`].
fn source_with(settings: MethodSettings) -> (Source, ManualClock) {
    let (source, clock) = source();
    source.cache.set_method_config("source.find", settings).unwrap();
    (source, clock)
}

/// Calls, and checks how many loads there were up to now.
#[track_caller]
fn check_loads(source: &Source, loads: usize) {
    Stepped::new(source.find(1)).end().unwrap();
    assert_eq!(source.loads(), loads, "loads");
}

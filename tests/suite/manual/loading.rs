//! `get_or_load`: who loads, who is answered with what, and what is kept.

use std::cell::Cell;
use std::future::ready;

use cachex::{Cache, EntryOptions, MethodSettings, Ttl};
use tokio::sync::oneshot;

use super::{SECOND, cache, key};
use crate::source::Stepped;

/// Loads the number of its loads, and counts them.
#[derive(Default)]
struct Loads(Cell<u64>);

impl Loads {
    fn call(&self, cache: &Cache, options: &EntryOptions) -> Result<u64, String> {
        cache.blocking().get_or_load(&key(1), options, || {
            self.0.set(self.0.get() + 1);
            Ok(self.0.get())
        })
    }
}

#[test]
fn a_value_is_loaded_once_and_kept_as_the_options_say() {
    let (cache, clock) = cache();
    let (loads, options) = (Loads::default(), EntryOptions::new().ttl(10 * SECOND).tag("loaded"));
    assert_eq!((loads.call(&cache, &options), loads.call(&cache, &options)), (Ok(1), Ok(1)));
    assert_eq!(cache.blocking().ttl_of(&key(1)), Some(Ttl::Left(10 * SECOND)));
    clock.advance(10 * SECOND);
    assert_eq!(loads.call(&cache, &options), Ok(2));
    cache.invalidate_tags(["loaded"]);
    assert_eq!(loads.call(&cache, &options), Ok(3));
    let stats = cache.stats();
    assert_eq!((stats.hits, stats.misses, stats.loads, stats.stores), (1, 3, 3, 3));
}

#[test]
fn a_failure_is_passed_on_and_not_kept() {
    let (cache, _) = cache();
    let fail = || Err::<u64, _>("down".to_owned());
    assert_eq!(cache.blocking().get_or_load(&key(1), &EntryOptions::new(), fail), Err("down".to_owned()));
    assert_eq!(Loads::default().call(&cache, &EntryOptions::new()), Ok(1));
    assert_eq!(cache.stats().load_errors, 1);
}

#[test]
fn of_those_who_find_a_stale_value_one_loads_and_the_others_are_answered() {
    let (cache, clock) = cache();
    let options = EntryOptions::new().ttl(10 * SECOND).soft_ttl(4 * SECOND);
    let key = key(1);
    let call = |value| cache.get_or_load(&key, &options, move || ready(Ok::<u64, String>(value)));
    assert_eq!(Stepped::new(call(1)).end(), Ok(1));
    clock.advance(4 * SECOND);
    let (open, opened) = oneshot::channel();
    let refreshing = cache.get_or_load(&key, &options, || async { Ok::<u64, String>(opened.await.unwrap()) });
    let refreshing = Stepped::waiting(refreshing);
    assert_eq!((Stepped::new(call(8)).end(), Stepped::new(call(9)).end()), (Ok(1), Ok(1)), "meanwhile");
    open.send(2).unwrap();
    assert_eq!(refreshing.end(), Ok(2));
    assert_eq!(Stepped::new(call(9)).end(), Ok(2));
    assert_eq!((cache.stats().loads, cache.stats().refreshes), (2, 1));
}

#[test]
fn an_expired_value_answers_if_the_load_fails() {
    let (cache, clock) = cache();
    let options = EntryOptions::new().ttl(10 * SECOND).grace(60 * SECOND);
    let loads = Loads::default();
    let fail = || Err::<u64, _>("down".to_owned());
    assert_eq!(loads.call(&cache, &options), Ok(1));
    clock.advance(10 * SECOND);
    assert_eq!(cache.blocking().get_or_load(&key(1), &options, fail), Ok(1));
    assert_eq!((cache.stats().fallbacks, cache.blocking().get::<u64>(&key(1)).unwrap()), (1, None));
    assert_eq!(loads.call(&cache, &options), Ok(2));
    clock.advance(70 * SECOND);
    assert_eq!(cache.blocking().get_or_load(&key(1), &options, fail), Err("down".to_owned()), "after its grace");
}

#[test]
fn a_stale_value_answers_if_its_refresh_fails() {
    let (cache, clock) = cache();
    let options = EntryOptions::new().ttl(10 * SECOND).soft_ttl(4 * SECOND);
    assert_eq!(Loads::default().call(&cache, &options), Ok(1));
    clock.advance(4 * SECOND);
    let fail = || Err::<u64, _>("down".to_owned());
    assert_eq!(cache.blocking().get_or_load(&key(1), &options, fail), Ok(1));
}

#[test]
fn a_value_of_another_type_is_loaded_anew() {
    let (cache, _) = cache();
    assert_eq!(Loads::default().call(&cache, &EntryOptions::new()), Ok(1));
    let text = || Ok::<_, String>("a".to_owned());
    assert_eq!(cache.blocking().get_or_load(&key(1), &EntryOptions::new(), text), Ok("a".to_owned()));
    assert_eq!(cache.blocking().get::<String>(&key(1)).unwrap().as_deref(), Some("a"));
}

#[test]
fn where_everything_is_disabled_every_call_loads() {
    let defaults = MethodSettings::new().enabled(false);
    let cache = crate::builder().defaults(defaults).build().unwrap();
    let loads = Loads::default();
    let options = EntryOptions::new();
    assert_eq!((loads.call(&cache, &options), loads.call(&cache, &options)), (Ok(1), Ok(2)));
    assert_eq!((cache.stats().bypasses, cache.stats().entries), (2, 0));
}

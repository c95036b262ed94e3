//! A store of somebody else that panics: calls are answered all the same, and nobody waits for what never ends.

use std::sync::Arc;
use std::time::Duration;

use cachex::store::{
    Ask, Doing, Group, Invalidation, Lease, Listener, Notice, Read, Reading, Store, StoreError, StoreErrorKind,
};
use cachex::{Cache, EntryOptions, Key};

/// Panics at once, or once it is waited for.
#[derive(Debug)]
struct Panicking {
    at_once: bool,
}

impl Panicking {
    fn doing<'a, T: 'a>(&self) -> Doing<'a, T> {
        assert!(!self.at_once, "the store fell over");
        Box::pin(async { panic!("the store fell over") })
    }
}

impl Store for Panicking {
    fn start(&self, listener: Arc<dyn Listener>) {
        listener.up();
        panic!("the store fell over");
    }

    fn is_up(&self) -> bool {
        true
    }

    fn has_notices(&self) -> bool {
        panic!("the store fell over");
    }

    fn read<'a>(&'a self, _: &'a str, _: &'a [Group]) -> Doing<'a, Read> {
        self.doing()
    }

    fn clocks<'a>(&'a self, _: &'a str, _: &'a [Group]) -> Doing<'a, Vec<Option<Reading>>> {
        self.doing()
    }

    fn lease<'a>(&'a self, _: Ask<'a>) -> Doing<'a, Lease> {
        self.doing()
    }

    fn begin<'a>(&'a self, _: &'a str, _: &'a [Group], _: Option<Duration>) -> Doing<'a, Reading> {
        self.doing()
    }

    fn mint<'a>(&'a self, _: &'a str, _: &'a [Group], _: Reading, _: Option<Duration>) -> Doing<'a, Option<Reading>> {
        self.doing()
    }

    fn put<'a>(&'a self, _: &'a str, _: u64, _: Vec<u8>, _: Option<Duration>, _: Notice) -> Doing<'a, bool> {
        self.doing()
    }

    fn renew<'a>(&'a self, _: &'a str, _: u64, _: Duration) -> Doing<'a, bool> {
        self.doing()
    }

    fn release<'a>(&'a self, _: &'a str, _: u64) -> Doing<'a, ()> {
        self.doing()
    }

    fn write<'a>(&'a self, _: &'a str, _: Vec<u8>, _: Option<Duration>, _: Notice) -> Doing<'a, ()> {
        self.doing()
    }

    fn remove_same<'a>(&'a self, _: &'a str, _: &'a [u8]) -> Doing<'a, ()> {
        self.doing()
    }

    fn replace_same<'a>(&'a self, _: &'a str, _: &'a [u8], _: Vec<u8>, _: Duration, _: Notice) -> Doing<'a, bool> {
        self.doing()
    }

    fn invalidate<'a>(&'a self, what: &'a Invalidation) -> Doing<'a, Vec<Box<str>>> {
        if what.groups.contains(&Group::tag("known to be lost")) {
            return Box::pin(async { Err(StoreError::new(StoreErrorKind::Down, "it is gone")) });
        }
        self.doing()
    }

    fn publish<'a>(&'a self, _: Notice) -> Doing<'a, ()> {
        self.doing()
    }
}

// Guards `Guarded`.
#[tokio::test]
async fn a_store_that_panics_breaks_no_call_and_keeps_nobody_waiting() {
    for at_once in [true, false] {
        let cache = Cache::builder().store(Panicking { at_once }).build().unwrap();
        let (key, options) = (Key::new("a"), EntryOptions::new().tag("t"));
        let calls = async {
            for value in 1..4 {
                let loaded = cache.get_or_load(&key, &options, async || Ok::<_, cachex::Error>(value)).await;
                assert_eq!(loaded.unwrap(), value);
                cache.invalidate_tags(["t"]).await;
                cache.set(&key, value, &options).await.unwrap();
                assert_eq!(cache.expire(&key, Duration::from_secs(60)).await, cache.exists(&key).await);
                cache.remove(&key).await;
                assert_eq!(cache.get::<i32>(&key).await.unwrap(), None);
            }
        };
        tokio::time::timeout(Duration::from_secs(60), calls).await.expect("nobody waits for what never ends");
        let stats = cache.remote_stats().unwrap();
        assert!(stats.errors > 0 && stats.undelivered > 0, "{stats:?}");
        assert!(stats.last_error.unwrap().contains("panicked"));
    }
}

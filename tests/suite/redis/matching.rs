//! Removal by pattern in the second tier: all that fits goes, and no more than has to.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use cachex::{Cache, CacheScope, EntryOptions, Key, cached};
use cachex_tests::redis::Server;
use tokio::sync::Notify;

use super::{node, until};

#[derive(Clone, CacheScope)]
struct Names {
    #[scope(cache)]
    cache: Cache,
    loads: Arc<AtomicU64>,
    begun: Arc<Notify>,
    may_end: Arc<Notify>,
}

impl Names {
    fn new(cache: Cache) -> Self {
        Self { cache, loads: Arc::default(), begun: Arc::default(), may_end: Arc::default() }
    }

    #[cached(ttl = "1h")]
    async fn name(&self, id: u64) -> u64 {
        1_000 * id + self.loads.fetch_add(1, Ordering::SeqCst)
    }

    #[cached(ttl = "1h", version = 3)]
    async fn title(&self, id: u64) -> u64 {
        1_000 * id + self.loads.fetch_add(1, Ordering::SeqCst)
    }

    #[cached(ttl = "1h")]
    async fn slow(&self, id: u64) -> u64 {
        self.begun.notify_one();
        self.may_end.notified().await;
        1_000 * id + self.loads.fetch_add(1, Ordering::SeqCst)
    }

    async fn stored(&self, count: u64) {
        until("the values are stored", async || self.cache.remote_stats().unwrap().stores >= count).await;
    }
}

/// Makes a node that shares the "database", and has nothing in memory.
async fn beside(server: &Server, names: &Names) -> Names {
    Names { cache: node(server).await, ..names.clone() }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fits_goes_everywhere_and_the_rest_stays() {
    let server = Server::start();
    let a = Names::new(node(&server).await);
    let b = beside(&server, &a).await;
    let (first, second, title) = (a.name(1).await, a.name(2).await, a.title(1).await);
    a.stored(3).await;
    assert_eq!((b.name(1).await, b.name(2).await, b.title(1).await), (first, second, title));
    assert_eq!(b.cache.remove_matching("*::name(1)").await, 1);
    let fresh = beside(&server, &a).await;
    assert_eq!((fresh.name(2).await, fresh.title(1).await), (second, title));
    let third = b.name(1).await;
    assert_ne!(third, first);
    until("the first node has heard of it", async || a.name(1).await == third).await;
    assert_eq!((a.name(2).await, a.title(1).await), (second, title));
    a.cache.remove_matching("*::title(*").await;
    assert_ne!(beside(&server, &a).await.title(1).await, title);
    assert_eq!(beside(&server, &a).await.name(2).await, second);
    assert_eq!(a.loads.load(Ordering::SeqCst), 5);
}

/// Their names there are digests.
#[tokio::test(flavor = "multi_thread")]
async fn keys_that_are_too_long_or_unsafe_to_be_shown_are_not_missed() {
    let server = Server::start();
    let (a, b) = (node(&server).await, node(&server).await);
    let (long, odd) = (Key::new("texts").part(&"a".repeat(400)), Key::new("texts").part(&"{*} [?]"));
    for key in [&long, &odd] {
        a.set(key, 1, &EntryOptions::new()).await.unwrap();
    }
    for key in [&long, &odd] {
        assert_eq!(b.get::<i32>(key).await.unwrap(), Some(1));
    }
    a.remove_matching("texts*").await;
    let fresh = node(&server).await;
    for key in [&long, &odd] {
        assert_eq!(fresh.get::<i32>(key).await.unwrap(), None);
        until("the other node has heard of it", async || b.get::<i32>(key).await.unwrap().is_none()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_load_from_before_is_not_stored_after_it() {
    let server = Server::start();
    let a = Names::new(node(&server).await);
    let b = beside(&server, &a).await;
    for pattern in ["*::slow(1)", "*"] {
        let loading = a.clone();
        let load = tokio::spawn(async move { loading.slow(1).await });
        a.begun.notified().await;
        b.cache.remove_matching(pattern).await;
        a.may_end.notify_one();
        let old = load.await.unwrap();
        until("it was refused", async || a.cache.remote_stats().unwrap().rejected_stores > 0).await;
        a.may_end.notify_one();
        assert_ne!(beside(&server, &a).await.slow(1).await, old, "{pattern}");
        a.begun.notified().await;
        a.cache.clear().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_are_removed_in_steps() {
    let server = Server::start();
    let cache = node(&server).await;
    let entries = |kind: &'static str| (0..1_500_u64).map(move |id| (Key::entity(kind, &id), id));
    cache.set_many(entries("even").chain(entries("odd")), &EntryOptions::new()).await.unwrap();
    let left = || server.command(&["EVAL", "return #redis.call('KEYS', '*:v:*')", "0"]).unwrap();
    assert_eq!(left().trim(), ":3000");
    cache.remove_matching("entity:even(*").await;
    assert_eq!(left().trim(), ":1500");
    let calls = server.command(&["INFO", "commandstats"]).unwrap();
    assert!(calls.contains("cmdstat_scan:") && !calls.contains("cmdstat_flush"), "{calls}");
    assert_eq!(node(&server).await.get::<u64>(&Key::entity("odd", &7_u64)).await.unwrap(), Some(7));
}

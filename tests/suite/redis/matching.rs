//! Removal by pattern in the second tier: all that fits goes, and no more than has to.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cachex::{Cache, CacheScope, EntryOptions, Key, cached};
use cachex_tests::proxy::Proxy;
use cachex_tests::redis::Server;
use tokio::sync::Notify;

use super::{node, node_with, until};

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

// Guards the second walk of `remove_meant`: what had a lease and has a value since may have been seen as neither.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_stored_during_the_walk_is_not_missed() {
    const LOADS: u64 = 64;
    let server = Server::start();
    let proxy = Proxy::before(server.port());
    let loading = Names::new(node(&server).await);
    let walking = Names { cache: node_with(&server, |redis, _| redis.url = proxy.url()).await, ..loading.clone() };
    // So that the walk takes several steps, each of which goes a long way.
    let filler = (0..6_000_u64).map(|id| (Key::entity("filler", &id), id));
    loading.cache.set_many(filler, &EntryOptions::new()).await.unwrap();
    let mut loads = tokio::task::JoinSet::new();
    for id in 0..LOADS {
        let loading = loading.clone();
        loads.spawn(async move { loading.slow(id).await });
    }
    let leases = || server.command(&["EVAL", "return #redis.call('KEYS', '*:l:*')", "0"]).unwrap();
    until("all hold leases", async || leases().trim() == format!(":{LOADS}")).await;
    proxy.delay(Duration::from_millis(20));
    let walk = tokio::spawn(async move { walking.cache.remove_matching("*::slow(*").await });
    let steps = || {
        let stats = server.command(&["INFO", "commandstats"]).unwrap();
        let line = stats.lines().find_map(|line| line.strip_prefix("cmdstat_scan:calls=")).unwrap_or("0,");
        line.split(',').next().unwrap().parse::<u64>().unwrap()
    };
    until("it is half way", async || steps() >= 5).await;
    until("all have loaded", async || {
        loading.may_end.notify_waiters();
        let stats = loading.cache.remote_stats().unwrap();
        stats.stores + stats.rejected_stores == LOADS
    })
    .await;
    while loads.join_next().await.is_some() {}
    walk.await.unwrap();
    let left = server.command(&["EVAL", "return #redis.call('KEYS', '*:v:*slow*')", "0"]).unwrap();
    assert_eq!(left.trim(), ":0", "{:?}", loading.cache.remote_stats());
    assert!(loading.cache.remote_stats().unwrap().stores > 0, "some were stored during the walk");
}

/// A walk that ends half way has left some: everything is invalidated in their place.
#[tokio::test(flavor = "multi_thread")]
async fn a_walk_that_is_broken_off_leaves_nothing_valid() {
    let server = Server::start();
    let proxy = Proxy::before(server.port());
    let (cache, other) = (node_with(&server, |redis, _| redis.url = proxy.url()).await, node(&server).await);
    let keys: Vec<_> = (0..6_000_u64).map(|id| Key::entity("row", &id)).collect();
    other.set_many(keys.iter().cloned().zip(0_u64..), &EntryOptions::new()).await.unwrap();
    proxy.delay(Duration::from_millis(20));
    let walking = cache.clone();
    let walk = tokio::spawn(async move { walking.remove_matching("entity:row(*").await });
    let left = || {
        let left = server.command(&["EVAL", "return #redis.call('KEYS', '*:v:*')", "0"]).unwrap();
        left.trim().strip_prefix(':').unwrap().parse::<u64>().unwrap()
    };
    until("it is under way", async || left() < 5_000).await;
    proxy.delay(Duration::ZERO);
    proxy.cut();
    walk.await.unwrap();
    assert!(left() > 0, "it has not come to the end");
    let stats = || cache.remote_stats().unwrap();
    until("all is delivered", async || stats().undelivered == 0).await;
    assert!(stats().invalidation_errors > 0, "{:?}", stats());
    let found: Vec<Option<u64>> = node(&server).await.get_many(&keys).await.unwrap();
    assert_eq!(found.iter().flatten().count(), 0);
    until("the other has heard of it", async || other.get::<u64>(&keys[7]).await.unwrap().is_none()).await;
}

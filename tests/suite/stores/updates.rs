//! Updates of the source: a directory takes what they return, and memcached takes none, which is no error.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cachex::{Cache, CacheScope, cached, updates};
use cachex_tests::folder::Folder;
use cachex_tests::memcached::Server;

use super::{directory, servers};

#[derive(Clone, CacheScope)]
struct Numbers {
    #[scope(cache)]
    cache: Cache,
    number: Arc<AtomicU64>,
    loads: Arc<AtomicU64>,
}

impl Numbers {
    fn of(cache: Cache) -> Self {
        Self { cache, number: Arc::default(), loads: Arc::default() }
    }

    #[cached(ttl = "1h", tags = ["number:{id}"])]
    async fn find(&self, id: u64) -> u64 {
        self.loads.fetch_add(1, Ordering::SeqCst);
        self.number.load(Ordering::SeqCst) + id
    }

    #[updates(Self::find(id), tags = ["numbers"])]
    async fn save(&self, id: u64, number: u64) -> u64 {
        self.number.store(number, Ordering::SeqCst);
        number + id
    }
}

async fn reached(cache: Cache) -> Cache {
    cache.connected(Duration::from_secs(10)).await.unwrap();
    cache
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_update_returns_is_in_a_directory_for_all() {
    let folder = Folder::new();
    let node = || reached(Cache::builder().namespace("tests").file(directory(&folder)).build().unwrap());
    let one = Numbers::of(node().await);
    assert_eq!(one.find(1).await, 1);
    assert_eq!(one.save(1, 5).await, 6);
    let stats = one.cache.remote_stats().unwrap();
    assert_eq!((stats.writes, stats.write_errors, stats.undelivered), (1, 0, 0));
    let other = Numbers { cache: node().await, ..one.clone() };
    assert_eq!((other.find(1).await, one.find(1).await), (6, 6));
    assert_eq!(one.loads.load(Ordering::SeqCst), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn memcached_is_told_once_of_an_update_and_that_is_no_error() {
    let server = Server::start();
    let node = || reached(Cache::builder().namespace("tests").memcached(servers([&server])).build().unwrap());
    let removals = || {
        let stats = server.ask("stats\r\n").unwrap();
        let count = |line: &str| line.trim().rsplit(' ').next().unwrap().parse::<u64>().unwrap();
        stats.lines().filter(|line| line.starts_with("STAT delete_")).map(count).sum::<u64>()
    };
    let one = Numbers::of(node().await);
    assert_eq!(one.find(1).await, 1);
    let before = removals();
    assert_eq!(one.save(1, 5).await, 6);
    let stats = one.cache.remote_stats().unwrap();
    assert_eq!((stats.write_errors, stats.undelivered, stats.last_error), (0, 0, None));
    assert_eq!(removals() - before, 1);
    let other = Numbers { cache: node().await, ..one.clone() };
    assert_eq!(other.find(1).await, 6);
    assert_eq!(one.loads.load(Ordering::SeqCst), 2);
}

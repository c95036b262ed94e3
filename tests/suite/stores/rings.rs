//! A ring of real servers: one of them is gone, and one is added.

use std::sync::Arc;
use std::time::Duration;

use cachex::store::{Group, Invalidation, Listener, Notice, Reading, Ring, Settling, Store};
use cachex::{Cache, EntryOptions, Key, RedisSettings};
use cachex_tests::proxy::Proxy;
use cachex_tests::redis::Server;
use futures_util::future::join;
use tokio::sync::Semaphore;

use super::Deaf;
use crate::redis::until;

fn ring(servers: &[Server]) -> Ring {
    Ring::new(servers.iter().map(|server| (server.url(), store(server.url())))).unwrap()
}

fn store(url: String) -> Box<dyn Store> {
    let mut settings = RedisSettings::new(url);
    settings.timeout = Duration::from_secs(2);
    settings.ping_interval = Duration::from_millis(100);
    settings.open("tests").unwrap()
}

async fn node(servers: &[Server]) -> Cache {
    let cache = Cache::builder().namespace("tests").store(ring(servers)).build().unwrap();
    cache.connected(Duration::from_secs(10)).await.unwrap();
    cache
}

fn key(number: u64) -> Key {
    Key::entity("number", &number)
}

#[tokio::test]
async fn processes_share_values_and_invalidations_over_several_servers() {
    let servers = [Server::start(), Server::start(), Server::start()];
    let (one, other) = (node(&servers).await, node(&servers).await);
    let tagged = EntryOptions::new().tag("all");
    for number in 0..50_u64 {
        one.set(&key(number), number, &tagged).await.unwrap();
        assert_eq!(other.get::<u64>(&key(number)).await.unwrap(), Some(number));
    }
    for server in &servers {
        let count = server.command(&["DBSIZE"]).unwrap();
        assert_ne!(count.trim(), ":0", "each has its part");
    }
    one.invalidate_tags(["all"]).await;
    assert_eq!(one.remote_stats().unwrap().undelivered, 0);
    for number in 0..50_u64 {
        let is_gone = async || other.get::<u64>(&key(number)).await.unwrap().is_none();
        until("what one process invalidates is gone in the other", is_gone).await;
    }
}

// Break this (send no keys where tags are refused, or have a ring refuse all where one of its stores is gone) and they are found.
#[tokio::test]
async fn while_one_server_is_gone_keys_are_removed_from_the_others_for_good() {
    // The first one tells, as long as it is there.
    removed_for_good(0).await;
    removed_for_good(1).await;
}

async fn removed_for_good(gone: usize) {
    let mut servers = [Server::start(), Server::start()];
    servers.sort_by_key(Server::url);
    let cache = node(&servers).await;
    for number in 0..20_u64 {
        cache.set(&key(number), number, &EntryOptions::new()).await.unwrap();
    }
    servers[gone].kill();
    let found = async || {
        let fresh = Cache::builder().namespace("tests").store(ring(&servers)).build().unwrap();
        let mut found = Vec::new();
        until("a server is there", async || fresh.remote_stats().unwrap().is_up).await;
        for number in 0..20_u64 {
            if fresh.get::<u64>(&key(number)).await.unwrap().is_some() {
                found.push(number);
            }
        }
        found
    };
    let before = found().await;
    assert!(!before.is_empty() && before.len() < 20, "{before:?}");
    // It can't arrive, and is tried in vain.
    cache.invalidate_tags(["anything"]).await;
    let (first, others) = before.split_at(1);
    cache.remove(&key(first[0])).await;
    assert_eq!(found().await, others, "it was removed before the call returned");
    let others: Vec<Key> = others.iter().map(|number| key(*number)).collect();
    cache.remove_many(&others).await;
    assert!(found().await.is_empty());
    assert_eq!(cache.remote_stats().unwrap().undelivered, 1, "what is left is the tag");
}

#[tokio::test]
async fn of_a_server_that_is_gone_only_the_keys_are_misses_and_invalidations_wait_for_it() {
    let mut servers = [Server::start(), Server::start()];
    let cache = node(&servers).await;
    let tagged = EntryOptions::new().tag("all");
    for number in 0..20_u64 {
        cache.set(&key(number), number, &tagged).await.unwrap();
    }
    servers[1].kill();
    let fresh = Cache::builder().namespace("tests").store(ring(&servers)).build().unwrap();
    let found = async || {
        let mut found = 0;
        for number in 0..20_u64 {
            found += usize::from(fresh.get::<u64>(&key(number)).await.unwrap().is_some());
        }
        found
    };
    until("those of the other server are there", async || found().await > 0).await;
    assert!(found().await < 20, "those of the one that is gone are not");
    fresh.invalidate_tags(["all"]).await;
    assert!(fresh.remote_stats().unwrap().undelivered > 0);
    assert_eq!(found().await, 0, "and nothing that was invalidated is read meanwhile");
    servers[1].run();
    until("it is delivered", async || fresh.remote_stats().unwrap().undelivered == 0).await;
    assert_eq!(found().await, 0);
}

/// With numbers: what a membership change costs, and that an emptied server brings nothing stale back.
#[tokio::test]
async fn a_server_that_is_added_has_its_part_of_the_keys_to_load_anew() {
    let servers = [Server::start(), Server::start(), Server::start(), Server::start()];
    let few = node(&servers[..3]).await;
    for number in 0..400_u64 {
        few.set(&key(number), number, &EntryOptions::new()).await.unwrap();
    }
    drop(few);
    let more = node(&servers).await;
    let mut missing = 0;
    for number in 0..400_u64 {
        missing += u32::from(more.get::<u64>(&key(number)).await.unwrap().is_none());
    }
    assert!((50..=160).contains(&missing), "{missing} of 400 are to be loaded anew, of which 100 would be a fourth");
}

#[tokio::test]
async fn what_an_update_of_one_key_invalidates_is_invalid_in_all_servers() {
    let servers = [Server::start(), Server::start()];
    let (ring, group) = (ring(&servers), [Group::tag("group")]);
    ring.start(Arc::new(Deaf));
    until("all can be reached", async || ring.is_whole()).await;
    let mut stamps: Vec<(String, Reading)> = Vec::new();
    for key in (0..20).map(|number| format!("find({number})")) {
        let stamp = ring.begin(&key, &group, None).await.unwrap();
        stamps.push((key, stamp));
    }
    ring.announce("k", 1, Duration::from_secs(60)).await.unwrap();
    let since = ring.begin("k", &[], None).await.unwrap();
    let (groups, invalidated, notice) = (Vec::new(), group.to_vec(), Notice::default());
    let update = Settling { since, groups, life: None, invalidated, notice };
    assert!(ring.settle("k", &update).await.unwrap().is_some());
    for (key, stamp) in &stamps {
        let clock = ring.clocks(key, &group).await.unwrap()[0];
        assert!(clock.is_some_and(|clock| clock > *stamp), "what {key} had is valid by {clock:?}");
    }
}

/// They are no copies: a counter that begins anew, and a lock that two hold, would be wrong and not slow.
#[tokio::test]
async fn counters_and_locks_are_where_a_ring_is_told_that_they_are_whatever_its_stores() {
    let servers = [Server::start(), Server::start(), Server::start(), Server::start()];
    let at = |count: usize, fixed: Option<&Server>| {
        let servers = &servers[..count];
        let ring = match fixed {
            Some(server) => ring(servers).structures_in(&server.url()).unwrap(),
            None => ring(servers),
        };
        async move {
            let cache = Cache::builder().namespace("tests").store(ring).build().unwrap();
            cache.connected(Duration::from_secs(10)).await.unwrap();
            cache
        }
    };
    let none = at(3, None).await;
    assert!(none.increment(&key(0), 1).await.unwrap_err().is_unsupported());
    assert!(none.try_lock(&key(0), Duration::from_secs(60)).await.unwrap_err().is_unsupported());
    let (before, after) = (at(3, Some(&servers[1])).await, at(4, Some(&servers[1])).await);
    for number in 0..40 {
        assert_eq!(before.increment(&key(number), 1).await.unwrap(), 1);
        assert_eq!(after.increment(&key(number), 1).await.unwrap(), 2);
        let _held = before.try_lock(&key(number), Duration::from_secs(60)).await.unwrap().unwrap();
        assert!(after.try_lock(&key(number), Duration::from_secs(60)).await.unwrap().is_none());
    }
}

/// Counts what is heard of one thing.
struct Hearing(Semaphore);

impl Listener for Hearing {
    fn up(&self) {}
    fn down(&self) {}
    fn replaced(&self) {}
    fn troubled(&self, _why: &str) {}
    fn listening(&self) {
        self.0.add_permits(1);
    }
    fn missed(&self) {}
    fn noticed(&self, notice: &[u8]) {
        if notice.starts_with(b"group") {
            self.0.add_permits(1);
        }
    }
}

/// Notices go over the first server, and the way to the second one is long.
#[tokio::test]
async fn who_is_told_of_an_invalidation_finds_nothing_from_before_in_any_server() {
    let servers = [Server::start(), Server::start()];
    let proxy = Proxy::before(servers[1].port());
    let ways = [servers[0].url(), proxy.url()];
    let far = Ring::new(servers.iter().zip(ways).map(|(server, way)| (server.url(), store(way)))).unwrap();
    let (near, hearing) = (ring(&servers), Arc::new(Hearing(Semaphore::new(0))));
    far.start(Arc::new(Deaf));
    near.start(hearing.clone());
    until("all can be reached", async || far.is_whole() && near.is_whole()).await;
    hearing.0.acquire().await.unwrap().forget();
    let (keys, group) = ((0..20).map(|number| format!("find({number})")), [Group::tag("group")]);
    let mut stamps: Vec<(String, Reading)> = Vec::new();
    for key in keys {
        let stamp = near.begin(&key, &group, None).await.unwrap();
        stamps.push((key, stamp));
    }
    proxy.delay(Duration::from_millis(100));
    let notices = vec![Notice { head: b"group".to_vec(), tail: Vec::new() }];
    let what = Invalidation { groups: group.to_vec(), keys: Vec::new(), notices };
    let look = async {
        hearing.0.acquire().await.unwrap().forget();
        for (key, stamp) in &stamps {
            let clock = near.clocks(key, &group).await.unwrap()[0];
            assert!(clock.is_none_or(|clock| clock > *stamp), "what {key} had is valid by {clock:?}");
        }
    };
    let (refused, ()) = join(far.invalidate(&what), look).await;
    assert_eq!(refused.unwrap(), Vec::<Box<str>>::new());
}

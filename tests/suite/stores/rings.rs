//! A ring of real servers: one of them is gone, and one is added.

use std::time::Duration;

use cachex::store::Ring;
use cachex::{Cache, EntryOptions, Key, RedisSettings};
use cachex_tests::redis::Server;

use crate::redis::until;

fn ring(servers: &[Server]) -> Ring {
    let store = |server: &Server| {
        let mut settings = RedisSettings::new(server.url());
        settings.timeout = Duration::from_secs(2);
        settings.ping_interval = Duration::from_millis(100);
        (server.url(), settings.open("tests").unwrap())
    };
    Ring::new(servers.iter().map(store)).unwrap()
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

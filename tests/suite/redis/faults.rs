//! What happens when the server is gone, hangs, refuses, or comes back: calls go on, invalidations are kept and delivered, and nothing that
//! missed one is served.

mod outage;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cachex::{
    Cache, CacheScope, EntryOptions, Event, Key, Observer, RedisSettings, RemoteSettings, RemoteStats, cached,
    invalidates,
};
use cachex_tests::proxy::{Mode, Proxy};
use cachex_tests::redis::Server;

use super::calm::Calm;
use super::{node_with, until};

const TIMEOUT: Duration = Duration::from_secs(1);
/// Longer than any call may take: it asks a few things.
const MOST: Duration = Duration::from_secs(8);
/// Of two nodes, with two for commands and one for notices each.
const CONNECTIONS: u64 = 2 * 3;

/// A service over a value that changes.
#[derive(CacheScope)]
struct Service {
    #[scope(cache)]
    cache: Cache,
    value: Arc<AtomicU64>,
}

impl Service {
    #[cached(ttl = "1h", tags = ["value"])]
    async fn read(&self) -> u64 {
        self.value.load(Ordering::SeqCst)
    }

    #[invalidates(tags = ["value"])]
    async fn write(&self, value: u64) {
        self.value.store(value, Ordering::SeqCst);
    }

    /// Reads within the time a call may take.
    async fn soon(&self) -> u64 {
        tokio::time::timeout(MOST, self.read()).await.expect("a call ends in time")
    }

    /// Writes within the time a call may take.
    async fn write_soon(&self, value: u64) {
        tokio::time::timeout(MOST, self.write(value)).await.expect("a call ends in time");
    }

    fn stats(&self) -> RemoteStats {
        self.cache.remote_stats().unwrap()
    }

    async fn whole_again(&self) {
        self.cache.connected(Duration::from_secs(20)).await.unwrap();
        until("all is delivered", async || self.stats().undelivered == 0).await;
    }
}

/// Makes a cache that does not wait for long.
async fn node(server: &Server) -> Cache {
    node_at(server, server.url()).await
}

async fn node_at(server: &Server, url: String) -> Cache {
    node_with(server, |redis, _| {
        redis.url = url;
        redis.timeout = TIMEOUT;
    })
    .await
}

/// Two services over one server and one value.
async fn pair(server: &Server) -> (Service, Service) {
    let value = Arc::new(AtomicU64::new(1));
    let service = |cache| Service { cache, value: value.clone() };
    (service(node(server).await), service(node(server).await))
}

/// After a fault: what one writes the other sees.
async fn agree(a: &Service, b: &Service, value: u64) {
    a.whole_again().await;
    b.whole_again().await;
    a.write_soon(value).await;
    assert_eq!(a.soon().await, value);
    until("the other sees it", async || b.soon().await == value).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_killed_and_comes_back() {
    let mut server = Server::start();
    let (a, b) = pair(&server).await;
    assert_eq!((a.soon().await, b.soon().await), (1, 1));
    server.kill();
    a.write_soon(2).await;
    assert_eq!(a.soon().await, 2);
    until("it is known that the server is gone", async || !b.stats().is_up && !b.stats().is_listening).await;
    // What was in memory may have missed an invalidation: it is gone.
    assert_eq!(b.soon().await, 2);
    assert!(a.stats().undelivered > 0 && a.stats().invalidation_errors > 0);
    let calm = Calm::begin([]);
    server.run();
    agree(&a, &b, 3).await;
    calm.end([&server], CONNECTIONS);
    assert!(a.stats().disconnects >= 1 && a.stats().connects >= 2, "{:?}", a.stats());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invalidation_while_the_server_hangs_is_delivered_when_it_goes_on() {
    let server = Server::start();
    let (a, b) = pair(&server).await;
    assert_eq!((a.soon().await, b.soon().await), (1, 1));
    until("the value is stored", async || a.stats().stores + b.stats().stores > 0).await;
    let calm = Calm::begin([&server]);
    server.freeze();
    a.write_soon(2).await;
    assert_eq!(a.soon().await, 2);
    until("the hang is noticed", async || !a.stats().is_up && !b.stats().is_listening).await;
    assert_eq!(b.soon().await, 2);
    server.thaw();
    a.whole_again().await;
    b.whole_again().await;
    // The value in the server is from before, and is not taken.
    assert_eq!((a.soon().await, b.soon().await), (2, 2));
    agree(&a, &b, 3).await;
    calm.end([&server], CONNECTIONS);
    for stats in [a.stats(), b.stats()] {
        assert!(stats.disconnects >= 1 && stats.connects >= 3 && stats.flushes >= 3, "{stats:?}");
    }
    assert!(a.stats().invalidation_errors > 0, "{:?}", a.stats());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_is_cut_off_without_a_word() {
    let server = Server::start();
    let proxy = Proxy::before(server.port());
    let value = Arc::new(AtomicU64::new(1));
    let a = Service { cache: node(&server).await, value: value.clone() };
    let b = Service { cache: node_at(&server, proxy.url()).await, value };
    assert_eq!((a.soon().await, b.soon().await), (1, 1));
    let calm = Calm::begin([&server]);
    proxy.set(Mode::Swallow);
    a.write_soon(2).await;
    // No notice comes, and nothing says so, until the ping is not answered.
    until("the other sees it", async || b.soon().await == 2).await;
    assert!(!b.stats().is_listening);
    proxy.set(Mode::Pass);
    agree(&b, &a, 3).await;
    calm.end([&server], CONNECTIONS);
    let stats = b.stats();
    assert!(stats.disconnects >= 1 && stats.connects >= 3 && stats.flushes >= 3, "{stats:?}");
    assert_eq!(a.stats().disconnects, 0);
}

/// Whatever may be kept while no notices come: when they come again, it may be wrong.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_kept_while_no_notices_came_goes_when_they_come_again() {
    let server = Server::start();
    let proxy = Proxy::before(server.port());
    let value = Arc::new(AtomicU64::new(1));
    let a = Service { cache: node(&server).await, value: value.clone() };
    let cache = node_with(&server, |redis, remote| {
        redis.url = proxy.url();
        redis.timeout = TIMEOUT;
        remote.outage_ttl = Some(Duration::from_secs(3600));
    });
    let b = Service { cache: cache.await, value };
    proxy.set(Mode::Swallow);
    // And memory was emptied for it, after the first time.
    until("the cut is noticed", async || !b.stats().is_up && b.stats().flushes == 2).await;
    assert_eq!(b.soon().await, 1);
    a.write_soon(2).await;
    assert_eq!(b.soon().await, 1);
    proxy.set(Mode::Pass);
    b.whole_again().await;
    assert_eq!(b.soon().await, 2);
}

/// Breaks answers of a server in some way, again and again.
async fn broken_answers(mode: Mode) {
    let server = Server::start();
    let proxy = Proxy::before(server.port());
    let value = Arc::new(AtomicU64::new(1));
    let a = Service { cache: node_at(&server, proxy.url()).await, value: value.clone() };
    let b = Service { cache: node(&server).await, value };
    let calm = Calm::begin([&server]);
    for round in 1..6 {
        assert_eq!((a.soon().await, b.soon().await), (10 * round - 9, 10 * round - 9));
        let before = a.stats();
        proxy.set(mode);
        a.write_soon(10 * round).await;
        assert_eq!(a.soon().await, 10 * round);
        until("the connections broke", async || a.stats().disconnects > before.disconnects).await;
        until("it is told", async || a.stats().last_error.is_some()).await;
        proxy.set(Mode::Pass);
        agree(&a, &b, 10 * round + 1).await;
        let stats = a.stats();
        assert!(
            stats.connects > before.connects && stats.invalidation_errors > before.invalidation_errors,
            "{stats:?}"
        );
    }
    calm.end([&server], CONNECTIONS);
    assert_eq!((b.stats().disconnects, a.stats().refused), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_end_within_an_answer() {
    broken_answers(Mode::Truncate).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_are_reset_within_an_answer() {
    broken_answers(Mode::Reset).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_are_cut_between_answers() {
    let server = Server::start();
    let proxy = Proxy::before(server.port());
    let value = Arc::new(AtomicU64::new(1));
    let a = Service { cache: node_at(&server, proxy.url()).await, value: value.clone() };
    let b = Service { cache: node(&server).await, value };
    let calm = Calm::begin([&server]);
    for round in 0..5 {
        proxy.cut();
        a.write_soon(10 * round + 2).await;
        assert_eq!(a.soon().await, 10 * round + 2);
        agree(&a, &b, 10 * round + 3).await;
    }
    calm.end([&server], CONNECTIONS);
    assert!(a.stats().disconnects >= 5, "{:?}", a.stats());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_does_not_know_us_any_more_and_then_does() {
    let server = Server::start();
    let (a, b) = pair(&server).await;
    assert_eq!(a.soon().await, 1);
    let calm = Calm::begin([&server]);
    server.command(&["CONFIG", "SET", "requirepass", "secret"]).unwrap();
    server.authenticated("secret", &["CLIENT", "KILL", "TYPE", "normal"]).unwrap();
    server.authenticated("secret", &["CLIENT", "KILL", "TYPE", "pubsub"]).unwrap();
    a.write_soon(2).await;
    assert_eq!((a.soon().await, b.soon().await), (2, 2));
    until("neither gets in", async || !a.stats().is_up && !b.stats().is_listening).await;
    until("it is told why", async || a.stats().last_error.is_some_and(|told| told.contains("`redis.url`"))).await;
    server.authenticated("secret", &["CONFIG", "SET", "requirepass", ""]).unwrap();
    agree(&a, &b, 3).await;
    calm.end([&server], CONNECTIONS);
    assert!(a.stats().disconnects >= 1 && a.stats().connects >= 3 && a.stats().flushes >= 3, "{:?}", a.stats());
}

/// A server that refuses to write. Returns what was counted of one who wrote: before, when it was refused, and when all is well again.
async fn refusing(refuse: &[&str], mend: &[&str]) -> [RemoteStats; 3] {
    let server = Server::start();
    let (a, b) = pair(&server).await;
    assert_eq!((a.soon().await, b.soon().await), (1, 1));
    until("the value is stored", async || a.stats().stores + b.stats().stores > 0).await;
    let (calm, before) = (Calm::begin([&server]), a.stats());
    server.command(refuse).unwrap();
    a.write_soon(2).await;
    let refused = a.stats();
    assert!(refused.undelivered > 0 && refused.invalidation_errors > 0, "{refused:?}");
    // It is still in the server, and is not taken from there.
    assert_eq!(a.soon().await, 2);
    server.command(mend).unwrap();
    agree(&a, &b, 3).await;
    calm.end([&server], CONNECTIONS);
    [before, refused, a.stats()]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_out_of_memory() {
    let [before, refused, after] =
        refusing(&["CONFIG", "SET", "maxmemory", "1"], &["CONFIG", "SET", "maxmemory", "0"]).await;
    assert!(refused.last_error.is_some_and(|told| told.contains("OOM")));
    // The connections are as good as they were.
    assert_eq!((after.connects, after.disconnects, after.flushes), (before.connects, 0, before.flushes));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_has_become_a_replica() {
    let [_, refused, after] = refusing(&["REPLICAOF", "127.0.0.1", "1"], &["REPLICAOF", "NO", "ONE"]).await;
    let told = refused.last_error.unwrap_or_default();
    assert!(told.contains("READONLY") || told.contains("the server is a replica"), "{told}");
    assert!(after.is_up && after.undelivered == 0, "{after:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_no_right_to_the_channel_goes_on_without_notices() {
    let server = Server::start();
    server.command(&["ACL", "SETUSER", "app", "on", ">pw", "~*", "+@all", "resetchannels"]).unwrap();
    let redis = RedisSettings::new(format!("redis://app:pw@127.0.0.1:{}", server.port()));
    let mut remote = RemoteSettings::default();
    remote.outage_ttl = Some(Duration::ZERO);
    let cache = Cache::builder().namespace("tests").redis(redis).remote(remote).build().unwrap();
    let a = Service { cache, value: Arc::new(AtomicU64::new(1)) };
    until("it is told", async || a.stats().last_error.is_some()).await;
    assert!(a.cache.connected(Duration::from_millis(100)).await.unwrap_err().is_timeout());
    assert_eq!(a.soon().await, 1);
    a.write_soon(2).await;
    assert_eq!(a.soon().await, 2);
    // Nothing is half done there.
    assert!(!a.stats().is_up && !a.stats().is_listening);
    assert_eq!(server.command(&["DBSIZE"]).unwrap(), ":0\r\n");
    let told = a.stats().last_error.unwrap();
    assert!(told.contains("no right to the keys or the channel") && told.contains("&cx:*"), "{told}");
    server.command(&["ACL", "SETUSER", "app", "&cx:*"]).unwrap();
    a.cache.connected(Duration::from_secs(20)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_starts_without_its_server() {
    let mut server = Server::start();
    server.kill();
    let cache = Cache::builder().redis(RedisSettings::new(server.url())).build().unwrap();
    let a = Service { cache, value: Arc::new(AtomicU64::new(1)) };
    assert_eq!(a.soon().await, 1);
    a.write_soon(2).await;
    assert_eq!(a.soon().await, 2);
    assert!(a.stats().bypasses > 0);
    server.run();
    a.whole_again().await;
    until("values are stored", async || {
        a.write_soon(2).await;
        a.soon().await;
        a.stats().stores > 0
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invalidation_that_is_not_waited_for_is_seen_at_once_by_who_made_it() {
    let server = Server::start();
    let (a, _) = pair(&server).await;
    for value in 2..200 {
        assert_eq!(a.soon().await, value - 1);
        // In the second tier, so that it could be taken from there.
        until("the value is stored", async || a.stats().stores >= value - 1).await;
        a.value.store(value, Ordering::SeqCst);
        let _delivery = a.cache.invalidate_tags(["value"]);
    }
}

/// It has the values of some time ago, and the clocks as well: what was invalidated since is not known there.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_comes_back_as_it_was_some_time_ago() {
    let mut server = Server::start();
    let (a, b) = pair(&server).await;
    assert_eq!(a.soon().await, 1);
    until("the value is stored", async || a.stats().stores > 0).await;
    assert_eq!(server.command(&["SAVE"]).unwrap(), "+OK\r\n");
    a.write_soon(2).await;
    assert_eq!(a.soon().await, 2);
    server.kill();
    server.run();
    // It was not there, and takes part from now on.
    let fresh = Service { cache: node(&server).await, value: a.value.clone() };
    assert_eq!(fresh.soon().await, 2);
    agree(&a, &b, 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cache_that_is_dropped_lets_go_of_its_connections() {
    let server = Server::start();
    let clients = || server.command(&["CLIENT", "LIST"]).unwrap().lines().filter(|line| line.contains("name=")).count();
    // Who asked last may not be gone yet.
    until("only who asks is there", async || clients() == 1).await;
    let before = 1;
    let (a, b) = pair(&server).await;
    assert_eq!((a.soon().await, b.soon().await), (1, 1));
    a.write_soon(2).await;
    // Two for commands and one for notices, each.
    until("all are there, and no more", async || clients() == before + 6).await;
    drop((a, b));
    until("they are closed", async || clients() == before).await;
}

/// The thread that tells of it is the one that drives the connections.
#[tokio::test(flavor = "multi_thread")]
async fn an_observer_may_use_the_cache_it_observes() {
    struct Curious(Mutex<Option<Cache>>, AtomicU64);
    impl Observer for Curious {
        fn observe(&self, _: &Event) {
            if let Some(cache) = &*self.0.lock().unwrap() {
                let _value = cache.blocking().get::<u64>(&Key::new("observed"));
                let _was_there = cache.blocking().remove(&Key::new("observed"));
                self.1.fetch_add(1, Ordering::SeqCst);
            }
        }
    }
    let server = Server::start();
    let curious = Arc::new(Curious(Mutex::new(None), AtomicU64::new(0)));
    let redis = RedisSettings::new(server.url());
    let cache = Cache::builder().namespace("tests").redis(redis).observer(curious.clone()).build().unwrap();
    cache.connected(Duration::from_secs(10)).await.unwrap();
    let other = node(&server).await;
    *curious.0.lock().unwrap() = Some(cache.clone());
    let value = Arc::new(AtomicU64::new(1));
    let (a, b) = (Service { cache, value: value.clone() }, Service { cache: other, value });
    assert_eq!(a.soon().await, 1);
    // The notice takes the entry away, on that thread, and the observer is told.
    b.cache.clear().await;
    until("the observer was told", async || curious.1.load(Ordering::SeqCst) > 0).await;
    assert_eq!(a.soon().await, 1);
    curious.0.lock().unwrap().take();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_set_while_the_server_is_gone_is_there_until_it_is_back() {
    let mut server = Server::start();
    let cache = node_with(&server, |_, remote| remote.outage_ttl = Some(Duration::from_secs(3600))).await;
    let key = Key::new("set");
    server.kill();
    until("it is known that the server is gone", async || cache.remote_stats().unwrap().flushes == 2).await;
    cache.set(&key, 1, &EntryOptions::new()).await.unwrap();
    assert_eq!(cache.get::<i32>(&key).await.unwrap(), Some(1));
    server.run();
    until("both tiers agree", async || cache.get::<i32>(&key).await.unwrap().is_none()).await;
    cache.connected(Duration::from_secs(20)).await.unwrap();
    cache.set(&key, 2, &EntryOptions::new()).await.unwrap();
    let other = node(&server).await;
    assert_eq!(other.get::<i32>(&key).await.unwrap(), Some(2));
}

/// Each answer comes in time, and both together do not.
#[tokio::test(flavor = "multi_thread")]
async fn a_question_that_is_asked_in_two_ways_is_waited_for_once() {
    let server = Server::start();
    let proxy = Proxy::before(server.port());
    let cache = node_at(&server, proxy.url()).await;
    let key = |name| Key::new(name);
    let minute = Duration::from_secs(60);
    drop(cache.try_lock(&key("known"), minute).await.unwrap());
    // There and back, each.
    proxy.delay(TIMEOUT * 3 / 10);
    assert!(cache.try_lock(&key("slow"), minute).await.unwrap().is_some());
    server.command(&["SCRIPT", "FLUSH"]).unwrap();
    assert!(cache.try_lock(&key("flushed"), minute).await.is_err());
    proxy.delay(Duration::ZERO);
}

/// As where a server takes a client for one that needs too much: that it greets is no reason to come back at once.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_closes_what_it_has_greeted_is_come_back_to_at_longer_and_longer_intervals() {
    const TIMES: u32 = 7;
    let server = Server::start();
    let proxy = Proxy::before(server.port());
    let cache = node_with(&server, |redis, _| {
        redis.url = proxy.url();
        redis.connections = 1;
        // No connection lasts for as long as that.
        redis.ping_interval = Duration::from_secs(60);
    })
    .await;
    let connects = || cache.remote_stats().unwrap().connects;
    #[expect(clippy::disallowed_methods, reason = "connections live in real time")]
    let begun = std::time::Instant::now();
    for _ in 0..TIMES {
        let before = connects();
        proxy.cut();
        // Who asks finds out that it was cut.
        let is_asked = async || cache.exists(&Key::new("nothing")).await;
        until("it is connected with again", async || !is_asked().await && connects() > before).await;
    }
    // From 10 to 20 ms at first, and twice as long each time.
    let least = Duration::from_millis(10) * (2_u32.pow(TIMES) - 1);
    assert!(begun.elapsed() >= least, "{:?}", begun.elapsed());
}

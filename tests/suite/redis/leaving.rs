//! When a server is left, and what is done before a cache is gone.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cachex::{Cache, CacheScope, RedisSettings, cached, invalidates};
use cachex_tests::proxy::{Mode, Proxy};
use cachex_tests::redis::Server;
use cachex_tests::sentinel::Sentinels;

use super::{pause, until};

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
}

const PING_INTERVAL: Duration = Duration::from_millis(200);

async fn cache(url: String, change: impl FnOnce(&mut RedisSettings)) -> Cache {
    let mut redis = RedisSettings::new(url);
    redis.timeout = Duration::from_secs(1);
    redis.ping_interval = PING_INTERVAL;
    change(&mut redis);
    let cache = Cache::builder().namespace("tests").redis(redis).build().unwrap();
    cache.connected(Duration::from_secs(10)).await.unwrap();
    cache
}

async fn pair(one: String, other: String) -> [Service; 2] {
    let value = Arc::new(AtomicU64::new(1));
    [
        Service { cache: cache(one, |_| {}).await, value: value.clone() },
        Service { cache: cache(other, |_| {}).await, value },
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_invalidated_just_before_a_cache_is_dropped_arrives() {
    let server = Server::start();
    let proxy = Proxy::before(server.port());
    let [one, other] = pair(proxy.url(), server.url()).await;
    assert_eq!(other.read().await, 1);
    until("the value is stored", async || other.cache.remote_stats().unwrap().stores == 1).await;
    let others = connections(&server);
    proxy.set(Mode::Swallow);
    one.write(2).await;
    assert!(one.cache.remote_stats().unwrap().undelivered > 0);
    drop(one);
    proxy.set(Mode::Pass);
    until("it has arrived", async || other.read().await == 2).await;
    // And then nothing is left of it.
    until("its connections are closed", async || connections(&server) < others).await;
}

/// Returns how many connections a server has.
fn connections(server: &Server) -> usize {
    let clients = server.command(&["CLIENT", "LIST"]).unwrap_or_default();
    clients.lines().filter(|line| line.contains("id=")).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_becomes_a_replica_is_left_for_where_its_address_leads_now() {
    let (old, new) = (Server::start(), Server::start());
    let proxy = Proxy::before(old.port());
    let [one, other] = pair(proxy.url(), proxy.url()).await;
    one.write(2).await;
    assert_eq!(other.read().await, 2);
    // No connection breaks with it.
    old.command(&["REPLICAOF", "127.0.0.1", &new.port().to_string()]).unwrap();
    proxy.redirect(new.port());
    let knows = |server: &Server| server.command(&["PUBSUB", "CHANNELS"]).unwrap_or_default().contains("cx");
    until("both listen to the new one", async || knows(&new) && !knows(&old)).await;
    for service in [&one, &other] {
        service.cache.connected(Duration::from_secs(10)).await.unwrap();
    }
    for value in 3..10 {
        let [writer, reader] = if value % 2 == 0 { [&one, &other] } else { [&other, &one] };
        writer.write(value).await;
        until("the other sees it", async || reader.read().await == value).await;
    }
    until("it is stored there", async || {
        one.read().await;
        !new.command(&["KEYS", "*:v:*"]).unwrap_or_default().is_empty()
    })
    .await;
}

// Guards `Leading` in `listen`: the subscription does not break.
#[tokio::test(flavor = "multi_thread")]
async fn where_commands_go_to_another_server_notices_are_listened_for_there() {
    let (old, new) = (Server::start(), Server::start());
    let proxy = Proxy::before(old.port());
    let value = Arc::new(AtomicU64::new(1));
    let led = cache(proxy.url(), |_| {}).await;
    let (led, other) =
        (Service { cache: led, value: value.clone() }, Service { cache: cache(new.url(), |_| {}).await, value });
    assert_eq!(led.read().await, 1);
    proxy.redirect(new.port());
    // One for commands.
    let clients = old.command(&["CLIENT", "LIST", "TYPE", "normal"]).unwrap();
    let client = clients.lines().find(|line| line.contains("cmd=eval")).expect("there is one for commands");
    let id = client.split("id=").nth(1).and_then(|rest| rest.split(' ').next()).unwrap();
    old.command(&["CLIENT", "KILL", "ID", id]).unwrap();
    let knows = |server: &Server| server.command(&["PUBSUB", "CHANNELS"]).unwrap_or_default().contains("cx");
    until("it listens to the new one only", async || !knows(&old)).await;
    led.cache.connected(Duration::from_secs(10)).await.unwrap();
    for value in 2..6 {
        let [writer, reader] = if value % 2 == 0 { [&other, &led] } else { [&led, &other] };
        writer.write(value).await;
        until("the other sees it", async || reader.read().await == value).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_is_not_used_and_it_is_said_what_to_write() {
    let master = Server::start();
    let replica = Server::start_with(&["--replicaof", "127.0.0.1", &master.port().to_string()]);
    let cache = Cache::builder().redis(RedisSettings::new(replica.url())).build().unwrap();
    let trouble = || cache.remote_stats().unwrap().last_error.unwrap_or_default();
    until("it is found out", async || trouble().contains("the address of its master")).await;
    assert!(!cache.remote_stats().unwrap().is_up);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_is_cut_off_is_noticed_while_no_sentinel_answers() {
    let mut before_master = None;
    let sentinels = Sentinels::start_before(1, "", |port| before_master.insert(Proxy::before(port)).port());
    let before_master = before_master.unwrap();
    let before_sentinel = Proxy::before(sentinels.port(0));
    let url = format!("redis+sentinel://127.0.0.1:{}/main", before_sentinel.port());
    let cache = cache(url, |redis| redis.connect_timeout = Duration::from_secs(60)).await;
    before_sentinel.set(Mode::Swallow);
    before_sentinel.cut();
    // Long enough that a sentinel is asked, who can't be reached, for as long as a minute.
    pause(10 * PING_INTERVAL).await;
    assert!(cache.remote_stats().unwrap().is_listening);
    before_master.set(Mode::Swallow);
    until("it is noticed", async || !cache.remote_stats().unwrap().is_listening).await;
}

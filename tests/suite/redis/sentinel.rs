//! A master that sentinels know: when it is gone, the next one is found, and nothing that got lost on the way is served.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cachex::{Cache, CacheScope, RedisSettings, cached, invalidates};
use cachex_tests::sentinel::Sentinels;

use super::calm::Calm;
use super::until;

/// Longer than any call may take: it asks a few things.
const MOST: Duration = Duration::from_secs(8);
/// Of two nodes and three sentinels, with room for some more.
const CONNECTIONS: u64 = 2 * 5 + 3 * 2;

#[derive(CacheScope)]
struct Service {
    #[scope(cache)]
    cache: Cache,
    value: Arc<AtomicU64>,
}

impl Service {
    #[cached(ttl = "1h", tags = ["value"])]
    async fn load(&self) -> u64 {
        self.value.load(Ordering::SeqCst)
    }

    #[invalidates(tags = ["value"])]
    async fn store(&self, value: u64) {
        self.value.store(value, Ordering::SeqCst);
    }

    async fn read(&self) -> u64 {
        tokio::time::timeout(MOST, self.load()).await.expect("a call ends in time")
    }

    /// Writes, and reads what was written.
    async fn write(&self, value: u64) {
        tokio::time::timeout(MOST, self.store(value)).await.expect("a call ends in time");
        assert_eq!(self.read().await, value);
    }

    async fn whole_again(&self) {
        self.cache.connected(Duration::from_secs(30)).await.unwrap_or_else(|error| {
            panic!("{error}: {:?}", self.cache.remote_stats());
        });
        until("all is delivered", async || self.cache.remote_stats().unwrap().undelivered == 0).await;
    }
}

fn cache(url: String, change: impl FnOnce(&mut RedisSettings)) -> Cache {
    let mut redis = RedisSettings::new(url);
    redis.timeout = Duration::from_secs(1);
    change(&mut redis);
    Cache::builder().namespace("tests").redis(redis).build().unwrap()
}

async fn pair(sentinels: &Sentinels) -> [Service; 2] {
    let value = Arc::new(AtomicU64::new(0));
    let service =
        || Service { cache: cache(format!("redis+sentinel://{}/2", sentinels.hosts()), |_| {}), value: value.clone() };
    let pair = [service(), service()];
    for service in &pair {
        service.whole_again().await;
    }
    pair
}

/// What one writes the other sees, through the second tier.
async fn agree([one, two]: &[Service; 2], from: u64) {
    for value in from..from + 10 {
        let (writer, reader) = if value % 2 == 0 { (one, two) } else { (two, one) };
        writer.write(value).await;
        until("the notice has come", async || reader.read().await == value).await;
    }
}

/// Calls both while something goes on, and returns the last value.
async fn meanwhile([one, two]: &[Service; 2], from: u64, goes_on: impl Future<Output = ()>) -> u64 {
    let calls = async {
        for value in from.. {
            one.write(value).await;
            // As late as it may be, but not from nowhere.
            assert!(two.read().await <= value);
            super::pause(Duration::from_millis(20)).await;
        }
    };
    tokio::select! {
        () = goes_on => one.value.load(Ordering::SeqCst),
        () = calls => unreachable!("numbers do not end"),
    }
}

async fn in_background<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_death_of_a_master_the_next_one_is_found_and_the_old_one_is_left_alone() {
    let mut sentinels = in_background(|| Sentinels::start(3, "")).await;
    let pair = pair(&sentinels).await;
    agree(&pair, 10).await;
    let calm = Calm::begin([&sentinels.servers[1]]);
    sentinels.servers[0].kill();
    let sentinels = Arc::new(std::sync::Mutex::new(sentinels));
    let waiting = sentinels.clone();
    let over = in_background(move || {
        let sentinels = waiting.lock().unwrap();
        sentinels.wait_for_another_master(&sentinels.servers[0]);
    });
    let last = meanwhile(&pair, 100, over).await;
    for service in &pair {
        service.whole_again().await;
    }
    let value = pair[0].value.load(Ordering::SeqCst);
    assert!(value >= last);
    calm.end([&sentinels.lock().unwrap().servers[1]], CONNECTIONS);
    for service in &pair {
        assert_eq!(service.read().await, value);
        let stats = service.cache.remote_stats().unwrap();
        assert!(stats.disconnects > 0 && stats.connects > 1 && stats.flushes > 2, "{stats:?}");
        assert!(stats.last_error.is_some(), "{stats:?}");
    }
    agree(&pair, 10_000).await;
    // The old one comes back, and takes itself for the master until it is told.
    let returning = sentinels.clone();
    in_background(move || returning.lock().unwrap().servers[0].run()).await;
    let is_replica = async || {
        let sentinels = sentinels.lock().unwrap();
        let old = &sentinels.servers[0];
        // When it is told, it closes all connections.
        let (Ok(keys), Ok(role)) = (old.command(&["INFO", "keyspace"]), old.command(&["ROLE"])) else { return false };
        let is_replica = role.contains("slave");
        assert!(is_replica || !keys.contains("db2"), "a master that was given up is written to: {keys}");
        is_replica
    };
    for value in 0..1_500 {
        if is_replica().await {
            break;
        }
        pair[value as usize % 2].write(20_000 + value).await;
        super::pause(Duration::from_millis(20)).await;
    }
    assert!(is_replica().await, "the old master is a replica in the end");
    agree(&pair, 30_000).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_master_that_hung_and_was_given_up_is_left_alone_when_it_goes_on() {
    let sentinels = Arc::new(in_background(|| Sentinels::start(3, "")).await);
    let pair = pair(&sentinels).await;
    agree(&pair, 10).await;
    let calm = Calm::begin(&sentinels.servers);
    sentinels.servers[0].freeze();
    let waiting = sentinels.clone();
    let over = in_background(move || waiting.wait_for_another_master(&waiting.servers[0]));
    meanwhile(&pair, 100, over).await;
    sentinels.servers[0].thaw();
    for service in &pair {
        service.whole_again().await;
    }
    agree(&pair, 10_000).await;
    calm.end(&sentinels.servers, CONNECTIONS);
    let value = pair[0].value.load(Ordering::SeqCst);
    for service in &pair {
        assert_eq!(service.read().await, value);
        let stats = service.cache.remote_stats().unwrap();
        assert!(stats.disconnects > 0 && stats.connects > 1 && stats.flushes > 2, "{stats:?}");
    }
}

// Guards `ROLE` in `Sentinels::connect_to`.
#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_sentinels_take_for_the_master_is_not_connected_with() {
    let sentinels = in_background(Sentinels::start_mistaken).await;
    let cache = cache(format!("redis+sentinel://{}", sentinels.hosts()), |_| {});
    let stats = || cache.remote_stats().unwrap();
    for _ in 0..3 {
        let told =
            async || stats().last_error.is_some_and(|told| told.contains("that is a replica; a failover is under way"));
        until("it is told", told).await;
        let stats = stats();
        assert!(!stats.is_up && !stats.is_listening && (stats.connects, stats.flushes) == (0, 0), "{stats:?}");
        assert!(cache.connected(Duration::from_millis(300)).await.unwrap_err().is_timeout());
    }
    assert_eq!(sentinels.servers[1].command(&["REPLICAOF", "NO", "ONE"]).unwrap(), "+OK\r\n");
    cache.connected(Duration::from_secs(10)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_fit_the_sentinels_is_told_why() {
    let sentinels = in_background(|| Sentinels::start(1, "requirepass secret")).await;
    let url = format!("redis+sentinel://{}", sentinels.hosts());
    let check = async |url: String, password: Option<&str>, part: &str| {
        let cache = cache(url, |redis| redis.sentinel_password = password.map(str::to_owned));
        let error = || cache.remote_stats().unwrap().last_error.unwrap_or_default();
        until("it has failed", async || !error().is_empty()).await;
        assert!(error().contains(part), "{}", error());
    };
    check(url.clone(), None, "write `redis.sentinel_username` and `redis.sentinel_password`").await;
    check(url.clone(), Some("wrong"), "write `redis.sentinel_username` and `redis.sentinel_password`").await;
    check(url.replace("/main", "/other"), Some("secret"), "the sentinels know no master `other`").await;
    let cache = cache(url, |redis| redis.sentinel_password = Some("secret".to_owned()));
    cache.connected(Duration::from_secs(10)).await.unwrap();
}

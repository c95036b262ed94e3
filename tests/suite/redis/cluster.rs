//! A cluster: what holds of one server holds of it, also while masters are lost and slots move.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cachex::{Cache, CacheScope, EntryOptions, Key, RedisSettings, RemoteStats, cached, invalidates};
use cachex_tests::cluster::Cluster;
use cachex_tests::redis::Server;
use cachex_tests::tls::Certificates;

use super::calm::Calm;
use super::{pause, until};

/// Longer than any call may take: it asks a few things.
const MOST: Duration = Duration::from_secs(8);
const CLOCK: &str = "{cx:tests}:clock";
const ROWS: u64 = 40;
/// Of two nodes with three masters: two for commands and one for notices each, and one to look at the topology.
const CONNECTIONS: u64 = 2 * 3 * 4;

/// Rows that are invalidated by their tags or keys; their keys are all over the cluster.
#[derive(CacheScope)]
struct Service {
    #[scope(cache)]
    cache: Cache,
    rows: Arc<Vec<AtomicU64>>,
    loads: AtomicU64,
}

impl Service {
    #[cached(ttl = "1h", tags = ["row:{id}"])]
    async fn load(&self, id: u64) -> u64 {
        self.loads.fetch_add(1, Ordering::SeqCst);
        self.rows[id as usize].load(Ordering::SeqCst)
    }

    #[invalidates(tags = ["row:{id}"])]
    async fn store(&self, id: u64, value: u64) {
        self.rows[id as usize].store(value, Ordering::SeqCst);
    }

    #[invalidates(Self::load(id))]
    async fn store_by_key(&self, id: u64, value: u64) {
        self.rows[id as usize].store(value, Ordering::SeqCst);
    }

    async fn read(&self, id: u64) -> u64 {
        tokio::time::timeout(MOST, self.load(id)).await.expect("a call ends in time")
    }

    /// Writes by tag or by key, and reads what was written.
    async fn write(&self, id: u64, value: u64) {
        let writing = async {
            if value.is_multiple_of(2) { self.store(id, value).await } else { self.store_by_key(id, value).await }
        };
        tokio::time::timeout(MOST, writing).await.expect("a call ends in time");
        assert_eq!(self.read(id).await, value);
    }

    fn stats(&self) -> RemoteStats {
        self.cache.remote_stats().unwrap()
    }

    async fn whole_again(&self) {
        let whole = self.cache.connected(Duration::from_secs(30)).await;
        whole.unwrap_or_else(|error| panic!("{error}: {:?}", self.stats()));
        until("all is delivered", async || self.stats().undelivered == 0).await;
    }
}

fn cache(cluster: &Cluster, change: impl FnOnce(&mut RedisSettings)) -> Cache {
    let mut redis = RedisSettings::new(cluster.url());
    redis.timeout = Duration::from_secs(1);
    redis.connections = 2;
    change(&mut redis);
    Cache::builder().namespace("tests").redis(redis).build().unwrap()
}

async fn pair(cluster: &Cluster) -> [Service; 2] {
    let rows: Arc<Vec<_>> = Arc::new((0..ROWS).map(|_| AtomicU64::new(0)).collect());
    let service = || Service { cache: cache(cluster, |_| {}), rows: rows.clone(), loads: AtomicU64::new(0) };
    let pair = [service(), service()];
    for service in &pair {
        service.whole_again().await;
    }
    pair
}

/// What one writes the other sees, whatever row it is.
async fn agree([one, two]: &[Service; 2], from: u64) {
    for value in from..from + ROWS {
        let (writer, reader) = if value % 4 < 2 { (one, two) } else { (two, one) };
        writer.write(value % ROWS, value).await;
        until("the notice has come", async || reader.read(value % ROWS).await == value).await;
    }
}

/// Reads and writes while something goes on.
async fn meanwhile([one, two]: &[Service; 2], from: u64, goes_on: impl Future<Output = ()>) {
    let calls = async {
        for value in from.. {
            one.write(value % ROWS, value).await;
            assert!(two.read(value % ROWS).await <= value, "a value from nowhere");
            pause(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        () = goes_on => {}
        () = calls => unreachable!("numbers do not end"),
    }
}

/// Every row is what it is in the end, for both.
async fn is_true_in_the_end(pair: &[Service; 2]) {
    for service in pair {
        service.whole_again().await;
        for id in 0..ROWS {
            let expected = service.rows[id as usize].load(Ordering::SeqCst);
            let what = || format!("row {id} is what it is: {:?}", service.stats());
            until(&what(), async || service.read(id).await == expected).await;
        }
    }
}

async fn in_background<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.unwrap()
}

async fn started(replicas: usize) -> Cluster {
    in_background(move || Cluster::start(replicas)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removal_by_pattern_misses_no_master() {
    let cluster = started(0).await;
    let [one, two] = &pair(&cluster).await;
    for id in 0..ROWS {
        assert_eq!((one.read(id).await, two.read(id).await), (0, 0));
    }
    until("all is stored", async || one.stats().stores + two.stats().stores == ROWS).await;
    one.rows.iter().for_each(|row| row.store(1, Ordering::SeqCst));
    assert_eq!(one.cache.remove_matching("*::load(*").await, ROWS);
    let third = Service { cache: cache(&cluster, |_| {}), rows: one.rows.clone(), loads: AtomicU64::new(0) };
    third.whole_again().await;
    for id in 0..ROWS {
        assert_eq!((third.read(id).await, one.read(id).await), (1, 1));
        until("the notice has come", async || two.read(id).await == 1).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_share_what_they_load_over_a_cluster() {
    let cluster = started(0).await;
    let pair = pair(&cluster).await;
    let [one, two] = &pair;
    for id in 0..ROWS {
        one.read(id).await;
    }
    until("all is stored", async || one.stats().stores == ROWS).await;
    for id in 0..ROWS {
        two.read(id).await;
    }
    assert_eq!((one.loads.load(Ordering::SeqCst), two.loads.load(Ordering::SeqCst)), (ROWS, 0));
    assert_eq!((two.stats().hits, two.stats().errors, two.stats().warning), (ROWS, 0, None));
    // Values are all over the cluster.
    for node in &cluster.nodes {
        let keys = node.command(&["KEYS", "*:v:*"]).unwrap();
        assert!(keys.lines().count() > 5, "{keys}");
    }
    agree(&pair, 1_000).await;
    // By hand, many at once, and structures.
    let keys: Vec<_> = (0..50_u64).map(|id| Key::entity("thing", &id)).collect();
    one.cache.set_many(keys.iter().cloned().zip(0_u64..), &EntryOptions::new()).await.unwrap();
    let found: Vec<Option<u64>> = two.cache.get_many(&keys).await.unwrap();
    assert_eq!(found, (0..50).map(Some).collect::<Vec<_>>());
    one.cache.remove_many(&keys).await;
    until("they are gone", async || two.cache.get_many::<u64>(&keys).await.unwrap().iter().all(Option::is_none)).await;
    assert_eq!(one.cache.increment(&Key::new("count"), 2).await.unwrap(), 2);
    assert_eq!(two.cache.increment(&Key::new("count"), 3).await.unwrap(), 5);
    one.cache.clear().await;
    until("all is gone", async || two.stats().flushes > 0 || two.read(1).await == 0).await;
    assert_eq!(one.stats().errors + one.stats().invalidation_errors, 0, "{:?}", one.stats());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_is_spoken_to_over_tls() {
    let files = Certificates::new();
    let ca = files.path("ca.pem");
    let (cluster, files) = in_background(move || (Cluster::start_over_tls(&files), files)).await;
    let key = Key::new("shared");
    let caches = [(), ()].map(|()| cache(&cluster, |redis| redis.tls_ca = Some(ca.clone())));
    // Files are read when a cache is made.
    drop(files);
    for cache in &caches {
        let connected = cache.connected(Duration::from_secs(30)).await;
        connected.unwrap_or_else(|error| panic!("{error}: {:?}", cache.remote_stats()));
    }
    caches[0].set(&key, 7_u32, &EntryOptions::new()).await.unwrap();
    assert_eq!(caches[1].get::<u32>(&key).await.unwrap(), Some(7));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_no_cluster_is_told_from_one() {
    let server = in_background(Server::start).await;
    let mut redis = RedisSettings::new(server.url().replace("redis:", "redis+cluster:"));
    redis.timeout = Duration::from_secs(1);
    let cache = Cache::builder().redis(redis).build().unwrap();
    let error = || cache.remote_stats().unwrap().last_error.unwrap_or_default();
    until("it has failed", async || !error().is_empty()).await;
    assert!(error().contains("is not a node of a cluster; write \"redis://127.0.0.1:"), "{}", error());
    let database = Cache::builder().redis(RedisSettings::new("redis+cluster://localhost/3")).build();
    assert!(database.unwrap_err().to_string().contains("which has none but 0"));
}

/// Returns the servers that outlive one of them.
fn others(cluster: &Cluster, victim: usize) -> impl Iterator<Item = &Server> {
    cluster.nodes.iter().enumerate().filter(move |(node, _)| *node != victim).map(|(_, server)| server)
}

/// Kills the master of some slots, and has its replica take its place.
async fn promote(of_clock: bool) {
    let mut cluster = started(1).await;
    let pair = pair(&cluster).await;
    agree(&pair, 1_000).await;
    let clock = cluster.master_of(CLOCK);
    let victim = if of_clock { clock } else { (clock + 1) % 3 };
    let calm = Calm::begin(others(&cluster, victim));
    cluster.nodes[victim].kill();
    let cluster = Arc::new(cluster);
    let waiting = cluster.clone();
    let over = in_background(move || waiting.wait_for_promotion(victim + 3));
    meanwhile(&pair, 2_000, over).await;
    is_true_in_the_end(&pair).await;
    calm.end(others(&cluster, victim), CONNECTIONS);
    assert!(pair.iter().all(|service| service.stats().disconnects > 0 && service.stats().flushes > 1));
    agree(&pair, 100_000).await;
    // The old one comes back as a replica, and then takes its place again.
    let mut cluster = Arc::into_inner(cluster).expect("nobody else holds the cluster");
    let cluster = in_background(move || {
        cluster.nodes[victim].run();
        cluster
    })
    .await;
    let role = async || cluster.nodes[victim].command(&["INFO", "replication"]).unwrap_or_default();
    until("it follows", async || role().await.contains("master_link_status:up")).await;
    until("it takes over", async || {
        let _may_be_too_early = cluster.nodes[victim].command(&["CLUSTER", "FAILOVER"]);
        role().await.contains("role:master")
    })
    .await;
    meanwhile(&pair, 200_000, pause(Duration::from_secs(2))).await;
    is_true_in_the_end(&pair).await;
    agree(&pair, 300_000).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_takes_the_place_of_a_master_of_values() {
    promote(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_takes_the_place_of_the_master_of_the_clock() {
    promote(true).await;
}

// Guards the comparison of epochs in `Cluster::adopt`.
#[tokio::test(flavor = "multi_thread")]
async fn a_master_that_is_lost_takes_nothing_along_but_what_it_has() {
    let mut cluster = started(0).await;
    let pair = pair(&cluster).await;
    agree(&pair, 1_000).await;
    let victim = (cluster.master_of(CLOCK) + 1) % 3;
    let calm = Calm::begin(others(&cluster, victim));
    cluster.nodes[victim].kill();
    let cluster = Arc::new(cluster);
    let waiting = cluster.clone();
    let over = in_background(move || waiting.wait_for_loss(victim));
    meanwhile(&pair, 2_000, over).await;
    // The others are all there is now.
    for service in &pair {
        service.cache.connected(Duration::from_secs(30)).await.unwrap();
    }
    let [one, two] = &pair;
    for id in 0..ROWS {
        one.write(id, 10_000 + 2 * id).await;
    }
    until("groups are delivered", async || two.stats().is_listening).await;
    let before = two.stats().hits;
    for id in 0..ROWS {
        until("the notice has come", async || two.read(id).await == 10_000 + 2 * id).await;
    }
    assert!(two.stats().hits > before + ROWS / 4, "what is elsewhere is shared: {:?}", two.stats());
    // Removals of what it has wait, and hold up nobody else.
    for id in 0..ROWS {
        one.write(id, 10_001 + 2 * id).await;
    }
    assert!(one.stats().undelivered > 0, "{:?}", one.stats());
    let (published, heard) = (one.stats().published, (two.stats().gaps, two.stats().flushes));
    for id in 0..ROWS {
        one.write(id, 20_000 + 2 * id).await;
    }
    // Nor does memory go elsewhere for what nobody can be told yet.
    assert_eq!(one.stats().published, published + ROWS);
    let (hits, stuck) = (two.stats().hits, one.stats().undelivered);
    for id in 0..ROWS {
        until("the notice has come", async || two.read(id).await == 20_000 + 2 * id).await;
    }
    assert!(stuck < ROWS, "{stuck} are undelivered");
    assert_eq!((two.stats().gaps, two.stats().flushes), heard);
    assert!(two.stats().hits > hits + ROWS / 4, "{:?}", two.stats());
    calm.end(others(&cluster, victim), CONNECTIONS);
    let stats = one.stats();
    assert!(stats.disconnects >= 2 && stats.flushes > 1 && stats.invalidation_errors > 0, "{stats:?}");
    let mut cluster = Arc::into_inner(cluster).expect("nobody else holds the cluster");
    let _cluster = in_background(move || {
        cluster.nodes[victim].run();
        cluster
    })
    .await;
    until("the removals are delivered", async || one.stats().undelivered == 0).await;
    is_true_in_the_end(&pair).await;
    agree(&pair, 30_000).await;
}

// Guards `Cluster::reaches`.
#[tokio::test(flavor = "multi_thread")]
async fn of_two_connections_with_a_master_one_that_is_gone_holds_up_nothing_that_goes_over_the_other() {
    let cluster = started(0).await;
    let cache = cache(&cluster, |_| {});
    cache.connected(Duration::from_secs(30)).await.unwrap();
    let stats = || cache.remote_stats().unwrap();
    let keys: Vec<_> = (0..ROWS).map(|id| Key::entity("thing", &id)).collect();
    cache.set_many(keys.iter().cloned().zip(0_u64..), &EntryOptions::new()).await.unwrap();
    let master = &cluster.nodes[(cluster.master_of(CLOCK) + 1) % 3];
    let there = master.command(&["KEYS", "*:v:*"]).unwrap().lines().filter(|line| line.contains(":v:")).count() as u64;
    // One is closed, and none can be made.
    let clients = master.command(&["CLIENT", "LIST"]).unwrap();
    let is_ours = |line: &&str| ["cmd=client", "cmd=keys"].iter().any(|command| line.contains(command));
    let victim = clients.lines().find(|line| line.contains("resp=2") && !is_ours(line)).expect("it is connected");
    let id = victim.split(' ').find_map(|word| word.split("id=").nth(1)).unwrap();
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", master.port())).unwrap();
    write!(stream, "CONFIG SET maxclients 1\r\nCLIENT KILL ID {id}\r\n").unwrap();
    until("it is missed", async || stats().disconnects > 0).await;
    for key in &keys {
        cache.remove(key).await;
    }
    let left = stats().undelivered;
    assert!(0 < left && left < there, "{left} of {there}: {:?}", stats());
    write!(stream, "CONFIG SET maxclients 1000\r\n").unwrap();
    until("all is delivered", async || stats().undelivered == 0).await;
}

// Guards what `send_keys` tells of keys that are left.
#[tokio::test(flavor = "multi_thread")]
async fn of_what_a_master_refuses_others_hear_all_the_same() {
    let cluster = started(0).await;
    let (one, two) = (cache(&cluster, |_| {}), cache(&cluster, |_| {}));
    for cache in [&one, &two] {
        cache.connected(Duration::from_secs(30)).await.unwrap();
    }
    let (told, heard) = (|| one.remote_stats().unwrap(), || two.remote_stats().unwrap());
    let called = Arc::new(AtomicU64::new(0));
    let _subscription = two.subscribe_invalidations({
        let called = called.clone();
        move |_| {
            called.fetch_add(1, Ordering::SeqCst);
        }
    });
    let master = &cluster.nodes[(cluster.master_of(CLOCK) + 1) % 3];
    master.command(&["CONFIG", "SET", "min-replicas-to-write", "1"]).unwrap();
    for id in 0..ROWS {
        // All that was refused is tried again with each of them.
        one.remove(&Key::entity("thing", &id)).await;
    }
    let left = told().undelivered;
    assert!(0 < left && left < ROWS, "{:?}", told());
    // Each of the three masters tells of it, and once it is counted.
    until("the other has heard of each once", async || heard().notices == ROWS).await;
    assert_eq!(told().published, ROWS);
    master.command(&["CONFIG", "SET", "min-replicas-to-write", "0"]).unwrap();
    until("all is delivered", async || told().undelivered == 0).await;
    until("the other has heard of those again", async || heard().notices == ROWS + left).await;
    assert_eq!((told().published, heard().gaps), (ROWS + left, 0));
    until("who has subscribed was called", async || called.load(Ordering::SeqCst) == ROWS + left).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_master_of_values_that_comes_back_as_it_was_some_time_ago() {
    let cluster = started(0).await;
    let [one, two] = pair(&cluster).await;
    let id = (0..ROWS).collect::<Vec<_>>();
    for id in &id {
        one.read(*id).await;
    }
    until("all is stored", async || one.stats().stores == ROWS).await;
    let victim = (cluster.master_of(CLOCK) + 1) % 3;
    cluster.nodes[victim].command(&["SAVE"]).unwrap();
    for id in &id {
        one.write(*id, 1_001 + 2 * id).await;
    }
    drop(two);
    let mut cluster = cluster;
    cluster.nodes[victim].kill();
    let cluster = in_background(move || {
        cluster.nodes[victim].run();
        cluster
    })
    .await;
    let restored = cluster.nodes[victim].command(&["KEYS", "*:v:*"]).unwrap();
    assert!(restored.lines().count() > 5, "it has what it had: {restored}");
    let cluster = in_background(move || {
        cluster.wait_until_whole();
        cluster
    })
    .await;
    // Somebody new, who knows nothing from before.
    let new = Service { cache: cache(&cluster, |_| {}), rows: one.rows.clone(), loads: AtomicU64::new(0) };
    new.whole_again().await;
    for id in &id {
        assert_eq!(new.read(*id).await, 1_001 + 2 * id);
    }
    assert_eq!((new.stats().bypasses, new.stats().errors), (0, 0), "it was asked: {:?}", new.stats());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slot_that_is_moved_takes_its_keys_along() {
    let cluster = Arc::new(started(0).await);
    let pair = pair(&cluster).await;
    agree(&pair, 1_000).await;
    let values = cluster.nodes[0].command(&["KEYS", "*:v:*"]).unwrap();
    let value = values.lines().find(|line| line.contains(":v:")).unwrap().to_owned();
    let calm = Calm::begin(&cluster.nodes);
    for (key, from_value) in [(value, 2_000), (CLOCK.to_owned(), 200_000)] {
        let (from, slot) = (cluster.master_of(&key), cluster.slot(&key));
        let moving = cluster.clone();
        let moved = in_background(move || {
            moving.move_slot(slot, from, (from + 1) % 3, || {
                std::thread::park_timeout(Duration::from_millis(20));
            });
        });
        meanwhile(&pair, from_value, moved).await;
        is_true_in_the_end(&pair).await;
        agree(&pair, from_value + 100_000).await;
        assert!(cluster.nodes[(from + 1) % 3].command(&["EXISTS", &key]).unwrap().starts_with(':'), "{key} is there");
    }
    calm.end(&cluster.nodes, CONNECTIONS);
    // Whoever was given a slot has another epoch, so it was connected with anew.
    for service in &pair {
        assert!(service.stats().is_up && service.stats().is_listening, "{:?}", service.stats());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_that_is_lost_at_one_master_is_noticed() {
    let cluster = started(0).await;
    let pair = pair(&cluster).await;
    agree(&pair, 1_000).await;
    for node in &cluster.nodes {
        let before: Vec<_> = pair.iter().map(|service| service.stats().flushes).collect();
        let killed = node.command(&["CLIENT", "KILL", "TYPE", "pubsub"]).unwrap();
        assert_eq!(killed.trim(), ":2", "each listens to each master");
        for (service, before) in pair.iter().zip(before) {
            // Emptied when it begins, and when it ends.
            until("memory is emptied", async || service.stats().flushes >= before + 2).await;
            service.whole_again().await;
        }
        agree(&pair, 10_000).await;
    }
}

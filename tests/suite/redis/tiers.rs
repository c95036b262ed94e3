//! In which tiers the entries of a method are kept, and in which form.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use cachex::{Cache, CacheScope, Codec, Compression, EntryOptions, Key, MethodSettings, Tiers, Verdict, cached};
use cachex_tests::proxy::{Mode, Proxy};
use cachex_tests::redis::Server;
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

use super::{node, node_with, pause, until};

/// What is in the "database", and how often it was asked.
#[derive(Debug, Default)]
struct Source {
    version: AtomicU64,
    loads: AtomicU64,
    is_broken: AtomicBool,
    is_slow: AtomicBool,
    gate: Gate,
}

/// Lets as many loads end as there are permits.
#[derive(Debug)]
struct Gate(Semaphore);

impl Default for Gate {
    fn default() -> Self {
        Self(Semaphore::new(0))
    }
}

#[derive(CacheScope)]
struct Prices {
    #[scope(cache)]
    cache: Cache,
    source: Arc<Source>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Quote {
    #[prost(uint64, tag = "1")]
    cents: u64,
    #[prost(string, tag = "2")]
    name: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Label {
    text: String,
}

impl Prices {
    fn new(cache: Cache, source: &Arc<Source>) -> Arc<Self> {
        Arc::new(Self { cache, source: source.clone() })
    }

    async fn load(&self) -> u64 {
        self.source.loads.fetch_add(1, Ordering::SeqCst);
        let version = self.source.version.load(Ordering::SeqCst);
        if self.source.is_slow.load(Ordering::SeqCst) {
            pause(Duration::from_millis(version % 4)).await;
        }
        version
    }

    #[cached(ttl = "1h", tags = ["prices"], tiers = "remote")]
    async fn shared(&self, id: u64) -> u64 {
        let _ = id;
        self.load().await
    }

    /// Reads, and then waits.
    #[cached(ttl = "1h", tags = ["prices"], tiers = "remote")]
    async fn gated(&self, id: u64) -> u64 {
        let _ = id;
        let version = self.load().await;
        self.source.gate.0.acquire().await.expect("it is never closed").forget();
        version
    }

    #[cached(batch(id in ids), ttl = "1h", tags = ["prices"], tiers = "remote")]
    async fn gated_all(&self, ids: &[u64]) -> Vec<u64> {
        let version = self.load().await;
        self.source.gate.0.acquire().await.expect("it is never closed").forget();
        vec![version; ids.len()]
    }

    #[cached(ttl = "1h", tags = ["prices"], tiers = "memory")]
    async fn own(&self, id: u64) -> u64 {
        let _ = id;
        self.load().await
    }

    #[cached(ttl = "1h", name = "prices.changing")]
    async fn changing(&self, id: u64) -> u64 {
        let _ = id;
        self.load().await
    }

    #[cached(ttl = "1h", soft_ttl = "50ms", tiers = "remote")]
    async fn refreshed(&self, id: u64) -> u64 {
        let _ = id;
        self.load().await
    }
}

impl Clone for Prices {
    fn clone(&self) -> Self {
        Self { cache: self.cache.clone(), source: self.source.clone() }
    }
}

impl Prices {
    #[cached(ttl = "50ms", grace = "1h", tiers = "remote")]
    async fn fragile(&self, id: u64) -> Result<u64, String> {
        let version = id + self.load().await;
        if self.source.is_broken.load(Ordering::SeqCst) { Err("broken".to_owned()) } else { Ok(version) }
    }

    #[cached(ttl = "1h", codec = "json", compression = "off")]
    async fn label(&self, id: u64) -> Option<Label> {
        self.load().await;
        Some(Label { text: format!("label {id}") })
    }

    #[cached(ttl = "1h", codec = "protobuf")]
    async fn quote(&self, id: u64) -> Quote {
        self.load().await;
        Quote { cents: id, name: "one".to_owned() }
    }

    #[cached(ttl = "1h", codec = "protobuf")]
    async fn perhaps(&self, id: u64) -> Result<Option<Arc<Quote>>, String> {
        self.load().await;
        Ok((id > 0).then(|| Arc::new(Quote { cents: id, ..Quote::default() })))
    }

    fn loads(&self) -> u64 {
        self.source.loads.load(Ordering::SeqCst)
    }

    async fn stored(&self, count: u64) {
        until("the values are stored", async || self.cache.remote_stats().unwrap().stores >= count).await;
    }
}

async fn pair(server: &Server) -> (Arc<Prices>, Arc<Prices>) {
    let source = Arc::default();
    (Prices::new(node(server).await, &source), Prices::new(node(server).await, &source))
}

/// The names of all values in the server.
fn values(server: &Server) -> String {
    server.command(&["KEYS", "*:v:*"]).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_remotely_is_never_left_in_memory() {
    let server = Server::start();
    let (a, b) = pair(&server).await;
    a.shared(1).await;
    a.stored(1).await;
    for _ in 0..3 {
        assert_eq!((a.shared(1).await, b.shared(1).await), (0, 0));
    }
    assert_eq!(a.loads(), 1);
    assert_eq!((a.cache.remote_stats().unwrap().hits, b.cache.remote_stats().unwrap().hits), (3, 3));
    a.shared_prime(&1, &9).await;
    assert_eq!((a.shared(1).await, b.shared(1).await), (9, 9));
    for prices in [&a, &b] {
        let told = prices.cache.explain(&prices.shared_key(&1));
        assert_eq!((told.tier, told.verdict), (None, Verdict::Absent));
        assert_eq!(prices.cache.stats().entries, 0);
    }
}

/// No notice has to come for it: the other process may be as late as it wants.
#[tokio::test(flavor = "multi_thread")]
async fn a_call_after_an_invalidation_in_another_process_is_never_answered_with_what_was_before() {
    let server = Server::start();
    let (writer, reader) = pair(&server).await;
    writer.source.is_slow.store(true, Ordering::SeqCst);
    let (known, is_over) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let mut readers = tokio::task::JoinSet::new();
    for _ in 0..6 {
        let (reader, known, is_over) = (reader.clone(), known.clone(), is_over.clone());
        readers.spawn(async move {
            let (mut reads, mut stale) = (0_u64, 0_u64);
            while !is_over.load(Ordering::SeqCst) {
                let expected = known.load(Ordering::SeqCst);
                stale += u64::from(reader.shared(1).await < expected);
                reads += 1;
            }
            (reads, stale)
        });
    }
    for round in 1..=300 {
        let version = writer.source.version.fetch_add(1, Ordering::SeqCst) + 1;
        if round % 2 == 0 {
            writer.cache.invalidate_tags(["prices"]).await;
        } else {
            writer.shared_remove(&1).await;
        }
        known.store(version, Ordering::SeqCst);
        pause(Duration::from_micros(version * 37 % 6_000)).await;
    }
    is_over.store(true, Ordering::SeqCst);
    let ended = readers.join_all().await;
    let (reads, stale) = ended.iter().fold((0, 0), |sum, end| (sum.0 + end.0, sum.1 + end.1));
    assert_eq!(stale, 0, "of {reads}");
    let stats = reader.cache.remote_stats().unwrap();
    assert!(reads > 300 && stats.hits > 20, "{reads} reads, {stats:?}");
}

/// A call that finds a load from before an invalidation under way is not answered with it, though nothing here says yet that it is too old.
async fn waits_for_the_next_load<F: Future<Output = u64> + Send + 'static>(call: impl Fn(Arc<Prices>) -> F) {
    let server = Server::start();
    let proxy = Proxy::before(server.port());
    let source: Arc<Source> = Arc::default();
    let writer = Prices::new(node(&server).await, &source);
    let reader = Prices::new(node_with(&server, |redis, _| redis.url = proxy.url()).await, &source);
    proxy.set(Mode::HoldMessages);
    let first = tokio::spawn(call(reader.clone()));
    until("the first call loads", async || reader.loads() == 1).await;
    source.version.store(1, Ordering::SeqCst);
    writer.cache.invalidate_tags(["prices"]).await;
    let second = tokio::spawn(call(reader.clone()));
    until("the second call waits for it", async || reader.cache.stats().followers == 1).await;
    source.gate.0.add_permits(2);
    assert_eq!(first.await.unwrap(), 0);
    assert_eq!(second.await.unwrap(), 1);
    assert_eq!(reader.cache.remote_stats().unwrap().notices, 0);
    proxy.set(Mode::Pass);
    until("the notice has come", async || reader.cache.remote_stats().unwrap().notices == 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_not_answered_by_a_load_from_before_it_though_no_notice_has_come() {
    waits_for_the_next_load(|prices| async move { prices.gated(1).await }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nor_is_a_batch() {
    waits_for_the_next_load(|prices| async move { prices.gated_all(&[1]).await[0] }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_callers_one_loads_also_where_nothing_is_kept_in_memory() {
    let server = Server::start();
    let source = Arc::default();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..3 {
        let prices = Prices::new(node(&server).await, &source);
        prices.source.version.store(3, Ordering::SeqCst);
        prices.source.is_slow.store(true, Ordering::SeqCst);
        for _ in 0..40 {
            let prices = prices.clone();
            tasks.spawn(async move { prices.shared(1).await });
        }
    }
    assert!(tasks.join_all().await.into_iter().all(|price| price == 3));
    assert_eq!(source.loads.load(Ordering::SeqCst), 1);
}

/// Two loads at most for all who call at once: the one they find under way, and one that began after them.
#[tokio::test(flavor = "multi_thread")]
async fn while_the_store_is_gone_callers_share_loads_and_nothing_is_kept() {
    let mut server = Server::start();
    let (a, _b) = pair(&server).await;
    server.kill();
    until("the server is missed", async || !a.cache.remote_stats().unwrap().is_up).await;
    a.source.version.store(3, Ordering::SeqCst);
    a.source.is_slow.store(true, Ordering::SeqCst);
    let barrier = Arc::new(tokio::sync::Barrier::new(30));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..30 {
        let (a, barrier) = (a.clone(), barrier.clone());
        tasks.spawn(async move {
            barrier.wait().await;
            a.shared(1).await
        });
    }
    assert!(tasks.join_all().await.into_iter().all(|price| price == 3));
    let loads = a.loads();
    assert!(loads <= 10, "{loads}");
    a.shared(1).await;
    assert_eq!(a.loads(), loads + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_in_memory_only_is_invalidated_everywhere() {
    let server = Server::start();
    let (a, b) = pair(&server).await;
    for _ in 0..2 {
        assert_eq!((a.own(1).await, b.own(1).await), (0, 0));
    }
    assert_eq!(a.loads(), 2);
    a.own_prime(&2, &7).await;
    assert!(!values(&server).contains(":v:"), "{}", values(&server));
    assert_eq!((a.own(2).await, b.own(2).await), (7, 0));
    let stats = b.cache.remote_stats().unwrap();
    assert_eq!((stats.hits, stats.misses, stats.stores), (0, 0, 0));
    a.source.version.store(5, Ordering::SeqCst);
    a.cache.invalidate_tags(["prices"]).await;
    assert_eq!(a.own(1).await, 5);
    until("the other process has heard of it", async || b.own(1).await == 5).await;
    a.source.version.store(6, Ordering::SeqCst);
    b.own_remove(&1).await;
    until("the first process has heard of it", async || a.own(1).await == 6).await;
}

#[tokio::test]
async fn without_a_second_tier_all_is_kept_in_memory() {
    let prices = Prices::new(Cache::builder().build().unwrap(), &Arc::default());
    for _ in 0..2 {
        assert_eq!(prices.shared(1).await, 0);
    }
    assert_eq!(prices.loads(), 1);
    assert_eq!(prices.cache.explain(&prices.shared_key(&1)).verdict, Verdict::Fresh);
}

#[tokio::test(flavor = "multi_thread")]
async fn tiers_are_changed_while_the_program_runs() {
    let server = Server::start();
    let (a, b) = pair(&server).await;
    let set = |tiers| a.cache.set_method_config("prices.changing", MethodSettings::new().tiers(tiers)).unwrap();
    a.changing(1).await;
    a.stored(1).await;
    assert_eq!(a.cache.explain(&a.changing_key(&1)).verdict, Verdict::Fresh);
    set(Tiers::Remote);
    let hits = a.cache.remote_stats().unwrap().hits;
    assert_eq!((a.changing(1).await, a.loads()), (0, 1));
    assert_eq!(a.cache.remote_stats().unwrap().hits, hits + 1);
    assert_ne!(a.cache.explain(&a.changing_key(&1)).verdict, Verdict::Fresh);
    set(Tiers::Both);
    a.changing(1).await;
    a.changing(1).await;
    assert_eq!(a.cache.remote_stats().unwrap().hits, hits + 2);
    set(Tiers::Memory);
    b.cache.clear().await;
    until("the other process has heard of it", async || {
        a.changing(1).await;
        a.loads() == 2
    })
    .await;
    assert_eq!(b.changing(1).await, 0);
    assert_eq!(b.loads(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_value_that_is_only_there_is_refreshed_by_who_finds_it() {
    let server = Server::start();
    let (a, b) = pair(&server).await;
    assert_eq!(a.refreshed(1).await, 0);
    a.stored(1).await;
    a.source.version.store(1, Ordering::SeqCst);
    until("it is stale", async || b.refreshed(1).await == 1).await;
    assert_eq!(a.loads(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_value_that_is_only_there_stands_in_within_its_grace() {
    let server = Server::start();
    let (a, b) = pair(&server).await;
    assert_eq!(a.fragile(7).await, Ok(7));
    a.stored(1).await;
    a.source.is_broken.store(true, Ordering::SeqCst);
    pause(Duration::from_millis(60)).await;
    assert_eq!(b.fragile(7).await, Ok(7));
    assert_eq!(b.loads(), 2);
    b.fragile_remove(&7).await;
    assert_eq!(b.fragile(7).await, Err("broken".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_method_has_the_form_that_its_annotation_says() {
    const VALUE: &str = "return redis.call('GET', redis.call('KEYS', '*:v:*')[1])";
    let server = Server::start();
    let (a, b) = pair(&server).await;
    let label = a.label(1).await;
    a.stored(1).await;
    let value = server.command(&["EVAL", VALUE, "0"]).unwrap();
    assert!(value.contains(r#"{"text":"label 1"}"#), "{value}");
    assert_eq!(b.label(1).await, label);
    assert_eq!(a.loads(), 1);
}

/// Who changes the form keeps what is there.
#[tokio::test(flavor = "multi_thread")]
async fn a_value_of_another_form_is_read_as_what_it_is() {
    let server = Server::start();
    let forms = [Codec::Postcard, Codec::MessagePack, Codec::Json];
    let mut nodes = Vec::new();
    for codec in forms {
        nodes.push(
            node_with(&server, |_, remote| {
                remote.codec = codec;
                remote.compression = Compression::Gzip;
            })
            .await,
        );
    }
    let label = Label { text: "long ".repeat(300) };
    for (number, writer) in nodes.iter().enumerate() {
        let key = Key::new("label").part(&number);
        writer.set(&key, label.clone(), &EntryOptions::new()).await.unwrap();
        for reader in &nodes {
            assert_eq!(reader.get(&key).await.unwrap().as_ref(), Some(&label), "{:?}", forms[number]);
        }
    }
    assert_eq!(nodes.iter().map(|node| node.remote_stats().unwrap().refused).sum::<u64>(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_are_shared_as_such() {
    let server = Server::start();
    let (a, b) = pair(&server).await;
    let first = (a.quote(7).await, a.perhaps(8).await, a.perhaps(0).await);
    a.stored(3).await;
    assert_eq!((b.quote(7).await, b.perhaps(8).await, b.perhaps(0).await), first);
    assert_eq!(first.2, Ok(None));
    assert_eq!(b.loads(), 3);
    assert_eq!(b.cache.remote_stats().unwrap().hits, 3);
    // Anybody who knows where the payload begins can read it.
    let value =
        server.command(&["EVAL", "return redis.call('GET', redis.call('KEYS', '*:v:*quote*')[1])", "0"]).unwrap();
    assert!(value.contains("\u{8}\u{7}\u{12}\u{3}one"), "{value:?}");
}

#[derive(CacheScope)]
struct Moved {
    #[scope(cache)]
    cache: Cache,
}

impl Moved {
    #[cached(name = "tests.moved", ttl = "1h")]
    async fn find(&self, id: u64) -> u64 {
        id
    }
}

/// A program whose method stands elsewhere by now goes on with what is stored.
#[tokio::test]
async fn the_keys_of_a_method_with_a_name_of_its_own_say_nothing_of_where_it_stands() {
    let server = Server::start();
    let values = Moved { cache: node(&server).await };
    values.find(1).await;
    until("the value is stored", async || values.cache.remote_stats().unwrap().stores == 1).await;
    let keys = server.command(&["EVAL", "return redis.call('KEYS', '*:v:*')", "0"]).unwrap();
    assert!(keys.contains(":v:{tests.moved(1)#"), "{keys}");
}

//! Each step between a cache and its store: what comes between two of them, and calls that are dropped right there.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Waker};
use std::time::Duration;

use cachex::{Cache, CacheScope, EntryOptions, Key, RedisSettings, RemoteSettings, RemoteStats, cached, updates};
use cachex_tests::proxy::{Mode, Proxy};
use cachex_tests::redis::Server;
use tokio::sync::Notify;

use super::gated::{Gate, Gated, Gates, Step};
use super::{node, node_with, pause, until};

/// A value that changes, the "database" of all nodes.
#[derive(Clone, CacheScope)]
struct Rows {
    #[scope(cache)]
    cache: Cache,
    source: Arc<Source>,
}

#[derive(Debug, Default)]
struct Source {
    value: AtomicU64,
    loads: AtomicU64,
    has_written: Notify,
    may_return: Notify,
}

impl Rows {
    #[cached(ttl = "1h", tags = ["rows", "row:{id}"])]
    async fn find(&self, id: u64) -> u64 {
        let _ = id;
        self.source.loads.fetch_add(1, Ordering::SeqCst);
        self.value()
    }

    #[updates(Self::find(id), tags = ["saved"])]
    async fn save(&self, id: u64, value: u64) -> u64 {
        let _ = id;
        self.write(value)
    }

    /// Writes, and returns when it is told to.
    #[updates(Self::find(id))]
    async fn save_slowly(&self, id: u64, value: u64) -> u64 {
        let _ = id;
        self.write(value);
        self.source.has_written.notify_one();
        self.source.may_return.notified().await;
        value
    }

    fn value(&self) -> u64 {
        self.source.value.load(Ordering::SeqCst)
    }

    fn write(&self, value: u64) -> u64 {
        self.source.value.store(value, Ordering::SeqCst);
        value
    }

    fn loads(&self) -> u64 {
        self.source.loads.load(Ordering::SeqCst)
    }

    fn stats(&self) -> RemoteStats {
        self.cache.remote_stats().unwrap()
    }
}

/// A node whose calls to the store can be held up, and another one, over a server.
struct Nodes {
    server: Server,
    gates: Gates,
    a: Rows,
    b: Rows,
}

impl Nodes {
    async fn new() -> Self {
        let (server, gates) = (Server::start(), Gates::default());
        let mut redis = RedisSettings::new(server.url());
        redis.timeout = Duration::from_secs(10);
        let store = Gated::new(redis.open("tests").unwrap(), &gates);
        let mut remote = RemoteSettings::default();
        // What is not given back is missed by whoever waits for it.
        remote.lease = Duration::from_secs(60);
        let cache = Cache::builder().namespace("tests").store(store).remote(remote).build().unwrap();
        cache.connected(Duration::from_secs(10)).await.unwrap();
        let source = Arc::<Source>::default();
        let a = Rows { cache, source: source.clone() };
        let b = Rows { cache: node(&server).await, source };
        Self { server, gates, a, b }
    }

    /// Makes a node that has nothing in memory.
    async fn fresh(&self) -> Rows {
        Rows { cache: node(&self.server).await, source: self.a.source.clone() }
    }

    /// Has a value in the second tier that is older than the source, and in nobody's memory.
    async fn older(&self, id: u64) {
        self.b.cache.invalidate_tags(["rows"]).await;
        let fresh = self.fresh().await;
        fresh.find(id).await;
        until("it is stored", async || fresh.stats().stores == 1).await;
        self.a.write(self.a.value() + 1);
    }

    /// Checks that all nodes read what the source holds, and that nothing stays under way.
    async fn agree(&self) {
        until("all is delivered", async || self.a.stats().undelivered == 0).await;
        assert_eq!(self.a.cache.loads_in_flight(), 0);
        assert_eq!((self.a.find(1).await, self.fresh().await.find(1).await), (self.a.value(), self.a.value()));
        until("the other has heard of it", async || self.b.find(1).await == self.b.value()).await;
    }
}

/// Polls a future once; it has to wait.
fn begin(future: &mut (impl Future<Output: std::fmt::Debug> + Unpin)) {
    let polled = std::pin::Pin::new(future).poll(&mut Context::from_waker(Waker::noop()));
    assert!(polled.is_pending(), "it has to wait: {polled:?}");
}

/// Drops a call where it waits in the store, and lets the store go on.
async fn drop_there<T: Send + 'static>(mut gate: Gate, call: impl Future<Output = T> + Send + 'static) {
    let call = tokio::spawn(call);
    gate.reached().await;
    call.abort();
    assert!(call.await.is_err());
    gate.open();
}

// The awaits of `updates_async`: the two questions of `announce`, the method, the delivery.
#[tokio::test(flavor = "multi_thread")]
async fn an_update_can_be_dropped_at_each_of_its_steps() {
    let nodes = Nodes::new().await;
    let a = &nodes.a;
    let mut value = 10;
    for step in ["announce", "begin", "settle", "write_announced"]
        .into_iter()
        .flat_map(|name| [Step::Before(name), Step::After(name)])
    {
        nodes.agree().await;
        value += 2;
        let saving = a.clone();
        drop_there(nodes.gates.hold(step), async move { saving.save(1, value).await }).await;
        nodes.agree().await;
        // The next one is kept as ever.
        let (writes, loads) = (a.stats().writes, a.loads());
        assert_eq!(a.save(1, value + 1).await, value + 1);
        assert_eq!((nodes.fresh().await.find(1).await, a.loads()), (value + 1, loads), "{step:?}");
        assert_eq!(a.stats().writes, writes + 1, "{step:?}");
    }
    // It has written, and nobody was told.
    nodes.agree().await;
    let saving = a.clone();
    let call = tokio::spawn(async move { saving.save_slowly(1, 7).await });
    a.source.has_written.notified().await;
    call.abort();
    assert!(call.await.is_err());
    assert_eq!(a.value(), 7);
    nodes.agree().await;
}

/// A step that fails is as good as one that was not made.
#[tokio::test(flavor = "multi_thread")]
async fn an_update_whose_steps_fail_keeps_nothing_and_invalidates() {
    let nodes = Nodes::new().await;
    let mut value = 10;
    for step in ["announce", "begin", "settle", "write_announced"]
        .into_iter()
        .flat_map(|name| [Step::Before(name), Step::After(name)])
    {
        nodes.agree().await;
        value += 1;
        let (writes, saving, mut gate) = (nodes.a.stats().writes, nodes.a.clone(), nodes.gates.hold(step));
        let call = tokio::spawn(async move { saving.save(1, value).await });
        gate.reached().await;
        drop(gate);
        assert_eq!(call.await.unwrap(), value);
        assert_eq!(nodes.a.stats().writes, writes, "{step:?}");
        nodes.agree().await;
    }
}

// Guards the looks into the log in `SETTLE`: what came between is not known here, as its notice is late.
#[tokio::test(flavor = "multi_thread")]
async fn an_update_learns_from_the_store_what_came_between_if_no_notice_told() {
    let server = Server::start();
    let proxy = Proxy::before(server.port());
    let source = Arc::<Source>::default();
    let deaf = node_with(&server, |redis, _| redis.url = proxy.url()).await;
    let a = Rows { cache: deaf, source: source.clone() };
    let b = Rows { cache: node(&server).await, source: source.clone() };
    for (round, what) in (1..).zip(["its tag", "everything", "the key", "its tag, and the log is lost"]) {
        let saving = a.clone();
        let update = tokio::spawn(async move { saving.save_slowly(1, 10 * round).await });
        source.has_written.notified().await;
        proxy.set(Mode::HoldMessages);
        b.write(10 * round + 1);
        match what {
            "everything" => b.cache.clear().await,
            "the key" => drop(b.find_remove(&1).await),
            _ => b.cache.invalidate_tags(["row:1"]).await,
        }
        if what.ends_with("lost") {
            assert_eq!(server.command(&["DEL", "{cx:tests}:clock"]).unwrap(), ":1\r\n");
        }
        source.may_return.notify_one();
        update.await.unwrap();
        assert_eq!((a.stats().writes, a.stats().write_errors), (0, round), "{what}");
        let fresh = Rows { cache: node(&server).await, source: source.clone() };
        assert_eq!((fresh.find(1).await, a.find(1).await), (10 * round + 1, 10 * round + 1), "{what}");
        proxy.set(Mode::Pass);
        until("the notice has come", async || a.stats().notices >= round).await;
    }
}

// Guards `patterns` in `Outbox::holds` and `Outbox::emptied_of`.
#[tokio::test(flavor = "multi_thread")]
async fn while_keys_are_removed_by_pattern_nobody_here_is_answered_with_them_or_waits() {
    let nodes = Nodes::new().await;
    nodes.older(1).await;
    let mut gate = nodes.gates.hold(Step::Before("remove_all"));
    let mut removal = Box::pin(nodes.a.cache.remove_matching("*::find(1)"));
    begin(&mut removal);
    gate.reached().await;
    nodes.gates.have_seen(Step::Before("read"));
    // Each loads at once: a walk over all keys may take long. (Without that it is as long as for the load of another process.)
    let reading = async {
        assert_eq!(nodes.a.find(1).await, nodes.a.value());
        nodes.a.write(nodes.a.value() + 1);
        nodes.a.cache.remove(&nodes.a.find_key(&1)).await;
        assert_eq!(nodes.a.find(1).await, nodes.a.value());
    };
    tokio::time::timeout(Duration::from_secs(8), reading).await.expect("nobody waits for the walk");
    assert!(!nodes.gates.have_seen(Step::Before("read")), "it asks what is not to be trusted");
    assert!(nodes.a.stats().bypasses >= 2, "{:?}", nodes.a.stats());
    gate.open();
    removal.await;
    nodes.agree().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removal_by_pattern_goes_on_when_its_call_is_dropped() {
    let nodes = Nodes::new().await;
    for step in [Step::Before("remove_all"), Step::After("remove_all"), Step::Before("publish"), Step::After("publish")]
    {
        nodes.older(1).await;
        let removing = nodes.a.clone();
        drop_there(nodes.gates.hold(step), async move { removing.cache.remove_matching("*::find(1)").await }).await;
        nodes.agree().await;
        let told = format!("{step:?}: {:?}", nodes.a.stats());
        assert_eq!(nodes.a.stats().invalidation_errors, 0, "{told}");
    }
}

// Guards the fallback in `send_matching`.
#[tokio::test(flavor = "multi_thread")]
async fn where_keys_can_not_be_removed_by_pattern_everything_is_invalidated() {
    let nodes = Nodes::new().await;
    let mut failures = 0;
    for step in [Step::Before("remove_all"), Step::After("remove_all"), Step::Before("publish"), Step::After("publish")]
    {
        nodes.older(1).await;
        assert_ne!(nodes.b.find(1).await, nodes.b.value(), "it is in the memory of another node");
        let mut gate = nodes.gates.hold(step);
        let removing = nodes.a.clone();
        let removal = tokio::spawn(async move { removing.cache.remove_matching("*::find(1)").await });
        gate.reached().await;
        drop(gate);
        removal.await.unwrap();
        failures += 1;
        assert_eq!(nodes.a.stats().invalidation_errors, failures);
        nodes.agree().await;
    }
}

// Guards `nothing_written_of` in `send_matching`.
#[tokio::test(flavor = "multi_thread")]
async fn a_write_from_before_a_removal_by_pattern_does_not_come_after_it() {
    let nodes = Nodes::new().await;
    let (key, a) = (Key::new("texts"), nodes.a.cache.clone());
    let mut gate = nodes.gates.hold(Step::Before("write"));
    let mut walked = nodes.gates.hold(Step::After("remove_all"));
    let setting = tokio::spawn(async move { a.set(&Key::new("texts"), 1, &EntryOptions::new()).await });
    gate.reached().await;
    let mut removal = Box::pin(nodes.a.cache.remove_matching("texts*"));
    begin(&mut removal);
    // It must not be done yet; if it is, the write comes after it.
    tokio::select! {
        () = walked.reached() => {}
        () = pause(Duration::from_millis(300)) => {}
    }
    walked.open();
    gate.open();
    setting.await.unwrap().unwrap();
    removal.await;
    assert_eq!(node(&nodes.server).await.get::<i32>(&key).await.unwrap(), None);
    assert_eq!(nodes.a.cache.get::<i32>(&key).await.unwrap(), None);
}

// Guards `is_unaltered` in `write_one`: the clock there is read after the invalidation, and would not tell.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_invalidated_right_after_it_was_set_does_not_come_back() {
    let nodes = Nodes::new().await;
    let (key, a) = (Key::new("text"), nodes.a.cache.clone());
    let mut gate = nodes.gates.hold(Step::Before("begin"));
    let setting = tokio::spawn(async move { a.set(&Key::new("text"), 1, &EntryOptions::new().tag("texts")).await });
    gate.reached().await;
    nodes.a.cache.invalidate_tags(["texts"]).await;
    gate.open();
    setting.await.unwrap().unwrap();
    assert_eq!(nodes.a.stats().writes, 0);
    assert_eq!(node(&nodes.server).await.get::<i32>(&key).await.unwrap(), None);
    assert_eq!(nodes.a.cache.get::<i32>(&key).await.unwrap(), None);
}

// Guards `nothing_sent_of` in `write_one`.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_set_after_a_removal_is_not_taken_away_by_it() {
    let nodes = Nodes::new().await;
    let (key, a) = (Key::new("text"), nodes.a.cache.clone());
    let mut gate = nodes.gates.hold(Step::Before("invalidate"));
    let mut written = nodes.gates.hold(Step::After("write"));
    let mut removal = Box::pin(nodes.a.cache.remove(&key));
    begin(&mut removal);
    gate.reached().await;
    let setting = tokio::spawn(async move { a.set(&Key::new("text"), 2, &EntryOptions::new()).await });
    // It must not be done yet; if it is, the removal comes after it.
    tokio::select! {
        () = written.reached() => {}
        () = pause(Duration::from_millis(300)) => {}
    }
    written.open();
    gate.open();
    setting.await.unwrap().unwrap();
    removal.await;
    assert_eq!(node(&nodes.server).await.get::<i32>(&key).await.unwrap(), Some(2));
    assert_eq!(nodes.a.cache.get::<i32>(&key).await.unwrap(), Some(2));
}

// Guards what `in_turn` does with who waits for a removal.
#[tokio::test(flavor = "multi_thread")]
async fn who_has_removed_a_key_is_told_when_what_was_written_in_its_place_has_arrived() {
    let nodes = Nodes::new().await;
    let (key, a) = (Key::new("text"), nodes.a.cache.clone());
    // Something else is on its way, so the removal waits.
    let mut gate = nodes.gates.hold(Step::Before("invalidate"));
    let other = a.invalidate_tags(["others"]);
    gate.reached().await;
    let mut removal = Box::pin(nodes.a.cache.remove(&key));
    begin(&mut removal);
    let mut written = nodes.gates.hold(Step::Before("write"));
    let setting = tokio::spawn(async move { a.set(&Key::new("text"), 2, &EntryOptions::new()).await });
    written.reached().await;
    gate.open();
    other.await;
    begin(&mut removal);
    written.open();
    removal.await;
    assert_eq!(node(&nodes.server).await.get::<i32>(&key).await.unwrap(), Some(2));
    setting.await.unwrap().unwrap();
}

// Guards `wait_on`.
#[tokio::test(flavor = "multi_thread")]
async fn who_has_removed_a_key_is_not_told_because_what_was_to_be_written_in_its_place_has_failed() {
    let nodes = Nodes::new().await;
    let (key, a) = (Key::new("text"), nodes.a.cache.clone());
    a.set(&key, 1, &EntryOptions::new()).await.unwrap();
    let mut gate = nodes.gates.hold(Step::Before("invalidate"));
    let other = a.invalidate_tags(["others"]);
    gate.reached().await;
    let mut removal = Box::pin(nodes.a.cache.remove(&key));
    begin(&mut removal);
    let mut written = nodes.gates.hold(Step::Before("write"));
    let setting = tokio::spawn(async move { a.set(&Key::new("text"), 2, &EntryOptions::new()).await });
    written.reached().await;
    gate.open();
    other.await;
    // What was there is still there, and goes next.
    let mut gate = nodes.gates.hold(Step::Before("invalidate"));
    drop(written);
    gate.reached().await;
    begin(&mut removal);
    gate.open();
    removal.await;
    assert_eq!(node(&nodes.server).await.get::<i32>(&key).await.unwrap(), None);
    setting.await.unwrap().unwrap();
}

// Guards `failed_to_write` in `write_one`: else one tier has what the other has not.
#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_be_written_goes_here_as_well() {
    let nodes = Nodes::new().await;
    let key = Key::new("text");
    for step in [Step::Before("begin"), Step::Before("write"), Step::After("write")] {
        let (a, mut gate) = (nodes.a.cache.clone(), nodes.gates.hold(step));
        let setting = tokio::spawn(async move { a.set(&Key::new("text"), 1, &EntryOptions::new()).await });
        gate.reached().await;
        assert_eq!(nodes.a.cache.get::<i32>(&key).await.unwrap(), Some(1));
        drop(gate);
        setting.await.unwrap().unwrap();
        until("it is gone here", async || nodes.a.cache.get::<i32>(&key).await.unwrap().is_none()).await;
        assert_eq!(node(&nodes.server).await.get::<i32>(&key).await.unwrap(), None, "{step:?}");
    }
}

// The awaits of a load: whoever is dropped there leaves its lease to others.
#[tokio::test(flavor = "multi_thread")]
async fn a_load_can_be_dropped_at_each_of_its_steps() {
    let nodes = Nodes::new().await;
    for step in ["read", "lease", "begin", "put"].into_iter().flat_map(|name| [Step::Before(name), Step::After(name)]) {
        nodes.a.cache.clear().await;
        let gate = nodes.gates.hold(step);
        let loading = nodes.a.clone();
        drop_there(gate, async move {
            let value = loading.find(1).await;
            // The value is put in the background.
            std::future::pending::<()>().await;
            value
        })
        .await;
        assert_eq!(nodes.a.cache.loads_in_flight(), 0, "{step:?}");
        nodes.a.write(nodes.a.value() + 1);
        nodes.b.cache.invalidate_tags(["row:1"]).await;
        // At once, and not when a lease has ended.
        assert_eq!(nodes.b.find(1).await, nodes.b.value(), "{step:?}");
        assert_eq!(nodes.b.stats().impatience, 0, "{step:?}");
        nodes.agree().await;
    }
}

// Guards the counting in `Remote::ask`.
#[tokio::test(flavor = "multi_thread")]
async fn who_looks_again_and_again_while_another_loads_is_counted_once() {
    let nodes = Nodes::new().await;
    // It has the lease, and does not load yet.
    let (mut gate, a, b) = (nodes.gates.hold(Step::Before("begin")), nodes.a.clone(), nodes.b.clone());
    let loading = tokio::spawn(async move { a.find(1).await });
    gate.reached().await;
    let waiting = tokio::spawn(async move { b.find(1).await });
    until("it has looked a few times", async || nodes.b.stats().waits >= 4).await;
    gate.open();
    assert_eq!((loading.await.unwrap(), waiting.await.unwrap()), (0, 0));
    let found = |stats: RemoteStats| (stats.hits, stats.misses);
    assert_eq!((found(nodes.a.stats()), found(nodes.b.stats())), ((0, 1), (1, 0)));
    assert_eq!(nodes.b.stats().impatience, 0);
}

/// So many tags at once would take a slow server, or a slow network, longer than its timeout, each time they are sent.
#[tokio::test(flavor = "multi_thread")]
async fn of_thousands_of_tags_those_that_have_arrived_are_not_sent_again() {
    let nodes = Nodes::new().await;
    nodes.older(1).await;
    let before = nodes.a.stats().invalidations;
    let mut first = nodes.gates.hold(Step::Before("invalidate"));
    let tags: Vec<_> = (0..1_100).map(|number| format!("row:{number}")).collect();
    let invalidating = nodes.a.cache.clone();
    let invalidating = tokio::spawn(async move { invalidating.invalidate_tags(tags).await });
    first.reached().await;
    let mut second = nodes.gates.hold(Step::Before("invalidate"));
    first.open();
    second.reached().await;
    // It fails, and what is sent then is what has not arrived.
    let mut third = nodes.gates.hold(Step::Before("invalidate"));
    drop(second);
    third.reached().await;
    assert!((1..1_100).contains(&nodes.a.stats().undelivered), "{:?}", nodes.a.stats());
    third.open();
    invalidating.await.unwrap();
    nodes.agree().await;
    let stats = nodes.a.stats();
    // Each is counted once.
    assert_eq!((stats.invalidations - before, stats.invalidation_errors), (1_100, 1));
}

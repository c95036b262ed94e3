//! Connections on the runtime of those who call: used by whom they are for, and never needed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use cachex::{Cache, CacheScope, RedisSettings, RemoteSettings, cached};
use cachex_tests::cluster::Cluster;
use cachex_tests::proxy::Proxy;
use cachex_tests::redis::Server;
use tokio::runtime::{Builder, Handle, Runtime};

use super::{Servers, pause, until};

#[derive(Clone, CacheScope)]
struct Values {
    #[scope(cache)]
    cache: Cache,
    loads: Arc<AtomicU64>,
}

impl Values {
    #[cached(name = "callers.value", ttl = "1h", tags = ["values"])]
    async fn value(&self, id: u64) -> u64 {
        self.loads.fetch_add(1, Ordering::Relaxed);
        id
    }

    #[cached(name = "callers.blocking", ttl = "1h", tags = ["values"])]
    fn blocking(&self, id: u64) -> u64 {
        self.loads.fetch_add(1, Ordering::Relaxed);
        id
    }

    fn new(server: &impl Servers, runtime: Option<&Handle>, change: impl FnOnce(&mut RedisSettings)) -> Self {
        let mut redis = RedisSettings::new(server.url());
        redis.timeout = Duration::from_secs(10);
        redis.connect_timeout = Duration::from_secs(10);
        // Nothing is sent but what is asked: so the last command of each connection tells what it is for.
        redis.ping_interval = Duration::from_secs(60);
        change(&mut redis);
        let mut remote = RemoteSettings::default();
        // Every call asks Redis.
        remote.l1_ttl = Some(Duration::ZERO);
        let builder = Cache::builder().namespace("tests").redis(redis).remote(remote);
        let builder = runtime.cloned().into_iter().fold(builder, cachex::Builder::runtime);
        let cache = builder.build().unwrap();
        cachex_tests::connected(&cache).unwrap();
        Self { cache, loads: Arc::default() }
    }

    fn loads(&self) -> u64 {
        self.loads.load(Ordering::Relaxed)
    }

    fn stored(&self) -> u64 {
        self.cache.remote_stats().unwrap().stores
    }

    /// Whether something of Redis has failed.
    fn has_failed(&self) -> bool {
        let stats = self.cache.remote_stats().unwrap();
        (stats.errors, stats.bypasses) != (0, 0)
    }
}

/// Fills the server, and returns the cache that did it; it has no other connections than those on its own thread.
fn filled(server: &impl Servers) -> Values {
    let values = Values::new(server, None, |_| {});
    let runtime = current_thread();
    runtime.block_on(async {
        for id in 0..8 {
            values.value(id).await;
            values.blocking(id);
        }
        until("the values are stored", async || values.stored() == 16).await;
    });
    values
}

fn multi_thread(workers: usize) -> Runtime {
    Builder::new_multi_thread().worker_threads(workers).enable_all().build().unwrap()
}

fn current_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// Returns the numbers of the connections whose last command was one of these.
fn connections(server: &Server, commands: &[&str]) -> Vec<String> {
    let list = server.command(&["CLIENT", "LIST"]).unwrap();
    let is_meant = |line: &&str| line.split(' ').any(|word| commands.iter().any(|name| word == format!("cmd={name}")));
    let number = |line: &str| line.split(' ').find_map(|word| word.split("id=").nth(1)).map(str::to_owned);
    list.lines().filter(is_meant).filter_map(number).collect()
}

/// Reads until both have answered: the connection on the thread of the cache, and the one beside callers.
fn used(callers: &Runtime, values: &Values, server: &Server) {
    callers.block_on(until("both connections are used", async || {
        values.blocking(0);
        values.value(0).await;
        connections(server, &["mget"]).len() == 2
    }));
}

#[test]
fn awaited_calls_read_beside_their_callers_and_all_else_does_not() {
    let server = Server::start();
    drop(filled(&server));
    let (callers, others) = (multi_thread(2), multi_thread(1));
    let values = Values::new(&server, Some(callers.handle()), |_| {});
    used(&callers, &values, &server);
    // What is loaded is stored over our own: then that has read nothing of late.
    let mut loads = 0;
    let mut check = |case: &str, read: &dyn Fn(), is_beside: bool| {
        loads += 1;
        values.blocking(100 + loads);
        others.block_on(until("the value is stored", async || values.stored() == loads));
        let before = connections(&server, &["mget"]);
        assert_eq!(before.len(), 1, "{case}: what changes something goes over our own");
        read();
        assert_eq!(connections(&server, &["mget"]) == before, is_beside, "{case}");
    };
    check("in a task", &|| spawned(&callers, &values, |values| async move { values.value(1).await }), true);
    check("where the runtime is driven", &|| assert_eq!(callers.block_on(values.value(2)), 2), true);
    check("from another runtime", &|| assert_eq!(others.block_on(values.value(3)), 3), false);
    check(
        "from a task of another runtime",
        &|| spawned(&others, &values, |values| async move { values.value(4).await }),
        false,
    );
    check("blocking, in a task", &|| spawned(&callers, &values, |values| async move { values.blocking(5) }), false);
    check("blocking", &|| assert_eq!(values.blocking(6), 6), false);
    assert_eq!((values.loads(), values.has_failed()), (6, false));
}

fn spawned<F: Future<Output = u64> + Send + 'static>(
    runtime: &Runtime,
    values: &Values,
    read: impl FnOnce(Values) -> F,
) {
    let task = read(values.clone());
    let _value = runtime.block_on(async { tokio::spawn(task).await.unwrap() });
}

fn until_stored(runtime: &Runtime, values: &Values) {
    runtime.block_on(until("the value is stored", async || values.stored() == 1));
}

/// What a blocking call waits for may be next on its own thread, which nobody else takes it from.
#[test]
fn a_blocking_call_on_the_only_worker_of_the_runtime_does_not_wait_for_itself() {
    for runtime in [multi_thread(1), current_thread()] {
        let server = Server::start();
        drop(filled(&server));
        let values = Values::new(&server, Some(runtime.handle()), |redis| redis.timeout = Duration::from_secs(2));
        used(&runtime, &values, &server);
        let asked = values.clone();
        let task = async move {
            // The connection beside is used by this very thread, and driven by it.
            assert_eq!(asked.value(0).await, 0);
            (1..8).map(|id| asked.blocking(id)).sum::<u64>()
        };
        let sum = runtime.block_on(async { tokio::spawn(task).await.unwrap() });
        assert_eq!(sum, (1..8).sum::<u64>());
        assert_eq!((values.loads(), values.has_failed()), (0, false));
    }
}

#[test]
fn when_the_runtime_ends_calls_go_on_over_the_thread_of_the_cache() {
    let server = Server::start();
    drop(filled(&server));
    let others = multi_thread(1);
    let callers = multi_thread(2);
    let handle = callers.handle().clone();
    let values = Values::new(&server, Some(&handle), |_| {});
    used(&callers, &values, &server);
    callers.shutdown_background();
    assert_eq!(others.block_on(values.value(1)), 1);
    assert_eq!(values.blocking(2), 2);
    assert_eq!((values.loads(), values.has_failed()), (0, false));
    // A thread that is still taken for one of it finds out, and then asks as all others do.
    assert_eq!(handle.block_on(values.value(3)), 3);
    let is_told = async || {
        let error = values.cache.remote_stats().unwrap().last_error;
        error.as_deref() == Some("the runtime that the cache was given has ended")
    };
    others.block_on(until("it is told why", is_told));
    let (loads, errors) = (values.loads(), values.cache.remote_stats().unwrap().errors);
    assert!(loads <= 1 && errors <= 1, "{loads} {errors}");
    assert_eq!(handle.block_on(values.value(4)), 4);
    assert_eq!((values.loads(), values.cache.remote_stats().unwrap().errors), (loads, errors));
    others.block_on(values.cache.invalidate_tags(["values"]));
    assert_eq!(others.block_on(values.value(5)), 5);
    assert_eq!(values.loads(), loads + 1);
    let stats = values.cache.remote_stats().unwrap();
    assert_eq!((stats.undelivered, stats.is_up, stats.is_listening, stats.disconnects), (0, true, true, 0));
}

/// A runtime that stands still, until this is dropped.
struct Blocked {
    release: Option<mpsc::Sender<()>>,
}

impl Blocked {
    fn begin(runtime: &Runtime) -> Self {
        let (began, begun) = mpsc::channel();
        let (release, released) = mpsc::channel::<()>();
        runtime.spawn(async move {
            began.send(()).unwrap();
            let _dropped = released.recv();
        });
        begun.recv().unwrap();
        Self { release: Some(release) }
    }
}

impl Drop for Blocked {
    fn drop(&mut self) {
        drop(self.release.take());
    }
}

#[test]
fn a_runtime_that_stands_still_keeps_nobody_from_being_told() {
    let server = Server::start();
    let other = filled(&server);
    let (callers, others) = (multi_thread(1), multi_thread(1));
    let values = Values::new(&server, Some(callers.handle()), |redis| redis.connections = 1);
    used(&callers, &values, &server);
    let blocked = Blocked::begin(&callers);
    let heard = || values.cache.remote_stats().unwrap().notices;
    // What others invalidate is heard …
    let before = heard();
    others.block_on(other.cache.invalidate_tags(["values"]));
    others.block_on(until("the notice is heard", async || heard() > before));
    // … what is invalidated here is delivered, and heard by others …
    let before = other.cache.remote_stats().unwrap().notices;
    values.cache.invalidate_tags(["values"]).wait();
    assert_eq!(values.cache.remote_stats().unwrap().undelivered, 0);
    let is_heard = async || other.cache.remote_stats().unwrap().notices > before;
    others.block_on(until("the notice is heard by others", is_heard));
    // … and who is elsewhere is answered, and what they load is stored.
    assert_eq!(values.blocking(1), 1);
    until_stored(&others, &values);
    assert_eq!(others.block_on(other.value(1)), 1);
    assert!(!values.has_failed());
    drop(blocked);
}

#[test]
fn a_connection_that_is_not_driven_is_given_up_after_one_timeout_and_made_again() {
    let server = Server::start();
    drop(filled(&server));
    let (callers, others) = (multi_thread(1), multi_thread(1));
    let values = Values::new(&server, Some(callers.handle()), |redis| {
        redis.timeout = Duration::from_millis(500);
        redis.connect_timeout = Duration::from_millis(500);
    });
    used(&callers, &values, &server);
    let blocked = Blocked::begin(&callers);
    let errors = || values.cache.remote_stats().unwrap().errors;
    // This thread is one of the runtime, and its connection is driven by the worker.
    callers.block_on(async {
        assert_eq!(values.value(1).await, 1);
        assert_eq!((values.loads(), errors()), (1, 1));
        // The connection is asked as well, and does not answer: then all is read over that of the thread of the cache.
        let is_given_up = async || {
            let before = errors();
            values.value(2).await;
            errors() == before
        };
        while !is_given_up().await {
            // Not by a timer of this runtime, which nobody drives either.
            others.spawn(pause(Duration::from_millis(5))).await.unwrap();
        }
        let loads = values.loads();
        for id in 3..8 {
            assert_eq!(values.value(id).await, id);
        }
        assert_eq!(values.loads(), loads);
    });
    let own = connections(&server, &["mget"]);
    drop(blocked);
    // The runtime goes on: the connection is there again, and used.
    callers.block_on(until("it is used again", async || {
        values.value(3).await;
        connections(&server, &["mget"]).iter().any(|number| !own.contains(number))
    }));
}

#[test]
fn connections_beside_callers_come_back_with_the_server() {
    let mut server = Server::start();
    let (callers, others) = (multi_thread(1), multi_thread(1));
    let values = Values::new(&server, Some(callers.handle()), |_| {});
    used(&callers, &values, &server);
    server.kill();
    server.run();
    others.block_on(values.cache.connected(Duration::from_secs(10))).unwrap();
    used(&callers, &values, &server);
}

/// What is invalidated over one connection would not be seen over the other.
#[test]
fn a_connection_that_was_led_to_another_server_is_not_read_from_and_comes_back() {
    let (server, other) = (Server::start(), Server::start());
    let proxy = Proxy::before(server.port());
    drop(filled(&server));
    let callers = multi_thread(1);
    let values = Values::new(&server, Some(callers.handle()), |redis| redis.url = proxy.url());
    used(&callers, &values, &server);
    // Something is stored over our own: then that has not read of late.
    values.blocking(100);
    until_stored(&callers, &values);
    proxy.redirect(other.port());
    let [near] = &connections(&server, &["mget"])[..] else { panic!("one reads beside its callers") };
    server.command(&["CLIENT", "KILL", "ID", near]).unwrap();
    // Found out by whoever asks, again and again.
    let known = proxy.connections();
    callers.block_on(until("it is left each time", async || {
        values.value(1).await;
        proxy.connections() > known + 3
    }));
    // Who asked when the connection was cut loaded for itself.
    let (loads, errors) = (values.loads(), values.cache.remote_stats().unwrap().errors);
    assert!(loads <= 2 && errors <= 1, "{loads} {errors}");
    for id in 0..8 {
        assert_eq!(callers.block_on(values.value(id)), id);
    }
    assert_eq!(connections(&other, &["mget"]).len(), 0);
    proxy.redirect(server.port());
    used(&callers, &values, &server);
    assert_eq!((values.loads(), values.cache.remote_stats().unwrap().errors), (loads, errors));
}

#[test]
fn masters_of_a_cluster_are_read_from_beside_their_callers_too() {
    let cluster = Cluster::start(0);
    drop(filled(&cluster));
    let callers = multi_thread(1);
    let values = Values::new(&cluster, Some(callers.handle()), |_| {});
    let asked = values.clone();
    let task = async move {
        for id in 0..8 {
            assert_eq!(asked.value(id).await, id);
            assert_eq!(asked.blocking(id), id);
        }
        asked.value(100).await
    };
    assert_eq!(callers.block_on(async { tokio::spawn(task).await.unwrap() }), 100);
    until_stored(&callers, &values);
    assert_eq!((values.loads(), values.has_failed()), (1, false));
    assert_eq!(values.cache.remote_stats().unwrap().hits, 16);
}

#[test]
fn a_runtime_without_connections_is_told_and_done_without() {
    let server = Server::start();
    drop(filled(&server));
    let callers = Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let values = Values::new(&server, Some(callers.handle()), |_| {});
    let is_told = async || values.cache.remote_stats().unwrap().last_error.is_some();
    multi_thread(1).block_on(until("it is told", is_told));
    let error = values.cache.remote_stats().unwrap().last_error;
    let expected = "the runtime that the cache was given has no connections; build it with `enable_io`";
    assert_eq!(error.as_deref(), Some(expected));
    assert_eq!(callers.block_on(values.value(1)), 1);
    assert_eq!((values.loads(), values.has_failed()), (0, false));
}

//! Many keys at once: what is asked of the second tier for all of them is on its way at once.

use std::time::{Duration, Instant};

use cachex::{Cache, EntryOptions, Key};
use cachex_tests::proxy::{Mode, Proxy};
use cachex_tests::redis::Server;

use super::{node, node_with, until};

/// To the server, and as much back.
pub(super) const DELAY: Duration = Duration::from_millis(20);
/// So many round trips take less than what a hundred things would that are asked one after the other.
const MOST: Duration = Duration::from_millis(2_000);

fn keys() -> Vec<Key> {
    (0..100).map(|number| Key::entity("number", &number)).collect()
}

async fn values(cache: &Cache) -> Vec<Option<u64>> {
    cache.get_many(&keys()).await.unwrap()
}

/// Makes a cache whose server is far away.
async fn far(server: &Server) -> (Cache, Proxy) {
    let proxy = Proxy::before(server.port());
    let cache = node_with(server, |redis, _| redis.url = proxy.url()).await;
    proxy.delay(DELAY);
    (cache, proxy)
}

#[expect(clippy::disallowed_methods, reason = "the server lives in real time")]
pub(super) async fn timed<T>(what: impl Future<Output = T>) -> T {
    let begun = Instant::now();
    let output = what.await;
    let took = begun.elapsed();
    assert!(took < MOST, "{took:?} are more than a few round trips of {:?}", 2 * DELAY);
    output
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_keys_take_a_few_round_trips() {
    let server = Server::start();
    let near = node(&server).await;
    let (far, _proxy) = far(&server).await;
    let all: Vec<_> = (0..100).map(Some).collect();

    let entries = keys().into_iter().zip(0_u64..);
    timed(far.set_many(entries, &EntryOptions::new().tag("numbers"))).await.unwrap();
    assert_eq!(values(&near).await, all);
    assert_eq!(timed(far.remove_many(&keys())).await, 100);
    assert!(values(&near).await.iter().all(Option::is_none));
    let entries = keys().into_iter().zip(0_u64..);
    near.set_many(entries, &EntryOptions::new().tag("numbers")).await.unwrap();
    assert_eq!(timed(values(&far)).await, all);
    assert_eq!(far.remote_stats().unwrap().hits, 100);
    until("they are in memory, once the notices of the writes have come", async || {
        let hits = far.remote_stats().unwrap().hits;
        assert_eq!(values(&far).await, all);
        far.remote_stats().unwrap().hits == hits
    })
    .await;
    assert_eq!(timed(far.remove_many(&keys())).await, 100);
    assert!(values(&near).await.iter().all(Option::is_none));
    assert!(timed(values(&far)).await.iter().all(Option::is_none));
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_that_block_wait_for_as_little() {
    let server = Server::start();
    let near = node(&server).await;
    let (far, proxy) = far(&server).await;
    near.set_many(keys().into_iter().zip(0_u64..), &EntryOptions::new()).await.unwrap();
    let work = move || {
        let _proxy = proxy;
        let blocking = far.blocking();
        let found = blocking.get_many::<u64>(&keys()).unwrap();
        blocking.set_many(keys().into_iter().zip(100_u64..), &EntryOptions::new()).unwrap();
        (found, blocking.remove_many(&keys()))
    };
    let (found, removed) = timed(tokio::task::spawn_blocking(work)).await.unwrap();
    assert_eq!((found, removed), ((0..100).map(Some).collect(), 100));
    assert!(values(&near).await.iter().all(Option::is_none));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_values_of_one_key_the_last_one_is_kept() {
    let server = Server::start();
    let (a, b) = (node(&server).await, node(&server).await);
    let key = Key::new("counted");
    a.set_many((0..50_u64).map(|number| (key.clone(), number)), &EntryOptions::new()).await.unwrap();
    assert_eq!(a.get(&key).await.unwrap(), Some(49_u64));
    assert_eq!(b.get_many(&[key.clone(), key]).await.unwrap(), [Some(49_u64), Some(49)]);
}

/// Of removals that were sent at once some are known to have arrived and some are not: all of them are sent again.
#[tokio::test(flavor = "multi_thread")]
async fn removals_of_which_one_answer_is_lost_are_all_delivered() {
    let server = Server::start();
    let near = node(&server).await;
    let proxy = Proxy::before(server.port());
    let far = node_with(&server, |redis, _| {
        redis.url = proxy.url();
        redis.connections = 1;
        redis.timeout = Duration::from_secs(1);
    })
    .await;
    for round in 1..=3 {
        let entries = keys().into_iter().zip(0_u64..);
        far.set_many(entries, &EntryOptions::new()).await.unwrap();
        assert!(values(&near).await.iter().all(Option::is_some));
        let errors = far.remote_stats().unwrap().invalidation_errors;
        proxy.set(Mode::Truncate);
        // How many were in memory depends on whether the notices are known to be cut off by now.
        far.remove_many(&keys()).await;
        let stats = far.remote_stats().unwrap();
        assert!(stats.invalidation_errors > errors && stats.undelivered > 0, "round {round}: {stats:?}");
        // What is not known to have arrived is not read.
        assert!(values(&far).await.iter().all(Option::is_none));
        proxy.set(Mode::Pass);
        far.connected(Duration::from_secs(20)).await.unwrap();
        until("all is delivered", async || far.remote_stats().unwrap().undelivered == 0).await;
        until("the other knows", async || values(&near).await.iter().all(Option::is_none)).await;
    }
}

//! Methods with `batch` over the second tier: a lease and a value for each key, in a few round trips for all.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cachex::{Cache, CacheScope, RemoteStats, cached};
use cachex_tests::proxy::Proxy;
use cachex_tests::redis::Server;
use tokio::sync::oneshot;

use super::many::{DELAY, timed};
use super::{node, node_with, until};

/// A table that all nodes share.
#[derive(Default)]
struct Table {
    queries: Mutex<Vec<Vec<u64>>>,
    /// What holds up the next query.
    held: Mutex<Option<oneshot::Receiver<()>>>,
    failures: AtomicU64,
}

impl Table {
    fn hold(&self) -> oneshot::Sender<()> {
        let (open, opened) = oneshot::channel();
        *self.held.lock().unwrap() = Some(opened);
        open
    }

    fn queries(&self) -> Vec<Vec<u64>> {
        std::mem::take(&mut self.queries.lock().unwrap())
    }

    fn is_held(&self) -> bool {
        self.held.lock().unwrap().is_some()
    }
}

#[derive(Clone, CacheScope)]
struct Rows {
    #[scope(cache)]
    cache: Cache,
    table: Arc<Table>,
}

impl Rows {
    #[cached(batch(id in ids), ttl = "1h", tags = ["rows", "row:{id}"])]
    async fn find_all(&self, ids: &[u64]) -> Result<HashMap<u64, String>, String> {
        self.table.queries.lock().unwrap().push(ids.to_vec());
        let held = self.table.held.lock().unwrap().take();
        if let Some(held) = held {
            let _opened = held.await;
        }
        let failures = &self.table.failures;
        if failures.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok() {
            return Err("the table is broken".to_owned());
        }
        Ok(ids.iter().filter(|id| **id < 1_000).map(|id| (*id, format!("row {id}"))).collect())
    }

    #[cached(batch(id in ids), ttl = "1h", tags_with = tags_of)]
    fn look_all(&self, ids: Vec<u64>) -> Vec<u64> {
        self.table.queries.lock().unwrap().push(ids.clone());
        ids
    }

    /// Needs the first key for each other one.
    #[cached(batch(id in ids), ttl = "1h")]
    async fn derive_all(&self, ids: &[u64]) -> Vec<u64> {
        let held = self.table.held.lock().unwrap().take();
        if let Some(held) = held {
            let _opened = held.await;
        }
        let first = if ids.contains(&1) { 1 } else { Box::pin(self.derive_all(&[1])).await[0] };
        ids.iter().map(|id| first * 10 + id).collect()
    }

    fn stats(&self) -> RemoteStats {
        self.cache.remote_stats().unwrap()
    }
}

fn tags_of(id: &u64) -> [String; 1] {
    [format!("found:{id}")]
}

fn rows_of(ids: &[u64]) -> HashMap<u64, String> {
    ids.iter().filter(|id| **id < 1_000).map(|id| (*id, format!("row {id}"))).collect()
}

/// Makes so many nodes over one server and one table.
async fn nodes<const N: usize>(server: &Server) -> [Rows; N] {
    let table = Arc::new(Table::default());
    let mut nodes = Vec::new();
    for _ in 0..N {
        nodes.push(Rows { cache: node(server).await, table: table.clone() });
    }
    nodes.try_into().unwrap_or_else(|_| unreachable!("as many as were asked for"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_keys_take_a_few_round_trips_to_load_and_to_find() {
    let server = Server::start();
    let proxy = Proxy::before(server.port());
    let table = Arc::new(Table::default());
    let far = Rows { cache: node_with(&server, |redis, _| redis.url = proxy.url()).await, table: table.clone() };
    let near = Rows { cache: node(&server).await, table: table.clone() };
    proxy.delay(DELAY);
    let ids: Vec<u64> = (0..90).chain(5_000..5_010).collect();
    assert_eq!(timed(far.find_all(&ids)).await, Ok(rows_of(&ids)));
    assert_eq!(table.queries().len(), 1);
    until("all values are stored", async || far.stats().stores == 100).await;
    // What was not found is known there as well.
    assert_eq!(near.find_all(&ids).await, Ok(rows_of(&ids)));
    assert_eq!((near.stats().hits, table.queries().len()), (100, 0));
    near.cache.clear().await;
    let ids: Vec<u64> = (100..200).collect();
    assert_eq!(near.find_all(&ids).await, Ok(rows_of(&ids)));
    until("all values are stored", async || near.stats().stores == 100).await;
    // What is read before that is not kept.
    until("the other has heard that all was cleared", async || far.stats().notices == 1).await;
    table.queries();
    assert_eq!(timed(far.find_all(&ids)).await, Ok(rows_of(&ids)));
    assert!(table.queries().is_empty());
    // And now they are in memory.
    let hits = far.stats().hits;
    assert_eq!(far.find_all(&ids).await, Ok(rows_of(&ids)));
    assert_eq!(far.stats().hits, hits);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_node_has_loaded_another_takes_and_loads_the_rest() {
    let server = Server::start();
    let [a, b] = nodes(&server).await;
    assert_eq!(a.find_all(&[1, 2, 1_001]).await, Ok(rows_of(&[1, 2])));
    until("the values are stored", async || a.stats().stores == 3).await;
    a.table.queries();
    assert_eq!(b.find_all(&[3, 2, 1_001, 1]).await, Ok(rows_of(&[1, 2, 3])));
    assert_eq!(a.table.queries(), [[3]]);
    b.cache.invalidate_tags(["row:2"]).await;
    assert_eq!(b.find_all(&[1, 2, 3]).await, Ok(rows_of(&[1, 2, 3])));
    assert_eq!(a.table.queries(), [[2]]);
    until("the other has heard of it", async || a.stats().notices > 0).await;
    until("the value is stored", async || b.stats().stores == 2).await;
    assert_eq!(a.find_all(&[1, 2, 3]).await, Ok(rows_of(&[1, 2, 3])));
    assert!(a.table.queries().is_empty());
}

// Guards `Held` in `remote::batch`: what is held elsewhere holds up nothing.
#[tokio::test(flavor = "multi_thread")]
async fn what_another_node_loads_is_waited_for_once_the_rest_has_landed() {
    let server = Server::start();
    let [a, b] = nodes(&server).await;
    let gate = a.table.hold();
    let first = tokio::spawn({
        let a = a.clone();
        async move { a.find_all(&[1, 2, 3]).await }
    });
    until("the load has begun", async || !a.table.is_held()).await;
    let second = tokio::spawn({
        let b = b.clone();
        async move { b.find_all(&[3, 4, 1]).await }
    });
    until("it looks for both again and again", async || b.stats().waits >= 6).await;
    assert_eq!(a.table.queries(), [vec![1, 2, 3], vec![4]]);
    // Its own part has landed: who asks for it is answered.
    assert_eq!(b.find_all(&[4]).await, Ok(rows_of(&[4])));
    gate.send(()).unwrap();
    assert_eq!(first.await.unwrap(), Ok(rows_of(&[1, 2, 3])));
    assert_eq!(second.await.unwrap(), Ok(rows_of(&[1, 3, 4])));
    assert!(a.table.queries().is_empty());
    assert_eq!((b.stats().impatience, b.cache.loads_in_flight()), (0, 0));
    // Each key is counted once, however often it was looked for.
    assert_eq!((b.stats().hits, b.stats().misses), (2, 1));
}

// Guards `held` in the `frame` of `batch::turn`: the inner call would wait for the outer one, which waits for another process.
#[tokio::test(flavor = "multi_thread")]
async fn a_load_may_need_a_key_of_its_batch_that_another_node_loads() {
    let server = Server::start();
    let [a, b] = nodes(&server).await;
    let gate = a.table.hold();
    let first = tokio::spawn({
        let a = a.clone();
        async move { a.derive_all(&[1]).await }
    });
    until("the load has begun", async || !a.table.is_held()).await;
    let second = tokio::spawn({
        let b = b.clone();
        async move { b.derive_all(&[1, 2]).await }
    });
    until("it waits for the other", async || b.stats().waits + b.stats().impatience > 0).await;
    gate.send(()).unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(30), second).await.expect("nobody waits for ever");
    assert_eq!((ended.unwrap(), first.await.unwrap()), (vec![11, 112], vec![11]));
    assert_eq!(b.cache.loads_in_flight(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_load_that_fails_or_is_dropped_gives_all_its_leases_back() {
    let server = Server::start();
    let [a, b] = nodes(&server).await;
    a.table.failures.store(1, Ordering::SeqCst);
    assert!(a.find_all(&[1, 2, 3]).await.is_err());
    assert_eq!(b.find_all(&[3, 2, 1]).await, Ok(rows_of(&[1, 2, 3])));
    let _gate = a.table.hold();
    let call = tokio::spawn({
        let a = a.clone();
        async move { a.find_all(&[4, 5]).await }
    });
    until("the load has begun", async || !a.table.is_held()).await;
    call.abort();
    assert_eq!(b.find_all(&[5, 4]).await, Ok(rows_of(&[4, 5])));
    assert_eq!(b.stats().impatience, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_that_block_and_tags_that_are_found_out() {
    let server = Server::start();
    let [a, b] = nodes(&server).await;
    let look = |rows: &Rows, ids: Vec<u64>| {
        let rows = rows.clone();
        async move { tokio::task::spawn_blocking(move || rows.look_all(ids)).await.unwrap() }
    };
    assert_eq!(look(&a, vec![1, 2, 3]).await, [1, 2, 3]);
    until("the values are stored", async || a.stats().stores == 3).await;
    assert_eq!(look(&b, vec![3, 1]).await, [3, 1]);
    a.cache.invalidate_tags(["found:3"]).await;
    until("the other has heard of it", async || b.stats().notices > 0).await;
    a.table.queries();
    assert_eq!(look(&b, vec![3, 2, 1]).await, [3, 2, 1]);
    assert_eq!(a.table.queries(), [[3]]);
}

/// With a server that is gone a batch is answered by its method, and by memory.
#[tokio::test(flavor = "multi_thread")]
async fn a_batch_goes_on_without_the_server() {
    let mut server = Server::start();
    let [a] = nodes(&server).await;
    assert_eq!(a.find_all(&[1, 2]).await, Ok(rows_of(&[1, 2])));
    server.kill();
    until("it is known that the server is gone", async || !a.stats().is_up).await;
    a.table.queries();
    assert_eq!(a.find_all(&[7, 8, 9]).await, Ok(rows_of(&[7, 8, 9])));
    assert_eq!(a.find_all(&[9, 8]).await, Ok(rows_of(&[8, 9])));
    assert_eq!(a.table.queries().first(), Some(&vec![7, 8, 9]));
}

/// Batches of several nodes, with the same keys in any order: none waits in vain, so none loses its patience.
#[tokio::test(flavor = "multi_thread")]
async fn batches_of_several_nodes_never_wait_for_each_other() {
    let server = Server::start();
    let nodes: [Rows; 3] = nodes(&server).await;
    let mut tasks = tokio::task::JoinSet::new();
    for (number, node) in nodes.iter().enumerate() {
        for task in 0..3 {
            let node = node.clone();
            tasks.spawn(async move {
                for round in 0..40_u64 {
                    // Rotated and turned round, by each in its own way.
                    let mut ids: Vec<u64> = (0..8).map(|id| round * 8 + id).collect();
                    ids.rotate_left((number * 3 + task) % 8);
                    if (number + task) % 2 == 1 {
                        ids.reverse();
                    }
                    ids.truncate(5 + task);
                    assert_eq!(node.find_all(&ids).await, Ok(rows_of(&ids)));
                }
            });
        }
    }
    let all = async {
        while let Some(ended) = tasks.join_next().await {
            ended.unwrap();
        }
    };
    tokio::time::timeout(Duration::from_secs(60), all).await.expect("nobody waits for ever");
    for node in &nodes {
        assert_eq!((node.stats().impatience, node.stats().errors), (0, 0), "{:?}", node.stats());
    }
    // Each key is loaded once, by whichever node.
    let mut loaded: Vec<u64> = nodes[0].table.queries().concat();
    loaded.sort_unstable();
    let before = loaded.len();
    loaded.dedup();
    assert_eq!((loaded.len(), before), (320, 320));
}

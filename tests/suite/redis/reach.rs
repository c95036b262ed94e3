//! Invalidations and a store that is out of reach, wholly or in part, and comes back: when they are tried, who waits for that, and what others hear.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::pin::Pin;
use std::task::{Context, Waker};
use std::time::Duration;

use cachex::{Cache, EntryOptions, Key, RedisSettings, RemoteStats};
use cachex_tests::redis::Server;

use super::gated::{Gated, Gates, Step};
use super::until;

const INVALIDATE: Step = Step::Before("invalidate");
/// So often something is done that may go wrong, and takes a second each time if it does.
const ROUNDS: usize = 20;
/// For all of them.
const SOON: Duration = Duration::from_secs(12);

/// A node whose calls to the store can be held up, over a server.
struct Node {
    server: Server,
    gates: Gates,
    cache: Cache,
}

impl Node {
    async fn new() -> Self {
        let (server, gates) = (Server::start(), Gates::default());
        let mut redis = RedisSettings::new(server.url());
        redis.timeout = Duration::from_secs(10);
        let store = Gated::new(redis.open("tests").unwrap(), &gates);
        let cache = Cache::builder().namespace("tests").store(store).build().unwrap();
        cache.connected(Duration::from_secs(10)).await.unwrap();
        Self { server, gates, cache }
    }

    fn stats(&self) -> RemoteStats {
        self.cache.remote_stats().unwrap()
    }

    /// Has a delivery fail, after which the next one is tried a second later if nothing happens.
    async fn fails_for_long(&self) {
        for _ in 0..ROUNDS {
            let mut gate = self.gates.hold(INVALIDATE);
            let delivery = self.cache.invalidate_tags(["some"]);
            gate.reached().await;
            drop(gate);
            delivery.await;
        }
    }
}

// Guards the wait of `keep_delivering` after an attempt that failed.
#[tokio::test(flavor = "multi_thread")]
async fn after_an_attempt_that_failed_the_next_invalidation_is_tried_at_once() {
    let node = Node::new().await;
    tokio::time::timeout(SOON, node.fails_for_long()).await.expect("none waits for a second");
    assert_eq!(node.stats().invalidation_errors, ROUNDS as u64);
    // With it goes what is from before.
    node.cache.invalidate_tags(["others"]).await;
    until("all is delivered", async || node.stats().undelivered == 0).await;
}

// Guards the same, where it is told that the store is up.
#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_be_delivered_goes_as_soon_as_the_store_comes_into_reach() {
    let node = Node::new().await;
    node.fails_for_long().await;
    let mut gate = node.gates.hold(INVALIDATE);
    let coming_back = async {
        for _ in 0..ROUNDS {
            let errors = node.stats().invalidation_errors;
            node.gates.lose();
            node.gates.find();
            gate.reached().await;
            // Also if it is tried because it is due, it is held up.
            gate = node.gates.hold(INVALIDATE);
            until("it has failed", async || node.stats().invalidation_errors > errors).await;
        }
    };
    tokio::time::timeout(SOON, coming_back).await.expect("none waits for a second");
}

// Guards `worth_trying`.
#[tokio::test(flavor = "multi_thread")]
async fn while_the_store_is_out_of_reach_not_each_invalidation_is_an_attempt() {
    const MANY: usize = 2_000;
    let node = Node::new().await;
    node.fails_for_long().await;
    node.gates.lose();
    node.gates.count(INVALIDATE);
    for _ in 0..MANY {
        node.cache.invalidate_tags(["some"]).await;
    }
    let attempts = node.gates.count(INVALIDATE);
    assert!(attempts < MANY / 10, "{attempts} attempts");
}

// Guards `Outbox::add`.
#[tokio::test(flavor = "multi_thread")]
async fn who_has_invalidated_waits_for_the_store_although_the_attempt_before_failed() {
    let node = Node::new().await;
    let key = Key::new("text");
    let other = super::node(&node.server).await;
    other.set(&key, 1, &EntryOptions::new().tag("texts")).await.unwrap();
    let mut gate = node.gates.hold(INVALIDATE);
    let failing = node.cache.invalidate_tags(["some"]);
    gate.reached().await;
    drop(gate);
    failing.await;
    let mut gate = node.gates.hold(INVALIDATE);
    let mut delivery = node.cache.invalidate_tags(["texts"]);
    gate.reached().await;
    let polled = Pin::new(&mut delivery).poll(&mut Context::from_waker(Waker::noop()));
    assert!(polled.is_pending(), "it is not there yet");
    gate.open();
    delivery.await;
    assert_eq!(super::node(&node.server).await.get::<i32>(&key).await.unwrap(), None);
}

// Guards `Turn::waiting_longer`.
#[tokio::test(flavor = "multi_thread")]
async fn who_writes_waits_for_one_more_write_if_his_own_fails_and_for_none_after_that() {
    let node = Node::new().await;
    let set = |value: u64| {
        let cache = node.cache.clone();
        tokio::spawn(async move { cache.set(&Key::new("hot"), value, &EntryOptions::new()).await.unwrap() })
    };
    let write = || node.gates.hold(Step::Before("write"));
    let taken = |value| {
        let cache = node.cache.clone();
        move || cache.blocking().get::<u64>(&Key::new("hot")).unwrap() == Some(value)
    };
    super::node(&node.server).await.set(&Key::new("hot"), 0_u64, &EntryOptions::new()).await.unwrap();
    until("it has heard of what was there before", async || node.stats().notices == 1).await;
    let mut gate = write();
    let (first, is_there) = (set(1), taken(1));
    gate.reached().await;
    assert!(is_there());
    let second = set(2);
    until("the next one waits for its turn", async || taken(2)()).await;
    let mut next = write();
    drop(gate);
    next.reached().await;
    assert!(!first.is_finished(), "what comes in its place has not arrived");
    let third = set(3);
    until("one more waits", async || taken(3)()).await;
    let mut last = write();
    drop(next);
    last.reached().await;
    // What was there before both of them is gone, and so the second one need not wait for the third either.
    until("they go on", async || first.is_finished() && second.is_finished()).await;
    assert_eq!(super::node(&node.server).await.get::<u64>(&Key::new("hot")).await.unwrap(), None);
    assert!(!third.is_finished());
    last.open();
    third.await.unwrap();
    assert_eq!(super::node(&node.server).await.get::<u64>(&Key::new("hot")).await.unwrap(), Some(3));
}

// Guards `out_of_reach`.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_out_of_reach_costs_others_nothing_of_what_they_have_in_memory() {
    let node = Node::new().await;
    let other = super::node(&node.server).await;
    let heard = || other.remote_stats().unwrap();
    node.cache.invalidate_tags(["first"]).await;
    until("the other has heard of it", async || heard().notices == 1).await;
    let (flushes, published) = (heard().flushes, node.stats().published);
    node.gates.lose_part("far");
    node.cache.remove(&Key::new("far")).await;
    assert_eq!(node.stats().undelivered, 1);
    for round in 1..=5 {
        // It is looked at again with each of them.
        node.cache.invalidate_tags(["some"]).await;
        node.cache.remove(&Key::new("near")).await;
        // Nor is a write of it numbered, which becomes a removal.
        node.cache.set(&Key::new("far"), round, &EntryOptions::new()).await.unwrap();
        assert_eq!((node.stats().undelivered, node.stats().published), (1, published + 2 * round));
    }
    // Others are told how many there were all the same.
    let mut told = node.gates.hold(Step::After("publish"));
    told.reached().await;
    told.open();
    node.cache.invalidate_tags(["last"]).await;
    until("the other has heard of it", async || heard().notices == 12).await;
    assert_eq!((heard().gaps, heard().flushes), (0, flushes));
    node.gates.find();
    until("it is delivered", async || node.stats().undelivered == 0).await;
    until("the other has heard of it", async || heard().notices == 13).await;
    assert_eq!(heard().gaps, 0);
}

// Guards `Telling`, and what `send_groups` and `send_keys` tell.
#[tokio::test(flavor = "multi_thread")]
async fn of_what_a_server_refuses_others_hear_all_the_same_and_lose_nothing_else() {
    const KEYS: u64 = 5;
    let node = Node::new().await;
    let other = super::node(&node.server).await;
    let heard = || other.remote_stats().unwrap();
    node.cache.invalidate_tags(["first"]).await;
    until("the other has heard of it", async || heard().notices == 1).await;
    let flushes = heard().flushes;
    // A write is just on its way.
    let mut gate = node.gates.hold(Step::Before("write"));
    let (text, options) = (Key::new("text"), EntryOptions::new());
    let refusing = async {
        gate.reached().await;
        node.server.command(&["CONFIG", "SET", "min-replicas-to-write", "1"]).unwrap();
        gate.open();
    };
    tokio::join!(refusing, async { node.cache.set(&text, 1, &options).await.unwrap() });
    for id in 0..KEYS {
        // All from before are tried with each of them.
        node.cache.remove(&Key::entity("thing", &id)).await;
    }
    assert_eq!(node.stats().undelivered, KEYS + 1);
    // Of each key once, of the write, and of the removal that it has become.
    let tries = node.stats().invalidation_errors;
    until("it was tried again", async || node.stats().invalidation_errors > tries + 1).await;
    until("the other has heard of it", async || heard().notices == KEYS + 3).await;
    assert_eq!(node.stats().published, KEYS + 3);
    // What is published now says how many there were.
    let mut told = node.gates.hold(Step::After("publish"));
    told.reached().await;
    told.open();
    node.cache.clear().await;
    until("the other has heard of it", async || heard().notices == KEYS + 4).await;
    let tries = node.stats().invalidation_errors;
    until("it was tried again", async || node.stats().invalidation_errors > tries + 2).await;
    // Once: what is everything takes all from others each time they hear of it.
    assert_eq!((node.stats().published, heard().gaps, heard().flushes), (KEYS + 4, 0, flushes));
    node.server.command(&["CONFIG", "SET", "min-replicas-to-write", "0"]).unwrap();
    until("it is delivered", async || node.stats().undelivered == 0).await;
    until("the other has heard of all", async || heard().notices == node.stats().published).await;
    assert!(node.stats().published > 2 * (KEYS + 1));
    assert_eq!((heard().gaps, heard().flushes), (0, flushes));
}

// Guards what `send_batch` does once groups were refused.
#[tokio::test(flavor = "multi_thread")]
async fn keys_are_removed_although_tags_are_refused() {
    let node = Node::new().await;
    let key = Key::new("text");
    node.cache.set(&key, 1, &EntryOptions::new()).await.unwrap();
    // For what takes no room there is some.
    node.server.command(&["CONFIG", "SET", "maxmemory", "1"]).unwrap();
    node.cache.invalidate_tags(["some"]).await;
    assert_eq!(node.stats().undelivered, 1);
    node.cache.remove(&key).await;
    assert_eq!(node.stats().undelivered, 1);
    assert_eq!(super::node(&node.server).await.get::<i32>(&key).await.unwrap(), None);
    node.server.command(&["CONFIG", "SET", "maxmemory", "0"]).unwrap();
    until("all is delivered", async || node.stats().undelivered == 0).await;
}

// Guards `Redis::reaches`.
#[tokio::test(flavor = "multi_thread")]
async fn of_two_connections_with_a_server_one_that_is_gone_holds_up_nothing_that_goes_over_the_other() {
    const KEYS: u64 = 40;
    let server = Server::start();
    let cache = super::node_with(&server, |redis, _| {
        redis.connections = 2;
        redis.ping_interval = Duration::from_secs(60);
    })
    .await;
    let stats = || cache.remote_stats().unwrap();
    let id = greeted_only(&server, &cache).await;
    let mut stream = TcpStream::connect(("127.0.0.1", server.port())).unwrap();
    write!(stream, "CONFIG SET maxclients 1\r\nCLIENT KILL ID {id}\r\n").unwrap();
    // Break this (go on at once) and on a slow machine all is done before it is gone.
    let mut answers = [0; b"+OK\r\n:1\r\n".len()];
    stream.read_exact(&mut answers).unwrap();
    assert_eq!(&answers, b"+OK\r\n:1\r\n");
    for id in 0..KEYS {
        cache.remove(&Key::entity("thing", &id)).await;
        cache.invalidate_tags(["some"]).await;
    }
    let left = stats().undelivered;
    assert!(0 < left && left < KEYS, "{left} of {KEYS}: {:?}", stats());
    // Of what goes over the other one nothing is missing.
    for id in 0..KEYS {
        cache.set(&Key::entity("other", &id), id, &EntryOptions::new()).await.unwrap();
    }
    assert!(0 < stats().writes && stats().writes < KEYS, "{:?}", stats());
    write!(stream, "CONFIG SET maxclients 1000\r\n").unwrap();
    until("all is delivered", async || stats().undelivered == 0).await;
}

// Guards `Redis::ask`.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_over_a_connection_that_is_gone_is_asked_again_over_another() {
    const KEYS: u64 = 40;
    for (retry_budget, errors) in [(10, 0), (0, 1)] {
        let server = Server::start();
        let cache = super::node_with(&server, |redis, _| {
            redis.connections = 2;
            redis.retry_budget = retry_budget;
            redis.ping_interval = Duration::from_secs(60);
        })
        .await;
        let victim = greeted_only(&server, &cache).await;
        let other = super::node(&server).await;
        for id in 0..KEYS {
            other.set(&Key::entity("thing", &id), id, &EntryOptions::new()).await.unwrap();
        }
        server.command(&["CLIENT", "KILL", "ID", &victim]).unwrap();
        // The first that goes over it finds out; those after it wait for nothing, until it is there again.
        for id in 0..KEYS {
            let found = cache.get::<u64>(&Key::entity("thing", &id)).await.unwrap();
            assert!(found.is_none_or(|found| found == id));
        }
        let stats = cache.remote_stats().unwrap();
        assert_eq!(stats.errors, errors, "{stats:?}");
        assert!(stats.hits > 0, "{stats:?}");
    }
}

/// Returns the number of a connection for commands over which nothing was done but to greet: groups go over the other one.
async fn greeted_only(server: &Server, cache: &Cache) -> String {
    for _ in 0..2 {
        cache.invalidate_tags(["some"]).await;
    }
    let clients = server.command(&["CLIENT", "LIST"]).unwrap();
    let greeted: Vec<_> = clients.lines().filter(|line| line.contains("cmd=eval ")).collect();
    let [line] = greeted[..] else { panic!("{clients}") };
    line.split("id=").nth(1).and_then(|rest| rest.split(' ').next()).unwrap().to_owned()
}

// Guards what `deliver` does with `Gone::All`.
#[tokio::test(flavor = "multi_thread")]
async fn of_too_much_that_could_not_be_written_nothing_stays_in_memory_alone() {
    const MOST: u64 = 10_000;
    let node = Node::new().await;
    node.gates.lose();
    for id in 0..=MOST {
        node.cache.set(&Key::entity("row", &id), id, &EntryOptions::new()).await.unwrap();
    }
    assert!(node.stats().undelivered <= MOST && node.stats().write_errors == MOST + 1, "{:?}", node.stats());
    assert!(node.cache.stats().entries > 0);
    node.gates.find();
    until("it is delivered", async || node.stats().undelivered == 0).await;
    // Redis has none of it.
    until("it has gone here as well", async || node.cache.stats().entries == 0).await;
}

//! What is found in the second tier, and what is not any more.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cachex::{
    Cache, CacheScope, Codec, Compression, EntryOptions, Key, RedisSettings, RemoteSettings, Ttl, cached, invalidates,
};
use cachex_tests::folder::Folder;
use cachex_tests::redis::Server;
use serde::{Deserialize, Serialize};

use super::{node, node_with, until};

#[tokio::test(flavor = "multi_thread")]
async fn a_server_is_spoken_to_over_a_socket() {
    let folder = Folder::new();
    let socket = folder.path().join("redis.sock").display().to_string();
    let server = Server::start_with(&["--unixsocket", &socket]);
    let other = node(&server).await;
    let cache = node_with(&server, |redis, _| redis.url = format!("redis+unix://{socket}")).await;
    let clients = server.command(&["CLIENT", "LIST"]).unwrap();
    assert_eq!(clients.lines().filter(|line| line.contains("flags=U") || line.contains("flags=PU")).count(), 3);
    let key = Key::new("text");
    cache.set(&key, 1, &EntryOptions::new().tag("texts")).await.unwrap();
    assert_eq!(other.get(&key).await.unwrap(), Some(1));
    other.invalidate_tags(["texts"]).await;
    until("it has heard of that", async || cache.remote_stats().unwrap().notices == 1).await;
    assert_eq!(cache.get::<i32>(&key).await.unwrap(), None);
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct User {
    id: u64,
    name: String,
}

/// Users in a "database" that all nodes share.
#[derive(CacheScope)]
struct Users {
    #[scope(cache)]
    cache: Cache,
    loads: Arc<AtomicU64>,
}

impl Users {
    #[cached(ttl = "1h", tags = ["users", "user:{id}"])]
    async fn find(&self, id: u64) -> Result<Option<User>, String> {
        let loads = self.loads.fetch_add(1, Ordering::Relaxed) + 1;
        Ok((id < 100).then(|| User { id, name: format!("load {loads}") }))
    }

    #[cached(ttl = "1h", tags = ["users"])]
    fn count(&self, kind: &str) -> usize {
        self.loads.fetch_add(1, Ordering::Relaxed);
        kind.len()
    }

    #[cached(ttl = "1h", tags_with = tags_of)]
    async fn found_out(&self, id: u64) -> u64 {
        self.loads.fetch_add(1, Ordering::Relaxed);
        id
    }

    #[invalidates(tags = ["user:{id}"])]
    async fn rename(&self, id: u64) -> Result<(), String> {
        let _ = id;
        Ok(())
    }

    #[invalidates(Self::find(id))]
    async fn touch(&self, id: u64) -> Result<(), String> {
        let _ = id;
        Ok(())
    }
}

fn tags_of(id: &u64) -> [String; 1] {
    [format!("found:{id}")]
}

/// Two nodes over one server, which share what they load from.
struct Pair {
    _server: Server,
    a: Users,
    b: Users,
    loads: Arc<AtomicU64>,
}

impl Pair {
    async fn new() -> Self {
        let server = Server::start();
        let loads = Arc::new(AtomicU64::new(0));
        let (a, b) = (node(&server).await, node(&server).await);
        let users = |cache| Users { cache, loads: loads.clone() };
        Self { a: users(a), b: users(b), loads, _server: server }
    }

    fn loads(&self) -> u64 {
        self.loads.load(Ordering::Relaxed)
    }
}

/// Waits until a node has stored so many values in the second tier.
async fn stored(users: &Users, count: u64) {
    until("the values are stored", async || users.cache.remote_stats().unwrap().stores >= count).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_node_loads_another_finds() {
    let pair = Pair::new().await;
    let first = pair.a.find(1).await.unwrap();
    assert_eq!(pair.a.find(200).await.unwrap(), None);
    stored(&pair.a, 2).await;
    assert_eq!(pair.b.find(1).await.unwrap(), first);
    assert_eq!(pair.b.find(200).await.unwrap(), None);
    // From memory, by now.
    assert_eq!(pair.b.find(1).await.unwrap(), first);
    assert_eq!(pair.loads(), 2);
    let stats = pair.b.cache.remote_stats().unwrap();
    assert_eq!((stats.hits, stats.is_up, stats.is_listening), (2, true, true));
}

#[tokio::test(flavor = "multi_thread")]
async fn blocking_methods_share_as_well() {
    let pair = Pair::new().await;
    let (a, b, loads) = (pair.a, pair.b, pair.loads);
    tokio::task::spawn_blocking(move || {
        assert_eq!(a.count("abc"), 3);
        // Waits for the lease of the other to end in a value.
        assert_eq!(b.count("abc"), 3);
        assert_eq!(loads.load(Ordering::Relaxed), 1);
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invalidation_of_a_tag_reaches_both_tiers_of_all_nodes() {
    let pair = Pair::new().await;
    let first = pair.a.find(1).await.unwrap();
    assert_eq!(pair.b.find(1).await.unwrap(), first);
    pair.a.rename(1).await.unwrap();
    // Here at once …
    let second = pair.a.find(1).await.unwrap();
    assert_ne!(second, first);
    // … and there as soon as the notice has come.
    until("the other node has heard of it", async || pair.b.find(1).await.unwrap() == second).await;
    assert_eq!(pair.loads(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invalidation_of_a_key_reaches_both_tiers_of_all_nodes() {
    let pair = Pair::new().await;
    let (first, other) = (pair.a.find(1).await.unwrap(), pair.a.find(2).await.unwrap());
    stored(&pair.a, 2).await;
    assert_eq!(pair.b.find(1).await.unwrap(), first);
    pair.b.touch(1).await.unwrap();
    let second = pair.b.find(1).await.unwrap();
    assert_ne!(second, first);
    until("the other node has heard of it", async || pair.a.find(1).await.unwrap() == second).await;
    assert_eq!(pair.b.find(2).await.unwrap(), other);
    assert_eq!(pair.loads(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn tags_that_a_load_found_out_are_invalidated_from_anywhere() {
    let pair = Pair::new().await;
    pair.a.found_out(7).await;
    stored(&pair.a, 1).await;
    pair.b.found_out(7).await;
    assert_eq!(pair.loads(), 1);
    pair.a.cache.invalidate_tags(["found:7"]).await;
    pair.a.found_out(7).await;
    assert_eq!(pair.loads(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn clearing_and_the_end_of_a_method_reach_the_second_tier() {
    let pair = Pair::new().await;
    pair.a.find(1).await.unwrap();
    stored(&pair.a, 1).await;
    pair.a.cache.clear().await;
    pair.a.find(1).await.unwrap();
    assert_eq!(pair.loads(), 2);
    stored(&pair.a, 2).await;
    let name = Users::find_key(&pair.a, &1).text();
    let name = name.split('(').next().unwrap();
    pair.a.cache.invalidate_method_all(name).unwrap().await;
    pair.a.find(1).await.unwrap();
    assert_eq!(pair.loads(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_set_by_hand_is_there_for_all() {
    let pair = Pair::new().await;
    let (a, b) = (&pair.a.cache, &pair.b.cache);
    let (key, options) = (Key::new("by hand"), EntryOptions::new().tag("hand"));
    a.set(&key, 1, &options).await.unwrap();
    assert_eq!(b.get::<i32>(&key).await.unwrap(), Some(1));
    b.set(&key, 2, &options).await.unwrap();
    assert_eq!(b.get::<i32>(&key).await.unwrap(), Some(2));
    until("the first node has heard of it", async || a.get::<i32>(&key).await.unwrap() == Some(2)).await;
    a.invalidate_tags(["hand"]).await;
    assert_eq!(a.get::<i32>(&key).await.unwrap(), None);
    a.set(&key, 3, &options).await.unwrap();
    assert_eq!(b.pull::<i32>(&key).await.unwrap(), Some(3));
    until("the first node has heard of it", async || a.get::<i32>(&key).await.unwrap().is_none()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_primed_is_there_for_all() {
    let pair = Pair::new().await;
    let user = User { id: 5, name: "primed".to_owned() };
    pair.a.find_prime(&5, &Ok(Some(user.clone()))).await;
    assert_eq!(pair.b.find(5).await.unwrap(), Some(user));
    assert_eq!(pair.loads(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_of_another_type_is_loaded_anew() {
    let server = Server::start();
    let (a, b) = (node(&server).await, node(&server).await);
    let key = Key::new("shared");
    a.set(&key, (1_u8, 2_u8), &EntryOptions::new()).await.unwrap();
    assert_eq!(b.get::<(u16, u16)>(&key).await.unwrap(), None);
    assert_eq!(b.remote_stats().unwrap().refused, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_callers_on_many_nodes_one_loads() {
    let server = Server::start();
    let loads = Arc::new(AtomicU64::new(0));
    let mut tasks = Vec::new();
    for _ in 0..4 {
        let users = Arc::new(Users { cache: node(&server).await, loads: loads.clone() });
        tasks.extend((0..50).map(|_| {
            let users = users.clone();
            tokio::spawn(async move { users.find(1).await.unwrap() })
        }));
    }
    for task in tasks {
        assert_eq!(task.await.unwrap().unwrap().name, "load 1");
    }
    assert_eq!(loads.load(Ordering::Relaxed), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_stays_in_memory_no_longer_than_it_may() {
    let server = Server::start();
    let loads = Arc::new(AtomicU64::new(0));
    let cache = node_with(&server, |_, remote| remote.l1_ttl = Some(Duration::ZERO)).await;
    let users = Users { cache, loads: loads.clone() };
    users.find(1).await.unwrap();
    stored(&users, 1).await;
    for _ in 0..3 {
        users.find(1).await.unwrap();
    }
    assert_eq!(loads.load(Ordering::Relaxed), 1);
    assert_eq!(users.cache.remote_stats().unwrap().hits, 3);
}

/// Whatever form values have there: nodes that are set alike understand each other, others load anew.
#[tokio::test(flavor = "multi_thread")]
async fn values_take_every_form_there_is() {
    const LEN: &str = "return redis.call('STRLEN', redis.call('KEYS', '*:v:*')[1])";
    let server = Server::start();
    let key = Key::new("long");
    let value = vec![Some("the same again".to_owned()); 200];
    for codec in [Codec::Postcard, Codec::MessagePack, Codec::Json] {
        for compression in [Compression::Off, Compression::Lz4, Compression::Zstd, Compression::Gzip] {
            let set = |_: &mut RedisSettings, remote: &mut RemoteSettings| {
                remote.codec = codec;
                remote.compression = compression;
            };
            let (a, b) = (node_with(&server, set).await, node_with(&server, set).await);
            a.set(&key, value.clone(), &EntryOptions::new()).await.unwrap();
            assert_eq!(b.get(&key).await.unwrap().as_ref(), Some(&value), "{codec:?} {compression:?}");
            let len: usize = server.command(&["EVAL", LEN, "0"]).unwrap().trim()[1..].parse().unwrap();
            assert_eq!(len > 2_000, compression == Compression::Off, "{codec:?} {compression:?}: {len}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_known_of_an_entry_is_known_of_one_in_the_second_tier() {
    let pair = Pair::new().await;
    let (a, b) = (&pair.a.cache, &pair.b.cache);
    let key = Key::new("known");
    assert!(!b.exists(&key).await && !b.expire(&key, Duration::from_secs(1)).await);
    assert_eq!(b.ttl_of(&key).await, None);
    a.set(&key, 1, &EntryOptions::new()).await.unwrap();
    assert_eq!(b.ttl_of(&key).await, Some(Ttl::Never));
    assert!(b.exists(&key).await && b.expire(&key, Duration::from_secs(3600)).await);
    // Not from memory: the end is that of the second tier, whose clock is that of the day.
    let left = |ttl| matches!(ttl, Some(Ttl::Left(left)) if left > Duration::from_secs(3500) && left <= Duration::from_secs(3601));
    assert!(left(b.ttl_of(&key).await));
    until("the first node has heard of it", async || left(a.ttl_of(&key).await)).await;
    assert_eq!(b.get::<i32>(&key).await.unwrap(), Some(1));
    a.remove(&key).await;
    assert!(!a.exists(&key).await);
}

/// The write is still on its way when the invalidation is made.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_invalidated_right_after_it_was_primed_does_not_come_back() {
    let pair = Pair::new().await;
    for round in 1..=100 {
        let primed = User { id: 5, name: "primed".to_owned() };
        let _delivery = pair.a.find_prime(&5, &Ok(Some(primed)));
        match round % 3 {
            0 => pair.a.cache.invalidate_tags(["user:5"]).await,
            1 => pair.a.touch(5).await.unwrap(),
            _ => pair.a.cache.clear().await,
        }
        assert_eq!(pair.a.find(5).await.unwrap().unwrap().name, format!("load {round}"));
    }
}

/// Nothing stays in memory: what is read comes from the second tier, where the write may not have arrived yet.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_primed_is_read_by_who_primed_it_also_before_it_has_arrived() {
    let server = Server::start();
    let cache = node_with(&server, |_, remote| remote.l1_ttl = Some(Duration::ZERO)).await;
    let users = Users { cache, loads: Arc::default() };
    for round in 0..100 {
        let user = User { id: 5, name: format!("primed {round}") };
        let _delivery = users.find_prime(&5, &Ok(Some(user.clone())));
        assert_eq!(users.find(5).await.unwrap(), Some(user));
    }
}

/// Of each key the last of several changes at once is what both tiers have in the end.
#[tokio::test(flavor = "multi_thread")]
async fn writes_and_removals_of_a_key_are_the_same_in_both_tiers_in_the_end() {
    let server = Server::start();
    let (cache, eye) =
        (node(&server).await, node_with(&server, |_, remote| remote.l1_ttl = Some(Duration::ZERO)).await);
    for round in 0..60 {
        let key = Key::new("changed").part(&round);
        let change = |writer: u64| {
            let (cache, key) = (cache.clone(), key.clone());
            async move {
                for number in 0..5 {
                    if (writer + number).is_multiple_of(3) {
                        cache.remove(&key).await;
                    } else {
                        cache.set(&key, 10 * writer + number, &EntryOptions::new()).await.unwrap();
                    }
                }
            }
        };
        let tasks: Vec<_> = (0..4).map(|writer| tokio::spawn(change(writer))).collect();
        for task in tasks {
            task.await.unwrap();
        }
        let (here, there) = (cache.get::<u64>(&key).await.unwrap(), eye.get::<u64>(&key).await.unwrap());
        assert_eq!(here, there, "round {round}");
    }
    // What was removed and then written is there, also if nobody has waited for the removal.
    for round in 0..100 {
        let users = Users { cache: cache.clone(), loads: Arc::default() };
        let user = User { id: 6, name: format!("after {round}") };
        let _delivery = users.find_remove(&6);
        users.find_prime(&6, &Ok(Some(user.clone()))).await;
        let other = Users { cache: eye.clone(), loads: Arc::default() };
        assert_eq!(other.find(6).await.unwrap(), Some(user));
    }
}

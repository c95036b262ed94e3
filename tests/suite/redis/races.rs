//! Readers and writers on several nodes at once, over rows that change: nothing from before an invalidation that has returned is read in
//! the same process or from the second tier, and in the end every node knows what the rows are.
//!
//! `CACHEX_RACE_SECONDS=60` makes each of them that long.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use cachex::{Cache, CacheScope, Guard, RedisSettings, RemoteSettings, cached, invalidates};
use cachex_tests::cluster::Cluster;
use cachex_tests::redis::Server;

use super::{Servers, node_with, pause};

const ROWS: u64 = 6;
const NODES: usize = 3;
const READERS: usize = 3;
/// How often it is looked whether all nodes know what the rows are in the end.
const LOOKS: usize = 200;

/// How an entry is invalidated.
#[derive(Clone, Copy, Debug)]
enum By {
    Tag,
    /// One that the load finds out.
    DerivedTag,
    Key,
    /// The same, of a method for many keys.
    Batch,
    /// From the hand of the writer, as a part of everything.
    Clear,
}

const ALL: [By; 5] = [By::Tag, By::DerivedTag, By::Key, By::Batch, By::Clear];

/// What the rows are, by the way in which they are invalidated.
#[derive(Default)]
struct Rows {
    versions: [[AtomicU64; ROWS as usize]; 5],
    /// The versions whose invalidation has returned.
    known: [[AtomicU64; ROWS as usize]; 5],
}

impl Rows {
    fn version(&self, by: By, id: u64) -> u64 {
        self.versions[by as usize][id as usize].load(Ordering::SeqCst)
    }

    fn known(&self, by: By, id: u64) -> u64 {
        self.known[by as usize][id as usize].load(Ordering::SeqCst)
    }

    /// Reads a row; the answer takes its time.
    async fn read(&self, by: By, id: u64) -> u64 {
        let version = self.version(by, id);
        match random() % 4 {
            0 => {}
            1 => tokio::task::yield_now().await,
            span => pause(Duration::from_micros(span * 700)).await,
        }
        version
    }
}

#[derive(CacheScope)]
struct Node {
    #[scope(cache)]
    cache: Cache,
    rows: Arc<Rows>,
    /// The versions whose invalidation has returned in this node.
    known: [[AtomicU64; ROWS as usize]; 5],
}

impl Node {
    #[cached(ttl = "1h", tags = ["rows", "row:{id}"])]
    async fn by_tag(&self, id: u64) -> u64 {
        self.rows.read(By::Tag, id).await
    }

    #[cached(ttl = "1h", tags_with = tags_of)]
    async fn by_derived_tag(&self, id: u64) -> (u64, u64) {
        (id, self.rows.read(By::DerivedTag, id).await)
    }

    #[cached(ttl = "1h")]
    async fn by_key(&self, id: u64) -> u64 {
        self.rows.read(By::Key, id).await
    }

    #[cached(batch(id in ids), ttl = "1h", tags = ["rows", "batched:{id}"])]
    async fn by_batch(&self, ids: &[u64]) -> Vec<u64> {
        let mut read = Vec::new();
        for id in ids {
            read.push(self.rows.read(By::Batch, *id).await);
        }
        read
    }

    #[cached(ttl = "1h")]
    async fn by_clear(&self, id: u64) -> u64 {
        self.rows.read(By::Clear, id).await
    }

    #[invalidates(tags = ["row:{id}"])]
    async fn write_tag(&self, id: u64) -> u64 {
        self.bump(By::Tag, id)
    }

    #[invalidates(tags = ["derived:{id}"])]
    async fn write_derived_tag(&self, id: u64) -> u64 {
        self.bump(By::DerivedTag, id)
    }

    #[invalidates(Self::by_key(id))]
    async fn write_key(&self, id: u64) -> u64 {
        self.bump(By::Key, id)
    }

    #[invalidates(Self::by_batch(id))]
    async fn write_batch(&self, id: u64) -> u64 {
        self.bump(By::Batch, id)
    }

    #[invalidates(tags = ["batched:{id}"])]
    async fn write_batch_by_tag(&self, id: u64) -> u64 {
        self.bump(By::Batch, id)
    }

    async fn write_and_clear(&self, id: u64) -> u64 {
        let version = self.bump(By::Clear, id);
        self.cache.clear().await;
        version
    }

    fn bump(&self, by: By, id: u64) -> u64 {
        self.rows.versions[by as usize][id as usize].fetch_add(1, Ordering::SeqCst) + 1
    }

    async fn read(&self, by: By, id: u64) -> u64 {
        match by {
            By::Tag => self.by_tag(id).await,
            By::DerivedTag => self.by_derived_tag(id).await.1,
            By::Key => self.by_key(id).await,
            By::Batch => {
                // In any order, with any others.
                let first = random() % ROWS;
                let ids: Vec<_> = (0..=random() % ROWS).map(|more| (first + more) % ROWS).chain([id]).collect();
                self.by_batch(&ids).await.pop().unwrap()
            }
            By::Clear => self.by_clear(id).await,
        }
    }

    async fn write(&self, by: By, id: u64) {
        let version = match by {
            By::Tag => self.write_tag(id).await,
            By::DerivedTag => self.write_derived_tag(id).await,
            By::Key => self.write_key(id).await,
            By::Batch if random().is_multiple_of(2) => self.write_batch_by_tag(id).await,
            By::Batch => self.write_batch(id).await,
            By::Clear => self.write_and_clear(id).await,
        };
        self.known[by as usize][id as usize].fetch_max(version, Ordering::SeqCst);
        // Where the store could not be reached, the invalidation is still on its way.
        if self.cache.remote_stats().unwrap().undelivered == 0 {
            self.rows.known[by as usize][id as usize].fetch_max(version, Ordering::SeqCst);
        }
    }
}

fn tags_of(row: &(u64, u64)) -> [String; 1] {
    [format!("derived:{}", row.0)]
}

/// Returns a number nobody foresees.
fn random() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(0_u8)
}

/// How often a value from before an invalidation was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Stale {
    /// On the node that had invalidated.
    here: u64,
    /// From the second tier.
    there: u64,
    /// On any node, long after all was over.
    for_good: u64,
}

/// Races for a while.
async fn race<S: Servers>(server: &S, adversary: impl AsyncFn(&S)) -> Stale {
    race_without(None, server, adversary).await
}

/// As [`race`], with a guard left out.
async fn race_without<S: Servers>(guard: Option<Guard>, server: &S, adversary: impl AsyncFn(&S)) -> Stale {
    let looks = if guard.is_none() { LOOKS } else { LOOKS / 5 };
    race_with(looks, |remote| remote.without = guard, server, adversary).await
}

/// As [`race`], with other settings.
async fn race_with<S: Servers>(
    looks: usize,
    change: impl Fn(&mut RemoteSettings),
    server: &S,
    adversary: impl AsyncFn(&S),
) -> Stale {
    let rows = Arc::new(Rows::default());
    let mut nodes = Vec::new();
    let join = |cache| Arc::new(Node { cache, rows: rows.clone(), known: Default::default() });
    for _ in 0..NODES {
        nodes.push(join(node_with(server, |_, remote| change(remote)).await));
    }
    let watching = |_: &mut RedisSettings, remote: &mut RemoteSettings| {
        change(remote);
        // It keeps nothing in memory: what it finds is in the second tier.
        remote.l1_ttl = Some(Duration::ZERO);
    };
    let eye = join(node_with(server, watching).await);
    let (is_over, stale_here, stale_there) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
    let state = Arc::new((is_over, stale_here, stale_there));
    let mut tasks = tokio::task::JoinSet::new();
    for node in &nodes {
        for _ in 0..READERS {
            let (node, state) = (node.clone(), state.clone());
            tasks.spawn(async move {
                while !state.0.load(Ordering::Relaxed) {
                    let (by, id) = (ALL[random() as usize % ALL.len()], random() % ROWS);
                    let known = node.known[by as usize][id as usize].load(Ordering::SeqCst);
                    if node.read(by, id).await < known {
                        state.1.fetch_add(1, Ordering::Relaxed);
                    }
                    tokio::task::yield_now().await;
                }
            });
        }
        let (node, state) = (node.clone(), state.clone());
        tasks.spawn(async move {
            while !state.0.load(Ordering::Relaxed) {
                pause(Duration::from_micros(random() % 3_000)).await;
                let by = if random().is_multiple_of(200) { By::Clear } else { ALL[random() as usize % 4] };
                node.write(by, random() % ROWS).await;
            }
        });
    }
    // One reader: of several, one could join the load of another before the notice has come, which is as late as it may be.
    let (only, states) = (eye.clone(), state.clone());
    tasks.spawn(async move {
        while !states.0.load(Ordering::Relaxed) {
            let (by, id) = (ALL[random() as usize % ALL.len()], random() % ROWS);
            let known = only.rows.known(by, id);
            if only.read(by, id).await < known {
                states.2.fetch_add(1, Ordering::Relaxed);
            }
            tokio::task::yield_now().await;
        }
    });
    let adversaries = async {
        loop {
            adversary(server).await;
        }
    };
    tokio::select! {
        () = pause(Duration::from_secs_f64(crate::races::seconds(2.0))) => {}
        () = adversaries => {}
    }
    state.0.store(true, Ordering::Relaxed);
    while let Some(ended) = tasks.join_next().await {
        ended.unwrap();
    }
    nodes.push(eye);
    let (here, there) = (state.1.load(Ordering::Relaxed), state.2.load(Ordering::Relaxed));
    let stale = Stale { here, there, for_good: stale_in_the_end(&nodes, &rows, looks).await };
    let hits: u64 = nodes.iter().map(|node| node.cache.remote_stats().unwrap().hits).sum();
    assert!(hits > 20, "the second tier took part: {hits}");
    stale
}

/// Waits until all nodes know what the rows are; looks so many times, every 50 ms. Returns how many entries are wrong then.
async fn stale_in_the_end(nodes: &[Arc<Node>], rows: &Rows, looks: usize) -> u64 {
    let mut wrong = 0;
    for _ in 0..looks {
        wrong = 0;
        for node in nodes {
            for by in ALL {
                for id in 0..ROWS {
                    wrong += u64::from(node.read(by, id).await != rows.version(by, id));
                }
            }
        }
        if wrong == 0 {
            return 0;
        }
        pause(Duration::from_millis(50)).await;
    }
    wrong
}

const NONE: Stale = Stale { here: 0, there: 0, for_good: 0 };

#[tokio::test(flavor = "multi_thread")]
async fn nothing_from_before_an_invalidation_is_read() {
    let server = Server::start();
    assert_eq!(race(&server, nobody).await, NONE);
}

/// What is lost in Redis is a miss.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_stale_is_read_while_the_server_loses_what_it_has() {
    const LOSE: &str = "local keys = redis.call('KEYS', '*') \
        for i = 1, 3 do if #keys > 0 then redis.call('DEL', keys[math.random(#keys)]) end end";
    let server = Server::start();
    let lose = async |server: &Server| {
        pause(Duration::from_millis(2)).await;
        server.command(&["EVAL", LOSE, "0"]).unwrap();
    };
    assert_eq!(race(&server, lose).await, NONE);
}

/// Parts of the index are lost, and it says of keys that they have tags which they do not have; values are removed by what it says.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_stale_is_read_while_the_index_lies() {
    const LIE: &str = "math.randomseed(tonumber(ARGV[1])) \
        local tags, values, notes = redis.call('KEYS', '*:j:*'), redis.call('KEYS', '*:v:*'), redis.call('KEYS', '*:i:*') \
        if #notes > 0 then redis.call('DEL', notes[math.random(#notes)]) end \
        if #tags > 0 then redis.call('DEL', tags[math.random(#tags)]) end \
        for i = 1, 5 do if #tags > 0 and #values > 0 then \
            local name = string.match(values[math.random(#values)], '{(.*)}') \
            redis.call('ZADD', tags[math.random(#tags)], '99999999999999', name) end end";
    let server = Server::start();
    let lie = async |server: &Server| {
        pause(Duration::from_millis(2)).await;
        let seed = (random() % (1 << 31)).to_string();
        let said = server.command(&["EVAL", LIE, "0", &seed]).unwrap();
        assert!(!said.starts_with('-'), "{said}");
    };
    let change = |remote: &mut RemoteSettings| {
        remote.index = true;
        remote.index_reclaim = true;
        remote.index_batch = 4;
    };
    assert_eq!(race_with(LOOKS, change, &server, lie).await, NONE);
    let calls = server.command(&["INFO", "commandstats"]).unwrap();
    assert!(calls.contains("cmdstat_zscan:") && calls.contains("cmdstat_zadd:"), "the index took part: {calls}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_stale_stays_when_connections_break() {
    let server = Server::start();
    assert_eq!(race(&server, cut).await, NONE);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_stale_stays_when_notices_are_lost() {
    let server = Server::start();
    assert_eq!(race(&server, deafen).await, NONE);
}

/// Does no harm.
async fn nobody(_: &Server) {
    std::future::pending().await
}

/// Cuts connections, those that listen above all.
async fn cut(server: &Server) {
    pause(Duration::from_millis(random() % 60)).await;
    let kind = if random().is_multiple_of(3) { "normal" } else { "pubsub" };
    server.command(&["CLIENT", "KILL", "TYPE", kind]).unwrap();
}

/// Cuts those that listen, and leaves the others alone: so there is much to miss.
async fn deafen(server: &Server) {
    pause(Duration::from_millis(random() % 60)).await;
    server.command(&["CLIENT", "KILL", "TYPE", "pubsub"]).unwrap();
}

/// Each guard is needed: without it, something stale is read. A race may end well without it by chance; not that often.
async fn is_needed(guard: Guard, adversary: impl AsyncFn(&Server)) {
    const ROUNDS: usize = 15;
    let server = Server::start();
    for _ in 0..ROUNDS {
        if race_without(Some(guard), &server, &adversary).await != NONE {
            return;
        }
    }
    panic!("nothing stale was read without {guard:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lease_is_needed() {
    is_needed(Guard::Lease, nobody).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_clock_from_before_the_load_is_needed() {
    is_needed(Guard::EarlyClock, nobody).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_check_of_what_comes_from_the_second_tier_is_needed() {
    is_needed(Guard::Promotion, nobody).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_wait_for_what_is_on_its_way_is_needed() {
    is_needed(Guard::Outbox, nobody).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_of_invalidations_is_needed() {
    is_needed(Guard::Mint, nobody).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_notices_are_needed() {
    is_needed(Guard::Notices, nobody).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn emptying_memory_when_notices_may_be_lost_is_needed() {
    is_needed(Guard::Flush, deafen).await;
}

async fn cluster() -> Cluster {
    tokio::task::spawn_blocking(|| Cluster::start(0)).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_from_before_an_invalidation_is_read_over_a_cluster() {
    let cluster = cluster().await;
    assert_eq!(race(&cluster, async |_| std::future::pending().await).await, NONE);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_stale_is_read_while_the_nodes_of_a_cluster_lose_what_they_have() {
    let cluster = cluster().await;
    let lose = async |cluster: &Cluster| {
        pause(Duration::from_millis(2)).await;
        let node = &cluster.nodes[random() as usize % 3];
        let key = node.command(&["RANDOMKEY"]).unwrap();
        if let Some(key) = key.lines().nth(1) {
            node.command(&["DEL", key]).unwrap();
        }
    };
    assert_eq!(race(&cluster, lose).await, NONE);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_stale_stays_when_connections_with_a_cluster_break() {
    let cluster = cluster().await;
    let cut = async |cluster: &Cluster| {
        pause(Duration::from_millis(random() % 200)).await;
        let kind = if random().is_multiple_of(3) { "normal" } else { "pubsub" };
        cluster.nodes[random() as usize % 3].command(&["CLIENT", "KILL", "TYPE", kind]).unwrap();
    };
    assert_eq!(race(&cluster, cut).await, NONE);
}

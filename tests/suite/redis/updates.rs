//! Updates of the source, whose value goes to the second tier as well; or nothing does, where another write came between.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cachex::{Cache, CacheScope, cached, updates};
use cachex_tests::redis::Server;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use super::{node, pause, until};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Account {
    id: u64,
    balance: u64,
}

/// The "database" of all nodes.
#[derive(Debug, Default)]
struct Rows {
    balances: Mutex<HashMap<u64, u64>>,
    loads: AtomicU64,
    /// An update has written, and waits to be told to return.
    has_written: Notify,
    may_return: Notify,
}

impl Rows {
    fn set(&self, id: u64, balance: u64) -> Account {
        self.balances.lock().unwrap().insert(id, balance);
        Account { id, balance }
    }

    fn get(&self, id: u64) -> Account {
        Account { id, balance: self.balances.lock().unwrap().get(&id).copied().unwrap_or_default() }
    }

    fn add(&self, id: u64, amount: u64) -> Account {
        let mut balances = self.balances.lock().unwrap();
        let balance = balances.entry(id).or_default();
        *balance += amount;
        Account { id, balance: *balance }
    }
}

#[derive(Clone, CacheScope)]
struct Accounts {
    #[scope(cache)]
    cache: Cache,
    rows: Arc<Rows>,
}

impl Accounts {
    #[cached(ttl = "1h", tags = ["accounts", "account:{id}"])]
    async fn find(&self, id: u64) -> Account {
        self.rows.loads.fetch_add(1, Ordering::SeqCst);
        self.rows.get(id)
    }

    #[cached(ttl = "1h", tags_with = of_owner)]
    async fn found_out(&self, id: u64) -> Account {
        self.rows.loads.fetch_add(1, Ordering::SeqCst);
        self.rows.get(id)
    }

    #[updates(Self::find(id))]
    async fn pay(&self, id: u64, amount: u64) -> Account {
        let account = self.rows.add(id, amount);
        tokio::task::yield_now().await;
        account
    }

    /// Invalidates a tag of the very entry.
    #[updates(Self::find(id), tags = ["accounts"])]
    fn close(&self, id: u64) -> Account {
        self.rows.set(id, 0)
    }

    #[cached(ttl = "1h", tags = ["accounts", "account:{id}"], tiers = "memory")]
    async fn own(&self, id: u64) -> Account {
        self.rows.loads.fetch_add(1, Ordering::SeqCst);
        self.rows.get(id)
    }

    /// Invalidates both tags of the very entry.
    #[updates(Self::own(id), tags = ["accounts", "account:{id}"])]
    async fn own_slow(&self, id: u64, balance: u64) -> Account {
        let account = self.rows.set(id, balance);
        self.rows.has_written.notify_one();
        self.rows.may_return.notified().await;
        account
    }

    #[updates(Self::found_out(id))]
    async fn found_out_pay(&self, id: u64, amount: u64) -> Account {
        self.rows.add(id, amount)
    }

    #[updates(Self::find(id), tags = ["accounts"])]
    async fn slow(&self, id: u64, balance: u64) -> Account {
        let account = self.rows.set(id, balance);
        self.rows.has_written.notify_one();
        self.rows.may_return.notified().await;
        account
    }

    fn loads(&self) -> u64 {
        self.rows.loads.load(Ordering::SeqCst)
    }
}

fn of_owner(account: &Account) -> [String; 1] {
    [format!("owner:{}", account.id)]
}

struct Nodes {
    server: Server,
    a: Accounts,
    b: Accounts,
}

impl Nodes {
    async fn new() -> Self {
        let server = Server::start();
        let rows = Arc::default();
        let accounts = |cache| Accounts { cache, rows: Arc::clone(&rows) };
        let (a, b) = (accounts(node(&server).await), accounts(node(&server).await));
        Self { server, a, b }
    }

    /// Makes a node that has nothing in memory.
    async fn fresh(&self) -> Accounts {
        Accounts { cache: node(&self.server).await, rows: self.a.rows.clone() }
    }

    /// Begins an update on `a`, and returns once it has written.
    async fn begin(&self, balance: u64) -> tokio::task::JoinHandle<Account> {
        let a = self.a.clone();
        let update = tokio::spawn(async move { a.slow(1, balance).await });
        self.a.rows.has_written.notified().await;
        update
    }

    /// Lets it return, and checks that nothing was kept of it: all read what the source holds, and that takes a load.
    async fn end(&self, update: tokio::task::JoinHandle<Account>, holds: u64) {
        let (kept, loads) = (self.writes(), self.a.loads());
        self.a.rows.may_return.notify_one();
        update.await.unwrap();
        assert_eq!(self.fresh().await.find(1).await.balance, holds);
        assert_eq!((self.writes(), self.a.loads()), (kept, loads + 1));
        for node in [&self.a, &self.b] {
            until("all nodes read what the source holds", async || node.find(1).await.balance == holds).await;
        }
    }

    fn writes(&self) -> u64 {
        self.a.cache.remote_stats().unwrap().writes
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_update_returns_is_there_for_all() {
    let nodes = Nodes::new().await;
    let (a, b) = (&nodes.a, &nodes.b);
    assert_eq!((a.find(1).await.balance, b.find(1).await.balance), (0, 0));
    let paid = a.pay(1, 5).await;
    assert_eq!(a.find(1).await, paid);
    until("the other node has heard of it", async || b.find(1).await == paid).await;
    assert_eq!(nodes.fresh().await.find(1).await, paid);
    let paid = b.found_out_pay(2, 7).await;
    assert_eq!(nodes.fresh().await.found_out(2).await, paid);
    // The one from before all that.
    assert_eq!(a.loads(), 1);
    assert_eq!((nodes.writes(), b.cache.remote_stats().unwrap().writes), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_that_invalidates_a_tag_of_its_own_entry_is_kept() {
    let nodes = Nodes::new().await;
    let (a, b) = (nodes.a.clone(), nodes.b.clone());
    b.rows.set(1, 9);
    b.rows.set(2, 9);
    assert_eq!((b.find(1).await.balance, b.find(2).await.balance), (9, 9));
    let closing = a.clone();
    tokio::task::spawn_blocking(move || closing.close(1)).await.unwrap();
    let loads = a.loads();
    assert_eq!((a.find(1).await.balance, nodes.fresh().await.find(1).await.balance), (0, 0));
    assert_eq!(a.loads(), loads);
    // The others of the tag are to be loaded anew.
    assert_eq!(nodes.fresh().await.find(2).await.balance, 9);
    assert_eq!(a.loads(), loads + 1);
    until("the other node has heard of it", async || b.find(1).await.balance == 0).await;
}

/// It is not announced: the second tier has nothing of it.
#[tokio::test(flavor = "multi_thread")]
async fn an_update_of_what_is_in_memory_only_is_kept_though_it_invalidates_a_tag_of_it() {
    let nodes = Nodes::new().await;
    let (a, b) = (nodes.a.clone(), nodes.b.clone());
    for round in 0..3 {
        let (saving, loads) = (a.clone(), a.loads());
        let update = tokio::spawn(async move { saving.own_slow(1, round).await });
        a.rows.has_written.notified().await;
        // Somebody else writes the row, and says so, here or there.
        match round {
            0 => {}
            1 => a.cache.invalidate_tags(["accounts"]).await,
            _ => {
                let heard = a.cache.remote_stats().unwrap().notices;
                b.cache.invalidate_tags(["account:1"]).await;
                until("it is heard of", async || a.cache.remote_stats().unwrap().notices > heard).await;
            }
        }
        a.rows.may_return.notify_one();
        update.await.unwrap();
        assert_eq!((a.own(1).await.balance, a.loads()), (round, loads + u64::from(round > 0)), "{round}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_that_could_not_be_announced_is_kept_here_though_it_invalidates_a_tag_of_its_entry() {
    let mut nodes = Nodes::new().await;
    let a = nodes.a.clone();
    nodes.server.kill();
    let knows = |stats: cachex::RemoteStats| !stats.is_up && !stats.is_listening && stats.flushes == 2;
    until("it is known that the server is gone", async || knows(a.cache.remote_stats().unwrap())).await;
    let update = nodes.begin(5).await;
    let loads = a.loads();
    a.rows.may_return.notify_one();
    update.await.unwrap();
    assert_eq!((a.find(1).await.balance, a.loads()), (5, loads));
    nodes.server.run();
    until("it is delivered", async || a.cache.remote_stats().unwrap().undelivered == 0).await;
    assert_eq!(nodes.fresh().await.find(1).await.balance, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_updates_that_overlap_in_two_processes_the_first_keeps_nothing() {
    let nodes = Nodes::new().await;
    let update = nodes.begin(5).await;
    nodes.b.pay(1, 1).await;
    // What the other update has kept is what the source holds: it goes nevertheless, for nobody knows.
    nodes.end(update, 6).await;
}

/// The one that began later ends first, and is older in the source.
#[tokio::test(flavor = "multi_thread")]
async fn of_updates_that_overlap_in_two_processes_the_second_keeps_nothing() {
    let nodes = Nodes::new().await;
    let b = nodes.b.clone();
    let late = tokio::spawn(async move { b.slow(1, 5).await });
    nodes.a.rows.has_written.notified().await;
    let update = nodes.begin(7).await;
    nodes.a.rows.may_return.notify_one();
    until("one of them has ended", async || late.is_finished() || update.is_finished()).await;
    nodes.a.rows.may_return.notify_one();
    assert_eq!((late.await.unwrap().balance, update.await.unwrap().balance), (5, 7));
    let loads = nodes.a.loads();
    assert_eq!((nodes.fresh().await.find(1).await.balance, nodes.a.loads()), (7, loads + 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_that_meets_an_invalidation_of_another_process_keeps_nothing() {
    let nodes = Nodes::new().await;
    for round in 0..4 {
        let update = nodes.begin(round).await;
        // Somebody else writes the row, and says so.
        nodes.b.rows.set(1, 100 + round);
        match round {
            0 => nodes.b.cache.invalidate_tags(["account:1"]).await,
            // The tag that the update itself is about to invalidate.
            1 => nodes.b.cache.invalidate_tags(["accounts"]).await,
            2 => nodes.b.cache.clear().await,
            _ => drop(nodes.b.find_remove(&1).await),
        }
        nodes.end(update, 100 + round).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_that_meets_a_value_written_by_hand_keeps_nothing() {
    let nodes = Nodes::new().await;
    let update = nodes.begin(5).await;
    let primed = nodes.b.rows.set(1, 6);
    nodes.b.find_prime(&1, &primed).await;
    nodes.end(update, 6).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_while_the_store_is_gone_invalidates_when_it_is_back() {
    let mut nodes = Nodes::new().await;
    let (a, b) = (nodes.a.clone(), nodes.b.clone());
    b.find(1).await;
    let update = nodes.begin(5).await;
    nodes.server.kill();
    a.rows.may_return.notify_one();
    update.await.unwrap();
    assert_eq!(a.pay(1, 1).await.balance, 6);
    assert_eq!(a.find(1).await.balance, 6);
    nodes.server.run();
    for node in [&a, &b] {
        until("all nodes read what the source holds", async || node.find(1).await.balance == 6).await;
    }
    until("it is delivered", async || a.cache.remote_stats().unwrap().undelivered == 0).await;
    assert_eq!(nodes.fresh().await.find(1).await.balance, 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_updates_that_race_all_nodes_read_what_the_source_holds() {
    let nodes = Nodes::new().await;
    let third = nodes.fresh().await;
    for round in 0..60_u64 {
        let mut tasks = tokio::task::JoinSet::new();
        for (number, node) in (0_u64..).zip([&nodes.a, &nodes.b, &third]) {
            let node = node.clone();
            tasks.spawn(async move {
                for step in 0..4 {
                    pause(Duration::from_micros((round * 7 + number * 13 + step * 29) % 700)).await;
                    match (round + number + step) % 5 {
                        0 => assert!(node.find(round % 3).await.balance <= 720),
                        1 => node.cache.invalidate_tags(["accounts"]).await,
                        _ => assert!(node.pay(round % 3, 1).await.balance <= 720),
                    }
                }
            });
        }
        tasks.join_all().await;
        for id in 0..3 {
            let holds = nodes.a.rows.get(id);
            for node in [&nodes.a, &nodes.b, &third] {
                let what = format!("round {round}, {id}");
                until(&what, async || node.find(id).await == holds).await;
            }
        }
    }
    let writes = [&nodes.a, &nodes.b, &third].map(|node| node.cache.remote_stats().unwrap().writes);
    assert!(writes.iter().sum::<u64>() > 3, "some of them were kept: {writes:?}");
}

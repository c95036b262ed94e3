//! Redis as the second tier: real servers, several caches of one namespace, each with a memory of its own.

mod basics;
mod batches;
mod callers;
mod calm;
mod cluster;
mod explaining;
mod faults;
mod gaps;
mod gated;
mod index;
mod late;
mod leaving;
mod many;
mod matching;
mod messages;
pub(crate) mod processes;
mod races;
mod reach;
mod sentinel;
mod steps;
mod tiers;
mod tls;
mod updates;

use std::time::Duration;

use cachex::{Cache, RedisSettings, RemoteSettings};
use cachex_tests::cluster::Cluster;
use cachex_tests::redis::Server;

/// What a cache can be set to use.
trait Servers {
    fn url(&self) -> String;
}

impl Servers for Server {
    fn url(&self) -> String {
        self.url()
    }
}

impl Servers for Cluster {
    fn url(&self) -> String {
        self.url()
    }
}

/// Makes a cache over a server, and waits until it is whole.
async fn node(server: &impl Servers) -> Cache {
    node_with(server, |_, _| {}).await
}

async fn node_with(server: &impl Servers, change: impl FnOnce(&mut RedisSettings, &mut RemoteSettings)) -> Cache {
    let mut redis = RedisSettings::new(server.url());
    // A machine that runs all tests at once is slow: what is asked must not fail for that.
    redis.timeout = Duration::from_secs(10);
    redis.connections = 2;
    let mut remote = RemoteSettings::default();
    change(&mut redis, &mut remote);
    let cache = Cache::builder().namespace("tests").redis(redis).remote(remote).build().unwrap();
    cache.connected(Duration::from_secs(10)).await.unwrap();
    cache
}

/// Waits until something is so; it is looked at again and again, as another process, or task, makes it so.
pub(crate) async fn until(what: &str, is_so: impl AsyncFn() -> bool) {
    for _ in 0..2_000 {
        if is_so().await {
            return;
        }
        pause(Duration::from_millis(5)).await;
    }
    panic!("not so within 10 s: {what}");
}

#[expect(clippy::disallowed_methods, reason = "the server lives in real time")]
pub(crate) async fn pause(span: Duration) {
    tokio::time::sleep(span).await;
}

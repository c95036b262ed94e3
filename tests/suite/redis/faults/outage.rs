//! A server that is away for long, and a process that only listens.

use std::sync::mpsc::channel;
use std::time::Duration;

use cachex::{Cache, RedisSettings};
use cachex_tests::proxy::Proxy;
use cachex_tests::redis::Server;

use super::super::processes::{Process, Source};
use super::super::{pause, until};

const OUTAGE: Duration = Duration::from_secs(15);
const SOON: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread")]
async fn who_only_listens_hears_of_invalidations_after_an_outage_of_15_seconds() {
    let (mut server, source) = (Server::start(), Source::new("outage"));
    // It sees the attempts to connect while there is no server.
    let proxy = Proxy::before(server.port());
    let url = server.url();
    let mut writer = Process::start(&[("CACHEX_REDIS__URL", &url), ("CACHEX_REDIS__TIMEOUT", "10s")], 0, source.path());
    let mut redis = RedisSettings::new(proxy.url());
    redis.connections = 2;
    let idle = Cache::builder().namespace("processes").redis(redis).build().unwrap();
    idle.connected(SOON).await.unwrap();
    let (sender, messages) = channel();
    let _subscription = idle.subscribe_invalidations(move |message| {
        let _gone = sender.send(message.is_own());
    });
    assert_eq!(writer.ask("write second"), "written");
    assert_eq!(messages.recv_timeout(SOON), Ok(false));
    let stats = || idle.remote_stats().unwrap();
    let (before, connections) = (stats(), proxy.connections());
    server.kill();
    until("it is known that the server is gone", async || !stats().is_up && !stats().is_listening).await;
    pause(OUTAGE).await;
    // Two connections for commands and one for notices: 8 attempts each until the pauses have grown to a second at least.
    let attempts = proxy.connections() - connections;
    assert!((3 * 8..=3 * (8 + 17)).contains(&attempts), "{attempts} attempts to connect in {OUTAGE:?}");
    server.run();
    until("it is whole again, by itself", async || stats().is_up && stats().is_listening).await;
    assert_eq!(messages.try_iter().count(), 0);
    assert_eq!(writer.ask("write third"), "written");
    assert_eq!(messages.recv_timeout(SOON), Ok(false));
    // Each connection broke once and was made once. Memory was emptied when notices stopped, when they came again, and when either connection for
    // commands had met another server.
    let after = stats();
    assert_eq!((after.connects - before.connects, after.disconnects - before.disconnects), (2, 2), "{after:?}");
    assert_eq!((after.flushes - before.flushes, after.gaps, after.notices - before.notices), (4, 0, 1), "{after:?}");
    assert!(after.last_error.is_some(), "{after:?}");
    // No call was made.
    assert_eq!(after.hits + after.misses + after.bypasses + after.errors + after.stores + after.published, 0);
    // Three of each process, and what fails while the server starts.
    assert!(server.connections() <= 2 * (3 + 5), "{} connections", server.connections());
}

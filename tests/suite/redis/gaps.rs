//! Notices that are lost on their way, while nothing else is wrong: who has not heard of them finds out, and empties its memory.

use std::time::Duration;

use cachex::{Cache, EntryOptions, Key, RemoteStats, Verdict};
use cachex_tests::proxy::{Mode, Proxy};
use cachex_tests::redis::Server;

use super::{node, node_with, until};

const KEY: &str = "text";

/// A node that hears of others through a proxy, and has a value in memory.
async fn listening(server: &Server, proxy: &Proxy) -> Cache {
    let cache = node_with(server, |redis, _| {
        redis.url = proxy.url();
        // So that nothing but messages comes to who listens.
        redis.ping_interval = Duration::from_secs(60);
    })
    .await;
    cache.set(&Key::new(KEY), 1, &EntryOptions::new().tag("texts")).await.unwrap();
    assert!(has(&cache));
    cache
}

/// Whether the value is in memory.
fn has(cache: &Cache) -> bool {
    cache.explain(&Key::new(KEY)).verdict == Verdict::Fresh
}

fn stats(cache: &Cache) -> RemoteStats {
    cache.remote_stats().unwrap()
}

// Guards `keep_beating`.
#[tokio::test(flavor = "multi_thread")]
async fn the_last_notice_is_lost_and_a_heartbeat_tells() {
    let server = Server::start();
    let proxy = Proxy::before(server.port());
    let teller = node_with(&server, |redis, _| redis.ping_interval = Duration::from_millis(100)).await;
    let cache = listening(&server, &proxy).await;
    teller.invalidate_tags(["first"]).await;
    until("it knows of the other", async || stats(&cache).notices == 1).await;
    proxy.set(Mode::LoseMessages);
    teller.invalidate_tags(["texts"]).await;
    // One is it, and before it at most one other was on its way.
    let lost = proxy.lost();
    until("it is lost", async || proxy.lost() >= lost + 3).await;
    let before = stats(&cache);
    assert_eq!((before.notices, before.gaps, has(&cache)), (1, 0, true));
    proxy.set(Mode::Pass);
    until("it has found out", async || stats(&cache).gaps == 1).await;
    until("its memory is empty", async || !has(&cache)).await;
    assert_eq!((stats(&cache).flushes, stats(&cache).is_listening), (before.flushes + 1, true));
    // Once: from then on all is well.
    teller.invalidate_tags(["last"]).await;
    until("it hears of that", async || stats(&cache).notices == 2).await;
    assert_eq!(stats(&cache).gaps, 1);
}

/// Tells what another process would tell: of the tag "told", or, as of no tag, how many notices there were.
fn tell(server: &Server, number: u8, tag: Option<&str>) {
    let channels = server.command(&["PUBSUB", "CHANNELS", "*"]).unwrap();
    let channel = channels.lines().find(|line| line.starts_with("cx:")).expect("somebody listens");
    // Version, kind, origin, number, and no clock.
    let mut notice = vec![1, if tag.is_some() { 1 } else { 4 }, 0, 0, 0, 0, 0, 0, 0, 7];
    notice.extend([0, 0, 0, 0, 0, 0, 0, number, 0, 0, 0, 0, 0, 0, 0, 0]);
    if let Some(tag) = tag {
        notice.extend([0, u8::try_from(tag.len() + 2).unwrap()]);
        notice.extend(["t:", tag].concat().bytes());
    }
    assert_eq!(server.command(&["PUBLISH", channel, std::str::from_utf8(&notice).unwrap()]).unwrap(), ":1\r\n");
}

// Guards what `act_upon` does where one is lost.
#[tokio::test(flavor = "multi_thread")]
async fn a_number_that_is_left_out_is_found_out_when_it_is_told_how_many_there_were() {
    let server = Server::start();
    let proxy = Proxy::before(server.port());
    let cache = listening(&server, &proxy).await;
    let flushes = stats(&cache).flushes;
    tell(&server, 1, Some("told"));
    tell(&server, 1, None);
    tell(&server, 3, Some("told"));
    until("both were heard", async || stats(&cache).notices == 2).await;
    // It may still be on its way.
    assert_eq!((stats(&cache).gaps, stats(&cache).flushes, has(&cache)), (0, flushes, true));
    tell(&server, 3, None);
    until("it is known to be lost", async || stats(&cache).gaps == 1).await;
    until("memory is empty", async || !has(&cache)).await;
    assert_eq!((stats(&cache).flushes, stats(&cache).unreadable), (flushes + 1, 0));
    // What was set since is not taken for lost again.
    cache.set(&Key::new(KEY), 2, &EntryOptions::new()).await.unwrap();
    tell(&server, 4, Some("told"));
    tell(&server, 4, None);
    tell(&server, 5, Some("told"));
    until("all were heard", async || stats(&cache).notices == 4).await;
    assert_eq!((stats(&cache).gaps, has(&cache)), (1, true));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_taken_for_lost_while_all_comes() {
    let server = Server::start();
    let teller = node_with(&server, |redis, _| redis.ping_interval = Duration::from_millis(1)).await;
    let cache = node(&server).await;
    for number in 0..300_u64 {
        teller.invalidate_tags([format!("tag:{number}")]).await;
        teller.set(&Key::new("number"), number, &EntryOptions::new()).await.unwrap();
    }
    until("all was heard", async || stats(&cache).notices == 600).await;
    assert_eq!(stats(&cache).gaps, 0);
}

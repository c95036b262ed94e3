//! What memcached has of its own: it drops what it likes, and it can't tell.

mod early;

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use cachex::store::{Group, Invalidation, Notice, Store, StoreErrorKind, conformance};
use cachex::{Cache, EntryOptions, Key, MemcachedSettings};
use cachex_tests::memcached::Server;
use cachex_tests::proxy::{Mode, Proxy};
use futures_util::future::join;

use super::{Deaf, passes, servers};
use crate::redis::{pause, until};
use early::Early;

const LONG: Duration = Duration::from_secs(600);

/// A thread that makes a server drop a third of its items every 2 ms; dropped, it has ended.
struct Adversary {
    going_on: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Adversary {
    fn of(server: &Arc<Server>) -> Self {
        let (going_on, is_over) = channel::<()>();
        let server = server.clone();
        let thread = std::thread::spawn(move || {
            let mut seed = 1_u64;
            while is_over.recv_timeout(Duration::from_millis(2)) == Err(RecvTimeoutError::Timeout) {
                for item in server.items() {
                    seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    if (seed >> 33).is_multiple_of(3) {
                        let _gone = server.evict(&item);
                    }
                }
            }
        });
        Self { going_on: Some(going_on), thread: Some(thread) }
    }
}

impl Drop for Adversary {
    fn drop(&mut self) {
        self.going_on.take();
        if let Some(thread) = self.thread.take() {
            let _ended = thread.join();
        }
    }
}

/// Whatever is dropped at any moment, nothing wrong is taken for valid.
#[tokio::test]
async fn nothing_wrong_is_taken_from_a_server_that_drops_everything_all_the_time() {
    let server = Arc::new(Server::start());
    let _adversary = Adversary::of(&server);
    let settings = servers([&*server]);
    for _ in 0..3 {
        passes(conformance::check_safety(async || settings.open("tests").unwrap()).await);
    }
}

async fn store(server: &Server) -> Box<dyn Store> {
    store_of(&servers([server])).await
}

async fn store_of(settings: &MemcachedSettings) -> Box<dyn Store> {
    let store = settings.open("tests").unwrap();
    store.start(Arc::new(Deaf));
    until("the server is reached", async || store.is_up()).await;
    store
}

/// What is found out of it after that is nothing: not that nothing happened.
#[tokio::test]
async fn a_group_that_was_invalidated_and_then_dropped_refuses_the_loads_from_before() {
    let server = Server::start();
    let (store, group) = (store(&server).await, [Group::tag("a")]);
    store.begin("k", &group, None).await.unwrap();
    let since = store.begin("k", &[], None).await.unwrap();
    store.invalidate(&Invalidation { groups: group.to_vec(), ..Invalidation::default() }).await.unwrap();
    for item in server.items() {
        server.evict(&item).unwrap();
    }
    assert_eq!(store.mint("k", &group, since, None).await.unwrap(), None);
    // Now it is known, and a load that begins afterwards has a stamp.
    assert!(store.clocks("k", &group).await.unwrap()[0].is_some_and(|clock| clock > since));
    let since = store.begin("k", &[], None).await.unwrap();
    assert!(store.mint("k", &group, since, None).await.unwrap().is_some());
}

/// Else what a later invalidation has made wrong would be valid once more.
#[tokio::test]
async fn an_invalidation_that_is_stored_late_does_not_take_the_place_of_a_later_one() {
    let server = Early::start();
    let mut settings = MemcachedSettings::new([server.url()]);
    settings.timeout = Duration::from_secs(10);
    let (store, slow, group) = (store_of(&settings).await, store_of(&settings).await, [Group::tag("a")]);
    store.begin("k", &group, None).await.unwrap();
    server.hold_next();
    let invalidation = || Invalidation { groups: group.to_vec(), ..Invalidation::default() };
    let late = invalidation();
    let late = tokio::spawn(async move { slow.invalidate(&late).await });
    until("its number is drawn", async || server.holds()).await;
    let stamp = store.begin("k", &group, None).await.unwrap();
    store.invalidate(&invalidation()).await.unwrap();
    server.let_go();
    assert!(late.await.unwrap().is_ok());
    assert!(store.clocks("k", &group).await.unwrap()[0].is_some_and(|clock| clock > stamp));
}

#[tokio::test]
async fn what_was_stamped_before_a_server_began_anew_is_never_valid_after_it() {
    let mut server = Server::start();
    let (before, group) = (store(&server).await, [Group::tag("a")]);
    let mut stamp = before.begin("k", &group, None).await.unwrap();
    // Its numbers are far ahead of what those of the next one will be.
    for _ in 0..1000 {
        stamp = before.begin("k", &group, None).await.unwrap();
    }
    // Servers know the second in which they started: this one is to be known from the next one.
    pause(Duration::from_millis(2100)).await;
    server.kill();
    server.run();
    let after = store(&server).await;
    assert!(after.begin("k", &group, None).await.unwrap() > stamp);
    assert!(after.clocks("k", &group).await.unwrap()[0].is_some_and(|clock| clock > stamp));
}

#[tokio::test]
async fn a_value_that_is_too_large_is_a_miss_and_takes_away_what_was_there() {
    let server = Server::start();
    let store = store(&server).await;
    store.write("k", b"small".to_vec(), Some(LONG), Notice::default()).await.unwrap();
    store.write("k", vec![7; 2_000_000], Some(LONG), Notice::default()).await.unwrap();
    assert_eq!(store.read("k", &[]).await.unwrap().value, None);
    // Nothing is mixed up by that.
    store.write("k", b"again".to_vec(), Some(LONG), Notice::default()).await.unwrap();
    assert_eq!(store.read("k", &[]).await.unwrap().value.as_deref(), Some(&b"again"[..]));
}

/// All at once they would take twice the timeout, and however often that is tried, it fails.
#[tokio::test]
async fn thousands_of_removals_over_a_slow_link_have_a_timeout_for_each_part() {
    let server = Server::start();
    let direct = store(&server).await;
    let keys: Vec<Box<str>> = (0..4000).map(|number| format!("find({number})").into()).collect();
    let some = [keys[0].clone(), keys[600].clone(), keys[3999].clone()];
    for key in &some {
        direct.write(key, b"value".to_vec(), Some(LONG), Notice::default()).await.unwrap();
    }
    let proxy = Proxy::before(server.port());
    let mut settings = MemcachedSettings::new([format!("memcached://127.0.0.1:{}", proxy.port())]);
    settings.timeout = Duration::from_secs(2);
    let slow = store_of(&settings).await;
    proxy.pace(40_000);
    let what = Invalidation { keys, ..Invalidation::default() };
    assert_eq!(slow.invalidate(&what).await.unwrap(), Vec::<Box<str>>::new());
    for key in &some {
        assert_eq!(direct.read(key, &[]).await.unwrap().value, None);
    }
}

#[tokio::test]
async fn a_server_that_is_gone_is_known_to_be_and_is_used_again_when_it_is_back() {
    let mut server = Server::start();
    let store = store(&server).await;
    server.kill();
    until("it is known to be gone", async || !store.is_up()).await;
    let failed = store.read("k", &[]).await.unwrap_err();
    assert_eq!(failed.kind(), StoreErrorKind::Down);
    assert!(store.invalidate(&Invalidation { groups: vec![Group::all()], ..Invalidation::default() }).await.is_err());
    server.run();
    until("it is used again", async || store.read("k", &[]).await.is_ok()).await;
}

/// A store over a proxy that has seen three connections: of the watch, of its look where the name leads, and one to use.
async fn store_over(proxy: &Proxy) -> Box<dyn Store> {
    let mut settings = MemcachedSettings::new([format!("memcached://127.0.0.1:{}", proxy.port())]);
    settings.timeout = Duration::from_secs(10);
    settings.connect_timeout = Duration::from_secs(10);
    // Nothing but a suspicion has it look again.
    settings.ping_interval = LONG;
    let store = store_of(&settings).await;
    until("it has looked", async || proxy.connections() == 2).await;
    assert_eq!(store.read("k", &[]).await.unwrap().value, None);
    // What it has looked with is used.
    assert_eq!(proxy.connections(), 2);
    store
}

#[tokio::test]
async fn a_server_that_is_full_says_so_and_its_connections_stay() {
    let server = Server::start_with(&["-M", "-m", "2"]);
    let proxy = Proxy::before(server.port());
    let store = store_over(&proxy).await;
    let mut refused = Vec::new();
    for number in 0..100 {
        let written = store.write(&format!("find({number})"), vec![7; 400_000], None, Notice::default()).await;
        refused.extend(written.err());
    }
    assert!(refused.len() > 50, "{}", refused.len());
    for error in refused {
        assert_eq!(error.kind(), StoreErrorKind::Refused, "{error}");
        assert!(error.to_string().contains("SERVER_ERROR out of memory"), "{error}");
    }
    assert_eq!(proxy.connections(), 2);
    assert!(store.is_up() && store.clocks("k", &[Group::tag("a")]).await.is_ok());
}

/// Else what is invalidated over the one is valid over the other.
#[tokio::test]
async fn no_connection_is_used_that_leads_to_another_server_than_the_others() {
    let (one, other) = (Server::start(), Server::start());
    let proxy = Proxy::before(one.port());
    let store = store_over(&proxy).await;
    store.write("k", b"value".to_vec(), Some(LONG), Notice::default()).await.unwrap();
    proxy.redirect(other.port());
    let invalidation = Invalidation { keys: vec!["k".into()], ..Invalidation::default() };
    // The read has the connection that is there, for as long as the proxy holds it.
    proxy.set(Mode::HoldRequests);
    let invalidate = async {
        let invalidated = store.invalidate(&invalidation).await;
        proxy.set(Mode::Pass);
        invalidated
    };
    let (_read, invalidated) = join(store.read("k", &[]), invalidate).await;
    assert!(invalidated.is_err());
    until("it uses the other one", async || store.read("k", &[]).await.is_ok_and(|read| read.value.is_none())).await;
}

#[tokio::test]
async fn a_server_that_is_led_to_again_was_not_told_what_was_invalidated_meanwhile_and_nothing_of_it_is_valid() {
    let (one, other) = (Server::start(), Server::start());
    let proxy = Proxy::before(one.port());
    let mut settings = MemcachedSettings::new([format!("memcached://127.0.0.1:{}", proxy.port())]);
    settings.timeout = Duration::from_secs(10);
    settings.ping_interval = Duration::from_millis(20);
    let (store, groups) = (store_of(&settings).await, [Group::all(), Group::tag("a")]);
    let stamp = store.begin("k", &groups, None).await.unwrap();
    store.write("k", b"value".to_vec(), Some(LONG), Notice::default()).await.unwrap();
    let is_there = async || store.read("k", &[]).await.is_ok_and(|read| read.value.is_some());
    assert!(is_there().await);
    proxy.redirect(other.port());
    until("it uses the other one", async || store.read("k", &[]).await.is_ok_and(|read| read.value.is_none())).await;
    store.invalidate(&Invalidation { groups: groups[1..].to_vec(), ..Invalidation::default() }).await.unwrap();
    proxy.redirect(one.port());
    until("it uses the first one again", is_there).await;
    let clocks = store.clocks("k", &groups).await.unwrap();
    assert!(clocks[0].is_some_and(|clock| clock > stamp), "{clocks:?} after {stamp:?}");
}

#[tokio::test]
async fn an_entry_stays_in_memory_no_longer_than_another_process_may_be_stale() {
    let server = Server::start();
    let node = || Cache::builder().namespace("tests").memcached(servers([&server])).build().unwrap();
    let (one, other) = (node(), node());
    for cache in [&one, &other] {
        cache.connected(Duration::from_secs(10)).await.unwrap();
    }
    let key = Key::new("a");
    one.set(&key, 1, &EntryOptions::new().tag("t")).await.unwrap();
    assert_eq!(other.get::<i32>(&key).await.unwrap(), Some(1));
    one.invalidate_tags(["t"]).await;
    assert_eq!(one.get::<i32>(&key).await.unwrap(), None);
    // Nobody tells it, and it is not stale for long.
    until("it is not there", async || other.get::<i32>(&key).await.unwrap().is_none()).await;
    assert!(!other.remote_stats().unwrap().is_listening);
}

// Guards `longest_here`: who renews what it has before that ends, has it end all the same where nobody tells of invalidations.
#[tokio::test]
async fn an_entry_that_is_renewed_again_and_again_stays_in_memory_no_longer_either() {
    let server = Server::start();
    let node = || Cache::builder().namespace("tests").memcached(servers([&server])).build().unwrap();
    let (one, other) = (node(), node());
    for cache in [&one, &other] {
        cache.connected(Duration::from_secs(10)).await.unwrap();
    }
    let (key, hour) = (Key::new("a"), Duration::from_secs(3_600));
    one.set(&key, 1, &EntryOptions::new().ttl(hour)).await.unwrap();
    assert_eq!(other.get::<i32>(&key).await.unwrap(), Some(1));
    one.remove(&key).await;
    until("it is not there", async || {
        let _renewed = other.expire(&key, hour).await;
        other.get::<i32>(&key).await.unwrap().is_none()
    })
    .await;
}

// Guards `Pool::keep_spare` and `Pool::open`: what takes longer than a call may is there for the next one.
#[tokio::test]
async fn a_server_that_is_connected_with_more_slowly_than_a_call_may_take_is_used_all_the_same() {
    let server = Server::start();
    let proxy = Proxy::before(server.port());
    let mut settings = MemcachedSettings::new([format!("memcached://127.0.0.1:{}", proxy.port())]);
    // There and back, and once more to ask which one it is: then a call would have no time left.
    proxy.delay(Duration::from_millis(100));
    settings.timeout = Duration::from_millis(300);
    settings.connect_timeout = Duration::from_secs(10);
    let store = store_of(&settings).await;
    until("it is read", async || store.read("k", &[]).await.is_ok()).await;
}

//! Redis over TLS: who is trusted, who we are, and what is said when that does not fit.

use std::path::PathBuf;
use std::time::Duration;

use cachex::{Cache, EntryOptions, Error, RedisSettings};
use cachex_tests::redis::Server;
use cachex_tests::tls::{Certificates, TlsServer};

use super::until;

fn cache(url: &str, change: impl FnOnce(&mut RedisSettings)) -> Result<Cache, Error> {
    let mut redis = RedisSettings::new(url);
    redis.timeout = Duration::from_secs(10);
    redis.connect_timeout = Duration::from_secs(10);
    change(&mut redis);
    Cache::builder().namespace("tests").redis(redis).build()
}

fn message(cache: Result<Cache, Error>) -> String {
    cache.map(drop).map_err(|error| error.to_string()).expect_err("this can't be used")
}

async fn last_error(cache: &Cache, part: &str) {
    let error = || cache.remote_stats().unwrap().last_error.unwrap_or_default();
    until(&format!("`{part}` in {:?}", error()), async || error().contains(part)).await;
}

/// A call without an annotation goes on whatever becomes of Redis.
async fn still_answers(cache: &Cache) {
    let key = cachex::Key::entity("tests", &1_u32);
    let loaded: Result<u32, Error> = cache.get_or_load(&key, &EntryOptions::default(), async || Ok(7)).await;
    assert_eq!(loaded.unwrap(), 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_with_a_certificate_shares_values_over_tls() {
    let files = Certificates::new();
    let acl =
        files.write("users.acl", "user default on nopass ~* &* +@all\nuser app on >p@ss ~cx:* ~{cx:* &cx:* +@all\n");
    let server = TlsServer::start(&files, true, &["--aclfile", acl.to_str().unwrap()]);
    let url = format!("rediss://app:p%40ss@{}/3", server.host());
    let trusting = |redis: &mut RedisSettings| {
        redis.tls_ca = Some(files.path("ca.pem"));
        redis.tls_certificate = Some(files.path("client.pem"));
        redis.tls_key = Some(files.path("client.key"));
    };
    let (one, two) = (cache(&url, trusting).unwrap(), cache(&url, trusting).unwrap());
    for cache in [&one, &two] {
        cache.connected(Duration::from_secs(10)).await.unwrap();
    }
    let key = cachex::Key::entity("tests", &1_u32);
    one.set(&key, 7_u32, &EntryOptions::default()).await.unwrap();
    assert_eq!(two.get::<u32>(&key).await.unwrap(), Some(7));
    assert_eq!(two.remote_stats().unwrap().warning, None);
    let clients = server.server.command(&["CLIENT", "LIST"]).unwrap();
    assert_eq!(clients.matches("user=app").count(), 4, "two connections each: {clients}");
    assert_eq!(clients.matches("db=3").count(), 4, "{clients}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_nobody_trusted_vouches_for_is_refused_and_calls_go_on() {
    let (files, others) = (Certificates::new(), Certificates::new());
    let server = TlsServer::start(&files, false, &[]);
    let url = format!("rediss://{}", server.host());
    for ca in [Some(others.path("ca.pem")), None] {
        let cache = cache(&url, |redis| redis.tls_ca = ca).unwrap();
        last_error(&cache, "the certificate of redis is not accepted").await;
        last_error(&cache, "`redis.tls_ca`").await;
        assert!(!cache.remote_stats().unwrap().is_up);
        still_answers(&cache).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_shows_no_certificate_where_one_is_demanded_is_told_so() {
    let files = Certificates::new();
    let server = TlsServer::start(&files, true, &[]);
    let cache =
        cache(&format!("rediss://{}", server.host()), |redis| redis.tls_ca = Some(files.path("ca.pem"))).unwrap();
    last_error(&cache, "name the files of `redis.tls_certificate` and `redis.tls_key`").await;
    still_answers(&cache).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_answers_is_trusted_on_demand_and_that_is_shown() {
    let files = Certificates::new();
    let server = TlsServer::start(&files, false, &[]);
    let cache = cache(&format!("rediss://{}", server.host()), |redis| redis.tls_insecure = true).unwrap();
    cache.connected(Duration::from_secs(10)).await.unwrap();
    let warning = cache.remote_stats().unwrap().warning.unwrap();
    assert!(warning.starts_with("`redis.tls_insecure` is on"), "{warning}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_tls_is_told_from_one_with_it() {
    let server = Server::start();
    let cache = cache(&format!("rediss://127.0.0.1:{}", server.port()), |redis| {
        redis.tls_insecure = true;
        redis.connect_timeout = Duration::from_secs(1);
    })
    .unwrap();
    last_error(&cache, "is there TLS at this port?").await;
    still_answers(&cache).await;
}

#[test]
fn files_are_read_when_a_cache_is_made() {
    let files = Certificates::new();
    let others = Certificates::new();
    let empty = files.write("empty.pem", "");
    let check = |ca: Option<PathBuf>, pair: Option<(PathBuf, PathBuf)>, expected: &str| {
        let message = message(cache("rediss://localhost:1", |redis| {
            redis.tls_ca = ca;
            (redis.tls_certificate, redis.tls_key) = pair.unzip();
        }));
        assert!(message.starts_with(expected), "{message}");
    };
    let (pem, key) = (files.path("client.pem"), files.path("client.key"));
    check(Some(files.path("gone.pem")), None, "`redis.tls_ca` can't be read");
    check(Some(empty.clone()), None, "`redis.tls_ca` holds no certificate");
    check(None, Some((empty.clone(), key.clone())), "`redis.tls_certificate` holds no certificate");
    check(None, Some((pem.clone(), empty)), "`redis.tls_key` holds no private key");
    check(None, Some((pem.clone(), others.path("client.key"))), "`redis.tls_key` is not the key of the certificate");
    let half = cache("rediss://localhost:1", |redis| redis.tls_key = Some(key));
    assert!(message(half).contains("`redis.tls_key` needs `redis.tls_certificate`"));
}

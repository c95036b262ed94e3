//! Every store of ours keeps the contract.

use std::sync::Arc;
use std::time::Duration;

use cachex::RedisSettings;
use cachex::store::{Notice, Null, Ring, Store, conformance};
use cachex_tests::cluster::Cluster;
use cachex_tests::folder::Folder;
use cachex_tests::{memcached, redis::Server};

use super::{Deaf, files, passes, servers};
use crate::redis::until;

#[tokio::test]
async fn redis_does() {
    let server = Server::start();
    redis_at(server.url()).await;
}

#[tokio::test]
async fn a_cluster_does() {
    let cluster = Cluster::start(0);
    redis_at(cluster.url()).await;
}

async fn redis_at(url: String) {
    let mut settings = RedisSettings::new(url);
    settings.timeout = Duration::from_secs(10);
    passes(conformance::check(async || settings.open("tests").unwrap()).await);
    takes_updates(&*settings.open("tests").unwrap()).await;
}

/// A store need not take updates, so the suite does not ask for that.
async fn takes_updates(store: &dyn Store) {
    store.start(Arc::new(Deaf));
    until("it is reached", async || store.is_whole()).await;
    assert!(store.takes_updates("k"));
    store.announce("k", 1, Duration::from_secs(60)).await.unwrap();
    assert!(store.write_announced("k", 1, b"value".to_vec(), None, Notice::default()).await.unwrap());
}

#[tokio::test]
async fn a_directory_does() {
    let folder = Folder::new();
    passes(conformance::check(async || files(&folder)).await);
    takes_updates(&*files(&folder)).await;
}

#[tokio::test]
async fn nothing_does_as_far_as_it_can() {
    passes(conformance::check_safety(async || Null).await);
}

#[tokio::test]
async fn memcached_does() {
    let server = memcached::Server::start();
    let settings = servers([&server]);
    passes(conformance::check(async || settings.open("tests").unwrap()).await);
}

#[tokio::test]
async fn a_ring_of_directories_does() {
    let (one, two) = (Folder::new(), Folder::new());
    let ring = || Ring::new([("one", files(&one)), ("two", files(&two))]).unwrap();
    passes(conformance::check(async || ring()).await);
    takes_updates(&ring()).await;
}

#[tokio::test]
async fn a_ring_of_servers_does() {
    let all = [memcached::Server::start(), memcached::Server::start(), memcached::Server::start()];
    let settings = servers(&all);
    passes(conformance::check(async || settings.open("tests").unwrap()).await);
    // Each of them has something.
    assert!(all.iter().all(|server| !server.items().is_empty()));
}

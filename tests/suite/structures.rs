//! Counters, lists, sets, hashes and locks: the same wherever they are, one for all who share the place, and never a wrong answer.
//!
//! Reading order: this file (the places), [`semantics`] (what each operation does), [`agreement`] (that all places do the same), [`together`] (many at
//! once), [`locks`], [`processes`] (locks and counters of real processes), [`faults`].

mod agreement;
mod faults;
mod locks;
mod processes;
mod semantics;
mod together;

use std::time::Duration;

use cachex::{Builder, Cache, FileSettings, Key, RedisSettings};
use cachex_tests::cluster::Cluster;
use cachex_tests::folder::Folder;
use cachex_tests::redis::Server;

/// Where structures are.
struct Place {
    name: &'static str,
    kind: Kind,
}

enum Kind {
    Memory(Cache),
    Redis(Server),
    Cluster(Cluster),
    Files(Folder),
}

impl Place {
    /// Returns what a cache there is made of.
    fn builder(&self) -> Builder {
        match &self.kind {
            Kind::Memory(_) => crate::builder(),
            Kind::Redis(server) => Cache::builder().namespace("structures").redis(patient(server.url())),
            Kind::Files(folder) => {
                let mut file = FileSettings::new(folder.path());
                file.timeout = Duration::from_secs(10);
                Cache::builder().namespace("structures").file(file)
            }
            Kind::Cluster(cluster) => Cache::builder().namespace("structures").redis(patient(cluster.url())),
        }
    }

    /// Returns caches that share what is there, each as another process has it. (In memory there is but one.)
    fn nodes(&self, count: usize) -> Vec<Cache> {
        match &self.kind {
            Kind::Memory(cache) => vec![cache.clone(); count],
            Kind::Redis(_) | Kind::Cluster(_) | Kind::Files(_) => {
                (0..count).map(|_| connected(self.builder())).collect()
            }
        }
    }

    fn node(&self) -> Cache {
        self.nodes(1).remove(0)
    }
}

fn patient(url: String) -> RedisSettings {
    let mut redis = RedisSettings::new(url);
    // A machine that runs all tests at once is slow: what is asked must not fail for that.
    redis.timeout = Duration::from_secs(10);
    redis.connections = 2;
    redis
}

fn connected(builder: Builder) -> Cache {
    let cache = builder.build().unwrap();
    cachex_tests::connected(&cache).unwrap();
    cache
}

/// Returns every place there is, but those that take long to start.
fn places() -> Vec<Place> {
    let memory = Kind::Memory(crate::builder().build().unwrap());
    vec![
        Place { name: "memory", kind: memory },
        Place { name: "redis", kind: Kind::Redis(Server::start()) },
        Place { name: "files", kind: Kind::Files(Folder::new()) },
    ]
}

/// Returns every place there is.
fn all_places() -> Vec<Place> {
    let cluster = Place { name: "cluster", kind: Kind::Cluster(Cluster::start(0)) };
    places().into_iter().chain([cluster]).collect()
}

fn key(name: &str) -> Key {
    Key::new(name)
}

/// Waits until something is so, as another process, or time, makes it so.
fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    for _ in 0..2_000 {
        if let Some(found) = look() {
            return found;
        }
        pause(Duration::from_millis(5));
    }
    panic!("not so within 10 s: {what}");
}

#[expect(clippy::disallowed_methods, reason = "servers and processes live in real time")]
fn pause(span: Duration) {
    std::thread::sleep(span);
}

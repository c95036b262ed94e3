//! One program, and whatever store its configuration names: real processes, each set by a file.

use cachex_tests::folder::Folder;
use cachex_tests::{cluster, memcached, redis};

use crate::redis::processes::{Process, Source};

/// What is common to all processes over a store.
struct Kind {
    name: &'static str,
    /// The file of settings.
    file: String,
    /// Whether they share what they load.
    is_shared: bool,
    /// Whether one learns of what another one writes.
    is_told: bool,
}

fn check(Kind { name, file, is_shared, is_told }: Kind) {
    let (folder, source) = (Folder::new(), Source::new(name));
    let path = folder.path().join("cachex.toml");
    std::fs::write(&path, file).unwrap();
    let settings = [("CACHEX_CONFIG", path.to_str().unwrap())];
    let mut all = [(); 2].map(|()| Process::start(&settings, 0, source.path()));
    for process in &mut all {
        assert_eq!(process.ask("find 1 8"), "found 1:first", "{name}");
    }
    let loads: u64 = all.iter_mut().map(Process::loads).sum();
    assert_eq!(loads, if is_shared { 1 } else { 2 }, "{name}");
    let [one, other] = &mut all;
    assert_eq!(one.ask("write second"), "written", "{name}");
    assert_eq!(one.ask("find 1 8"), "found 1:second", "{name}");
    if is_told {
        let seen = (0..100_000).any(|_| other.ask("find 1 1") == "found 1:second");
        assert!(seen, "{name}");
    }
    assert_eq!(one.ask("find 2 8"), "found 2:second", "{name}");
}

#[test]
fn the_same_program_gives_the_same_answers_on_each_store() {
    let (server, second, cached) = (redis::Server::start(), memcached::Server::start(), memcached::Server::start());
    let (cluster, folder) = (cluster::Cluster::start(0), Folder::new());
    let shared = |name, file| Kind { name, file, is_shared: true, is_told: true };
    let redis = format!("[redis]\nurl = \"{}\"\ntimeout = \"10s\"", server.url());
    let directory = format!("[file]\ndirectory = {:?}\ntimeout = \"10s\"", folder.path());
    for kind in [
        Kind { name: "memory", file: String::new(), is_shared: false, is_told: false },
        shared("redis", redis.clone()),
        shared("cluster", format!("[redis]\nurl = \"{}\"\ntimeout = \"10s\"", cluster.url())),
        shared("file", directory.clone()),
        shared("memcached", format!("[memcached]\nurl = \"{}\"\ntimeout = \"10s\"", cached.url())),
        shared(
            "two-memcached",
            format!("[memcached]\nurls = \"{}, {}\"\nprefix = \"two\"\ntimeout = \"10s\"", cached.url(), second.url()),
        ),
        // Both are set, and one is named.
        shared("named", format!("[remote]\nstore = \"file\"\n{redis}\n{directory}\nprefix = \"named\"")),
        Kind { name: "null", file: format!("[remote]\nstore = \"null\"\n{redis}"), is_shared: false, is_told: true },
    ] {
        check(kind);
    }
}

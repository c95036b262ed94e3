//! With the server gone, or silent, an operation is an error in time, and never a wrong answer.

use std::time::{Duration, Instant};

use cachex::{Cache, EntryOptions, Error, FileSettings, RedisSettings};
use cachex_tests::folder::Folder;
use cachex_tests::proxy::{Mode, Proxy};
use cachex_tests::redis::Server;

use super::{connected, key, until};

const TIMEOUT: Duration = Duration::from_millis(300);
/// A machine that runs all tests at once is slow.
const SLACK: Duration = Duration::from_secs(3);

fn impatient(url: String) -> Cache {
    let mut redis = RedisSettings::new(url);
    redis.timeout = TIMEOUT;
    redis.connect_timeout = Duration::from_secs(10);
    redis.ping_interval = Duration::from_millis(200);
    connected(Cache::builder().namespace("structures").redis(redis))
}

/// Does one of each, and returns what became of them.
fn each(cache: &Cache) -> Vec<Error> {
    let blocking = cache.blocking();
    let asked: Vec<(Option<Error>, Duration)> = [
        timed(|| blocking.increment(&key("counter"), 1).err()),
        timed(|| blocking.decrement(&key("counter"), 1).err()),
        timed(|| blocking.counter(&key("counter")).err()),
        timed(|| blocking.list_push(&key("list"), &1).err()),
        timed(|| blocking.list_pop::<i32>(&key("list")).err()),
        timed(|| blocking.list_len(&key("list")).err()),
        timed(|| blocking.set_add(&key("set"), &1).err()),
        timed(|| blocking.set_members::<i32>(&key("set")).err()),
        timed(|| blocking.set_contains(&key("set"), &1).err()),
        timed(|| blocking.hash_set(&key("hash"), "a", &1).err()),
        timed(|| blocking.hash_get::<i32>(&key("hash"), "a").err()),
        timed(|| blocking.hash_get_all::<i32>(&key("hash")).err()),
        timed(|| blocking.remove_structure(&key("list")).err()),
        timed(|| blocking.expire_structure(&key("list"), TIMEOUT).err()),
        timed(|| blocking.structure_ttl(&key("list")).err()),
        timed(|| blocking.try_lock(&key("lock"), TIMEOUT).err()),
    ]
    .into();
    let in_time = |(error, took): (Option<Error>, Duration)| {
        assert!(took < TIMEOUT + SLACK, "{took:?}");
        error.unwrap()
    };
    asked.into_iter().map(in_time).collect()
}

#[expect(clippy::disallowed_methods, reason = "the timeout is one of real time")]
fn timed<T>(doing: impl FnOnce() -> T) -> (T, Duration) {
    let begun = Instant::now();
    let done = doing();
    (done, begun.elapsed())
}

#[test]
fn without_a_server_nothing_is_done_and_it_is_said() {
    let mut server = Server::start();
    let cache = impatient(server.url());
    assert_eq!(cache.blocking().increment(&key("counter"), 5).unwrap(), 5);
    server.kill();
    until("it is known", || cache.remote_stats().is_some_and(|stats| !stats.is_up).then_some(()));
    for error in each(&cache) {
        assert!(error.is_unavailable() && !error.is_uncertain(), "{error}");
        assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "redis can't be reached");
    }
    // What is cached goes on.
    cache.blocking().set(&key("value"), 1, &EntryOptions::new()).unwrap();
    server.run();
    let again = until("it is reached again", || cache.blocking().increment(&key("counter"), 1).ok());
    assert_eq!(again, 1, "the server keeps nothing on disk");
}

#[test]
fn a_server_that_says_nothing_leaves_it_open_what_was_done() {
    let server = Server::start();
    let cache = impatient(server.url());
    assert_eq!(cache.blocking().increment(&key("counter"), 5).unwrap(), 5);
    server.freeze();
    let error = cache.blocking().increment(&key("sent"), 1).unwrap_err();
    assert!(error.is_uncertain(), "{error}");
    let errors = each(&cache);
    server.thaw();
    assert!(errors.iter().all(|error| error.is_uncertain() || error.is_unavailable()));
    // It had been sent: after all it was done.
    until("it is done", || cache.blocking().counter(&key("sent")).ok()?.filter(|number| *number == 1));
}

#[test]
fn an_answer_that_is_cut_off_leaves_it_open_what_was_done() {
    let server = Server::start();
    let proxy = Proxy::before(server.port());
    let cache = impatient(proxy.url());
    assert_eq!(cache.blocking().increment(&key("counter"), 1).unwrap(), 1);
    proxy.set(Mode::Truncate);
    let error = cache.blocking().increment(&key("counter"), 1).unwrap_err();
    assert!(error.is_uncertain(), "{error}");
    proxy.set(Mode::Pass);
    let number = until("it answers again", || cache.blocking().counter(&key("counter")).ok());
    assert_eq!(number, Some(2), "it was done, once");
}

// The server may have given it, but nobody holds it: it is not lost until its end.
#[test]
fn a_lock_whose_answer_was_lost_is_given_back() {
    let server = Server::start();
    let (cache, other) = (
        impatient(server.url()),
        connected(Cache::builder().namespace("structures").redis(super::patient(server.url()))),
    );
    // The server knows the script from here on: what it is sent is done without another question.
    assert!(cache.blocking().try_lock(&key("lock"), TIMEOUT).unwrap().unwrap().blocking_release().unwrap());
    server.freeze();
    let error = cache.blocking().try_lock(&key("lock"), Duration::from_secs(3600)).unwrap_err();
    assert!(error.is_uncertain(), "{error}");
    server.thaw();
    until("it is free", || other.blocking().try_lock(&key("lock"), Duration::from_secs(3600)).unwrap());
}

// Guards `was_granted` in `Held::give_back`: that it is not held yet does not tell that it is not about to be.
#[test]
fn a_lock_that_is_granted_after_it_was_given_back_is_given_back_again() {
    let server = Server::start();
    let proxy = Proxy::before(server.port());
    let mut redis = RedisSettings::new(proxy.url());
    redis.timeout = TIMEOUT;
    redis.connections = 1;
    // So that nothing is sent in between.
    redis.ping_interval = Duration::from_secs(600);
    let cache = connected(Cache::builder().namespace("structures").redis(redis));
    let other = connected(Cache::builder().namespace("structures").redis(super::patient(server.url())));
    // The server knows the scripts from here on: what it is sent is done without another question.
    assert!(cache.blocking().try_lock(&key("lock"), TIMEOUT).unwrap().unwrap().blocking_release().unwrap());
    let calls = |command: &str| {
        let stats = server.command(&["INFO", "commandstats"]).unwrap();
        let line = stats.lines().find_map(|line| line.strip_prefix(&format!("cmdstat_{command}:calls="))).unwrap();
        line.split(',').next().unwrap().parse::<u64>().unwrap()
    };
    let (scripts, writes) = (calls("evalsha"), calls("set"));
    proxy.set(Mode::HoldRequests);
    let error = cache.blocking().try_lock(&key("lock"), Duration::from_secs(3600)).unwrap_err();
    assert!(error.is_uncertain(), "{error}");
    // By another connection.
    until("it is given back, and was not held", || (calls("evalsha") > scripts).then_some(()));
    proxy.set(Mode::Pass);
    until("it is granted after all", || (calls("set") >= writes + 2).then_some(()));
    until("it is free", || other.blocking().try_lock(&key("lock"), Duration::from_secs(3600)).unwrap());
}

#[test]
fn a_holder_that_can_not_renew_knows_when_its_lock_ends() {
    let server = Server::start();
    let cache = impatient(server.url());
    let mut guard = cache.blocking().try_lock(&key("lock"), Duration::from_millis(900)).unwrap().unwrap();
    guard.keep_alive();
    server.freeze();
    assert!(guard.blocking_renew(Duration::from_secs(3600)).unwrap_err().is_uncertain());
    until("it is not held for certain", || (!guard.is_held()).then_some(()));
    server.thaw();
}

#[test]
fn what_a_server_refuses_was_not_done() {
    let server = Server::start();
    let cache = impatient(server.url());
    server.command(&["CONFIG", "SET", "maxmemory", "1"]).unwrap();
    let error = cache.blocking().increment(&key("counter"), 1).unwrap_err();
    assert!(error.is_unavailable(), "{error}");
    server.command(&["CONFIG", "SET", "maxmemory", "0"]).unwrap();
    assert_eq!(cache.blocking().counter(&key("counter")).unwrap(), None);
}

/// What is no copy of anything is not begun anew: who asks is told.
#[test]
fn a_structure_whose_file_was_spoiled_is_an_error_until_it_is_removed() {
    let folder = Folder::new();
    let cache = Cache::builder().namespace("structures").file(FileSettings::new(folder.path())).build().unwrap();
    cachex_tests::connected(&cache).unwrap();
    let (blocking, key) = (cache.blocking(), key("visits"));
    assert_eq!(blocking.increment(&key, 5).unwrap(), 5);
    let files = folder.files();
    let is_named_by_digest = |path: &&std::path::PathBuf| path.file_name().is_some_and(|name| name.len() == 30);
    let [file] = files.iter().filter(is_named_by_digest).collect::<Vec<_>>()[..] else {
        panic!("one structure is one file: {files:?}")
    };
    let bytes = std::fs::read(file).unwrap();
    std::fs::write(file, &bytes[..bytes.len() - 1]).unwrap();
    let refused = blocking.increment(&key, 1).unwrap_err();
    assert!(refused.is_unavailable() && !refused.is_uncertain(), "{refused}");
    assert!(blocking.counter(&key).is_err());
    assert!(blocking.remove_structure(&key).unwrap());
    assert_eq!(blocking.increment(&key, 1).unwrap(), 1);
}

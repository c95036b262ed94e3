//! `explain_remote`: why a look into the second tier hits or misses.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cachex::store::Group;
use cachex::time::{Clock, ManualClock, Sleep, Timestamp};
use cachex::{
    Cache, CacheScope, CacheValue, Codec, Compression, EntryOptions, Event, Key, MethodSettings, Observer,
    RedisSettings, RemoteExplanation, Verdict, cached,
};
use cachex_tests::folder::Folder;
use cachex_tests::redis::Server;

use crate::redis::{node, node_with, until};

const SECOND: Duration = Duration::from_secs(1);

/// A clock that is set by hand, and the time of day with it.
#[derive(Debug)]
struct Day(ManualClock);

impl Clock for Day {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    fn sleep(&self, until: Timestamp) -> Sleep {
        self.0.sleep(until)
    }

    fn unix_time(&self) -> Duration {
        Duration::from_secs(1_900_000_000) + self.0.now().since(Timestamp::from_nanos(0))
    }
}

/// Makes a cache over a server, with such a clock.
async fn clocked(server: &Server) -> (Cache, ManualClock) {
    let clock = ManualClock::new();
    let mut redis = RedisSettings::new(server.url());
    redis.timeout = 10 * SECOND;
    let cache = Cache::builder().namespace("tests").redis(redis).clock(Day(clock.clone())).build().unwrap();
    cache.connected(10 * SECOND).await.unwrap();
    (cache, clock)
}

async fn told(cache: &Cache, key: &Key) -> RemoteExplanation {
    cache.explain_remote(key).await.expect("there is a second tier")
}

/// Writes, and waits until that is nothing on its way any more.
async fn set<T: CacheValue>(cache: &Cache, key: &Key, value: T, options: &EntryOptions) {
    cache.set(key, value, options).await.unwrap();
    until("it has arrived", async || cache.remote_stats().unwrap().undelivered == 0).await;
}

async fn verdict(cache: &Cache, key: &Key) -> Verdict {
    told(cache, key).await.verdict
}

#[derive(Clone, CacheScope)]
struct Numbers {
    #[scope(cache)]
    cache: Cache,
}

impl Numbers {
    #[cached(name = "explained.number", ttl = "10s", soft_ttl = "4s", grace = "1m", negative_ttl = "5s", tags = ["numbers"])]
    async fn number(&self, id: u64) -> Option<u64> {
        (id > 0).then_some(id)
    }

    #[cached(name = "explained.there", ttl = "10s", grace = "1m", tiers = "remote")]
    async fn there(&self, id: u64) -> u64 {
        id
    }

    #[cached(name = "explained.here", ttl = "10s", tiers = "memory")]
    async fn here(&self, id: u64) -> u64 {
        id
    }
}

/// Notes the keys of values that were refused.
#[derive(Default)]
struct Refused(Mutex<Vec<Key>>);

impl Observer for Refused {
    fn observe(&self, event: &Event) {
        if let Event::ValueRefused(key) = event {
            self.0.lock().unwrap().push(key.clone());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_age_has_its_verdict() {
    let server = Server::start();
    let (cache, clock) = clocked(&server).await;
    let numbers = Numbers { cache: cache.clone() };
    let (both, there) = (numbers.number_key(&1), numbers.there_key(&1));
    assert_eq!((verdict(&cache, &both).await, verdict(&cache, &there).await), (Verdict::Absent, Verdict::Absent));
    numbers.number(1).await;
    numbers.there(1).await;
    until("they are stored", async || cache.remote_stats().unwrap().stores == 2).await;
    assert_eq!((verdict(&cache, &both).await, verdict(&cache, &there).await), (Verdict::Fresh, Verdict::Fresh));
    clock.advance(4 * SECOND);
    assert_eq!((verdict(&cache, &both).await, verdict(&cache, &there).await), (Verdict::Stale, Verdict::Fresh));
    clock.advance(6 * SECOND);
    // What is in memory as well is not taken from there to stand in.
    assert_eq!((verdict(&cache, &both).await, verdict(&cache, &there).await), (Verdict::Dead, Verdict::Expired));
    cache.set_method_config("explained.number", MethodSettings::new().enabled(false)).unwrap();
    assert_eq!(verdict(&cache, &both).await, Verdict::Disabled);
    assert_eq!(told(&cache, &both).await.why, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_that_is_known_of_a_value_is_told() {
    let server = Server::start();
    let (cache, clock) = clocked(&server).await;
    let numbers = Numbers { cache: cache.clone() };
    numbers.number(0).await;
    numbers.number(1).await;
    until("they are stored", async || cache.remote_stats().unwrap().stores == 2).await;
    clock.advance(3 * SECOND);
    let (none, some) = (told(&cache, &numbers.number_key(&0)).await, told(&cache, &numbers.number_key(&1)).await);
    assert_eq!((none.is_negative, none.ttl), (true, Some(2 * SECOND)));
    assert_eq!((some.is_negative, some.ttl, some.age), (false, Some(7 * SECOND), Some(3 * SECOND)));
    assert!(some.load_time.is_some() && some.why.is_none());
    assert_eq!((some.codec, some.compression), (Some(Codec::Postcard), Some(Compression::Off)));
    let [(all, _), (method, _), (tag, _)] = &some.groups[..] else { panic!("{:?}", some.groups) };
    assert_eq!((all, tag), (&Group::all(), &Group::tag("numbers")));
    assert!(method.as_method().is_some_and(|name| name.starts_with("explained.number")));
    assert!(some.stamp.is_some() && some.groups.iter().all(|(_, clock)| clock.is_some() && *clock <= some.stamp));

    let (long, options) = (Key::new("long"), EntryOptions::new().tag("a").tag("b"));
    cache.set(&long, vec![7_u8; 10_000], &options).await.unwrap();
    let told = told(&cache, &long).await;
    assert_eq!((told.compression, told.ttl), (Some(Compression::Lz4), None));
    let (there, value) = (told.stored_bytes.unwrap(), told.value_bytes.unwrap());
    assert!(there < value && value >= 10_000, "{there} {value}");
    let len: u64 =
        server.command(&["EVAL", "return redis.call('STRLEN', KEYS[1])", "1", &name_of(&server, "long")]).unwrap()[1..]
            .trim()
            .parse()
            .unwrap();
    assert_eq!(there, len);
}

/// Returns what the value is called in Redis whose key has this in its name.
fn name_of(server: &Server, part: &str) -> String {
    let script = format!("return redis.call('KEYS', '*:v:*{part}*')[1]");
    let answer = server.command(&["EVAL", &script, "0"]).unwrap();
    answer.lines().nth(1).expect("there is such a value").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_invalidated_or_lost_its_clock_is_told_with_the_group() {
    let server = Server::start();
    let (one, other) = (node(&server).await, node(&server).await);
    let key = Key::new("k");
    let options = EntryOptions::new().tag("a").tag("b");
    set(&one, &key, 1, &options).await;
    other.invalidate_tags(["b"]).await;
    let said = told(&one, &key).await;
    let moved = |said: &RemoteExplanation| -> Vec<_> {
        let is_moved = |(group, clock): &(Group, _)| (*clock > said.stamp).then(|| group.as_str().to_owned());
        said.groups.iter().filter_map(is_moved).collect()
    };
    assert_eq!((said.verdict, moved(&said)), (Verdict::Invalidated, vec!["t:b".to_owned()]));
    assert_eq!(said.why.as_deref(), Some("a group was invalidated since its load"));

    set(&one, &key, 2, &options).await;
    assert_eq!(verdict(&one, &key).await, Verdict::Fresh);
    server.command(&["DEL", "{cx:tests}:g:t:a"]).unwrap();
    let said = told(&one, &key).await;
    assert_eq!((said.verdict, moved(&said)), (Verdict::Invalidated, Vec::new()));
    assert_eq!(said.why.as_deref(), Some("the clock of a group is not known"));
    assert!(said.groups.iter().any(|(group, clock)| *group == Group::tag("a") && clock.is_none()));

    set(&one, &key, 3, &options).await;
    other.clear().await;
    let said = told(&one, &key).await;
    assert_eq!((said.verdict, moved(&said)), (Verdict::Invalidated, vec!["*".to_owned()]));
    other.remove(&key).await;
    assert_eq!(verdict(&one, &key).await, Verdict::Absent);
}

/// Redis answers questions, and refuses what is invalidated.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_on_its_way_is_told_as_a_fence() {
    let server = Server::start();
    let cache = node(&server).await;
    let (key, other) = (Key::new("k"), Key::new("other"));
    set(&cache, &key, 1, &EntryOptions::new().tag("a")).await;
    set(&cache, &other, 1, &EntryOptions::new()).await;
    let fence = cache.fence(["a"], Duration::from_secs(60));
    assert_eq!((verdict(&cache, &key).await, verdict(&cache, &other).await), (Verdict::Fenced, Verdict::Fresh));
    fence.cancel();
    assert_eq!(verdict(&cache, &key).await, Verdict::Fresh);

    server.command(&["ACL", "SETUSER", "default", "-@scripting"]).unwrap();
    cache.invalidate_tags(["a"]).await;
    let said = told(&cache, &key).await;
    assert_eq!(said.verdict, Verdict::Fenced);
    assert_eq!(said.why.as_deref(), Some("an invalidation or a write of it is on its way to the store"));
    assert_eq!(verdict(&cache, &other).await, Verdict::Fresh);
    server.command(&["ACL", "SETUSER", "default", "+@all"]).unwrap();
    until("it is delivered", async || cache.remote_stats().unwrap().undelivered == 0).await;
    assert_eq!(verdict(&cache, &key).await, Verdict::Invalidated);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_told_and_stays() {
    let server = Server::start();
    let cache = node(&server).await;
    let key = Key::new("k");
    let ways = [
        ("redis.call('SET', KEYS[1], 'something else')", "it is no value of cachex"),
        ("redis.call('SETRANGE', KEYS[1], 2, string.char(99))", "another version of cachex wrote it"),
        (
            "redis.call('SETRANGE', KEYS[1], 17, string.char(99))",
            "its checksum is wrong: it was altered, or is the value of another key",
        ),
    ];
    for (spoil, why) in ways {
        set(&cache, &key, 1, &EntryOptions::new()).await;
        let name = name_of(&server, "k");
        server.command(&["EVAL", spoil, "1", &name]).unwrap();
        for _ in 0..2 {
            let said = told(&cache, &key).await;
            assert_eq!((said.verdict, said.why.as_deref()), (Verdict::Unreadable, Some(why)));
            assert!(said.stored_bytes.is_some() && said.stamp.is_none());
        }
        cache.remove(&key).await;
    }
}

/// A program that has other types for its methods.
#[tokio::test(flavor = "multi_thread")]
async fn a_value_of_another_type_is_told_where_its_type_is_known() {
    let (server, refused) = (Server::start(), Arc::new(Refused::default()));
    let cache = || Cache::builder().namespace("tests").redis(RedisSettings::new(server.url()));
    let (numbers, texts) = (cache().build().unwrap(), cache().observer(refused.clone()).build().unwrap());
    for cache in [&numbers, &texts] {
        cache.connected(10 * SECOND).await.unwrap();
    }
    let settings = MethodSettings::new();
    numbers.register_loader("typed", settings.clone(), |(id,): (u64,)| async move { Ok::<_, Infallible>(id) }).unwrap();
    let text = |(id,): (u64,)| async move { Ok::<_, Infallible>(id.to_string()) };
    texts.register_loader("typed", settings, text).unwrap();
    assert_eq!(numbers.call_cached::<u64>("typed", (1_u64,)).await.unwrap(), 1);
    until("it is stored", async || numbers.remote_stats().unwrap().stores == 1).await;
    assert_eq!(texts.call_cached::<String>("typed", (1_u64,)).await.unwrap(), "1");
    until("it is stored", async || texts.remote_stats().unwrap().stores == 1).await;
    let key = refused.0.lock().unwrap()[0].clone();
    let said = told(&numbers, &key).await;
    assert_eq!((said.verdict, said.why.as_deref()), (Verdict::Unreadable, Some("it is of another type")));
    assert_eq!(verdict(&texts, &key).await, Verdict::Fresh);
    // Who has not asked for it can't know.
    let third = cache().build().unwrap();
    third.connected(10 * SECOND).await.unwrap();
    assert_eq!(verdict(&third, &key).await, Verdict::Fresh);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_out_of_reach_is_not_an_empty_one() {
    let mut server = Server::start();
    let cache = node_with(&server, |redis, _| redis.timeout = SECOND).await;
    set(&cache, &Key::new("k"), 1, &EntryOptions::new()).await;
    server.freeze();
    let said = told(&cache, &Key::new("k")).await;
    assert_eq!(said.verdict, Verdict::Unreachable);
    assert!(said.why.is_some_and(|why| why.contains("redis")));
    server.thaw();
    server.kill();
    until("it is known", async || !cache.remote_stats().unwrap().is_up).await;
    let said = told(&cache, &Key::new("k")).await;
    assert_eq!((said.verdict, said.stored_bytes), (Verdict::Unreachable, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nothing_is_kept_there_nothing_is_told() {
    let server = Server::start();
    let numbers = Numbers { cache: node(&server).await };
    numbers.here(1).await;
    assert!(numbers.cache.explain_remote(&numbers.here_key(&1)).await.is_none());
    let alone = Cache::builder().build().unwrap();
    assert!(alone.explain_remote(&Key::new("k")).await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn explaining_changes_nothing() {
    const ALL: &str = "local all = redis.call('KEYS', '*') table.sort(all) return table.concat(all, ' ')";
    let server = Server::start();
    let cache = node(&server).await;
    let (there, absent, old) = (Key::new("there"), Key::new("absent"), Key::new("old"));
    set(&cache, &there, 1, &EntryOptions::new()).await;
    set(&cache, &old, 1, &EntryOptions::new().tag("t")).await;
    cache.invalidate_tags(["t"]).await;
    let seen = || (cache.stats(), cache.remote_stats().map(|mut stats| std::mem::take(&mut stats.published)));
    let counted =
        || cache.remote_stats().map(|stats| (stats.hits, stats.misses, stats.errors, stats.refused, stats.bypasses));
    let before = (seen(), counted(), server.command(&["EVAL", ALL, "0"]).unwrap());
    for key in [&there, &absent, &old] {
        told(&cache, key).await;
    }
    assert_eq!((seen(), counted(), server.command(&["EVAL", ALL, "0"]).unwrap()), before);
    assert_eq!(verdict(&cache, &old).await, Verdict::Invalidated);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_is_explained_as_well() {
    let folder = Folder::new();
    let clock = ManualClock::new();
    let make = || async {
        let cache =
            Cache::builder().namespace("tests").file(crate::stores::directory(&folder)).clock(Day(clock.clone()));
        let cache = cache.build().unwrap();
        cache.connected(10 * SECOND).await.unwrap();
        cache
    };
    let (one, other) = (make().await, make().await);
    let (key, options) = (Key::new("k"), EntryOptions::new().soft_ttl(SECOND).ttl(2 * SECOND).grace(SECOND).tag("t"));
    assert_eq!(verdict(&other, &key).await, Verdict::Absent);
    set(&one, &key, 1, &options).await;
    let mut verdicts = Vec::new();
    for _ in 0..3 {
        verdicts.push(verdict(&other, &key).await);
        clock.advance(SECOND);
    }
    assert_eq!(verdicts, [Verdict::Fresh, Verdict::Stale, Verdict::Dead]);
    set(&one, &key, 1, &EntryOptions::new().tag("t")).await;
    let fence = other.fence(["t"], Duration::from_secs(60));
    assert_eq!(verdict(&other, &key).await, Verdict::Fenced);
    fence.cancel();
    one.invalidate_tags(["t"]).await;
    assert_eq!(verdict(&other, &key).await, Verdict::Invalidated);
}

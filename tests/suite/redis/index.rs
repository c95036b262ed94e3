//! The index of tags and keys: what is noted, listed and removed, and that nothing depends on it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cachex::{
    Cache, CacheScope, EntryOptions, IndexCursor, IndexedTag, Key, RemoteSettings, RemoteStats, Settings, Verdict,
    cached,
};
use cachex_tests::cluster::Cluster;
use cachex_tests::folder::Folder;
use cachex_tests::redis::Server;

use crate::redis::{Servers, node, node_with, until};

/// Makes a cache that keeps the index, and has nothing in memory.
async fn indexed(server: &impl Servers, change: impl FnOnce(&mut RemoteSettings)) -> Cache {
    node_with(server, |_, remote| {
        remote.index = true;
        remote.l1_ttl = Some(Duration::ZERO);
        change(remote);
    })
    .await
}

fn reclaiming(remote: &mut RemoteSettings) {
    remote.index_reclaim = true;
}

fn stats(cache: &Cache) -> RemoteStats {
    cache.remote_stats().unwrap()
}

/// Waits until so many keys were noted.
async fn noted(cache: &Cache, count: u64) {
    until("the keys are noted", async || stats(cache).indexed >= count).await;
}

fn key(id: u64) -> Key {
    Key::new("item").part(&id)
}

/// Returns all keys of a tag, by all pages.
async fn keys_of(cache: &Cache, tag: &str) -> BTreeSet<String> {
    let index = cache.tag_index().unwrap();
    let (mut all, mut next) = (BTreeSet::new(), Some(IndexCursor::default()));
    while let Some(from) = next {
        let page = index.keys(tag, from).await.unwrap();
        for item in page.items {
            assert!(item.left > Duration::ZERO);
            let key = item.key.expect("keys by hand are known");
            assert!(item.name.contains(&key.text()), "{} {key:?}", item.name);
            all.insert(key.text());
        }
        next = page.next;
    }
    all
}

/// Returns how many names in Redis fit a pattern.
fn count(server: &Server, pattern: &str) -> usize {
    let script = format!("return #redis.call('KEYS', '{pattern}')");
    server.command(&["EVAL", &script, "0"]).unwrap()[1..].trim().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_listed_by_their_tags_and_tags_by_their_keys() {
    let server = Server::start();
    let cache = indexed(&server, |remote| remote.index_batch = 100).await;
    let options = |id: u64| EntryOptions::new().tag("all").tag(if id.is_multiple_of(2) { "even" } else { "odd {x}" });
    for id in 0..700 {
        cache.set(&key(id), id, &options(id)).await.unwrap();
    }
    cache.set(&Key::new("without"), 1, &EntryOptions::new()).await.unwrap();
    noted(&cache, 701).await;
    let expected = |meant: &dyn Fn(u64) -> bool| -> BTreeSet<_> {
        (0..700).filter(|id| meant(*id)).map(|id| key(id).text()).collect()
    };
    assert_eq!(keys_of(&cache, "all").await, expected(&|_| true));
    assert_eq!(keys_of(&cache, "even").await, expected(&|id| id % 2 == 0));
    assert_eq!(keys_of(&cache, "odd {x}").await, expected(&|id| id % 2 == 1));
    assert!(keys_of(&cache, "other").await.is_empty());

    let index = cache.tag_index().unwrap();
    let names = |tags: Vec<cachex::Tag>| tags.iter().map(|tag| tag.as_str().to_owned()).collect::<Vec<_>>();
    assert_eq!(names(index.tags_of(&key(7)).await.unwrap()), ["all", "odd {x}"]);
    assert!(index.tags_of(&Key::new("without")).await.unwrap().is_empty());
    let page = index.tags(IndexCursor::default()).await.unwrap();
    let mut tags = page.items;
    tags.sort_by(|one, other| one.tag.as_str().cmp(other.tag.as_str()));
    let expected = [("all", 700), ("even", 350), ("odd {x}", 350)].map(|(tag, keys)| IndexedTag::new(tag, keys));
    assert_eq!((tags, page.next), (expected.to_vec(), None));
    let all = index.stats().await.unwrap();
    assert_eq!((all.tags, all.keys, all.mappings), (3, 700, 1_400));
    // A page is bounded, where there are more.
    let page = index.keys("all", IndexCursor::default()).await.unwrap();
    assert!(page.next.is_some() && page.items.len() < 350, "{}", page.items.len());
}

#[derive(Clone, CacheScope)]
struct Users {
    #[scope(cache)]
    cache: Cache,
    loads: Arc<AtomicU64>,
}

impl Users {
    #[cached(ttl = "1h", tags = ["users", "user:{id}"])]
    async fn user(&self, id: u64) -> u64 {
        self.loads.fetch_add(1, Ordering::SeqCst);
        id
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_method_loads_is_noted_with_its_key() {
    let server = Server::start();
    let users = Users { cache: indexed(&server, |_| {}).await, loads: Arc::default() };
    users.user(1).await;
    users.user(2).await;
    noted(&users.cache, 2).await;
    let index = users.cache.tag_index().unwrap();
    let page = index.keys("user:2", IndexCursor::default()).await.unwrap();
    let keys: Vec<_> = page.items.iter().map(|item| item.key.clone()).collect();
    assert_eq!(keys, [Some(users.user_key(&2))]);
    assert_eq!(index.count("users").await.unwrap(), 2);
    // Who has not used the method knows its name alone.
    let other = indexed(&server, |_| {}).await;
    let page = other.tag_index().unwrap().keys("user:2", IndexCursor::default()).await.unwrap();
    assert!(page.items.len() == 1 && page.items[0].key.is_none() && page.items[0].name.contains("user"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_replaced_or_removed_is_forgotten() {
    let server = Server::start();
    let cache = indexed(&server, |_| {}).await;
    let with = |tags: &[&'static str]| tags.iter().fold(EntryOptions::new(), |options, tag| options.tag(*tag));
    cache.set(&key(1), 1, &with(&["a", "b"])).await.unwrap();
    noted(&cache, 1).await;
    cache.set(&key(1), 2, &with(&["b", "c"])).await.unwrap();
    noted(&cache, 2).await;
    let index = cache.tag_index().unwrap();
    let counts = async || {
        let mut counts = Vec::new();
        for tag in ["a", "b", "c"] {
            counts.push(index.count(tag).await.unwrap());
        }
        counts
    };
    assert_eq!(counts().await, [0, 1, 1]);
    cache.set(&key(1), 3, &EntryOptions::new()).await.unwrap();
    noted(&cache, 3).await;
    assert_eq!(counts().await, [0, 0, 0]);
    cache.set(&key(1), 4, &with(&["a"])).await.unwrap();
    noted(&cache, 4).await;
    assert_eq!(counts().await, [1, 0, 0]);
    cache.remove(&key(1)).await;
    until("it is forgotten", async || counts().await == [0, 0, 0]).await;
    assert_eq!(count(&server, "*:i:*"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_it_is_off_nothing_is_noted_and_the_error_says_what_to_do() {
    let server = Server::start();
    let cache = node(&server).await;
    cache.set(&key(1), 1, &EntryOptions::new().tag("a")).await.unwrap();
    cache.invalidate_tags(["a"]).await;
    assert_eq!((count(&server, "*:i:*"), count(&server, "*:j:*")), (0, 0));
    let said = |cache: &Cache| {
        let error = cache.tag_index().unwrap_err();
        assert!(error.is_unsupported());
        error.to_string()
    };
    assert_eq!(said(&cache), "the index of the second tier is off; write `index = true` under `[remote]`");
    let alone = Cache::builder().build().unwrap();
    assert_eq!(said(&alone), "there is no second tier that could have an index; use redis as one");
    let folder = Folder::new();
    let file = Cache::builder().file(crate::stores::directory(&folder)).build().unwrap();
    assert_eq!(said(&file), "the store of the second tier keeps no index; use redis for one");
    let mut remote = RemoteSettings::default();
    remote.index = true;
    let own = Cache::builder().store(cachex::store::Null).remote(remote).build().unwrap();
    assert_eq!(said(&own), "the store of the second tier keeps no index; use redis for one");
    assert!(stats(&own).warning.is_some_and(|warning| warning.starts_with("`remote.index` is on")));
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    let said = |text: &str| Settings::from_toml_str(text).map(drop).map_err(|error| error.to_string());
    let redis = "redis.url = \"redis://localhost:1\"\n";
    let full = "[remote]\nindex = true\nindex_batch = 16\nindex_ttl = \"1h\"\nindex_reclaim = true\n";
    let settings = Settings::from_toml_str(&format!("{redis}{full}")).unwrap().remote;
    assert_eq!((settings.index, settings.index_batch, settings.index_reclaim), (true, 16, true));
    assert_eq!(settings.index_ttl, Duration::from_secs(3_600));
    let check = |text: &str, expected: &str| assert_eq!(said(text), Err(expected.to_owned()));
    check(
        "remote.store = \"null\"\nremote.index = true",
        "line 2: `remote.index` has no effect with the store \"null\", which keeps no index; remove it",
    );
    check(
        "remote.index_reclaim = true",
        "line 1: `remote.index_reclaim` has no effect without the index; write `index = true` beside it",
    );
    check("remote.index_batch = 0", "line 1: `remote.index_batch` is not between 1 and 1024; write for example 256");
    check(
        "remote.index_ttl = \"0s\"",
        "line 1: `remote.index_ttl` is shorter than 1ms, or longer than 100 years; write for example \"1d\"",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn it_expires_by_itself() {
    let server = Server::start();
    let cache = indexed(&server, |remote| remote.index_ttl = Duration::from_millis(300)).await;
    for id in 0..50 {
        cache.set(&key(id), id, &EntryOptions::new().tag("a")).await.unwrap();
    }
    noted(&cache, 50).await;
    until("it is gone", async || count(&server, "*:[ij]:*") == 0).await;
    assert_eq!(count(&server, "*:v:*"), 50, "values stay");
    assert!(keys_of(&cache, "a").await.is_empty());
}

/// Keys come and go, by age and by hand; the tag is written all the time, so that its set never expires as a whole.
#[tokio::test(flavor = "multi_thread")]
async fn what_has_gone_does_not_pile_up() {
    const ROUNDS: u64 = 8;
    const EACH: u64 = 200;
    let server = Server::start();
    let cache = indexed(&server, |_| {}).await;
    let short = EntryOptions::new().tag("churn").ttl(Duration::from_millis(100));
    let long = EntryOptions::new().tag("churn");
    for round in 0..ROUNDS {
        let items = |half: u64| (0..EACH).map(move |id| (Key::new("churn").part(&(round * 2 + half)).part(&id), id));
        cache.set_many(items(0), &short).await.unwrap();
        cache.set_many(items(1), &long).await.unwrap();
        cache.remove_many(&items(1).map(|(key, _)| key).collect::<Vec<_>>()).await;
        // What has expired is removed by the writes of the next round, so that of a few rounds is there at once.
        let are_few = async || cache.tag_index().unwrap().count("churn").await.unwrap() <= 3 * EACH;
        until("there are few", are_few).await;
        until("the short ones are gone", async || count(&server, "*:v:*") == 0).await;
    }
    let shrinks = async || {
        cache.set(&key(1), 1, &long).await.unwrap();
        cache.tag_index().unwrap().count("churn").await.unwrap() == 1
    };
    until("whoever writes has removed the rest", shrinks).await;
    assert_eq!(stats(&cache).unindexed, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_invalidated_does_not_take_room() {
    let server = Server::start();
    let cache = indexed(&server, reclaiming).await;
    let memory = || {
        let info = server.command(&["INFO", "memory"]).unwrap();
        let line = info.lines().find_map(|line| line.strip_prefix("used_memory:")).unwrap();
        line.trim().parse::<u64>().unwrap()
    };
    let value = "x".repeat(400);
    let items = (0..2_000).map(|id| (key(id), value.clone() + &id.to_string().repeat(100)));
    cache.set_many(items, &EntryOptions::new().tag("a").tag("b")).await.unwrap();
    cache.set(&Key::new("stays"), 1, &EntryOptions::new().tag("b")).await.unwrap();
    noted(&cache, 2_001).await;
    let before = memory();
    cache.invalidate_tags(["a"]).await;
    until("they are removed", async || stats(&cache).reclaimed == 2_000).await;
    assert_eq!(count(&server, "*:v:*"), 1);
    until("they are forgotten", async || cache.tag_index().unwrap().count("b").await.unwrap() == 1).await;
    let after = memory();
    assert!(before - after > 2_000 * 400, "{before} {after}");
    let all = cache.tag_index().unwrap().stats().await.unwrap();
    assert_eq!((all.tags, all.keys, all.mappings), (1, 1, 1));
}

/// Entries of the index that are wrong, and values that are newer than what the index knows of.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_is_right_is_removed() {
    let server = Server::start();
    let (cache, other) = (indexed(&server, reclaiming).await, node(&server).await);
    let tagged = EntryOptions::new().tag("a");
    cache.set(&key(1), 1, &tagged).await.unwrap();
    noted(&cache, 1).await;
    // Without the tag, and the index says that it has it.
    other.set(&key(2), 2, &EntryOptions::new().tag("b")).await.unwrap();
    let names = server.command(&["EVAL", "return redis.call('KEYS', '*:v:*item*(2)*')", "0"]).unwrap();
    let name = names.lines().find(|line| line.contains(":v:")).unwrap_or_else(|| panic!("{names}"));
    let name = name.split_once('{').unwrap().1.trim_end_matches('}');
    server.command(&["ZADD", "cx:tests:j:{t:a}", "99999999999999", name]).unwrap();
    server.command(&["ZADD", "cx:tests:j:{t:a}", "99999999999999", "nobody"]).unwrap();
    let reclaimed = stats(&cache).reclaimed;
    cache.invalidate_tags(["a"]).await;
    until("the one is removed", async || stats(&cache).reclaimed == reclaimed + 1).await;
    let index = cache.tag_index().unwrap();
    until("what is not there is forgotten", async || index.count("a").await.unwrap() == 1).await;
    assert_eq!(cache.get::<i32>(&key(2)).await.unwrap(), Some(2));
    assert_eq!(cache.explain_remote(&key(1)).await.unwrap().verdict, Verdict::Absent);
    assert_eq!((stats(&cache).unindexed, stats(&cache).unreclaimed), (0, 0));
}

/// Values are written as soon as the tag is invalidated, while those from before are being removed: whatever was written last is there.
#[tokio::test(flavor = "multi_thread")]
async fn a_newer_value_is_never_removed() {
    const KEYS: u64 = 40;
    let server = Server::start();
    let cache = indexed(&server, |remote| {
        reclaiming(remote);
        remote.index_batch = 8;
    })
    .await;
    let options = EntryOptions::new().tag("a");
    let items = |round: u64| (0..KEYS).map(move |id| (key(id), round));
    // Nobody writes these anew: so there is something to remove while the others are written.
    let left = || (KEYS..2 * KEYS).map(|id| (key(id), 0_u64));
    for round in 0..100 {
        cache.set_many(items(round), &options).await.unwrap();
        cache.set_many(left(), &options).await.unwrap();
        cache.invalidate_tags(["a"]).await;
        cache.set_many(items(round + 1), &options).await.unwrap();
        let keys: Vec<_> = items(0).map(|(key, _)| key).collect();
        for _ in 0..3 {
            let found = cache.get_many::<u64>(&keys).await.unwrap();
            assert!(found.iter().all(|value| *value == Some(round + 1)), "round {round}: {found:?}");
        }
    }
    until("some were removed", async || stats(&cache).reclaimed > 0).await;
}

/// A load holds its lease while what was there before is removed.
#[tokio::test(flavor = "multi_thread")]
async fn a_lease_is_left_alone() {
    let server = Server::start();
    let cache = indexed(&server, reclaiming).await;
    let options = EntryOptions::new().tag("a");
    cache.set(&key(1), 1, &options).await.unwrap();
    noted(&cache, 1).await;
    cache.invalidate_tags(["a"]).await;
    let load = || async {
        until("it is removed", async || stats(&cache).reclaimed == 1).await;
        assert_eq!(count(&server, "*:l:*"), 1);
        Ok::<_, std::io::Error>(2)
    };
    assert_eq!(cache.get_or_load(&key(1), &options, load).await.unwrap(), 2);
    until("it is stored", async || stats(&cache).stores == 1).await;
    assert_eq!(cache.get::<i32>(&key(1)).await.unwrap(), Some(2));
}

/// What the index is kept in was made something else by somebody.
#[tokio::test(flavor = "multi_thread")]
async fn an_index_that_fails_breaks_nothing() {
    let server = Server::start();
    let cache = indexed(&server, reclaiming).await;
    server.command(&["SET", "cx:tests:j:{t:a}", "no set"]).unwrap();
    let options = EntryOptions::new().tag("a");
    cache.set(&key(1), 1, &options).await.unwrap();
    until("it was not noted", async || stats(&cache).unindexed == 1).await;
    assert_eq!(cache.get::<i32>(&key(1)).await.unwrap(), Some(1));
    assert!(cache.tag_index().unwrap().keys("a", IndexCursor::default()).await.unwrap_err().is_unavailable());
    cache.invalidate_tags(["a"]).await;
    until("nothing could be removed", async || stats(&cache).unreclaimed == 1).await;
    assert_eq!(cache.get::<i32>(&key(1)).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_has_an_index_as_well() {
    let cluster = tokio::task::spawn_blocking(|| Cluster::start(0)).await.unwrap();
    let cache = indexed(&cluster, reclaiming).await;
    let items = (0..300).map(|id| (key(id), id));
    cache.set_many(items, &EntryOptions::new().tag("a").tag("b{}")).await.unwrap();
    cache.set(&Key::new("stays"), 1, &EntryOptions::new().tag("b{}")).await.unwrap();
    noted(&cache, 301).await;
    assert_eq!(keys_of(&cache, "a").await, (0..300).map(|id| key(id).text()).collect());
    let index = cache.tag_index().unwrap();
    let all = index.stats().await.unwrap();
    assert_eq!((all.tags, all.keys, all.mappings), (2, 301, 601));
    cache.invalidate_tags(["a"]).await;
    until("they are removed", async || stats(&cache).reclaimed == 300).await;
    until("they are forgotten", async || index.count("b{}").await.unwrap() == 1).await;
    let all = index.stats().await.unwrap();
    assert_eq!((all.tags, all.keys, all.mappings), (1, 1, 1));
    assert_eq!(cache.get::<i32>(&Key::new("stays")).await.unwrap(), Some(1));
    assert_eq!((stats(&cache).unindexed, stats(&cache).unreclaimed), (0, 0));
}

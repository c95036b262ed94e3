//! Arguments, return types and options.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use cachex::{Cache, CacheKey, CacheScope, cached};

use super::cache;

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, CacheKey)]
struct Id(u32);

impl std::fmt::Display for Id {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// Not a part of keys.
#[derive(Clone, Debug)]
struct Trace;

#[derive(CacheScope)]
struct Shapes<T: CacheKey> {
    #[scope(cache)]
    cache: Cache,
    #[scope]
    tenant: T,
    /// Keys that were loaded.
    loads: AtomicUsize,
}

type Answer<T> = Result<T, String>;

impl<T: CacheKey + Clone + Send + Sync> Shapes<T> {
    #[cached(batch(id in ids), skip(trace), tags = ["of:{kind}:{id}"])]
    async fn with_others(
        &self,
        kind: &str,
        ids: Vec<Id>,
        trace: Trace,
        factor: Option<u32>,
    ) -> Answer<HashMap<Id, u32>> {
        let _ = trace;
        self.loads.fetch_add(ids.len(), Ordering::SeqCst);
        let value = |id: &Id| id.0 * factor.unwrap_or(1) + kind.len() as u32;
        Ok(ids.into_iter().map(|id| (id.clone(), value(&id))).filter(|(id, _)| id.0 != 13).collect())
    }

    #[cached(batch, local, tti = "1m", weight = weight)]
    fn borrowed(&self, names: &[&str]) -> Vec<Option<Arc<str>>> {
        self.loads.fetch_add(names.len(), Ordering::SeqCst);
        names.iter().map(|name| (*name < "c").then(|| Arc::from(*name))).collect()
    }

    #[cached(batch(pair in pairs), key = pair.0, tags_with = tags, ttl_with = ttl, unless = Vec::is_empty)]
    async fn keyed(&self, pairs: &[(u64, String)]) -> Vec<Vec<u64>> {
        self.loads.fetch_add(pairs.len(), Ordering::SeqCst);
        pairs.iter().map(|(id, text)| vec![*id; text.len()]).collect()
    }

    #[cached(batch, when = ids.len() > 1, jitter = "10%", ttl = "1m", name = "shapes.seldom", version = 3)]
    fn seldom(&self, ids: &[u64]) -> BTreeMap<u64, u64> {
        self.loads.fetch_add(ids.len(), Ordering::SeqCst);
        ids.iter().map(|id| (*id, id + 1)).collect()
    }

    #[cached(batch)]
    async fn generic<K: CacheKey + Clone + Send + Sync>(
        &self,
        keys: &[K],
        more: impl Into<u64> + CacheKey + Clone + Sync + Send,
    ) -> Vec<u64> {
        self.loads.fetch_add(keys.len(), Ordering::SeqCst);
        let more = more.into();
        keys.iter().map(|_| more).collect()
    }
}

fn weight(value: &Option<Arc<str>>) -> u64 {
    value.as_ref().map_or(1, |text| text.len() as u64)
}

fn tags(value: &[u64]) -> Vec<String> {
    value.iter().map(|id| format!("found:{id}")).collect()
}

fn ttl(_: &[u64]) -> Duration {
    Duration::from_secs(60)
}

#[cached(batch(word in words), tags = ["word:{word}"])]
fn lengths(words: &[String]) -> Vec<usize> {
    words.iter().map(String::len).collect()
}

struct Plain;

impl Plain {
    #[cached(batch, in_impl)]
    async fn squares(numbers: Vec<u64>) -> Vec<u64> {
        numbers.iter().map(|number| number * number).collect()
    }
}

impl<T: CacheKey> Shapes<T> {
    fn of(tenant: T) -> Self {
        Self { cache: cache(), tenant, loads: AtomicUsize::new(0) }
    }

    /// How many keys were loaded since it was asked last.
    fn loads(&self) -> usize {
        self.loads.swap(0, Ordering::SeqCst)
    }
}

#[tokio::test]
async fn the_other_arguments_are_part_of_each_key() {
    let shapes = Shapes::of("tenant");
    let ids = || vec![Id(1), Id(13), Id(2)];
    let expected = HashMap::from([(Id(1), 14), (Id(2), 24)]);
    assert_eq!(shapes.with_others("kind", ids(), Trace, Some(10)).await, Ok(expected.clone()));
    assert_eq!(shapes.with_others("kind", ids(), Trace, Some(10)).await, Ok(expected));
    assert_eq!(shapes.loads(), 3);
    assert_eq!(shapes.with_others("kind", ids(), Trace, None).await, Ok(HashMap::from([(Id(1), 5), (Id(2), 6)])));
    assert_eq!(shapes.loads(), 3);
    shapes.cache.invalidate_tags(["of:kind:2"]).await;
    shapes.with_others("kind", ids(), Trace, None).await.unwrap();
    assert_eq!(shapes.loads(), 1);
    assert!(shapes.with_others_remove("kind", &Id(1), &None).await);
}

#[test]
fn keys_may_be_borrowed_and_values_kept_in_memory_only() {
    let shapes = Shapes::of(1_u8);
    let (a, z) = ("a".to_owned(), "z".to_owned());
    let found = shapes.borrowed(&[&a, &z]);
    assert_eq!(found, [Some(Arc::from("a")), None]);
    assert!(Arc::ptr_eq(shapes.borrowed(&["a"])[0].as_ref().unwrap(), found[0].as_ref().unwrap()));
    assert_eq!(shapes.loads(), 2);
    assert!(shapes.borrowed_remove("z"));
}

#[tokio::test]
async fn a_key_may_be_a_part_of_the_element_and_rules_see_each_value() {
    let shapes = Shapes::of(1_u8);
    let pairs = |texts: [&str; 3]| [1, 2, 3].map(|id| (id, texts[id as usize - 1].to_owned()));
    assert_eq!(shapes.keyed(&pairs(["x", "", "zz"])).await, [vec![1], vec![], vec![3, 3]]);
    // What is empty was not kept.
    assert_eq!(shapes.keyed(&pairs(["xx", "yy", ""])).await, [vec![1], vec![2, 2], vec![3, 3]]);
    assert_eq!(shapes.loads(), 4);
    shapes.cache.invalidate_tags(["found:3"]).await;
    assert_eq!(shapes.keyed(&pairs(["", "", "z"])).await, [vec![1], vec![2, 2], vec![3]]);
    assert_eq!(shapes.loads(), 1);
}

#[test]
fn a_condition_is_about_the_whole_call() {
    let shapes = Shapes::of(1_u8);
    let expected = BTreeMap::from([(7, 8)]);
    assert_eq!((shapes.seldom(&[7]), shapes.seldom(&[7])), (expected.clone(), expected));
    assert_eq!((shapes.loads(), shapes.cache.stats().bypasses), (2, 2));
    shapes.seldom(&[7, 8]);
    shapes.seldom(&[8, 7]);
    assert_eq!(shapes.loads(), 2);
    assert!(shapes.seldom_key(&7).text().starts_with("shapes.seldom"));
}

#[tokio::test]
async fn instances_of_a_generic_method_have_entries_of_their_own() {
    let shapes = Shapes::of(1_u8);
    assert_eq!(shapes.generic(&[1_u64, 2], 5_u32).await, [5, 5]);
    assert_eq!(shapes.generic(&["1", "2"], 5_u32).await, [5, 5]);
    assert_eq!(shapes.generic(&[2_u64, 1], 5_u32).await, [5, 5]);
    assert_eq!(shapes.loads(), 4);
}

#[tokio::test]
async fn functions_have_batches_as_methods_have() {
    cachex::install(cache()).ok();
    let words = ["one", "three"].map(str::to_owned);
    assert_eq!((lengths(&words), lengths(&words)), (vec![3, 5], vec![3, 5]));
    assert!(lengths_remove(&words[0]));
    assert_eq!(Plain::squares(vec![2, 3]).await, [4, 9]);
    assert!(Plain::squares_remove(&3).await);
}

#[tokio::test]
async fn the_future_of_a_batch_can_be_spawned() {
    let shapes = Arc::new(Shapes::of("tenant"));
    let spawned = shapes.clone();
    let call = async move { spawned.with_others("kind", vec![Id(1)], Trace, None).await };
    assert_eq!(tokio::spawn(call).await.unwrap(), Ok(HashMap::from([(Id(1), 5)])));
    assert_eq!(shapes.loads(), 1);
}

//! The options of `#[cached]` that a body notices.

use std::time::Duration;

use cachex::{Jitter, Tag, cached};

use super::{Loads, Users};

const MINUTE: Duration = Duration::from_secs(60);

#[test]
fn durations_may_be_constant_expressions() {
    #[cached(ttl = MINUTE, soft_ttl = Duration::from_secs(30), grace = MINUTE.saturating_mul(2), jitter = Jitter::Share(0.1))]
    fn next(n: u64) -> u64 {
        n + 1
    }

    assert_eq!(next(1), 2);
}

#[test]
fn when_bypasses_the_cache() {
    static LOADS: Loads = Loads::new();

    #[cached(ttl = "1m", when = limit < 100)]
    fn page(limit: u64) -> u64 {
        LOADS.note();
        limit
    }

    assert_eq!([page(1), page(1)], [1, 1]);
    LOADS.check(1);
    assert_eq!([page(100), page(100)], [100, 100]);
    LOADS.check(3);
}

#[test]
fn the_value_may_say_its_ttl_its_tags_and_its_weight() {
    fn ttl(value: &[u64]) -> Duration {
        MINUTE * u32::try_from(value.len()).unwrap()
    }

    fn tags(value: &[u64]) -> impl IntoIterator<Item = Tag> + use<> {
        value.iter().map(|n| Tag::from(format!("value:{n}"))).collect::<Vec<_>>()
    }

    #[cached(ttl_with = ttl, tags_with = tags, weight = |value| value.len() as u64 * 8, unless = Vec::is_empty, grace = "1h")]
    fn numbers(n: u64) -> Result<Vec<u64>, String> {
        LOADS.note();
        Ok((0..n).collect())
    }

    static LOADS: Loads = Loads::new();
    assert_eq!([numbers(2), numbers(2)], [Ok(vec![0, 1]), Ok(vec![0, 1])]);
    LOADS.check(1);
    assert_eq!([numbers(0), numbers(0)], [Ok(vec![]), Ok(vec![])]);
    LOADS.check(3);
}

#[test]
fn tags_by_value_may_come_from_a_closure() {
    #[cached(ttl = "1m", tags_with = |value: &Vec<u64>| value.iter().map(|n| format!("closure:{n}")).collect::<Vec<_>>())]
    fn numbers(n: u64) -> Vec<u64> {
        LOADS.note();
        (0..n).collect()
    }

    static LOADS: Loads = Loads::new();
    numbers(2);
    cachex::installed().invalidate_tags(["closure:2"]);
    numbers(2);
    LOADS.check(1);
    cachex::installed().invalidate_tags(["closure:1"]);
    numbers(2);
    LOADS.check(2);
}

#[test]
fn some_errors_are_kept_if_asked() {
    static LOADS: Loads = Loads::new();

    #[cached(ttl = "1m", negative_ttl = "10s", cache_err = |error| *error == 404, share_err)]
    fn get(code: u64) -> Result<String, u64> {
        LOADS.note();
        Err(code)
    }

    assert_eq!([get(404), get(404)], [Err(404), Err(404)]);
    LOADS.check(1);
    assert_eq!([get(500), get(500)], [Err(500), Err(500)]);
    LOADS.check(3);
}

#[test]
fn version_and_name_are_facts_of_the_call_site() {
    #[cached(ttl = "1m", name = "numbers.next", version = 2, single_flight = false, tti = "30s")]
    fn next(n: u64) -> u64 {
        n + 1
    }

    assert_eq!(next(1), 2);
    assert!(format!("{:?}", next_key(&1)).contains("numbers.next"));
}

impl Users {
    #[cached(ttl = "1m")]
    fn pathed(&self) -> u64 {
        self.tenant
    }
}

#[test]
fn the_path_of_a_method_is_its_name() {
    let key = format!("{:?}", Users::of(300).pathed_key());
    assert!(key.contains("Users::pathed"), "{key}");
}

mod cache {
    //! `cache`: which cache is used, whatever the load takes away.

    use std::sync::{Arc, LazyLock};

    use cachex::{Cache, CacheScope, KeyWriter, cached, invalidates};

    use super::Loads;

    #[derive(Clone)]
    struct Shop {
        cache: Arc<Cache>,
        loads: Arc<Loads>,
    }

    impl CacheScope for Shop {
        fn encode_scope(&self, _: &mut KeyWriter<'_>) {}
    }

    static SHARED: LazyLock<Cache> = LazyLock::new(|| Cache::builder().build().unwrap());

    impl Shop {
        fn new() -> Self {
            Self { cache: Arc::new(Cache::builder().build().unwrap()), loads: Arc::default() }
        }

        #[cached(ttl = "1m", cache = self.cache, tags = ["prices"])]
        async fn price(&self, id: u64) -> u64 {
            self.loads.note();
            id
        }

        #[cached(ttl = "1m", cache = self.cache)]
        fn total(self, id: u64) -> u64 {
            self.loads.note();
            id
        }

        #[cached(ttl = "1m", cache = *SHARED)]
        fn shared(&self, id: u64) -> u64 {
            self.loads.note();
            id
        }

        #[invalidates(Self::price(id), cache = self.cache)]
        fn reprice(&self, id: u64) {
            assert!(id > 0);
        }

        #[invalidates(tags = ["prices"])]
        fn reprice_elsewhere(&self) {}
    }

    #[cached(ttl = "1m", cache = shop.cache, key = id)]
    async fn of(shop: Shop, id: u64) -> u64 {
        shop.loads.note();
        id
    }

    #[tokio::test]
    async fn a_field_may_be_the_cache() {
        let (one, other) = (Shop::new(), Shop::new());
        for shop in [&one, &one, &other] {
            assert_eq!(shop.price(1).await, 1);
        }
        one.loads.check(1);
        other.loads.check(1);
        assert!(one.price_remove(&1).await);
        assert!(!one.price_remove(&1).await);
    }

    #[tokio::test]
    async fn an_invalidation_goes_to_the_cache_it_names() {
        let shop = Shop::new();
        shop.price(1).await;
        shop.reprice_elsewhere();
        shop.price(1).await;
        shop.loads.check(1);
        shop.reprice(1);
        shop.price(1).await;
        shop.loads.check(2);
    }

    #[tokio::test]
    async fn a_cache_of_what_the_load_takes_is_used() {
        let shop = Shop::new();
        assert_eq!([shop.clone().total(1), shop.clone().total(1)], [1, 1]);
        shop.loads.check(1);
        assert_eq!(of(shop.clone(), 1).await, 1);
        assert_eq!(of(shop.clone(), 1).await, 1);
        shop.loads.check(2);
        assert!(of_remove(&shop, &1).await);
        assert!(!of_remove(&Shop::new(), &1).await);
    }

    #[test]
    fn a_static_may_be_the_cache() {
        let (one, other) = (Shop::new(), Shop::new());
        assert_eq!([one.shared(1), other.shared(1)], [1, 1]);
        one.loads.check(1);
        other.loads.check(0);
    }
}

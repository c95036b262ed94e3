//! Several caches in one program: each method has its own, and a write reaches the cache of what it names.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};

use cachex::{Cache, CacheScope, EntryOptions, Key, cached, install, installed, invalidates, updates};

fn cache() -> Cache {
    Cache::builder().build().unwrap()
}

/// A row of a database, which counts its versions.
#[derive(Clone, Debug, Default)]
struct Row(Arc<AtomicU64>);

impl Row {
    fn read(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }

    fn write(&self) -> u64 {
        self.0.fetch_add(1, Ordering::SeqCst) + 1
    }
}

#[derive(Clone, CacheScope)]
struct Users {
    #[scope(cache)]
    cache: Cache,
    row: Row,
}

impl Users {
    fn new() -> Self {
        Self { cache: cache(), row: Row::default() }
    }

    #[cached(name = "several.find", ttl = "1h")]
    fn find(&self, id: u64) -> u64 {
        let _ = id;
        self.row.read()
    }

    #[cached(name = "several.look", ttl = "1h")]
    async fn look(&self, id: u64) -> Result<u64, String> {
        let _ = id;
        Ok(self.row.read())
    }
}

/// Writes what another type has cached, in a cache of its own.
#[derive(Clone, CacheScope)]
struct Service {
    #[scope(cache)]
    cache: Cache,
    users: Users,
}

impl Service {
    fn new() -> Self {
        Self { cache: cache(), users: Users::new() }
    }

    #[cached(name = "several.own", ttl = "1h", tags = ["several"])]
    fn own(&self) -> u64 {
        self.users.row.read()
    }

    #[invalidates(self.users.find(id), tags = ["several"])]
    fn rename(&self, id: u64) {
        let _ = id;
        self.users.row.write();
    }

    #[invalidates(self.users.look(id))]
    async fn rename_slowly(&self, id: u64) -> Result<(), String> {
        let _ = id;
        self.users.row.write();
        Ok(())
    }

    #[updates(self.users.find(id), tags = ["several"])]
    fn save(&self, id: u64) -> u64 {
        let _ = id;
        self.users.row.write()
    }
}

#[invalidates(Users::find(users, id))]
fn rename_freely(users: &Users, id: u64) {
    let _ = id;
    users.row.write();
}

#[test]
fn an_entry_is_invalidated_in_the_cache_of_the_method_that_is_named() {
    let service = Service::new();
    assert_eq!((service.users.find(7), service.own()), (0, 0));
    service.rename(7);
    assert_eq!(
        (service.users.find(7), service.own()),
        (1, 1),
        "the entry in the users' cache, the tag in the service's"
    );
}

#[tokio::test]
async fn an_entry_of_an_async_method_is_invalidated_in_its_own_cache() {
    let service = Service::new();
    assert_eq!(service.users.look(7).await, Ok(0));
    service.rename_slowly(7).await.unwrap();
    assert_eq!(service.users.look(7).await, Ok(1));
}

#[test]
fn a_free_function_invalidates_in_the_cache_of_the_method_that_it_names() {
    let users = Users::new();
    assert_eq!(users.find(7), 0);
    rename_freely(&users, 7);
    assert_eq!(users.find(7), 1);
}

#[test]
fn an_updated_entry_and_the_tags_of_its_writer_may_be_in_different_caches() {
    let service = Service::new();
    assert_eq!((service.users.find(7), service.own()), (0, 0));
    assert_eq!(service.save(7), 1);
    service.users.row.write();
    assert_eq!(service.users.find(7), 1, "what was saved is the entry");
    assert_eq!(service.own(), 2, "the tag is of the service's cache");
}

static MAIN: LazyLock<Cache> = LazyLock::new(cache);
static SIDE: LazyLock<Cache> = LazyLock::new(cache);
static LISTS: LazyLock<Row> = LazyLock::new(Row::default);

#[derive(CacheScope)]
struct Shop {
    #[scope]
    id: u64,
}

impl Shop {
    #[cached(name = "several.price", ttl = "1h", tags = ["several:{self.id}"], cache = &*MAIN)]
    fn price(&self) -> Option<u64> {
        Some(LISTS.read())
    }

    #[cached(name = "several.list", ttl = "1h", tags = ["several:{self.id}"], cache = &*SIDE)]
    fn list(&self) -> u64 {
        LISTS.write()
    }

    #[cached(name = "several.stock", ttl = "1h", tags = ["several:{self.id}"], cache = &*MAIN)]
    fn stock(&self) -> u64 {
        LISTS.write()
    }

    #[updates(Self::price(), tags = ["several:{self.id}"], cache = &*SIDE)]
    fn set_price(&self, price: u64) -> Option<u64> {
        Some(price)
    }

    #[invalidates(Self::price(), cache = &*SIDE)]
    fn forget_price(&self) {}

    #[invalidates(tags = ["several:{self.id}"], cache = &*SIDE)]
    fn forget_lists(&self) {}
}

#[test]
fn tags_are_invalidated_in_the_cache_that_is_named_and_the_entry_in_its_own() {
    let shop = Shop { id: 1 };
    let (list, stock) = (shop.list(), shop.stock());
    assert_eq!(shop.set_price(1_000_000), Some(1_000_000));
    assert_eq!(shop.price(), Some(1_000_000));
    assert!(shop.list() > list);
    assert_eq!(shop.stock(), stock, "the tag is another one in the entry's cache");
}

#[test]
fn a_named_cache_is_for_tags_and_an_entry_goes_where_it_is() {
    let shop = Shop { id: 2 };
    shop.set_price(1_000_000);
    let list = shop.list();
    shop.forget_lists();
    assert_eq!(shop.price(), Some(1_000_000));
    assert!(shop.list() > list);
    shop.forget_price();
    assert!(!MAIN.blocking().exists(&shop.price_key()));
}

#[test]
fn each_cache_has_its_own_statistics_and_its_own_end() {
    let (one, other) = (Users::new(), Users::new());
    assert_eq!((one.find(1), one.find(1), other.find(1)), (0, 0, 0));
    let counted = |users: &Users| {
        let stats = users.cache.stats();
        let of_method = users.cache.method_stats("several.find").unwrap();
        assert_eq!((of_method.hits, of_method.misses), (stats.hits, stats.misses));
        (stats.hits, stats.misses, stats.entries)
    };
    assert_eq!((counted(&one), counted(&other)), ((1, 1, 1), (0, 1, 1)));
    one.cache.clear();
    one.row.write();
    other.row.write();
    assert_eq!((one.find(1), other.find(1)), (1, 0));
    one.cache.invalidate_method("several.find", (1_u64,)).unwrap();
    one.cache.set_method_config("several.find", cachex::MethodSettings::new().enabled(false)).unwrap();
    other.row.write();
    assert_eq!(other.find(1), 0, "the other cache is as it was");
    assert_eq!((other.cache.stats().bypasses, other.cache.stats().hits), (0, 2));
}

#[test]
fn a_cache_of_a_test_leaves_nothing_behind() {
    let key = Key::new("several").part(&"test");
    let own = cache();
    own.blocking().set(&key, 1, &EntryOptions::new()).unwrap();
    assert_eq!(own.blocking().get::<i32>(&key).unwrap(), Some(1));
    assert!(!installed().blocking().exists(&key));
    drop(own);
    assert!(!cache().blocking().exists(&key));
}

#[test]
fn a_second_cache_can_not_be_installed() {
    let before = installed();
    let error = install(Cache::builder().namespace("late").build().unwrap()).unwrap_err();
    assert!(error.is_configuration());
    let says = "a cache is in use already; call `cachex::install` once, before the first call of a cached method";
    assert_eq!(error.to_string(), says);
    assert!(std::ptr::eq(before, installed()));
    assert_ne!(installed().namespace(), "late");
}

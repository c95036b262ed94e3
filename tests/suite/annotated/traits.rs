//! Methods of traits: their implementations, defaults, and under `async_trait`.

use cachex::{CacheScope, cached};

use super::Users;

trait Repository: CacheScope {
    fn tenant(&self) -> u64;

    async fn find(&self, id: u64) -> Result<u64, String>;

    fn name(&self, id: u64) -> String;

    fn largest() -> u64;

    #[cached(ttl = "1m", tags = ["labels"])]
    fn label(&self, id: u64) -> String {
        format!("{}:{id}", self.tenant())
    }

    #[cached(ttl = "1m")]
    async fn title(&self, id: u64) -> String {
        format!("{}:{id}", self.tenant())
    }
}

impl Repository for Users {
    fn tenant(&self) -> u64 {
        self.tenant
    }

    #[cached(ttl = "1m", tags = ["user:{id}"], in_trait)]
    async fn find(&self, id: u64) -> Result<u64, String> {
        self.loads.note();
        let id = "7".parse::<u64>().map_err(|error| error.to_string())? + id;
        if id == 7 {
            return Err("seven".into());
        }
        Ok(id)
    }

    #[cached(ttl = "1m", in_trait)]
    fn name(&self, mut id: u64) -> String {
        self.loads.note();
        id += 1;
        if id == 1 {
            return "one".into();
        }
        format!("{}/{id}", self.tenant)
    }

    #[cached(in_trait)]
    fn largest() -> u64 {
        9
    }
}

#[tokio::test]
async fn a_method_of_a_trait_loads_once() {
    let users = Users::of(200);
    assert_eq!(Repository::find(&users, 1).await, Ok(8));
    assert_eq!(Repository::find(&users, 1).await, Ok(8));
    users.loads.check(1);
    assert_eq!(Repository::find(&users, 0).await, Err("seven".to_owned()));
    assert_eq!([Repository::name(&users, 0), Repository::name(&users, 0)], ["one", "one"]);
    users.loads.check(3);
    assert_eq!(<Users as Repository>::largest(), 9);
}

#[tokio::test]
async fn a_default_method_has_companions_in_its_trait() {
    let users = Users::of(201);
    assert_eq!([users.label(1), users.label_uncached(1)], ["201:1", "201:1"]);
    assert_eq!(users.label_key(&1), users.label_key(&1));
    assert_eq!(users.title(1).await, "201:1");
    users.title_prime(&1, &"primed".to_owned()).await;
    assert_eq!(users.title(1).await, "primed");
}

#[async_trait::async_trait]
trait Directory: Send + Sync {
    async fn find(&self, id: u64, name: &str) -> Result<Option<String>, String>;

    async fn search(&self, (from, to): (u64, u64)) -> Vec<u64>;

    async fn rename(&self, id: u64, name: &str) -> Result<(), String>;

    async fn slow(&self, id: &str) -> Result<String, cachex::Error>;
}

#[async_trait::async_trait]
impl Directory for Users {
    #[cached(ttl = "1m", tags = ["directory", "directory:{self.tenant}:{id}"])]
    async fn find(&self, id: u64, name: &str) -> Result<Option<String>, String> {
        self.loads.note();
        let n: u64 = name.parse().map_err(|_| "not a number".to_owned())?;
        if n == 0 {
            return Ok(None);
        }
        Ok(Some(format!("{}/{}", self.tenant, id + n)))
    }

    #[cached(ttl = "1m")]
    async fn search(&self, (from, to): (u64, u64)) -> Vec<u64> {
        self.loads.note();
        (from..to).collect()
    }

    #[cachex::invalidates(tags = ["directory:{self.tenant}:{id}"])]
    async fn rename(&self, id: u64, name: &str) -> Result<(), String> {
        if name.is_empty() {
            return Err(format!("{id} needs a name"));
        }
        Ok(())
    }

    #[cached(ttl = "1m", timeout = "10s")]
    async fn slow(&self, id: &str) -> Result<String, cachex::Error> {
        self.loads.note();
        tokio::task::yield_now().await;
        Ok(format!("{}/{id}", self.tenant))
    }
}

#[tokio::test]
async fn a_method_under_async_trait_loads_once() {
    let users = Users::of(202);
    let directory: &dyn Directory = &users;
    assert_eq!(directory.find(1, "2").await, Ok(Some("202/3".to_owned())));
    assert_eq!(directory.find(1, "2").await, Ok(Some("202/3".to_owned())));
    users.loads.check(1);
    assert_eq!(directory.find(1, "x").await, Err("not a number".to_owned()));
    assert_eq!(directory.find(1, "0").await, Ok(None));
    users.loads.check(3);
    assert_eq!(directory.search((1, 3)).await, [1, 2]);
    assert_eq!(directory.search((1, 3)).await, [1, 2]);
    users.loads.check(4);
}

#[tokio::test]
async fn a_method_under_async_trait_invalidates() {
    let users = Users::of(203);
    let directory: &dyn Directory = &users;
    directory.find(1, "2").await.unwrap();
    assert_eq!(directory.rename(1, "").await, Err("1 needs a name".to_owned()));
    directory.find(1, "2").await.unwrap();
    users.loads.check(1);
    assert_eq!(directory.rename(1, "new").await, Ok(()));
    directory.find(1, "2").await.unwrap();
    users.loads.check(2);
}

#[tokio::test]
async fn a_method_under_async_trait_may_load_in_the_background() {
    let users = Users::of(204);
    let directory: &dyn Directory = &users;
    assert_eq!(directory.slow("a").await.unwrap(), "204/a");
    assert_eq!(directory.slow("a").await.unwrap(), "204/a");
    users.loads.check(1);
}

trait Ledger {
    fn book(&mut self, amounts: (u64, u64)) -> u64;

    async fn close(self, day: u64) -> String;
}

impl Ledger for Users {
    #[cached(ttl = "1m", tags = ["amount:{first}"], in_trait)]
    fn book(&mut self, (first, mut second): (u64, u64)) -> u64 {
        self.loads.note();
        second += first;
        second
    }

    #[cached(ttl = "1m", when = day > 0, in_trait)]
    async fn close(self, day: u64) -> String {
        self.loads.note();
        format!("{}/{day}", self.tenant)
    }
}

#[tokio::test]
async fn a_method_of_a_trait_may_take_self_and_patterns() {
    let mut users = Users::of(205);
    assert_eq!([users.book((1, 2)), users.book((1, 2))], [3, 3]);
    users.loads.check(1);
    assert_eq!(users.clone().close(1).await, users.clone().close(1).await);
    users.loads.check(2);
    assert_eq!(users.clone().close(0).await, users.clone().close(0).await);
    users.loads.check(4);
}

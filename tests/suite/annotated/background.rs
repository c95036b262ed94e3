//! Methods whose loads may outlive their calls.

use std::sync::Arc;

use cachex::{CacheKey, cached};

use super::{Loads, Users};

#[derive(Clone, Debug, PartialEq)]
enum Failure {
    Slow,
    Empty,
}

impl From<cachex::Error> for Failure {
    fn from(_: cachex::Error) -> Self {
        Self::Slow
    }
}

trait Named {
    async fn label(&self, name: &str) -> String;

    fn title(&self, name: &str) -> String;
}

impl Users {
    #[cached(ttl = "1m", soft_ttl = "30s", tags = ["background:{name}"])]
    async fn initials(&self, name: &str, counts: &[u64], id: u64) -> String {
        self.loads.note();
        tokio::task::yield_now().await;
        format!("{}{}{}{id}", self.tenant, &name[..1], counts.len())
    }

    #[cached(ttl = "1m", timeout = "10s", soft_timeout = "1s", grace = "1h", share_err)]
    async fn checked(self: Arc<Self>, name: &str) -> Result<u64, Failure> {
        self.loads.note();
        if name.is_empty() {
            return Err(Failure::Empty);
        }
        Ok(self.tenant)
    }

    #[cached(ttl = "1m", refresh_ahead = "10s")]
    fn blocking(&self, name: &str, (a, b): (u64, u64)) -> String {
        self.loads.note();
        format!("{}{name}{}", self.tenant, a + b)
    }
}

impl Named for Users {
    #[cached(ttl = "1m", soft_ttl = "30s", in_trait)]
    async fn label(&self, name: &str) -> String {
        self.loads.note();
        format!("{}{name}", self.tenant)
    }

    #[cached(ttl = "1m", soft_ttl = "30s", in_trait)]
    fn title(&self, name: &str) -> String {
        self.loads.note();
        if name.is_empty() {
            return String::new();
        }
        [format!("{}", self.tenant), name.to_owned()].concat()
    }
}

#[tokio::test]
async fn a_method_that_refreshes_loads_once_when_fresh() {
    let users = Users::of(400);
    assert_eq!(users.initials("abc", &[1, 2], 3).await, "400a23");
    assert_eq!(users.initials("abc", &[1, 2], 3).await, "400a23");
    users.loads.check(1);
    assert_eq!(users.blocking("a", (1, 2)), "400a3");
    assert_eq!(users.blocking("a", (1, 2)), "400a3");
    users.loads.check(2);
}

#[tokio::test]
async fn a_method_with_a_timeout_keeps_its_error_type() {
    let users = Arc::new(Users::of(401));
    assert_eq!(users.clone().checked("a").await, Ok(401));
    assert_eq!(users.clone().checked("a").await, Ok(401));
    users.loads.check(1);
    assert_eq!(users.clone().checked("").await, Err(Failure::Empty));
}

#[tokio::test]
async fn a_method_of_a_trait_may_refresh() {
    let users = Users::of(402);
    assert_eq!(users.label("a").await, "402a");
    assert_eq!(users.label("a").await, "402a");
    users.loads.check(1);
    assert_eq!([users.title("a"), users.title("a")], ["402a", "402a"]);
    users.loads.check(2);
}

#[tokio::test]
async fn a_function_may_refresh() {
    static LOADS: Loads = Loads::new();

    #[cached(ttl = "1m", soft_ttl = "30s")]
    async fn shout(text: &(impl CacheKey + ToString + Clone + Send + Sync + 'static), times: u64) -> String {
        LOADS.note();
        text.to_string().repeat(usize::try_from(times).unwrap_or_default())
    }

    assert_eq!(shout(&"ab".to_owned(), 2).await, "abab");
    assert_eq!(shout(&"ab".to_owned(), 2).await, "abab");
    LOADS.check(1);
}

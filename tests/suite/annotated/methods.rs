//! Methods with every kind of `self`.

use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;

use cachex::cached;

use super::Users;

impl Users {
    #[cached(ttl = "1m", tags = ["users", "user:{id}", "tenant:{self.tenant}"])]
    async fn find(&self, id: u64) -> Result<Option<String>, String> {
        self.loads.note();
        let id = id.checked_sub(1).ok_or("zero")?;
        if id == 7 {
            return Ok(None);
        }
        Ok(Some(format!("{}/{id}", self.tenant)))
    }

    #[cached(ttl = "1m")]
    fn name(&self, id: u64) -> String {
        self.loads.note();
        format!("{}/{id}", self.tenant)
    }

    #[cached(ttl = "1m")]
    fn exclusive(&mut self, id: u64) -> u64 {
        self.loads.note();
        id + self.tenant
    }

    #[cached(ttl = "1m")]
    async fn exclusive_async(&mut self, id: u64) -> u64 {
        self.loads.note();
        id + self.tenant
    }

    #[cached(ttl = "1m")]
    async fn owned(self, id: u64) -> u64 {
        self.loads.note();
        id + self.tenant
    }

    #[cached(ttl = "1m")]
    fn owned_mut(mut self) -> u64 {
        self.loads.note();
        self.tenant += 1;
        self.tenant
    }

    #[cached(ttl = "1m")]
    async fn shared(self: Arc<Self>, id: u64) -> u64 {
        self.loads.note();
        id + self.tenant
    }

    #[cached(ttl = "1m")]
    fn counted(self: &Rc<Self>, id: u64) -> u64 {
        self.loads.note();
        id + self.tenant
    }

    #[cached(ttl = "1m")]
    fn pinned(self: Pin<&mut Self>, id: u64) -> u64 {
        self.loads.note();
        id + self.tenant
    }

    #[cached(ttl = "1m")]
    fn largest() -> Option<u64> {
        Some(Self::of(9).tenant)
    }

    #[cached(ttl = "1m", in_impl)]
    fn smallest() -> Option<u64> {
        Some(0)
    }
}

#[tokio::test]
async fn an_async_method_loads_once() {
    let users = Users::of(100);
    assert_eq!(users.find(1).await, Ok(Some("100/0".to_owned())));
    assert_eq!(users.find(1).await, Ok(Some("100/0".to_owned())));
    users.loads.check(1);
    assert_eq!(users.find(8).await, Ok(None));
    assert_eq!(users.find(8).await, Ok(None));
    users.loads.check(2);
}

#[tokio::test]
async fn an_error_is_not_kept() {
    let users = Users::of(101);
    assert_eq!(users.find(0).await, Err("zero".to_owned()));
    assert_eq!(users.find(0).await, Err("zero".to_owned()));
    users.loads.check(2);
}

#[test]
fn a_blocking_method_loads_once() {
    let users = Users::of(102);
    assert_eq!([users.name(1), users.name(1)], ["102/1", "102/1"]);
    users.loads.check(1);
}

#[test]
fn the_scope_of_self_is_part_of_the_key() {
    assert_eq!(Users::of(103).name(1), "103/1");
    assert_eq!(Users::of(104).name(1), "104/1");
}

#[tokio::test]
async fn an_exclusive_self_is_held_by_the_load_only() {
    let mut users = Users::of(105);
    assert_eq!([users.exclusive(1), users.exclusive(1)], [106, 106]);
    users.loads.check(1);
    assert_eq!(users.exclusive_async(1).await, 106);
    assert_eq!(users.exclusive_async(1).await, 106);
    users.loads.check(2);
    assert_eq!(users.exclusive_key(&1), users.exclusive_key(&1));
}

#[tokio::test]
async fn an_owned_self_is_moved_into_the_load() {
    let users = Users::of(106);
    assert_eq!(users.clone().owned(1).await, 107);
    assert_eq!(users.clone().owned(1).await, 107);
    users.loads.check(1);
    assert_eq!([users.clone().owned_mut(), users.clone().owned_mut()], [107, 107]);
    users.loads.check(2);
}

#[tokio::test]
async fn a_self_behind_a_pointer_is_seen_through() {
    let users = Arc::new(Users::of(107));
    assert_eq!(users.clone().shared(1).await, 108);
    assert_eq!(users.clone().shared(1).await, 108);
    users.loads.check(1);

    let counted = Rc::new(Users::of(108));
    assert_eq!([counted.counted(1), counted.counted(1)], [109, 109]);
    counted.loads.check(1);

    let mut pinned = Users::of(109);
    assert_eq!([Pin::new(&mut pinned).pinned(1), Pin::new(&mut pinned).pinned(1)], [110, 110]);
    pinned.loads.check(1);
}

#[test]
fn an_associated_function_has_companions_in_its_type() {
    assert_eq!([Users::largest(), Users::largest()], [Some(9), Some(9)]);
    assert_eq!([Users::smallest(), Users::smallest_uncached()], [Some(0), Some(0)]);
    assert_ne!(Users::largest_key(), Users::smallest_key());
}

impl Users {
    #[cached(ttl = "1m")]
    async fn factorial(&self, n: u64) -> u64 {
        self.loads.note();
        if n == 0 { 1 } else { n * Box::pin(self.factorial(n - 1)).await }
    }

    #[cached(ttl = "1m")]
    async fn not_send(&self, n: u64) -> u64 {
        let n = Rc::new(n);
        tokio::task::yield_now().await;
        self.loads.note();
        *n
    }
}

#[tokio::test]
async fn a_method_may_call_itself() {
    let users = Users::of(110);
    assert_eq!(users.factorial(5).await, 120);
    assert_eq!(users.factorial(4).await, 24);
    users.loads.check(6);
}

#[tokio::test]
async fn a_body_need_not_be_send() {
    let users = Users::of(111);
    assert_eq!(users.not_send(5).await, 5);
    assert_eq!(users.not_send(5).await, 5);
    users.loads.check(1);
}

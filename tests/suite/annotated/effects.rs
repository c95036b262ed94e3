//! `#[invalidates]` and `#[updates]`.

use std::cell::Cell;

use cachex::{cached, invalidates, updates};

use super::Users;

#[derive(Clone)]
struct User {
    id: u64,
    name: String,
}

impl Users {
    #[cached(ttl = "1m", tags = ["effects", "effect:{self.tenant}:{id}"])]
    async fn named(&self, id: u64) -> Result<Option<String>, String> {
        self.loads.note();
        Ok(Some(format!("{}/{id}", self.tenant)))
    }

    #[cached(ttl = "1m")]
    fn named_by(&self, name: &str, exact: bool) -> Option<u64> {
        self.loads.note();
        exact.then_some(name.len() as u64)
    }

    #[invalidates(Self::named(id), self.named_by(name, true))]
    async fn rename(&self, id: u64, name: &str) -> Result<(), String> {
        if name.is_empty() {
            return Err(format!("{id} needs a name"));
        }
        Ok(())
    }

    #[invalidates(tags = ["effect:{self.tenant}:{user.id}"])]
    fn touch(&mut self, user: &User) {
        self.tenant = self.tenant.max(user.id);
    }

    #[invalidates(Self::named(user.id), other(user.id), tags = ["effect:{self.tenant}:{user.id}"])]
    async fn take(self, user: User) -> Option<String> {
        Some(user.name)
    }

    #[updates(Self::named(user.id), tags = ["renamed:{user.name}"])]
    async fn save(&self, user: User) -> Result<Option<String>, String> {
        if user.name.is_empty() {
            return Err("a user needs a name".to_owned());
        }
        Ok(Some(user.name))
    }

    #[updates(Self::named(user.id), tags = ["effect:{self.tenant}:{user.id}"])]
    async fn overwrite(&self, user: User) -> Result<Option<String>, String> {
        Ok(Some(user.name))
    }

    #[updates(self.named_by(&user.name, true))]
    #[invalidates(Self::named(user.id))]
    fn store(&self, user: &User) -> Option<u64> {
        Some(user.id)
    }
}

#[cached(ttl = "1m")]
async fn other(id: u64) -> u64 {
    id
}

#[tokio::test]
async fn a_success_invalidates_the_named_entries() {
    let users = Users::of(600);
    users.named(1).await.unwrap();
    users.named_by("a", true);
    users.named_by("a", false);
    users.loads.check(3);
    assert_eq!(users.rename(1, "a").await, Ok(()));
    users.named(1).await.unwrap();
    users.named_by("a", true);
    users.named_by("a", false);
    users.loads.check(5);
}

#[tokio::test]
async fn a_failure_invalidates_nothing() {
    let users = Users::of(601);
    users.named(1).await.unwrap();
    assert_eq!(users.rename(1, "").await, Err("1 needs a name".to_owned()));
    users.named(1).await.unwrap();
    users.loads.check(1);
}

#[tokio::test]
async fn a_method_that_returns_nothing_invalidates() {
    let mut users = Users::of(602);
    users.named(1).await.unwrap();
    users.touch(&User { id: 1, name: String::new() });
    users.named(1).await.unwrap();
    users.loads.check(2);
}

#[tokio::test]
async fn a_method_that_takes_self_invalidates() {
    let users = Users::of(603);
    users.named(2).await.unwrap();
    assert_eq!(users.clone().take(User { id: 2, name: "b".to_owned() }).await.as_deref(), Some("b"));
    users.named(2).await.unwrap();
    users.loads.check(2);
}

// Guards the one step of `Writing::end`: done before it, the invalidation of its own tag would disturb the update.
#[tokio::test]
async fn an_update_that_invalidates_a_tag_of_its_own_entry_keeps_the_new_value() {
    let users = Users::of(609);
    users.named(4).await.unwrap();
    assert_eq!(users.overwrite(User { id: 4, name: "d".to_owned() }).await, Ok(Some("d".to_owned())));
    assert_eq!(users.named(4).await, Ok(Some("d".to_owned())));
    users.loads.check(1);
}

#[tokio::test]
async fn a_returned_value_becomes_the_entry() {
    let users = Users::of(604);
    let user = User { id: 3, name: "c".to_owned() };
    assert_eq!(users.save(user.clone()).await, Ok(Some("c".to_owned())));
    assert_eq!(users.named(3).await, Ok(Some("c".to_owned())));
    users.loads.check(0);
    assert_eq!(users.store(&user), Some(3));
    assert_eq!(users.named_by("c", true), Some(3));
    users.loads.check(0);
    assert_eq!(users.named(3).await, Ok(Some("604/3".to_owned())));
    users.loads.check(1);
}

#[tokio::test]
async fn a_returned_error_leaves_the_entry() {
    let users = Users::of(605);
    users.named(3).await.unwrap();
    assert!(users.save(User { id: 3, name: String::new() }).await.is_err());
    users.named(3).await.unwrap();
    users.loads.check(1);
}

#[test]
fn a_body_may_return_early_and_borrow() {
    #[invalidates(tags = ["early"])]
    fn early(log: &Cell<u64>, n: u64) -> Result<u64, std::num::ParseIntError> {
        if n == 0 {
            return Ok(0);
        }
        log.set(log.get() + n);
        let one: u64 = "1".parse()?;
        Ok(n + one)
    }

    let log = Cell::new(1);
    assert_eq!([early(&log, 0), early(&log, 2)], [Ok(0), Ok(3)]);
    assert_eq!(log.get(), 3);
}

#[test]
fn a_generic_method_invalidates() {
    #[cached(ttl = "1m")]
    fn size<T: cachex::CacheKey>(value: &T, unit: u64) -> u64 {
        size_of_val(value) as u64 * unit
    }

    #[invalidates(size::<T>(value, 8))]
    fn resize<T: cachex::CacheKey>(value: &T) -> u64 {
        size(value, 8)
    }

    assert_eq!(resize(&1_u64), 64);
}

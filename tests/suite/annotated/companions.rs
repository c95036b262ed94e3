//! What stands beside an annotated method.

use cachex::cached;

use super::Users;

impl Users {
    #[cached(ttl = "1m", tags = ["companions:{id}"])]
    async fn member(&self, id: u64) -> Result<Option<String>, String> {
        self.loads.note();
        Ok(Some(format!("{}/{id}", self.tenant)))
    }

    #[cached(ttl = "1m")]
    fn member_count(&self, group: &str) -> u64 {
        self.loads.note();
        group.len() as u64
    }
}

#[test]
fn keys_of_equal_calls_are_equal() {
    let users = Users::of(500);
    assert_eq!(users.member_key(&1), users.member_key(&1));
    assert_ne!(users.member_key(&1), users.member_key(&2));
    assert_ne!(users.member_key(&1), Users::of(501).member_key(&1));
    assert_ne!(users.member_count_key("a"), users.member_count_key("b"));
}

#[tokio::test]
async fn an_uncached_call_always_loads() {
    let users = Users::of(502);
    assert_eq!(users.member_uncached(1).await, users.member_uncached(1).await);
    users.loads.check(2);
}

#[tokio::test]
async fn a_removed_entry_is_loaded_again() {
    let users = Users::of(503);
    users.member(1).await.unwrap();
    assert!(users.member_remove(&1).await);
    assert!(!users.member_remove(&1).await);
    users.member(1).await.unwrap();
    users.loads.check(2);

    let users = Users::of(504);
    users.member_count("a");
    assert!(users.member_count_remove("a"));
    users.member_count("a");
    users.loads.check(2);
}

#[tokio::test]
async fn a_primed_entry_is_not_loaded() {
    let users = Users::of(505);
    users.member_prime(&1, &Ok(Some("primed".to_owned()))).await;
    assert_eq!(users.member(1).await, Ok(Some("primed".to_owned())));
    users.member_count_prime("a", &9);
    assert_eq!(users.member_count("a"), 9);
    users.loads.check(0);
}

#[tokio::test]
async fn a_primed_error_is_not_kept() {
    let users = Users::of(506);
    users.member_prime(&1, &Err("no".to_owned())).await;
    assert!(users.member(1).await.is_ok());
    users.loads.check(1);
}

//! Futures of cached methods are `Send` also where their types say `'static`: each is spawned.

use cachex::{Error, cached, invalidates, updates};

use super::Users;

type AnyError = Box<dyn std::error::Error + Send + Sync>;

/// An error that says that the call took too long by itself.
#[derive(Clone, Debug, PartialEq)]
struct Slow(&'static str);

impl From<Error> for Slow {
    fn from(_: Error) -> Self {
        Self("slow")
    }
}

impl Users {
    #[cached(ttl = "1m")]
    async fn with_text(&self, id: u64) -> Result<u64, &'static str> {
        self.loads.note();
        Ok(id)
    }

    #[cached(ttl = "1m", tags = ["users"], tags_with = tags_of, unless = is_odd)]
    async fn with_any_error(&self, id: u64) -> Result<Option<u64>, AnyError> {
        self.loads.note();
        Ok(Some(id))
    }

    #[cached(ttl = "1m", local, cache_err = is_lasting)]
    async fn with_kept_errors(&self, id: u64) -> Result<&'static str, &'static str> {
        self.loads.note();
        if id == 0 { Err("lasting") } else { Ok("fine") }
    }

    #[cached(ttl = "1m", grace = "1h", soft_timeout = "10s", timeout = "1m", share_err)]
    async fn in_time(&self, id: u64) -> Result<u64, Slow> {
        self.loads.note();
        Ok(id)
    }

    #[invalidates(Self::with_text(id))]
    async fn forget(&self, id: u64) -> Result<(), &'static str> {
        if id == 0 { Err("nobody") } else { Ok(()) }
    }

    #[updates(Self::with_any_error(id))]
    async fn replace(&self, id: u64) -> Result<Option<u64>, AnyError> {
        Ok(Some(id))
    }
}

fn tags_of(id: &Option<u64>) -> Option<String> {
    id.map(|id| format!("user:{id}"))
}

fn is_odd(id: &Option<u64>) -> bool {
    id.is_some_and(|id| id % 2 == 1)
}

fn is_lasting(error: &&'static str) -> bool {
    *error == "lasting"
}

#[tokio::test]
async fn a_load_can_be_spawned_whatever_is_static_in_its_type() {
    let users = Users::of(9001);
    let spawned = users.clone();
    tokio::spawn(async move {
        for _ in 0..2 {
            assert_eq!(spawned.with_text(1).await, Ok(1));
            assert_eq!(spawned.with_any_error(2).await.unwrap(), Some(2));
            assert_eq!(spawned.with_kept_errors(0).await, Err("lasting"));
            assert_eq!(spawned.in_time(1).await, Ok(1));
        }
    })
    .await
    .unwrap();
    users.loads.check(4);
}

#[tokio::test]
async fn a_write_can_be_spawned_whatever_is_static_in_its_type() {
    let users = Users::of(9002);
    let spawned = users.clone();
    tokio::spawn(async move {
        assert_eq!(spawned.with_text(1).await, Ok(1));
        assert_eq!(spawned.forget(1).await, Ok(()));
        assert_eq!(spawned.with_text(1).await, Ok(1));
        assert_eq!(spawned.replace(2).await.unwrap(), Some(2));
        assert_eq!(spawned.with_any_error(2).await.unwrap(), Some(2));
    })
    .await
    .unwrap();
    users.loads.check(2);
}

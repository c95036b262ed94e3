//! An annotation adds no warning of its own, whatever the crate denies.
#![deny(warnings, missing_docs, missing_debug_implementations, unreachable_pub, unused, rust_2018_idioms)]
#![forbid(unsafe_code)]

use cachex::{CacheScope, cached, invalidates, updates};

/// Users.
#[derive(Clone, Debug, CacheScope)]
pub struct Users;

impl Users {
    /// Finds a user.
    #[cached(ttl = "1m", tags = ["users", "user:{id}"])]
    pub async fn find(&self, id: u64) -> Result<Option<String>, String> {
        Ok(Some(id.to_string()))
    }

    /// Names a user, slowly.
    #[cached(ttl = "1m", soft_ttl = "30s", skip(trace))]
    pub fn name<T: Clone + Send + 'static>(&self, id: &str, (a, b): (u64, u64), trace: T) -> String {
        let _ = trace;
        format!("{id}{a}{b}")
    }

    /// Renames a user.
    #[invalidates(Self::find(id), tags = ["users"])]
    pub async fn rename(&self, id: u64) {
        let _ = id;
    }

    /// Saves a user.
    #[updates(Self::find(id))]
    pub async fn save(&self, id: u64) -> Result<Option<String>, String> {
        Ok(Some(id.to_string()))
    }
}

fn main() {
    let _ = (Users.find(1), Users.rename(1), Users.save(1));
}

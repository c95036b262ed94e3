use cachex::{CacheScope, cached};

#[derive(CacheScope)]
struct Users;

trait Find {
    fn find(&self, id: u64) -> u64;
}

impl Find for Users {
    #[cached(ttl = "1m")]
    fn find(&self, id: u64) -> u64 {
        id
    }
}

fn main() {}

use cachex::{CacheKey, CacheScope, cached};

#[derive(CacheScope)]
struct Users;

#[derive(CacheKey)]
struct Filter;

impl Users {
    #[cached(ttl = "1m", soft_ttl = "30s")]
    async fn find(&self, filter: &Filter) -> u64 {
        let _ = filter;
        1
    }
}

fn main() {}

use cachex::{CacheScope, cached, updates};

#[derive(CacheScope)]
struct Users;

impl Users {
    #[cached(ttl = "1m")]
    async fn find(&self, id: u64) -> Result<Option<String>, String> {
        Ok(Some(id.to_string()))
    }

    #[updates(Self::find(id))]
    async fn save(&self, id: u64) -> Result<String, String> {
        Ok(id.to_string())
    }

    #[updates(Self::find(id))]
    fn save_now(&self, id: u64) -> Option<String> {
        Some(id.to_string())
    }
}

fn main() {}

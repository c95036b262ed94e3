use cachex::{CacheScope, cached, invalidates};

#[derive(CacheScope)]
struct Users;

impl Users {
    #[cached(ttl = "1m")]
    async fn find(&self, id: u64) -> u64 {
        id
    }

    #[invalidates(Self::find(name))]
    async fn wrong_type(&self, name: &str) {
        let _ = name;
    }

    #[invalidates(Self::find(id, id))]
    async fn wrong_count(&self, id: u64) {
        let _ = id;
    }

    #[invalidates(self.find())]
    async fn missing(&self, id: u64) {
        let _ = id;
    }

    #[invalidates(Self::fnd(id))]
    async fn unknown(&self, id: u64) {
        let _ = id;
    }

    #[invalidates(Self::find(idd))]
    async fn unknown_argument(&self, id: u64) {
        let _ = id;
    }
}

fn main() {}

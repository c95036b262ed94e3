use cachex::{CacheScope, cached};

#[derive(Clone, CacheScope)]
struct Users {
    names: Vec<String>,
}

impl Users {
    #[cached(ttl = "1m")]
    fn name(&self, index: usize) -> &str {
        &self.names[index]
    }

    #[cached(ttl = "1m")]
    fn names(&self) -> Option<std::borrow::Cow<'_, [String]>> {
        Some((&self.names).into())
    }

    #[cached(ttl = "1m", soft_ttl = "30s")]
    fn exclusive(&mut self) -> usize {
        self.names.len()
    }

    #[cached(ttl = "1m", soft_ttl = "30s")]
    async fn exclusive_argument(&self, log: &mut Vec<u8>) -> usize {
        self.names.len() + log.len()
    }

    #[cached(ttl = "1m", refresh_ahead = "30s")]
    async fn optional(&self, name: Option<&str>) -> bool {
        name.is_some()
    }
}

fn main() {}

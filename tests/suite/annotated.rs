//! Annotated functions of every shape.
use cachex::{CacheScope, KeyWriter, cached};
struct Users {
    tenant: u64,
}
impl CacheScope for Users {
    fn encode_scope(&self, out: &mut KeyWriter) {
        out.write_u64(self.tenant);
    }
}
impl Users {
    /// Finds.
    #[cached(ttl = "5m", tags = ["users", "user:{id}", "tenant:{self.tenant}"])]
    async fn find(&self, id: u64) -> Result<Option<String>, String> {
        let x: u64 = "1".parse().map_err(|_| "a".to_string())?;
        if id == 0 {
            return Err("no".into());
        }
        Ok(Some(format!("{} {}", self.tenant, id + x)))
    }

    #[cached(ttl = "5m", soft_ttl = "1m", tags = ["users"])]
    fn name(&self, name: &str) -> String {
        name.to_owned()
    }
}
#[tokio::test]
async fn works() {
    let u = Users { tenant: 1 };
    assert_eq!(u.find(1).await, Ok(Some("1 2".into())));
}

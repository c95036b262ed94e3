use cachex::cached;

struct Users;

impl Users {
    #[cached(ttl = "1m")]
    async fn find(&self, id: u64) -> u64 {
        id
    }
}

fn main() {
    let _ = Users.find(1);
}

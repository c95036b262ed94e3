use cachex::cached;

struct Users;

#[cached(ttl = "1m")]
fn rates(id: u64) -> u64 {
    id
}

impl Users {
    #[cached(ttl = "1m")]
    fn rates(id: u64) -> u64 {
        id + 1000
    }
}

fn main() {}

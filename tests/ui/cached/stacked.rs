use cachex::{cached, invalidates};

#[invalidates(tags = ["users"])]
#[cached(ttl = "1m")]
fn above(id: u64) -> u64 {
    id
}

#[cached(ttl = "1m")]
#[invalidates(tags = ["users"])]
fn below(id: u64) -> u64 {
    id
}

fn main() {}

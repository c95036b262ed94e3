use std::time::Duration;

use cachex::cached;

const MINUTE: Duration = Duration::from_secs(60);

#[cached(ttl = MINUTE, soft_ttl = MINUTE)]
fn soft_ttl(id: u64) -> u64 {
    id
}

#[cached(ttl = Duration::ZERO)]
fn zero(id: u64) -> u64 {
    id
}

fn main() {}

use cachex::{CacheScope, cached};

#[cached(skip(trase))]
fn slip(n: u64, trace: u64) -> u64 {
    n + trace
}

#[cached(skip(clock))]
fn stranger(n: u64, trace: u64) -> u64 {
    n + trace
}

#[cached(skip(n))]
fn nothing() -> u64 {
    1
}

#[cached(skip(a))]
fn part((a, b): (u64, u64)) -> u64 {
    a + b
}

#[cached(ttl = "1m")]
fn nameless(n: u64, _: u64) -> u64 {
    n
}

#[derive(CacheScope)]
struct Users;

impl Users {
    #[cached(skip(self))]
    fn find(&self, n: u64) -> u64 {
        n
    }
}

fn main() {}

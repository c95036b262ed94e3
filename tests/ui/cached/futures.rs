use std::pin::Pin;

use cachex::{cached, invalidates};

type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

#[cached(ttl = "1m")]
fn find(id: u64) -> Later<'static, u64> {
    Box::pin(async move { id })
}

#[invalidates(tags = ["users"])]
fn rename(id: u64) -> Later<'static, u64> {
    Box::pin(async move { id })
}

fn main() {}

use std::time::Duration;

use cachex::cached;

fn ttl(value: &str) -> Duration {
    Duration::from_secs(value.len() as u64)
}

fn tags(value: &u64) -> [u64; 1] {
    [*value]
}

#[cached(ttl_with = ttl)]
fn ttl_with(id: u64) -> u64 {
    id
}

#[cached(tags_with = tags)]
fn tags_with(id: u64) -> u64 {
    id
}

#[cached(unless = Option::is_none)]
fn unless(id: u64) -> u64 {
    id
}

#[cached(when = 1)]
fn when(id: u64) -> u64 {
    id
}

#[cached(cache = 1)]
fn cache(id: u64) -> u64 {
    id
}

#[cached(ttl = 60 * 60)]
fn seconds(id: u64) -> u64 {
    id
}

#[cached(tags = ["ids:{ids}", "first:{ids.first}"])]
fn display(ids: Vec<u64>) -> u64 {
    ids[0]
}

fn main() {}

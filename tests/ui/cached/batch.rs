use std::collections::HashMap;

use cachex::{CacheKey, CacheScope, cached};

#[cached(batch)]
fn nothing() -> Vec<u64> {
    Vec::new()
}

#[cached(batch)]
fn no_list(id: u64) -> Vec<u64> {
    vec![id]
}

#[cached(batch)]
fn two_lists(ids: &[u64], others: Vec<u64>) -> Vec<u64> {
    ids.iter().chain(&others).copied().collect()
}

#[cached(batch(id in idz))]
fn unknown(ids: &[u64]) -> Vec<u64> {
    ids.to_vec()
}

#[cached(batch(id in ids))]
fn not_a_list(ids: &HashMap<u64, u64>) -> Vec<u64> {
    ids.keys().copied().collect()
}

#[cached(batch(other in ids))]
fn same_name(ids: &[u64], other: u64) -> Vec<u64> {
    vec![other; ids.len()]
}

#[cached(batch = ids)]
fn value(ids: &[u64]) -> Vec<u64> {
    ids.to_vec()
}

#[cached(batch(ids))]
fn list(ids: &[u64]) -> Vec<u64> {
    ids.to_vec()
}

#[cached(skip(id in ids))]
fn other_option(ids: &[u64]) -> Vec<u64> {
    ids.to_vec()
}

#[cached(batch, tags = ["of:{ids}"])]
fn tag_of_all(ids: &[u64]) -> Vec<u64> {
    ids.to_vec()
}

#[cached(batch(id in ids), tags = ["of:{ids}"])]
fn tag_of_all_still(ids: &[u64]) -> Vec<u64> {
    ids.to_vec()
}

#[cached(batch(id in ids), key = kind)]
fn key_of_all(ids: &[u64], kind: u64) -> Vec<u64> {
    vec![kind; ids.len()]
}

#[cached(batch, key = ids.len())]
fn key_without_element(ids: &[u64]) -> Vec<u64> {
    ids.to_vec()
}

#[cached(batch, skip(ids))]
fn skipped(ids: &[u64]) -> Vec<u64> {
    ids.to_vec()
}

#[cached(batch(id in ids), when = *id > 1)]
fn when_of_one(ids: &[u64]) -> Vec<u64> {
    ids.to_vec()
}

#[cached(batch, ttl = "1m", soft_ttl = "30s", soft_timeout = "1s", grace = "1h")]
fn background(ids: &[u64]) -> Vec<u64> {
    ids.to_vec()
}

#[cached(batch, share_err, cache_err = str::is_empty)]
fn errors(ids: &[u64]) -> Result<Vec<u64>, String> {
    Ok(ids.to_vec())
}

#[cached(batch)]
fn exclusive(ids: &[u64], log: &mut String) -> Vec<u64> {
    log.clear();
    ids.to_vec()
}

#[cached(batch)]
fn without_a_name(ids: &[impl CacheKey + Clone]) -> Vec<u64> {
    vec![1; ids.len()]
}

#[derive(CacheScope)]
struct Users;

impl Users {
    #[cached(batch)]
    fn owned(self, ids: &[u64]) -> Vec<u64> {
        ids.to_vec()
    }
}

trait Find {
    fn find(&self, ids: &[u64]) -> Vec<u64>;
}

impl Find for Users {
    #[cached(batch, in_trait)]
    fn find(&self, ids: &[u64]) -> Vec<u64> {
        ids.to_vec()
    }
}

fn main() {}

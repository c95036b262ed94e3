use std::collections::HashMap;

use cachex::{CacheKey, cached};

#[derive(CacheKey)]
struct NotCloned(u64);

#[cached(batch)]
fn keys(ids: &[NotCloned]) -> Vec<u64> {
    ids.iter().map(|id| id.0).collect()
}

#[cached(batch)]
fn other_keys(ids: &[u64]) -> HashMap<String, u64> {
    ids.iter().map(|id| (id.to_string(), *id)).collect()
}

struct Once;

#[cached(batch, skip(once))]
fn argument(ids: &[u64], once: Once) -> Vec<u64> {
    drop(once);
    ids.to_vec()
}

#[cached(batch)]
fn no_key(ids: &[f32]) -> Vec<u64> {
    vec![1; ids.len()]
}

fn main() {}

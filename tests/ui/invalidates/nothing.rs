use cachex::{invalidates, updates};

#[invalidates]
fn nothing(id: u64) {
    let _ = id;
}

#[invalidates(cache = cachex::Cache::builder().build())]
fn nowhere(id: u64) {
    let _ = id;
}

#[updates]
fn updates_nothing(id: u64) -> u64 {
    id
}

#[updates(tags = ["a"])]
fn only_tags(id: u64) -> u64 {
    id
}

fn main() {}

use cachex::cached;

#[cached(ttl = "5m", ttl = "6m")]
fn twice(n: u64) -> u64 {
    n
}

#[cached(local, version = 1, local, version = 2)]
fn both(n: u64) -> u64 {
    n
}

#[cached(skip(n), skip(n))]
fn lists(n: u64) -> u64 {
    n
}

#[cached(skip(n, n))]
fn names(n: u64) -> u64 {
    n
}

#[cached(tags = ["a", "b", "a"])]
fn tags(n: u64) -> u64 {
    n
}

fn main() {}

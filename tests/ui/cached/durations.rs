use cachex::cached;

#[cached(ttl = "5 bananas")]
fn fruit(n: u64) -> u64 {
    n
}

#[cached(ttl = 300)]
fn unit(n: u64) -> u64 {
    n
}

#[cached(ttl = true)]
fn kind(n: u64) -> u64 {
    n
}

#[cached(ttl)]
fn missing(n: u64) -> u64 {
    n
}

#[cached(ttl("5m"))]
fn list(n: u64) -> u64 {
    n
}

#[cached(ttl = "0s")]
fn zero(n: u64) -> u64 {
    n
}

#[cached(ttl = "5m", tti = "0s", negative_ttl = "0s")]
fn zeros(n: u64) -> u64 {
    n
}

#[cached(ttl = "101y")]
fn long(n: u64) -> u64 {
    n
}

fn main() {}

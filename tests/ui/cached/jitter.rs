use cachex::cached;

#[cached(jitter = "10%")]
fn without_ttl(n: u64) -> u64 {
    n
}

#[cached(ttl = "1m", jitter = "110%")]
fn more(n: u64) -> u64 {
    n
}

#[cached(ttl = "1m", jitter = "0%")]
fn nothing(n: u64) -> u64 {
    n
}

#[cached(ttl = "1m", jitter = "0s")]
fn zero(n: u64) -> u64 {
    n
}

#[cached(ttl = "1m", jitter = "1m")]
fn long(n: u64) -> u64 {
    n
}

#[cached(ttl = "1m", jitter = "some")]
fn word(n: u64) -> u64 {
    n
}

#[cached(ttl = "1m", jitter = 0.1)]
fn number(n: u64) -> u64 {
    n
}

fn main() {}

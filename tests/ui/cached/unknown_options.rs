use cachex::cached;

#[cached(sotf_ttl = "5m")]
fn slip(n: u64) -> u64 {
    n
}

#[cached(colour = "red", ttl = "5m")]
fn stranger(n: u64) -> u64 {
    n
}

#[cached(locale)]
fn flag(n: u64) -> u64 {
    n
}

#[cached(skips(n))]
fn list(n: u64) -> u64 {
    n
}

#[cached("5m")]
fn bare(n: u64) -> u64 {
    n
}

#[cached(ttl = "5m" tags = ["a"])]
fn comma(n: u64) -> u64 {
    n
}

#[cached(ttl = , version = x)]
fn several(n: u64) -> u64 {
    n
}

fn main() {
    // The functions are there all the same: nothing is said about their callers.
    slip(stranger(flag(list(bare(comma(several(1)))))));
}

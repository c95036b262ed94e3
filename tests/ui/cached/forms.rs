use cachex::cached;

#[cached(tiers = "remot")]
fn near(n: u64) -> u64 {
    n
}

#[cached(tiers = 2, codec, compression(zstd))]
fn not_text(n: u64) -> u64 {
    n
}

#[cached(codec = "yaml")]
fn unknown(n: u64) -> u64 {
    n
}

#[cached(local, tiers = "remote")]
fn local_and_remote(n: u64) -> u64 {
    n
}

#[cached(local, codec = "json", compression = "zstd")]
fn local_and_form(n: u64) -> u64 {
    n
}

fn main() {}

use cachex::cached;

#[cached(ttl = "60s", soft_ttl = "60s")]
fn soft_ttl(n: u64) -> u64 {
    n
}

#[cached(ttl = "1m", refresh_ahead = "2m")]
fn refresh_ahead(n: u64) -> u64 {
    n
}

#[cached(refresh_ahead = "2m")]
fn without_ttl(n: u64) -> u64 {
    n
}

#[cached(ttl = "10m", refresh_ahead = "2m", soft_ttl = "5m")]
fn both(n: u64) -> u64 {
    n
}

#[cached(ttl = "1m", soft_timeout = "1s")]
fn without_grace(n: u64) -> Result<u64, cachex::Error> {
    Ok(n)
}

#[cached(ttl = "1m", grace = "1h", soft_timeout = "2s", timeout = "1s")]
fn timeouts(n: u64) -> Result<u64, cachex::Error> {
    Ok(n)
}

#[cached(grace = "1h")]
fn grace(n: u64) -> u64 {
    n
}

#[cached(single_flight = false, share_err)]
fn alone(n: u64) -> Result<u64, String> {
    Ok(n)
}

#[cached(key = n, skip(n))]
fn key(n: u64) -> u64 {
    n
}

struct Users;

impl Users {
    #[cached(in_trait, in_impl)]
    fn places(n: u64) -> u64 {
        n
    }

    #[cached(in_impl)]
    fn receiver(&self, n: u64) -> u64 {
        n
    }
}

fn main() {}

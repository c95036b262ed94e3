use cachex::cached;

#[derive(Debug)]
struct Failure;

#[cached(ttl = "1m", timeout = "1s")]
async fn timeout(id: u64) -> Result<u64, Failure> {
    Ok(id)
}

#[cached(ttl = "1m", share_err)]
fn share_err(id: u64) -> Result<u64, Failure> {
    Ok(id)
}

#[cached(ttl = "1m", cache_err = |_| true)]
fn cache_err(id: u64) -> Option<u64> {
    Some(id)
}

fn main() {}

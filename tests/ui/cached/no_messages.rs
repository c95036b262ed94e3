use std::sync::Arc;

use cachex::cached;

#[derive(Clone)]
struct User;

#[cached(codec = "protobuf")]
fn no_message(n: u64) -> Option<Arc<User>> {
    let _ = n;
    None
}

#[derive(Clone, PartialEq, prost::Message)]
struct Quote {
    #[prost(uint64, tag = "1")]
    cents: u64,
}

#[cached(codec = "protobuf")]
async fn list(n: u64) -> Result<Vec<Quote>, String> {
    Ok(vec![Quote { cents: n }])
}

fn main() {}

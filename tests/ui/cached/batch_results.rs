use cachex::cached;

#[cached(batch)]
fn no_results(ids: &[u64]) -> u64 {
    ids.iter().sum()
}

fn main() {}

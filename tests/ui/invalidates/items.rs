use cachex::{invalidates, updates};

#[invalidates(tags = ["a"])]
const fn constant(id: u64) -> u64 {
    id
}

#[invalidates(tags = ["a"])]
unsafe fn dangerous(id: u64) -> u64 {
    id
}

#[invalidates(tags = ["a"])]
fn opaque(id: u64) -> impl Iterator<Item = u64> {
    0..id
}

#[updates(find(1))]
enum Users {}

trait Repository {
    #[invalidates(tags = ["a"])]
    fn rename(&self, id: u64);
}

fn main() {}

use cachex::{Cache, CacheScope};

#[derive(CacheScope)]
#[scope]
#[scope(cache, crat = cachex)]
#[scope(crate = cachex, crate = cachex)]
struct Users {
    #[scope]
    #[scope]
    tenant: u8,
    #[scope(cach)]
    region: u8,
    #[scope(key)]
    zone: u8,
    #[scope(crate = cachex)]
    place: u8,
    #[scope(cache = true)]
    cache: Cache,
    #[scope(cache, cache)]
    second: Cache,
    #[scope]
    #[scope(cache)]
    third: Cache,
}

fn main() {}

use cachex::CacheScope;

struct Tenant(u64);

#[derive(CacheScope)]
struct Users {
    #[scope]
    tenant: Tenant,
    #[scope(cache)]
    cache: u8,
}

fn main() {}

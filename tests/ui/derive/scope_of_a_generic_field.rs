use cachex::CacheScope;

struct Tenant(u64);

#[derive(CacheScope)]
struct Users<T> {
    #[scope]
    tenant: Option<T>,
}

fn is_scope(_: &impl CacheScope) {}

fn main() {
    is_scope(&Users { tenant: Some(1_u8) });
    is_scope(&Users { tenant: Some(Tenant(1)) });
}

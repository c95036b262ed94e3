use cachex::CacheScope;

#[derive(CacheScope)]
enum Users {
    Local(u8),
}

#[derive(CacheScope)]
union Orders {
    whole: u32,
}

fn main() {}

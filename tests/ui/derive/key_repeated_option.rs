use cachex::CacheKey;

#[derive(CacheKey)]
#[key(crate = cachex, crate = ::cachex)]
struct Filter {
    #[key(skip, skip)]
    city: String,
    #[key(skip)]
    #[key(skip)]
    age: u8,
    #[key(with = str::len, with = str::trim)]
    name: &'static str,
    #[key(skip, with = str::len)]
    trace: &'static str,
}

fn main() {}

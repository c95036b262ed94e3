use cachex::CacheKey;

#[derive(CacheKey)]
#[key(krate = cachex)]
#[key(skip)]
struct Filter {
    #[key(skp)]
    city: String,
    #[key(colour)]
    age: u8,
    #[key(crate = cachex)]
    name: String,
}

fn main() {}

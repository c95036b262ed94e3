use cachex::CacheKey;

#[derive(CacheKey)]
enum Filter {
    #[key(skip)]
    City(#[key] String),
    Age(#[key()] u8),
    Name(#[key = "skip"] String),
    Trace(#[key(skip = true)] u128),
    Mode(#[key(with = "path")] u8, #[key(with)] u8, #[key(with = )] u8),
    Place(#[key(7, skp)] u8),
}

fn main() {}

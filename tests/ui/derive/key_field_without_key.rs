use cachex::CacheKey;

struct Money(u64);

#[derive(CacheKey)]
struct Filter {
    city: String,
    limit: Money,
    rest: Vec<Option<Money>>,
}

#[derive(CacheKey)]
enum Search {
    Below(Money),
}

fn main() {}

use cachex::CacheKey;

struct Money(u64);

fn whole(amount: &u64) -> u64 {
    *amount
}

fn same(money: &Money) -> Money {
    Money(money.0)
}

#[derive(CacheKey)]
struct Filter {
    #[key(with = whole)]
    from: Money,
    #[key(with = same)]
    to: Money,
}

fn main() {}

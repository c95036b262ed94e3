use cachex::Key;

struct Money(u64);

#[derive(cachex::CacheKey)]
struct Page<T> {
    after: Option<T>,
}

fn main() {
    let _ = Key::new("money").part(&Money(1));
    let _ = Key::new("page").part(&Page { after: Some(Money(1)) });
}

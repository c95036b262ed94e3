use cachex::cached;

struct Filter {
    city: String,
}

#[cached(ttl = "1m")]
async fn search(page: u64, filter: &Filter) -> String {
    format!("{} {page}", filter.city)
}

#[cached(ttl = "1m", key = (&filter, 1))]
fn by_key(filter: Filter) -> String {
    filter.city
}

fn main() {
    let _ = search(1, &Filter { city: String::new() });
    let _ = by_key(Filter { city: String::new() });
}

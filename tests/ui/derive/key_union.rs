use cachex::CacheKey;

#[derive(CacheKey)]
union Number {
    whole: u32,
    real: f32,
}

fn main() {
    let _ = cachex::Key::new("number").part(&Number { whole: 1 });
}

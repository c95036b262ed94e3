use cachex::cached;

#[cached(ttl = "1m")]
const fn constant(n: u64) -> u64 {
    n
}

#[cached(ttl = "1m")]
unsafe fn dangerous(n: u64) -> u64 {
    n
}

#[cached(ttl = "1m")]
fn nothing(n: u64) {
    let _ = n;
}

#[cached(ttl = "1m")]
async fn unit(n: u64) -> () {
    let _ = n;
}

#[cached(ttl = "1m")]
fn never(n: u64) -> ! {
    panic!("{n}")
}

#[cached(ttl = "1m")]
fn opaque(n: u64) -> impl Iterator<Item = u64> {
    0..n
}

#[cached(ttl = "1m")]
fn future(n: u64) -> impl Future<Output = u64> {
    async move { n }
}

#[cached(ttl = "1m")]
fn boxed(n: u64) -> std::pin::Pin<Box<dyn Future<Output = u64>>> {
    let next = n + 1;
    Box::pin(async move { next })
}

#[cached(ttl = "1m")]
fn conditional(#[cfg(all())] n: u64) -> u64 {
    n
}

#[cached(ttl = "1m")]
struct Users;

trait Repository {
    #[cached(ttl = "1m")]
    fn find(&self, id: u64) -> u64;
}

fn main() {}

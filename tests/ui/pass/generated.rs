//! Generics of all kinds, under a macro that makes methods.
use cachex::{CacheKey, CacheScope, cached};

macro_rules! repository {
    ($name:ident, $method:ident, $argument:ident: $ty:ty, $body:expr) => {
        #[derive(CacheScope)]
        struct $name;

        impl $name {
            #[cached(ttl = "1m")]
            fn $method(&self, $argument: $ty) -> String {
                $body
            }
        }
    };
}

repository!(Users, find, id: &u64, id.to_string());

struct Pair<A, B>(A, B);

impl<A: CacheKey, B> CacheScope for Pair<A, B> {
    fn encode_scope(&self, out: &mut cachex::KeyWriter<'_>) {
        self.0.encode(out);
    }
}

impl<A, B> Pair<A, B>
where
    A: CacheKey,
    B: Clone + Send + Sync + cachex::CacheValue,
{
    #[cached]
    fn second<const N: usize, T>(&self, more: [T; N]) -> B
    where
        T: CacheKey,
    {
        let _ = more;
        self.1.clone()
    }
}

fn main() {
    assert_eq!(Users.find(&1), "1");
    assert_eq!(Pair(1_u64, "b".to_owned()).second([1_u64, 2]), "b");
}

//! Every shape of expansion, as it is: each input is expanded and compared to a file of `tests/expansions`.
//!
//! `CACHEX_MACROS_SNAPSHOTS=write cargo test -p cachex-macros` writes the files anew: read them before they are committed.

use std::path::PathBuf;

use proc_macro2::TokenStream;
use quote::quote;

type Attribute = fn(TokenStream, TokenStream) -> TokenStream;

#[track_caller]
fn check(name: &str, attribute: Attribute, options: TokenStream, item: TokenStream) {
    let tokens = attribute(options, item);
    let file = syn::parse2(tokens.clone()).unwrap_or_else(|error| panic!("{error} in the expansion\n{tokens}"));
    let expansion = prettyplease::unparse(&file);
    assert!(!expansion.contains("compile_error"), "the input has mistakes:\n{expansion}");
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/expansions").join(format!("{name}.rs"));
    if std::env::var("CACHEX_MACROS_SNAPSHOTS").is_ok_and(|wish| wish == "write") {
        std::fs::write(&path, &expansion).expect("the folder of the snapshots is there");
    }
    let known = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert_eq!(expansion, known, "the expansion is not that of {}; see how to write it anew above", path.display());
}

fn cached(name: &str, options: TokenStream, item: TokenStream) {
    check(name, crate::cached::expand, options, item);
}

fn invalidates(name: &str, options: TokenStream, item: TokenStream) {
    check(name, crate::invalidates::expand_invalidates, options, item);
}

#[test]
fn a_blocking_function() {
    cached(
        "blocking_function",
        quote!(ttl = "5m"),
        quote! {
            pub fn double(n: u64) -> u64 {
                n * 2
            }
        },
    );
}

#[test]
fn an_async_method() {
    cached(
        "async_method",
        quote!(ttl = "5m", tags = ["users", "user:{id}"]),
        quote! {
            /// Finds a user.
            #[cfg(feature = "users")]
            pub async fn find(&self, id: UserId, name: &str) -> Result<Option<User>, DbError> {
                self.pool.find(id, name).await
            }
        },
    );
}

#[test]
fn all_options() {
    let options = quote! {
        ttl = "5m", tti = MINUTE, grace = "1h", jitter = "10%", negative_ttl = "10s", tags = ["order:{order.id}", "{self.tenant}"],
        tags_with = tags, ttl_with = ttl, key = order.id, when = order.id > 0, unless = Vec::is_empty, cache = self.cache,
        name = "orders.lines", version = 2, local, single_flight = false, cache_err = is_missing, weight = weight, crate = store
    };
    cached(
        "all_options",
        options,
        quote! {
            fn lines(&self, order: &Order, trace: Trace) -> Result<Vec<Line>, DbError> {
                load(order, trace)
            }
        },
    );
}

#[test]
fn a_method_that_returns_messages() {
    cached(
        "message",
        quote!(ttl = "5m", tiers = "remote", codec = "protobuf", compression = "zstd"),
        quote! {
            async fn find(id: u64) -> Option<User> {
                load(id).await
            }
        },
    );
}

#[test]
fn a_method_that_loads_in_the_background() {
    cached(
        "background",
        quote!(ttl = "5m", soft_ttl = "4m", timeout = "1s", share_err),
        quote! {
            async fn find(&self, name: &str, id: u64) -> Result<User, Error> {
                self.pool.find(name, id).await
            }
        },
    );
}

#[test]
fn a_generic_function_with_patterns() {
    cached(
        "generic_patterns",
        quote!(tags = ["from:{from}"], skip(trace)),
        quote! {
            fn between<T: CacheKey, L, const N: usize>((from, mut to): (u64, u64), more: [T; N], trace: L) -> Vec<u64>
            where
                L: Log,
            {
                to += more.len() as u64;
                (from..to).collect()
            }
        },
    );
}

#[test]
fn a_method_that_takes_self() {
    cached(
        "owned_self",
        quote!(ttl = "5m"),
        quote! {
            fn total(self: Arc<Self>) -> u64 {
                self.total
            }
        },
    );
}

#[test]
fn a_method_in_a_trait() {
    cached(
        "in_trait",
        quote!(ttl = "5m", in_trait),
        quote! {
            async fn find(&self, mut id: u64) -> Result<User, Error> {
                id += 1;
                self.pool.find(id).await
            }
        },
    );
}

#[test]
fn an_async_method_for_many_keys() {
    cached(
        "batch_async",
        quote!(batch(id in ids), ttl = "5m", tags = ["users", "user:{tenant}:{id}"], skip(trace)),
        quote! {
            pub async fn find_all(&self, tenant: String, ids: &[UserId], trace: &Trace) -> Result<Vec<Option<User>>, DbError> {
                self.pool.find_all(tenant, ids, trace).await
            }
        },
    );
}

#[test]
fn a_blocking_function_for_many_keys() {
    cached(
        "batch_blocking",
        quote!(batch, local, when = !ids.is_empty()),
        quote! {
            fn squares<K: CacheKey + Clone>(ids: Vec<K>) -> HashMap<K, u64> {
                ids.into_iter().map(|id| (id, 1)).collect()
            }
        },
    );
}

#[test]
fn a_method_under_async_trait() {
    cached(
        "async_trait",
        quote!(ttl = "5m", refresh_ahead = "1m"),
        quote! {
            fn find<'life0, 'async_trait>(
                &'life0 self,
                id: u64,
            ) -> Pin<Box<dyn Future<Output = Option<User>> + Send + 'async_trait>>
            where
                'life0: 'async_trait,
                Self: 'async_trait,
            {
                Box::pin(async move {
                    let __self = self;
                    __self.pool.find(id).await
                })
            }
        },
    );
}

#[test]
fn an_async_method_that_invalidates() {
    invalidates(
        "invalidates_async",
        quote!(Self::find(id), self.list(), other::count(id, 1), tags = ["user:{id}"]),
        quote! {
            pub async fn rename(&self, id: UserId, name: &str) -> Result<(), DbError> {
                self.pool.rename(id, name).await
            }
        },
    );
}

#[test]
fn a_blocking_function_that_invalidates() {
    invalidates(
        "invalidates_blocking",
        quote!(tags = ["users"], cache = CACHE),
        quote! {
            fn clear() {
                forget_all();
            }
        },
    );
}

#[test]
fn a_method_that_updates() {
    check(
        "updates",
        crate::invalidates::expand_updates,
        quote!(Self::find(user.id)),
        quote! {
            async fn save(&self, user: User) -> Result<Option<User>, DbError> {
                self.pool.save(user).await
            }
        },
    );
}

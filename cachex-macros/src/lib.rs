//! The attributes and derives of cachex. Use them through the `cachex` crate, which documents them.

mod cache_key;
mod cache_scope;
mod cached;
mod diag;
mod invalidates;
mod runtime;

use proc_macro::TokenStream;

/// Caches the results of a function or method.
#[proc_macro_attribute]
pub fn cached(options: TokenStream, item: TokenStream) -> TokenStream {
    cached::expand(options.into(), item.into()).into()
}

/// Invalidates entries once the method has succeeded.
#[proc_macro_attribute]
pub fn invalidates(options: TokenStream, item: TokenStream) -> TokenStream {
    invalidates::expand_invalidates(options.into(), item.into()).into()
}

/// Makes the method's result the new value of an entry.
#[proc_macro_attribute]
pub fn updates(options: TokenStream, item: TokenStream) -> TokenStream {
    invalidates::expand_updates(options.into(), item.into()).into()
}

/// Derives `CacheKey`.
#[proc_macro_derive(CacheKey, attributes(key))]
pub fn derive_cache_key(item: TokenStream) -> TokenStream {
    cache_key::expand(item.into()).into()
}

/// Derives `CacheScope`.
#[proc_macro_derive(CacheScope, attributes(scope))]
pub fn derive_cache_scope(item: TokenStream) -> TokenStream {
    cache_scope::expand(item.into()).into()
}

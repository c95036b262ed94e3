//! The attributes and derives of cachex. Use them through the `cachex` crate, which documents them.

mod attribute;
mod cache_key;
mod cache_scope;
mod cached;
mod debug;
mod diag;
mod invalidates;
mod runtime;
mod settings;
#[cfg(test)]
mod snapshots;

use proc_macro::TokenStream;

#[doc = include_str!("../docs/cached.md")]
#[proc_macro_attribute]
pub fn cached(options: TokenStream, item: TokenStream) -> TokenStream {
    cached::expand(options.into(), item.into()).into()
}

#[doc = include_str!("../docs/invalidates.md")]
#[proc_macro_attribute]
pub fn invalidates(options: TokenStream, item: TokenStream) -> TokenStream {
    invalidates::expand_invalidates(options.into(), item.into()).into()
}

#[doc = include_str!("../docs/updates.md")]
#[proc_macro_attribute]
pub fn updates(options: TokenStream, item: TokenStream) -> TokenStream {
    invalidates::expand_updates(options.into(), item.into()).into()
}

/// Derives `CacheKey`: the type can be an argument of a cached method, or a part of a key made by hand.
///
/// Every field is part of the key, so two values have one key only if all their fields have. A struct is written as the names
/// and values of its fields, a variant of an enum by its name and its fields, and a tuple struct of one field as that field
/// alone. Renaming, adding or reordering fields changes the keys of a struct; adding or reordering variants changes no key.
///
/// Type parameters that fields are made of need `CacheKey` themselves. Unions are refused.
///
/// # Options
///
/// - `#[key(skip)]` on a field leaves it out of the key: for what does not change the result, such as a trace id. Two values
///   that differ only there share an entry.
/// - `#[key(with = path)]` on a field writes what `path(&field)` returns in its place: a `fn(&Field) -> impl CacheKey`, for
///   types of other crates, or to say what counts as equal.
/// - `#[key(crate = path)]` on the type says where the crate `cachex` is, if it goes by another name.
///
/// # Examples
///
/// ```
/// use cachex::{CacheKey, Key};
///
/// #[derive(CacheKey)]
/// struct Filter<'a, Id> {
///     #[key(with = str::to_lowercase)]
///     city: &'a str,
///     owner: Option<Id>,
///     order: Order,
///     #[key(skip)]
///     trace: u128,
/// }
///
/// #[derive(CacheKey)]
/// enum Order {
///     Newest,
///     Near { x: i32, y: i32 },
/// }
///
/// let bonn = Filter { city: "Bonn", owner: Some(7_u64), order: Order::Newest, trace: 1 };
/// let same = Filter { city: "BONN", owner: Some(7_u64), order: Order::Newest, trace: 2 };
/// assert_eq!(Key::list("users", &bonn), Key::list("users", &same));
///
/// let near = Filter { order: Order::Near { x: 1, y: -2 }, ..same };
/// assert_eq!(Key::list("users", &near).text(), r#"list:users({"bonn", Some(7), Near(1, -2)})"#);
/// ```
#[proc_macro_derive(CacheKey, attributes(key))]
pub fn derive_cache_key(item: TokenStream) -> TokenStream {
    cache_key::expand(item.into()).into()
}

/// Derives `CacheScope`: says once for a type what of `self` belongs to the keys of its cached methods.
///
/// Mark with `#[scope]` each field that changes what the methods return, such as a tenant: it becomes a part of every key, in
/// the order of the fields, and needs `CacheKey`. A type without such a mark says that nothing in it changes what its
/// methods return, so all its values share their entries: fit for a pool of connections to one database, wrong for a client
/// that has its own credentials.
///
/// Mark with `#[scope(cache)]` at most one field that is a `Cache`, or anything that is `AsRef<Cache>`, such as `Arc<Cache>`: the
/// methods use it. Default: the installed cache.
///
/// `#[scope(crate = path)]` on the type says where the crate `cachex` is, if it goes by another name. Enums and unions are
/// refused.
///
/// # Examples
///
/// ```
/// use cachex::{CacheScope, KeyWriter};
///
/// struct Pool;
///
/// #[derive(CacheScope)]
/// struct Users {
///     #[scope]
///     tenant: u32,
///     pool: Pool,
/// }
///
/// let mut scope = KeyWriter::new();
/// Users { tenant: 7, pool: Pool }.encode_scope(&mut scope);
///
/// let mut tenant = KeyWriter::new();
/// tenant.write_u32(7);
/// assert_eq!(scope.as_bytes(), tenant.as_bytes());
/// ```
#[proc_macro_derive(CacheScope, attributes(scope))]
pub fn derive_cache_scope(item: TokenStream) -> TokenStream {
    cache_scope::expand(item.into()).into()
}

//! What a type adds to the keys of its methods.

use crate::engine::Cache;
use crate::key::KeyWriter;

/// Says what of `self` changes the results of the type's cached methods, and which cache they use.
///
/// Usually derived: fields marked `#[scope]` become part of every key, one marked `#[scope(cache)]` is the cache to use.
///
/// # Examples
///
/// ```
/// use cachex::{Cache, CacheKey, CacheScope, KeyWriter};
///
/// struct Users {
///     tenant: u64,
///     cache: Cache,
/// }
///
/// impl CacheScope for Users {
///     fn encode_scope(&self, out: &mut KeyWriter) {
///         self.tenant.encode(out);
///     }
///
///     fn cache(&self) -> Option<&Cache> {
///         Some(&self.cache)
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say what of `self` belongs to a cache key",
    label = "`CacheScope` is not implemented for the type of this `self`",
    note = "add `#[derive(cachex::CacheScope)]` to `{Self}` and mark with `#[scope]` each field that changes what its methods return",
    note = "or implement `cachex::CacheScope` for `{Self}` by hand"
)]
pub trait CacheScope {
    /// Appends the parts of `self` that change what its methods return.
    fn encode_scope(&self, out: &mut KeyWriter);

    /// Returns the cache that the type's methods use.
    ///
    /// Default: none, which means the installed one.
    fn cache(&self) -> Option<&Cache> {
        None
    }
}

/// Has a cache to use: what a field marked `#[scope(cache)]` must do, and does by being `AsRef<Cache>`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a cache",
    label = "`{Self}` does not implement `AsRef<Cache>`",
    note = "mark a field of type `cachex::Cache`, or one that leads to it, such as `Arc<Cache>`, with `#[scope(cache)]`"
)]
pub trait HasCache {
    /// Returns the cache, in the form that [`CacheScope::cache`] returns it.
    fn cache(&self) -> Option<&Cache>;
}

#[diagnostic::do_not_recommend]
impl<C: AsRef<Cache> + ?Sized> HasCache for C {
    #[inline]
    fn cache(&self) -> Option<&Cache> {
        Some(self.as_ref())
    }
}

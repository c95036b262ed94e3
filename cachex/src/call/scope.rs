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
/// use cachex::{Cache, CacheKey, CacheScope, KeyWriter, cached};
///
/// struct Users {
///     tenant: u64,
///     cache: Cache,
/// }
///
/// impl CacheScope for Users {
///     fn encode_scope(&self, out: &mut KeyWriter<'_>) {
///         self.tenant.encode(out);
///     }
///
///     fn cache(&self) -> Option<&Cache> {
///         Some(&self.cache)
///     }
/// }
///
/// impl Users {
///     #[cached(ttl = "1m")]
///     fn count(&self) -> u64 {
///         self.tenant * 100
///     }
/// }
///
/// let cache = Cache::builder().build()?;
/// let (one, two) = (Users { tenant: 1, cache: cache.clone() }, Users { tenant: 2, cache: cache.clone() });
/// assert_eq!((one.count(), two.count()), (100, 200));
/// assert_eq!(cache.stats().entries, 2);
/// # Ok::<(), cachex::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say what of `self` belongs to a cache key",
    label = "`CacheScope` is not implemented for the type of this `self`",
    note = "add `#[derive(cachex::CacheScope)]` to `{Self}` and mark with `#[scope]` each field that changes what its methods return",
    note = "or implement `cachex::CacheScope` for `{Self}` by hand"
)]
pub trait CacheScope {
    /// Appends the parts of `self` that change what its methods return: each call asks for them as for those of its arguments
    /// ([`CacheKey::encode`](crate::CacheKey::encode)).
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::{CacheScope, KeyWriter};
    ///
    /// #[derive(CacheScope)]
    /// struct Tenant {
    ///     #[scope]
    ///     id: u8,
    /// }
    ///
    /// let mut out = KeyWriter::new();
    /// Tenant { id: 7 }.encode_scope(&mut out);
    /// assert_eq!(out.as_bytes(), [0x10, 7]);
    /// ```
    fn encode_scope(&self, out: &mut KeyWriter<'_>);

    /// Returns the cache that the type's methods use.
    ///
    /// Default: none, which means the installed one.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::{Cache, CacheScope};
    ///
    /// #[derive(CacheScope)]
    /// struct Prices {
    ///     #[scope(cache)]
    ///     cache: Cache,
    /// }
    ///
    /// let prices = Prices { cache: Cache::builder().namespace("shop").build()? };
    /// assert_eq!(CacheScope::cache(&prices).map(Cache::namespace), Some("shop"));
    /// # Ok::<(), cachex::Error>(())
    /// ```
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

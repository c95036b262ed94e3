//! The cache of methods that name none.

use std::sync::OnceLock;

use super::cache::Cache;
use crate::error::Error;

static INSTALLED: OnceLock<Cache> = OnceLock::new();

/// Makes `cache` the one that annotated methods use unless they, or their type's [`CacheScope`](crate::CacheScope), name
/// another. Call it once, before the first annotated call.
///
/// # Errors
///
/// There is an installed cache already, or an annotated method was called before and made the default one.
///
/// # Examples
///
/// ```
/// use cachex::Cache;
///
/// cachex::install(Cache::builder().namespace("shop").build()?)?;
/// assert_eq!(cachex::installed().namespace(), "shop");
/// assert!(cachex::install(Cache::builder().build()?).is_err());
/// # Ok::<(), cachex::Error>(())
/// ```
pub fn install(cache: Cache) -> Result<(), Error> {
    INSTALLED.set(cache).map_err(|_| {
        Error::configuration(
            "a cache is in use already; call `cachex::install` once, before the first call of a cached method",
        )
    })
}

/// Returns the installed cache. Where none is installed, this makes the default one: in memory, as
/// [`Cache::builder`] without a setting.
///
/// # Examples
///
/// ```
/// use cachex::cached;
///
/// #[cached]
/// fn negated(x: i64) -> i64 {
///     -x
/// }
///
/// assert_eq!(negated(3), -3);
/// assert_eq!(cachex::installed().stats().entries, 1);
/// ```
#[inline]
#[must_use]
pub fn installed() -> &'static Cache {
    INSTALLED.get_or_init(|| {
        let cache = Cache::builder().assemble();
        cache.expect("the default settings are valid")
    })
}

//! What a call is cached under: from typed arguments to canonical, injective bytes.
//!
//! Reading order: [`writer`] (the encoding), `std_types` and `foreign` (who can be encoded), this file (the key).

mod std_types;
mod writer;

use std::fmt;
use std::hash::{Hash, Hasher};

pub use writer::KeyWriter;

use crate::method::Region;

/// Writes a value into a key: canonically (equal values give equal bytes) and injectively (unequal values give
/// unequal bytes).
///
/// Derive it for structs and enums; implement it by hand by calling one `write_…` method of [`KeyWriter`] for each
/// part, in a fixed order.
///
/// # Examples
///
/// ```
/// use cachex::{CacheKey, KeyWriter};
///
/// struct UserId(u64);
///
/// impl CacheKey for UserId {
///     fn encode(&self, out: &mut KeyWriter) {
///         out.write_u64(self.0);
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be part of a cache key",
    label = "`{Self}` does not implement `CacheKey`",
    note = "add `#[derive(cachex::CacheKey)]` to `{Self}`",
    note = "or leave the argument out of the key: `#[cached(skip(argument))]`",
    note = "or say what identifies the call: `#[cached(key = expression)]`"
)]
pub trait CacheKey {
    /// Appends the canonical bytes of `self` to `out`.
    fn encode(&self, out: &mut KeyWriter);
}

/// Names one entry of a cache: the region it belongs to (a method, or the manual API) and the encoded arguments.
#[derive(Clone)]
pub struct Key {
    region: &'static Region,
    bytes: Box<[u8]>,
}

impl Key {
    /// Joins a region and the encoded parts.
    pub(crate) fn from_parts(region: &'static Region, bytes: &[u8]) -> Self {
        Self { region, bytes: bytes.into() }
    }

    pub(crate) fn region(&self) -> &'static Region {
        self.region
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// A key that is borrowed from where it was written, with its hash: what tiers are asked by.
#[derive(Clone, Copy)]
pub(crate) struct KeyRef<'a> {
    pub(crate) region: &'static Region,
    pub(crate) bytes: &'a [u8],
    pub(crate) hash: u64,
}

impl KeyRef<'_> {
    pub(crate) fn to_key(self) -> Key {
        Key::from_parts(self.region, self.bytes)
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.region.id() == other.region.id() && self.bytes == other.bytes
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.region.id().hash(state);
        self.bytes.hash(state);
    }
}

impl fmt::Debug for Key {
    // A key may hold personal data: its region and a digest are enough to tell keys apart.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({}, {:016x})", self.region.name(), writer::digest(&self.bytes))
    }
}

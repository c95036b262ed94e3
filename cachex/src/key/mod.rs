//! What a call is cached under: from typed arguments to canonical, injective bytes.
//!
//! Reading order: [`writer`] and [`compound`] (the encoding, by [`kind`] and [`mod@count`]), [`compare`] and [`mod@hash`] (what is done with it in a
//! look-up), [`std_types`] and [`foreign`] (who can be encoded), this file (the key), [`manual`] (keys without a method), [`text`] and
//! [`pattern`] (keys read back, for removal by pattern).

mod bytes;
mod compare;
mod compound;
mod count;
mod foreign;
mod hash;
mod kind;
mod manual;
pub(crate) mod pattern;
mod std_types;
mod text;
mod writer;

use std::fmt;
use std::hash::{Hash, Hasher};

pub(crate) use bytes::KeyBytes;
pub use compound::KeyFields;
pub(crate) use hash::hash_of;
use smallvec::SmallVec;
pub use writer::KeyWriter;

use crate::method::Region;
use crate::raw::node::label;

/// Writes a value into a key: canonically (equal values give equal bytes) and injectively (unequal values give
/// unequal bytes).
///
/// Derive it for structs and enums. To implement it by hand, write one value of [`KeyWriter`]: a value without parts
/// (`write_u64`, `write_str`, …), or the head of a struct, tuple or variant and then each of its parts, in a fixed order.
/// Where the number of parts varies, write a sequence, set or map, which count them.
///
/// Implemented for the types of the standard library that have a value of their own, also behind `&`, `Box`, `Rc`, `Arc` and
/// `Cow`, and, with the feature of the same name, for the types of the crates `uuid`, `chrono`, `time`, `url`, `bytes` and
/// `rust_decimal`. Not implemented for types that may change behind a shared reference (`Cell`, `Mutex`) or have no meaning
/// beyond the process (`Instant`).
///
/// Unlike `==`, which finds no NaN equal to itself, a key has one NaN; and its one zero is `0.0` as well as `-0.0`. A path is
/// written by its components, as it is compared: `a/b` and `a//b/` are one key.
///
/// # Examples
///
/// ```
/// use cachex::{CacheKey, Key, KeyWriter};
///
/// struct UserId(u64);
///
/// impl CacheKey for UserId {
///     fn encode(&self, out: &mut KeyWriter<'_>) {
///         out.write_u64(self.0);
///     }
/// }
///
/// assert_eq!(Key::entity("user", &UserId(7)).text(), "entity:user(7)");
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be part of a cache key",
    label = "`{Self}` does not implement `CacheKey`",
    note = "add `#[derive(cachex::CacheKey)]` to `{Self}`",
    note = "or leave it out of the key: an argument with `#[cached(skip(argument))]`, a field with `#[key(skip)]`",
    note = "or say what stands for it: in a call with `#[cached(key = expression)]`, for a field with `#[key(with = path)]`"
)]
pub trait CacheKey {
    /// Appends the canonical bytes of `self` to `out`: one value.
    ///
    /// A call of an annotated method asks for them two times, to hash them and to compare them with those of the entry found, and for a
    /// third time if it loads: so be quick, and write the same each time. What differs from one time to the next is a miss.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::{CacheKey, KeyWriter};
    ///
    /// let (mut text, mut owned) = (KeyWriter::new(), KeyWriter::new());
    /// "Ada".encode(&mut text);
    /// "Ada".to_owned().encode(&mut owned);
    /// assert_eq!(text.as_bytes(), owned.as_bytes());
    /// ```
    fn encode(&self, out: &mut KeyWriter<'_>);

    /// Appends a slice of such values: a sequence, unless the type has a shorter way to write many of itself, as `u8` has.
    #[doc(hidden)]
    fn encode_slice(items: &[Self], out: &mut KeyWriter<'_>)
    where
        Self: Sized,
    {
        out.write_sequence(items);
    }
}

/// Keys of so many bytes are kept without an allocation: most are.
const MOST_INLINE: usize = 64;

/// Names one entry of a cache: the region it belongs to (a method, or the manual API) and the encoded arguments.
///
/// Two keys are equal if both the region and the canonical bytes are. `Debug` shows the region and a digest, so that it can
/// go into logs; [`text`](Self::text) shows the arguments.
///
/// # Examples
///
/// ```
/// use cachex::Key;
///
/// assert_eq!(Key::new("prices").part(&7_u64), Key::new("prices").part(&7_u64));
/// assert_ne!(Key::new("prices").part("ab").part("c"), Key::new("prices").part("a").part("bc"));
/// assert_ne!(Key::new("prices").part(&None::<&str>), Key::new("prices").part(&Some("")));
/// ```
pub struct Key {
    region: &'static Region,
    bytes: SmallVec<[u8; MOST_INLINE]>,
    hash: u64,
}

impl Key {
    /// Joins a region and the encoded parts.
    pub(crate) fn from_parts(region: &'static Region, bytes: &[u8]) -> Self {
        Self { region, bytes: SmallVec::from_slice(bytes), hash: hash_of(region.id(), bytes) }
    }

    /// Joins a region and the parts that were written.
    pub(crate) fn written(region: &'static Region, parts: &KeyWriter<'_>) -> Self {
        Self { region, bytes: SmallVec::from_slice(parts.as_bytes()), hash: parts.hash(region.id()) }
    }

    /// Lends it.
    pub(crate) fn at(&self) -> KeyRef<'_> {
        KeyRef::new(self.region, &self.bytes, self.hash)
    }

    /// Whether it is that key.
    pub(crate) fn is(&self, at: KeyRef<'_>) -> bool {
        self.region.id() == at.region.id() && self.bytes() == at.bytes
    }

    /// Whether it takes no memory of its own.
    pub(crate) fn is_short(&self) -> bool {
        !self.bytes.spilled()
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
    /// The number of the region and that of the bytes, as an entry has them.
    pub(crate) label: u64,
    pub(crate) bytes: &'a [u8],
    pub(crate) hash: u64,
}

impl<'a> KeyRef<'a> {
    #[inline]
    pub(crate) fn new(region: &'static Region, bytes: &'a [u8], hash: u64) -> Self {
        Self { region, label: label(region.id(), bytes.len()), bytes, hash }
    }

    /// Returns the key by itself.
    pub(crate) fn key(self) -> Key {
        Key { region: self.region, bytes: SmallVec::from_slice(self.bytes), hash: self.hash }
    }

    /// Returns what an entry keeps of its key.
    pub(crate) fn parts(self) -> (u32, &'a [u8]) {
        (self.region.id(), self.bytes)
    }
}

impl Clone for Key {
    fn clone(&self) -> Self {
        // At once, and not byte by byte.
        self.at().key()
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.is(other.at())
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

impl fmt::Debug for Key {
    // A key may hold personal data: its region and a digest are enough to tell keys apart.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({}, {:016x})", self.region.name(), writer::digest(self.bytes()))
    }
}

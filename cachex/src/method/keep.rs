//! How a value is kept: in memory only, or fit for every store.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::shape::Shape;
use super::short::is_short;
use super::size::size_of_value;
#[cfg(feature = "remote")]
use crate::codec::{self, Codec};
use crate::entry::{Entry, Meta, PlainEntry};

/// A value that every store can keep: cloned to callers, sent between threads, and turned into bytes.
///
/// Implemented by every type that fits.
///
/// # Examples
///
/// ```
/// use cachex::CacheValue;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Clone, Serialize, Deserialize)]
/// struct User {
///     name: String,
/// }
///
/// fn bytes_of<T: CacheValue>(_: &T) -> usize {
///     size_of::<T>()
/// }
///
/// assert_eq!(bytes_of(&User { name: "Ada".to_owned() }), size_of::<String>());
/// ```
pub trait CacheValue: Clone + Send + Sync + Serialize + DeserializeOwned + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Clone + Send + Sync + Serialize + DeserializeOwned + 'static> CacheValue for T {}

/// A way to keep values of type `V`: [`Portable`], [`Local`] or [`Protobuf`](super::message::Protobuf).
#[diagnostic::on_unimplemented(
    message = "`{V}` can't be kept in a cache",
    label = "not a cacheable value",
    note = "a kept value is `Clone + Send + Sync + 'static`: derive `Clone`, own the data, or return `Arc<…>`",
    note = "it is also `serde::Serialize + serde::Deserialize`, so that every store can keep it: derive both, or add `local` to keep it in memory only",
    note = "with `codec = \"protobuf\"` it is, instead of that, a message of prost 0.14, or an `Option`, an `Arc` or an `Option<Arc<…>>` of one; needs the feature `protobuf`"
)]
pub trait Keep<V>: Copy + Send + Sync {
    /// This very way.
    #[doc(hidden)]
    type Proven: Keep<V>;
    /// Returns itself.
    #[doc(hidden)]
    fn proven(self) -> Self::Proven;
    /// Makes an entry.
    #[doc(hidden)]
    fn entry(self, meta: &Meta<'_>, value: V) -> Entry;
    /// Clones the value out of an entry; nothing if it holds another type.
    #[doc(hidden)]
    fn value(self, entry: &Entry) -> Option<V>;
    /// Returns the entry as one with such a value about which nothing is rare, if it is one.
    #[doc(hidden)]
    fn plain(self, entry: &Entry) -> Option<PlainEntry<'_, V>>;
    /// Clones a value.
    #[doc(hidden)]
    fn copy(self, value: &V) -> V;
    /// Whether the value is text or bytes, and few of them.
    #[doc(hidden)]
    fn is_short(self, value: &V) -> bool;
    /// Estimates what the value takes in memory, in bytes.
    #[doc(hidden)]
    fn size(self, value: &V) -> u64;
    /// Returns the form that values get in a store where `set` is set.
    #[cfg(feature = "remote")]
    #[doc(hidden)]
    fn codec(self, set: Codec) -> Codec {
        set
    }
    /// Turns a value into bytes for a store. Nothing if it is kept in memory only, or refuses.
    #[cfg(feature = "remote")]
    #[doc(hidden)]
    fn encode(self, value: &V, codec: Codec) -> Option<Vec<u8>>;
    /// Turns bytes into a value. Nothing if they are none.
    #[cfg(feature = "remote")]
    #[doc(hidden)]
    fn decode(self, bytes: &[u8], codec: Codec) -> Option<V>;
    /// Returns what tells the type from others. Nothing if its values are kept in memory only.
    #[cfg(feature = "remote")]
    #[doc(hidden)]
    fn schema(self) -> Option<u64>;
}

/// Keeps values in any store.
#[derive(Clone, Copy, Debug)]
pub struct Portable;

/// Keeps values in memory only.
#[derive(Clone, Copy, Debug)]
pub struct Local;

/// What is the same for all ways: how values of a type are kept in memory.
macro_rules! in_memory {
    ($value:ty) => {
        type Proven = Self;

        #[inline]
        fn proven(self) -> Self {
            self
        }

        fn entry(self, meta: &Meta<'_>, value: $value) -> Entry {
            Entry::of(meta, value)
        }

        fn value(self, entry: &Entry) -> Option<$value> {
            entry.value::<$value>().cloned()
        }

        #[inline(always)]
        fn plain(self, entry: &Entry) -> Option<PlainEntry<'_, $value>> {
            entry.plain()
        }

        #[inline(always)]
        fn is_short(self, value: &$value) -> bool {
            is_short(value)
        }

        #[inline(always)]
        fn copy(self, value: &$value) -> $value {
            value.clone()
        }
    };
}
pub(super) use in_memory;

#[diagnostic::do_not_recommend]
impl<V: CacheValue> Keep<V> for Portable {
    in_memory!(V);

    fn size(self, value: &V) -> u64 {
        size_of_value(value)
    }

    #[cfg(feature = "remote")]
    fn encode(self, value: &V, codec: Codec) -> Option<Vec<u8>> {
        codec::encode(codec, value)
    }

    #[cfg(feature = "remote")]
    fn decode(self, bytes: &[u8], codec: Codec) -> Option<V> {
        codec::decode(codec, bytes)
    }

    #[cfg(feature = "remote")]
    fn schema(self) -> Option<u64> {
        Some(codec::schema::of::<V>())
    }
}

#[diagnostic::do_not_recommend]
impl<V: Clone + Send + Sync + 'static> Keep<V> for Local {
    in_memory!(V);

    fn size(self, _: &V) -> u64 {
        size_of::<V>() as u64
    }

    #[cfg(feature = "remote")]
    fn encode(self, _: &V, _: Codec) -> Option<Vec<u8>> {
        None
    }

    #[cfg(feature = "remote")]
    fn decode(self, _: &[u8], _: Codec) -> Option<V> {
        None
    }

    #[cfg(feature = "remote")]
    fn schema(self) -> Option<u64> {
        None
    }
}

/// Checks that values of a shape can be kept that way. What comes out is known to: that they can't is one mistake, not
/// one for each use.
#[inline]
pub fn kept<S: Shape, K: Keep<S::Value>>(_shape: S, keep: K) -> K::Proven {
    keep.proven()
}

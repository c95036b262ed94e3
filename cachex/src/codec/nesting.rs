//! Values of any form, nested so deep and no deeper.
//!
//! `rmp_serde` counts lists and maps, to 1024, but not the variants of an enum that hold one value each, nor options and newtypes: a type that holds
//! itself in these fills the stack. So each is counted here, on the way from the form to the type and back.

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, EnumAccess, Error, MapAccess, SeqAccess, VariantAccess, Visitor},
};

use super::DEPTH;

/// Reads a value whose parts nest [`DEPTH`] deep at most.
///
/// # Errors
///
/// Those of the form, and if it nests deeper.
pub(super) fn read<'de, V: Deserialize<'de>, D: Deserializer<'de>>(form: D) -> Result<V, D::Error> {
    V::deserialize(Nested { inner: form, levels: DEPTH })
}

/// A part of serde, and how many levels there may be within.
struct Nested<T> {
    inner: T,
    levels: usize,
}

impl<T> Nested<T> {
    #[inline]
    fn with<U>(&self, inner: U) -> Nested<U> {
        Nested { inner, levels: self.levels }
    }

    /// Returns the visitor, and the part that it may go through, which is one level further in.
    #[inline]
    fn within<U, E: Error>(self, part: U) -> Result<(T, Nested<U>), E> {
        let levels = self.levels.checked_sub(1).ok_or_else(|| E::custom("values nest too deep"))?;
        Ok((self.inner, Nested { inner: part, levels }))
    }
}

/// Asks the form within for a value, with what comes before the visitor.
macro_rules! ask {
    ($($method:ident($($name:ident: $type:ty),*))*) => {$(
        #[inline]
        fn $method<V: Visitor<'de>>(self, $($name: $type,)* visitor: V) -> Result<V::Value, D::Error> {
            let visitor = self.with(visitor);
            self.inner.$method($($name,)* visitor)
        }
    )*};
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Nested<D> {
    type Error = D::Error;

    ask! {
        deserialize_any() deserialize_bool()
        deserialize_i8() deserialize_i16() deserialize_i32() deserialize_i64() deserialize_i128()
        deserialize_u8() deserialize_u16() deserialize_u32() deserialize_u64() deserialize_u128()
        deserialize_f32() deserialize_f64() deserialize_char() deserialize_str() deserialize_string()
        deserialize_bytes() deserialize_byte_buf() deserialize_option() deserialize_unit()
        deserialize_unit_struct(name: &'static str)
        deserialize_newtype_struct(name: &'static str)
        deserialize_seq()
        deserialize_tuple(len: usize)
        deserialize_tuple_struct(name: &'static str, len: usize)
        deserialize_map()
        deserialize_struct(name: &'static str, fields: &'static [&'static str])
        deserialize_enum(name: &'static str, variants: &'static [&'static str])
        deserialize_identifier() deserialize_ignored_any()
    }

    #[inline]
    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}

/// Tells the visitor within what was found, as it is.
macro_rules! tell {
    ($($method:ident($type:ty))*) => {$(
        #[inline]
        fn $method<E: Error>(self, value: $type) -> Result<V::Value, E> {
            self.inner.$method(value)
        }
    )*};
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Nested<V> {
    type Value = V::Value;

    tell! {
        visit_bool(bool) visit_i8(i8) visit_i16(i16) visit_i32(i32) visit_i64(i64) visit_i128(i128)
        visit_u8(u8) visit_u16(u16) visit_u32(u32) visit_u64(u64) visit_u128(u128) visit_f32(f32) visit_f64(f64)
        visit_char(char) visit_str(&str) visit_borrowed_str(&'de str) visit_string(String)
        visit_bytes(&[u8]) visit_borrowed_bytes(&'de [u8]) visit_byte_buf(Vec<u8>)
    }

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.inner.expecting(formatter)
    }

    #[inline]
    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.inner.visit_none()
    }

    #[inline]
    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.inner.visit_unit()
    }

    #[inline]
    fn visit_some<D: Deserializer<'de>>(self, part: D) -> Result<V::Value, D::Error> {
        let (visitor, part) = self.within(part)?;
        visitor.visit_some(part)
    }

    #[inline]
    fn visit_newtype_struct<D: Deserializer<'de>>(self, part: D) -> Result<V::Value, D::Error> {
        let (visitor, part) = self.within(part)?;
        visitor.visit_newtype_struct(part)
    }

    #[inline]
    fn visit_seq<A: SeqAccess<'de>>(self, part: A) -> Result<V::Value, A::Error> {
        let (visitor, part) = self.within(part)?;
        visitor.visit_seq(part)
    }

    #[inline]
    fn visit_map<A: MapAccess<'de>>(self, part: A) -> Result<V::Value, A::Error> {
        let (visitor, part) = self.within(part)?;
        visitor.visit_map(part)
    }

    #[inline]
    fn visit_enum<A: EnumAccess<'de>>(self, part: A) -> Result<V::Value, A::Error> {
        let (visitor, part) = self.within(part)?;
        visitor.visit_enum(part)
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Nested<S> {
    type Value = S::Value;

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, form: D) -> Result<S::Value, D::Error> {
        let form = self.with(form);
        self.inner.deserialize(form)
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Nested<A> {
    type Error = A::Error;

    #[inline]
    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        let seed = self.with(seed);
        self.inner.next_element_seed(seed)
    }

    #[inline]
    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Nested<A> {
    type Error = A::Error;

    #[inline]
    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        let seed = self.with(seed);
        self.inner.next_key_seed(seed)
    }

    #[inline]
    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        let seed = self.with(seed);
        self.inner.next_value_seed(seed)
    }

    #[inline]
    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}

impl<'de, A: EnumAccess<'de>> EnumAccess<'de> for Nested<A> {
    type Error = A::Error;
    type Variant = Nested<A::Variant>;

    #[inline]
    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self::Variant), A::Error> {
        let (seed, levels) = (self.with(seed), self.levels);
        let (value, variant) = self.inner.variant_seed(seed)?;
        Ok((value, Nested { inner: variant, levels }))
    }
}

impl<'de, A: VariantAccess<'de>> VariantAccess<'de> for Nested<A> {
    type Error = A::Error;

    #[inline]
    fn unit_variant(self) -> Result<(), A::Error> {
        self.inner.unit_variant()
    }

    #[inline]
    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, A::Error> {
        let seed = self.with(seed);
        self.inner.newtype_variant_seed(seed)
    }

    #[inline]
    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, A::Error> {
        let visitor = self.with(visitor);
        self.inner.tuple_variant(len, visitor)
    }

    #[inline]
    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        let visitor = self.with(visitor);
        self.inner.struct_variant(fields, visitor)
    }
}

#[cfg(all(test, feature = "msgpack", feature = "json"))]
mod tests {
    use super::super::nested_tests::{Node, Tree, Wrapped};
    use super::super::{Codec, decode, encode};

    const FORMS: [Codec; 3] = [Codec::Postcard, Codec::MessagePack, Codec::Json];

    #[test]
    fn what_nests_too_deep_is_refused() {
        let trees: [(&[u8], &[u8]); 4] = [
            (b"\x81\xa7Newtype", b"{\"Newtype\":"),
            (b"\x81\x01", b"[1,"),
            (b"\x91\x01", b"["),
            (b"\x81\xa5Tuple\x92\x01", b"{\"Tuple\":[1,"),
        ];
        for (packed, json) in trees {
            assert_eq!(decode::<Tree>(Codec::MessagePack, &packed.repeat(50_000)), None);
            assert_eq!(decode::<Tree>(Codec::Json, &json.repeat(50_000)), None);
        }
        assert_eq!(decode::<Node>(Codec::MessagePack, &b"\x81\xa4next".repeat(50_000)), None);
        assert_eq!(decode::<Node>(Codec::Json, &b"{\"next\":".repeat(50_000)), None);
        // Without a byte for each level.
        for codec in FORMS {
            assert_eq!(decode::<Wrapped>(codec, b"1"), None, "{codec:?}");
        }
    }

    #[test]
    fn what_nests_less_deep_is_read_in_every_form() {
        let list = || (0..100).fold(Node::default(), |next, _| Node { next: Some(Box::new(next)) });
        let tree = || (0..40).fold(Tree::Leaf, |tree, _| Tree::Struct { children: vec![tree, Tree::Leaf] });
        for codec in FORMS {
            let bytes = encode(codec, &list()).expect("it can be written");
            assert_eq!(decode(codec, &bytes), Some(list()), "{codec:?}");
            let bytes = encode(codec, &tree()).expect("it can be written");
            assert_eq!(decode(codec, &bytes), Some(tree()), "{codec:?}");
        }
    }
}

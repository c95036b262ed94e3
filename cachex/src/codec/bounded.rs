//! Values from the bytes of postcard, within bounds.
//!
//! postcard itself believes its input: a type that holds itself nests as deep as the bytes say, until the stack is full, and a list of values that
//! take no bytes, as `()`, has up to 2^64 of them. So what nests and what repeats is read here, by the rules of its wire format
//! (<https://postcard.jamesmunns.com/wire-format>), and only what is neither by postcard.

use super::DEPTH;
use postcard::{Error, Result, de_flavors::Slice};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, EnumAccess, Error as _, IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor},
};

/// How many elements lists and maps may have together, for each byte there is, and besides. Those that take bytes are never more than the bytes.
const PER_BYTE: usize = 16;
const BESIDES: usize = 1024;

/// Turns what the bytes begin with into a value, as `postcard::take_from_bytes` does, and returns the bytes after it as well.
///
/// # Errors
///
/// Those of postcard, and if values nest too deep, or there are too many elements.
pub(super) fn take_from_bytes<'de, V: Deserialize<'de>>(bytes: &'de [u8]) -> Result<(V, &'de [u8])> {
    let elements = bytes.len().saturating_mul(PER_BYTE).saturating_add(BESIDES);
    let mut bounded =
        Bounded { plain: postcard::Deserializer::from_bytes(bytes), len: bytes.len(), levels: DEPTH, elements };
    let value = V::deserialize(&mut bounded)?;
    Ok((value, bounded.plain.finalize()?))
}

struct Bounded<'de> {
    plain: postcard::Deserializer<'de, Slice<'de>>,
    /// Of the whole input.
    len: usize,
    /// What may still nest here.
    levels: usize,
    /// What may still come, in all lists and maps.
    elements: usize,
}

impl<'de> Bounded<'de> {
    /// Reads something one level further in.
    #[inline]
    fn within<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.levels = self.levels.checked_sub(1).ok_or_else(|| Error::custom("values nest too deep"))?;
        let read = read(self);
        self.levels += 1;
        read
    }

    /// Reads the length of a list or map.
    #[inline]
    fn length(&mut self) -> Result<usize> {
        let length = usize::deserialize(&mut self.plain)?;
        self.elements = self.elements.checked_sub(length).ok_or_else(|| Error::custom("more elements than bytes"))?;
        Ok(length)
    }

    #[inline]
    fn elements<V: Visitor<'de>>(&mut self, left: usize, visitor: V) -> Result<V::Value> {
        self.within(|bounded| visitor.visit_seq(Elements { bounded, left }))
    }
}

/// Has postcard read what neither nests nor repeats.
macro_rules! plain {
    ($($method:ident)*) => {$(
        #[inline]
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
            self.plain.$method(visitor)
        }
    )*};
}

impl<'de> Deserializer<'de> for &mut Bounded<'de> {
    type Error = Error;

    plain! {
        deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128 deserialize_f32 deserialize_f64
        deserialize_char deserialize_str deserialize_string deserialize_bytes deserialize_byte_buf deserialize_unit
        deserialize_any deserialize_identifier deserialize_ignored_any
    }

    #[inline]
    fn is_human_readable(&self) -> bool {
        false
    }

    #[inline]
    fn deserialize_unit_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value> {
        self.plain.deserialize_unit_struct(name, visitor)
    }

    #[inline]
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match u8::deserialize(&mut self.plain)? {
            0 => visitor.visit_none(),
            1 => self.within(|bounded| visitor.visit_some(bounded)),
            _ => Err(Error::DeserializeBadOption),
        }
    }

    #[inline]
    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _name: &'static str, visitor: V) -> Result<V::Value> {
        self.within(|bounded| visitor.visit_newtype_struct(bounded))
    }

    #[inline]
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        let length = self.length()?;
        self.elements(length, visitor)
    }

    #[inline]
    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value> {
        self.elements(len, visitor)
    }

    #[inline]
    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value> {
        self.elements(len, visitor)
    }

    #[inline]
    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        let left = self.length()?;
        self.within(|bounded| visitor.visit_map(Elements { bounded, left }))
    }

    #[inline]
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        self.elements(fields.len(), visitor)
    }

    #[inline]
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        self.within(|bounded| visitor.visit_enum(bounded))
    }
}

/// What is left of a list, a map, or the fields of a value.
struct Elements<'a, 'de> {
    bounded: &'a mut Bounded<'de>,
    left: usize,
}

impl<'de> Elements<'_, 'de> {
    #[inline]
    fn next<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>> {
        let Some(left) = self.left.checked_sub(1) else { return Ok(None) };
        self.left = left;
        seed.deserialize(&mut *self.bounded).map(Some)
    }

    /// Returns how many are left, or nothing if they can't all take bytes: who hears it makes room for them.
    #[inline]
    fn hint(&self) -> Option<usize> {
        (self.left <= self.bounded.len).then_some(self.left)
    }
}

impl<'de> SeqAccess<'de> for Elements<'_, 'de> {
    type Error = Error;

    #[inline]
    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>> {
        self.next(seed)
    }

    #[inline]
    fn size_hint(&self) -> Option<usize> {
        self.hint()
    }
}

impl<'de> MapAccess<'de> for Elements<'_, 'de> {
    type Error = Error;

    #[inline]
    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>> {
        self.next(seed)
    }

    #[inline]
    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value> {
        seed.deserialize(&mut *self.bounded)
    }

    #[inline]
    fn size_hint(&self) -> Option<usize> {
        self.hint()
    }
}

impl<'de> EnumAccess<'de> for &mut Bounded<'de> {
    type Error = Error;
    type Variant = Self;

    #[inline]
    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self)> {
        let variant = u32::deserialize(&mut self.plain)?;
        Ok((seed.deserialize(variant.into_deserializer())?, self))
    }
}

impl<'de> VariantAccess<'de> for &mut Bounded<'de> {
    type Error = Error;

    #[inline]
    fn unit_variant(self) -> Result<()> {
        Ok(())
    }

    #[inline]
    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value> {
        seed.deserialize(self)
    }

    #[inline]
    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value> {
        self.elements(len, visitor)
    }

    #[inline]
    fn struct_variant<V: Visitor<'de>>(self, fields: &'static [&'static str], visitor: V) -> Result<V::Value> {
        self.elements(fields.len(), visitor)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde::Serialize;

    use super::super::nested_tests::{Node, Tree, Wrapped};
    use super::*;

    /// Bytes that are asked for as bytes.
    #[derive(Clone, Copy, Debug, PartialEq)]
    struct Bytes<'a>(&'a [u8]);

    impl Serialize for Bytes<'_> {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
            serializer.serialize_bytes(self.0)
        }
    }

    impl<'de: 'a, 'a> Deserialize<'de> for Bytes<'a> {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
            assert!(!deserializer.is_human_readable(), "postcard is not");
            // That of the standard library asks for bytes, and borrows them.
            <&[u8]>::deserialize(deserializer).map(Self)
        }
    }

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    enum Kind {
        Unit,
        Newtype(i128),
        Tuple(i16, f64),
        Struct { small: i8, long: u64 },
    }

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Unit;

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Newtype(u16);

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct All<'a> {
        name: &'a str,
        #[serde(borrow)]
        bytes: Bytes<'a>,
        owned: Vec<String>,
        wide: u128,
        option: Option<Option<char>>,
        tuple: (bool, (), i32, f32),
        array: [u8; 3],
        map: BTreeMap<String, i64>,
        kinds: Vec<Kind>,
        unit: Unit,
        newtype: Newtype,
        nothing: Vec<()>,
    }

    fn kinds() -> impl Strategy<Value = Kind> {
        prop_oneof![
            Just(Kind::Unit),
            any::<i128>().prop_map(Kind::Newtype),
            any::<(i16, f64)>().prop_map(|(first, second)| Kind::Tuple(first, second)),
            any::<(i8, u64)>().prop_map(|(small, long)| Kind::Struct { small, long }),
        ]
    }

    fn list(nodes: usize) -> Node {
        (1..nodes).fold(Node::default(), |next, _| Node { next: Some(Box::new(next)) })
    }

    fn read<'de, V: Deserialize<'de>>(bytes: &'de [u8]) -> Option<V> {
        take_from_bytes(bytes).ok().map(|(value, _)| value)
    }

    #[test]
    fn what_nests_too_deep_is_refused() {
        for byte in 0..=6 {
            let bytes = vec![byte; 200_000];
            assert_eq!(read::<Node>(&bytes).is_some(), byte == 0, "{byte}");
            assert_eq!(read::<Tree>(&bytes).is_some(), byte == 0, "{byte}");
        }
        assert_eq!(read::<Wrapped>(&[1; 200_000]), None);
    }

    #[test]
    fn what_nests_less_deep_is_read() {
        for nodes in [1, 100, DEPTH / 2] {
            let bytes = postcard::to_stdvec(&list(nodes)).expect("it can be written");
            assert_eq!(read(&bytes), Some(list(nodes)));
        }
        let bytes = postcard::to_stdvec(&list(DEPTH / 2 + 1)).expect("it can be written");
        assert_eq!(read::<Node>(&bytes), None);
        // Side by side, as many as there are.
        let beside: Vec<_> = (0..10 * DEPTH).map(|_| list(100)).collect();
        let bytes = postcard::to_stdvec(&beside).expect("it can be written");
        assert_eq!(read(&bytes), Some(beside));
    }

    #[test]
    fn elements_without_bytes_are_few() {
        let lengths = [1 << 60, u64::MAX, 2_000].map(|length| postcard::to_stdvec(&length).expect("a number"));
        for length in &lengths {
            assert_eq!(read::<Vec<()>>(length), None);
            assert_eq!(read::<BTreeMap<(), ()>>(length), None);
        }
        // Each list is short, but not all of them.
        let many = vec![vec![(); 100]; 1_000];
        assert_eq!(read::<Vec<Vec<()>>>(&postcard::to_stdvec(&many).expect("it can be written")), None);
        let some = vec![(); 1_000];
        assert_eq!(read(&postcard::to_stdvec(&some).expect("it can be written")), Some(some));
    }

    proptest! {
        #[test]
        fn values_are_those_of_postcard(
            (name, blob, owned) in any::<(String, Vec<u8>, Vec<String>)>(),
            (wide, option, tuple, array) in any::<(u128, Option<Option<char>>, (bool, (), i32, f32), [u8; 3])>(),
            (map, newtype, nothing) in any::<(BTreeMap<String, i64>, u16, Vec<()>)>(),
            kinds in proptest::collection::vec(kinds(), 0..5),
            rest in any::<Vec<u8>>(),
        ) {
            let (bytes, newtype) = (Bytes(&blob), Newtype(newtype));
            let value = All { name: &name, bytes, owned, wide, option, tuple, array, map, kinds, unit: Unit, newtype, nothing };
            let mut written = postcard::to_stdvec(&value).expect("it can be written");
            written.extend(&rest);
            let read = take_from_bytes::<All<'_>>(&written);
            prop_assert_eq!(&read, &postcard::take_from_bytes(&written));
            prop_assert_eq!(read, Ok((value, &rest[..])));
        }

        #[test]
        fn bytes_are_read_as_by_postcard(bytes: Vec<u8>) {
            // As text: a number may be none.
            let (ours, theirs) = (take_from_bytes::<All<'_>>(&bytes), postcard::take_from_bytes::<All<'_>>(&bytes));
            // Lists of nothing are as long as one likes there.
            if ours != Err(postcard::Error::SerdeDeCustom) {
                prop_assert_eq!(format!("{ours:?}"), format!("{theirs:?}"));
            }
            let (ours, theirs) = (take_from_bytes::<Kind>(&bytes), postcard::take_from_bytes::<Kind>(&bytes));
            prop_assert_eq!(format!("{ours:?}"), format!("{theirs:?}"));
        }

        #[test]
        fn bytes_are_no_reason_to_panic(bytes in proptest::collection::vec(prop_oneof![0..=6_u8, any::<u8>()], 0..2_000)) {
            let _refused = (read::<Node>(&bytes), read::<Tree>(&bytes), read::<Wrapped>(&bytes));
        }
    }
}

//! What a value takes in memory, estimated from what serde sees of it.
//!
//! Numbers count their own width, strings and bytes their length, and everything that is usually held behind a pointer (strings,
//! sequences, maps) a header as well. Capacity that is not used, and what the allocator adds, is not seen.

use std::fmt;

use serde::ser::{self, Serialize, Serializer};

/// What a pointer, a length and a capacity take.
const HEADER: u64 = 24;

/// Returns about how many bytes a value takes, itself included. What can't be serialized counts as far as it can.
pub(crate) fn size_of_value<T: Serialize>(value: &T) -> u64 {
    let mut sizer = Sizer { bytes: 0 };
    // A value that refuses to be serialized half-way has counted up to there.
    let _counted = value.serialize(&mut sizer);
    sizer.bytes.max(size_of::<T>() as u64)
}

struct Sizer {
    bytes: u64,
}

impl Sizer {
    fn add(&mut self, bytes: usize) -> Result<(), Refused> {
        self.bytes = self.bytes.saturating_add(bytes as u64);
        Ok(())
    }

    fn held(&mut self) -> Result<&mut Self, Refused> {
        self.bytes = self.bytes.saturating_add(HEADER);
        Ok(self)
    }
}

/// A value would not be serialized.
#[derive(Debug)]
struct Refused;

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the value would not be serialized")
    }
}

impl std::error::Error for Refused {}

impl ser::Error for Refused {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

macro_rules! fixed {
    ($($name:ident: $type:ty),* $(,)?) => {$(
        fn $name(self, _: $type) -> Result<(), Refused> {
            self.add(size_of::<$type>())
        }
    )*};
}

impl Serializer for &mut Sizer {
    type Ok = ();
    type Error = Refused;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    fixed! {
        serialize_bool: bool, serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64,
        serialize_i128: i128, serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64,
        serialize_u128: u128, serialize_f32: f32, serialize_f64: f64, serialize_char: char,
    }

    fn serialize_str(self, value: &str) -> Result<(), Refused> {
        self.held()?.add(value.len())
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), Refused> {
        self.held()?.add(value.len())
    }

    fn serialize_none(self) -> Result<(), Refused> {
        self.add(size_of::<usize>())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Refused> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Refused> {
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Refused> {
        Ok(())
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, _: &'static str) -> Result<(), Refused> {
        self.add(size_of::<usize>())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), Refused> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        value: &T,
    ) -> Result<(), Refused> {
        self.add(size_of::<usize>())?;
        value.serialize(self)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self, Refused> {
        self.held()
    }

    fn serialize_tuple(self, _: usize) -> Result<Self, Refused> {
        Ok(self)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self, Refused> {
        Ok(self)
    }

    fn serialize_tuple_variant(self, _: &'static str, _: u32, _: &'static str, _: usize) -> Result<Self, Refused> {
        self.add(size_of::<usize>())?;
        Ok(self)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self, Refused> {
        self.held()
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, Refused> {
        Ok(self)
    }

    fn serialize_struct_variant(self, _: &'static str, _: u32, _: &'static str, _: usize) -> Result<Self, Refused> {
        self.add(size_of::<usize>())?;
        Ok(self)
    }

    fn is_human_readable(&self) -> bool {
        false
    }
}

macro_rules! compound {
    ($($trait:ident :: $name:ident($($label:ident)?);)*) => {$(
        impl ser::$trait for &mut Sizer {
            type Ok = ();
            type Error = Refused;

            fn $name<T: Serialize + ?Sized>(&mut self, $($label: &'static str,)? value: &T) -> Result<(), Refused> {
                $(let _ = $label;)?
                value.serialize(&mut **self)
            }

            fn end(self) -> Result<(), Refused> {
                Ok(())
            }
        }
    )*};
}

compound! {
    SerializeSeq::serialize_element();
    SerializeTuple::serialize_element();
    SerializeTupleStruct::serialize_field();
    SerializeTupleVariant::serialize_field();
    SerializeStruct::serialize_field(name);
    SerializeStructVariant::serialize_field(name);
}

impl ser::SerializeMap for &mut Sizer {
    type Ok = ();
    type Error = Refused;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Refused> {
        key.serialize(&mut **self)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Refused> {
        value.serialize(&mut **self)
    }

    fn end(self) -> Result<(), Refused> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_count_their_width_and_not_their_value() {
        assert_eq!(size_of_value(&vec![0_u64; 500]), HEADER + 4000);
        assert_eq!(size_of_value(&vec![u64::MAX; 500]), HEADER + 4000);
        assert_eq!(size_of_value(&7_u8), 1);
    }

    #[test]
    fn what_is_held_elsewhere_counts() {
        assert_eq!(size_of_value(&"x".repeat(1000)), HEADER + 1000);
        assert_eq!(size_of_value(&vec!["ab".to_owned(), "c".to_owned()]), HEADER + 2 * HEADER + 3);
    }

    #[test]
    fn maps_of_unknown_length_count() {
        let page = serde_json::json!({ "parts": [1, 2, 3], "title": "x".repeat(1000) });
        assert!(size_of_value(&page) > 1000 + 3 * 8 + 5);
    }
}

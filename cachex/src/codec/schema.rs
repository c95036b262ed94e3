//! Which type bytes are of: a digest of what serde sees of it.
//!
//! postcard writes neither names nor kinds: a struct whose fields were swapped is read without an error, and wrong. So the envelope has a
//! digest of the type, made by letting the type read itself from a source that gives it the simplest value of whatever it asks for, and notes what
//! that was: names of structs, fields and variants, kinds of values, in their order. It is not the name of the type: a type that moves to
//! another module, or is written down once more in another program, is the same.
//!
//! It reads itself many times, each time from other samples and by other variants of its enums. What a type refuses ends a reading, at
//! the same place each time: what comes after something that takes none of the samples is not seen. For such a type a change is told by
//! `version`.

use std::any::TypeId;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{PoisonError, RwLock};

use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor,
};
use xxhash_rust::xxh3::{Xxh3, xxh3_64_with_seed};

use crate::caught::caught;

/// Types within types that are looked into; a type may hold itself.
const DEEPEST: u32 = 24;
/// How often a type reads itself.
const PASSES: u32 = 96;
/// In the first of them all enums have the variant of the number of the pass, as far as they have one.
const IN_STEP: u32 = 24;
/// What types ask for that look closely: a number, a date, an address, an identifier.
const TEXTS: [&str; 8] = [
    "",
    "1",
    "2020-02-02T02:02:02Z",
    "2020-02-02",
    "http://localhost/",
    "127.0.0.1",
    "67e55044-10b1-426f-9247-bb680e5fe0c8",
    "02:02:02",
];
/// The same in bytes: nothing, and what has 4, 12 or 16 of them.
const BYTES: [&[u8]; 4] = [&[], &[1; 16], &[1; 4], &[1; 12]];

/// Steps after which the type is taken as known.
const MOST_STEPS: u32 = 4096;

/// Returns the digest of a type, which is made once.
pub(crate) fn of<V: DeserializeOwned + 'static>() -> u64 {
    static KNOWN: RwLock<BTreeMap<TypeId, u64>> = RwLock::new(BTreeMap::new());
    let id = TypeId::of::<V>();
    if let Some(known) = KNOWN.read().unwrap_or_else(PoisonError::into_inner).get(&id) {
        return *known;
    }
    let made = digest::<V>();
    KNOWN.write().unwrap_or_else(PoisonError::into_inner).insert(id, made);
    made
}

fn digest<V: DeserializeOwned>() -> u64 {
    let mut hasher = Xxh3::new();
    for pass in 0..PASSES {
        let notes = RefCell::new(Notes { hasher: Xxh3::new(), steps: 0 });
        // A type may panic at a sample: then it is known up to there.
        let _refused = caught(|| drop(V::deserialize(Source { notes: &notes, pass, depth: 0 })));
        hasher.update(&notes.into_inner().hasher.digest().to_be_bytes());
    }
    hasher.digest()
}

struct Notes {
    hasher: Xxh3,
    steps: u32,
}

/// Gives the simplest value of what it is asked for, and notes that.
#[derive(Clone, Copy)]
struct Source<'n> {
    notes: &'n RefCell<Notes>,
    pass: u32,
    depth: u32,
}

#[derive(Debug)]
struct Enough;

impl fmt::Display for Enough {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the type is known")
    }
}

impl std::error::Error for Enough {}

impl de::Error for Enough {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

impl Source<'_> {
    fn note(&self, what: &str) -> Result<(), Enough> {
        let mut notes = self.notes.borrow_mut();
        notes.hasher.update(what.as_bytes());
        notes.hasher.update(&[0]);
        notes.steps += 1;
        if notes.steps > MOST_STEPS { Err(Enough) } else { Ok(()) }
    }

    fn note_all(&self, names: &[&str]) -> Result<(), Enough> {
        names.iter().try_for_each(|name| self.note(name))
    }

    /// Returns a number below `count` that depends on the pass and on what it is for.
    fn draw(self, what: &str, count: usize) -> usize {
        let seed = xxh3_64_with_seed(what.as_bytes(), u64::from(self.pass));
        seed as usize % count.max(1)
    }

    fn text(self) -> &'static str {
        TEXTS[self.draw("text", TEXTS.len())]
    }

    fn bytes(self) -> &'static [u8] {
        BYTES[self.draw("bytes", BYTES.len())]
    }

    /// Returns which variant an enum has.
    fn variant(self, name: &str, count: usize) -> u32 {
        let in_step = (self.pass as usize).min(count.saturating_sub(1));
        if self.pass < IN_STEP { in_step as u32 } else { self.draw(name, count) as u32 }
    }

    fn deeper(self) -> Self {
        Self { depth: self.depth + 1, ..self }
    }

    fn is_deepest(self) -> bool {
        self.depth >= DEEPEST
    }
}

macro_rules! simple {
    ($($name:ident => $visit:ident($($value:expr)?);)*) => {$(
        fn $name<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Enough> {
            self.note(stringify!($name))?;
            visitor.$visit($($value)?)
        }
    )*};
}

impl<'de> Deserializer<'de> for Source<'_> {
    type Error = Enough;

    simple! {
        deserialize_bool => visit_bool(false);
        deserialize_i8 => visit_i8(1);
        deserialize_i16 => visit_i16(1);
        deserialize_i32 => visit_i32(1);
        deserialize_i64 => visit_i64(1);
        deserialize_i128 => visit_i128(1);
        deserialize_u8 => visit_u8(1);
        deserialize_u16 => visit_u16(1);
        deserialize_u32 => visit_u32(1);
        deserialize_u64 => visit_u64(1);
        deserialize_u128 => visit_u128(1);
        deserialize_f32 => visit_f32(1.0);
        deserialize_f64 => visit_f64(1.0);
        deserialize_char => visit_char('a');
        deserialize_unit => visit_unit();
        deserialize_any => visit_unit();
        deserialize_ignored_any => visit_unit();
        deserialize_identifier => visit_str("");
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Enough> {
        self.note("text")?;
        visitor.visit_str(self.text())
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Enough> {
        self.deserialize_str(visitor)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Enough> {
        self.note("bytes")?;
        visitor.visit_bytes(self.bytes())
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Enough> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Enough> {
        self.note("option")?;
        if self.is_deepest() { visitor.visit_none() } else { visitor.visit_some(self.deeper()) }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Enough> {
        self.note_all(&["unit struct", name])?;
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Enough> {
        self.note_all(&["newtype struct", name])?;
        visitor.visit_newtype_struct(self.deeper())
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Enough> {
        self.note("seq")?;
        visitor.visit_seq(Items { source: self.deeper(), left: usize::from(!self.is_deepest()) })
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Enough> {
        self.note_all(&["tuple", &len.to_string()])?;
        visitor.visit_seq(Items { source: self.deeper(), left: len })
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, Enough> {
        self.note_all(&["tuple struct", name, &len.to_string()])?;
        visitor.visit_seq(Items { source: self.deeper(), left: len })
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Enough> {
        self.note("map")?;
        visitor.visit_map(Items { source: self.deeper(), left: usize::from(!self.is_deepest()) })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Enough> {
        self.note_all(&["struct", name])?;
        self.note_all(fields)?;
        if self.is_deepest() {
            return Err(Enough);
        }
        visitor.visit_seq(Items { source: self.deeper(), left: fields.len() })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Enough> {
        self.note_all(&["enum", name])?;
        self.note_all(variants)?;
        if self.is_deepest() {
            return Err(Enough);
        }
        visitor.visit_enum(Variant { source: self.deeper(), number: self.variant(name, variants.len()) })
    }

    fn is_human_readable(&self) -> bool {
        false
    }
}

/// So many items, each of which reads itself from the source.
struct Items<'n> {
    source: Source<'n>,
    left: usize,
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Enough;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Enough> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        seed.deserialize(self.source).map(Some)
    }
}

impl<'de> MapAccess<'de> for Items<'_> {
    type Error = Enough;

    fn next_key_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Enough> {
        self.next_element_seed(seed)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Enough> {
        seed.deserialize(self.source)
    }
}

/// A variant of an enum.
struct Variant<'n> {
    source: Source<'n>,
    number: u32,
}

impl<'de, 'n> EnumAccess<'de> for Variant<'n> {
    type Error = Enough;
    type Variant = Source<'n>;

    fn variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<(T::Value, Source<'n>), Enough> {
        let number = de::value::U32Deserializer::<Enough>::new(self.number);
        Ok((seed.deserialize(number)?, self.source))
    }
}

impl<'de> VariantAccess<'de> for Source<'_> {
    type Error = Enough;

    fn unit_variant(self) -> Result<(), Enough> {
        self.note("unit variant")
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Enough> {
        self.note("newtype variant")?;
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Enough> {
        self.deserialize_tuple(len, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(self, fields: &'static [&'static str], visitor: V) -> Result<V::Value, Enough> {
        self.deserialize_struct("variant", fields, visitor)
    }
}

#[cfg(test)]
#[expect(dead_code, reason = "types are looked at, and not made")]
mod tests {
    use std::collections::HashMap;

    use serde::Deserialize;

    use super::digest;

    mod first {
        use super::*;
        #[derive(Deserialize)]
        pub(super) struct User {
            pub(super) name: String,
            pub(super) age: u8,
        }
    }

    mod second {
        use super::*;
        #[derive(Deserialize)]
        pub(super) struct User {
            pub(super) name: String,
            pub(super) age: u8,
        }
    }

    mod swapped {
        use super::*;
        #[derive(Deserialize)]
        pub(super) struct User {
            pub(super) age: u8,
            pub(super) name: String,
        }
    }

    #[derive(Deserialize)]
    struct List {
        value: u8,
        next: Option<Box<List>>,
    }

    #[derive(Deserialize)]
    enum Shape {
        Round { radius: u8 },
        Flat(u8, u8),
        None,
    }

    #[derive(Deserialize)]
    enum Renamed {
        Circle { radius: u8 },
        Flat(u8, u8),
        None,
    }

    #[test]
    fn a_type_is_known_by_what_it_is_made_of_and_not_by_where_it_stands() {
        assert_eq!(digest::<first::User>(), digest::<second::User>());
        assert_ne!(digest::<first::User>(), digest::<swapped::User>());
        assert_ne!(digest::<u32>(), digest::<u64>());
        assert_ne!(digest::<Vec<u8>>(), digest::<Vec<u16>>());
        assert_ne!(digest::<Option<u8>>(), digest::<u8>());
        assert_ne!(digest::<HashMap<String, u8>>(), digest::<HashMap<String, u16>>());
        assert_ne!(digest::<Shape>(), digest::<Renamed>());
        assert_ne!(digest::<Vec<first::User>>(), digest::<Vec<swapped::User>>());
    }

    /// Takes nothing but 16 bytes, as identifiers do.
    struct Id;

    impl<'de> Deserialize<'de> for Id {
        fn deserialize<D: serde::Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
            struct Sixteen;
            impl serde::de::Visitor<'_> for Sixteen {
                type Value = Id;

                fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str("16 bytes")
                }

                fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<Id, E> {
                    if bytes.len() == 16 { Ok(Id) } else { Err(E::custom("not 16")) }
                }
            }
            source.deserialize_bytes(Sixteen)
        }
    }

    #[derive(Deserialize)]
    enum Last {
        None,
        Some { street: String, town: String },
    }

    mod other {
        use super::*;
        #[derive(Deserialize)]
        pub(super) enum Last {
            None,
            Some { town: String, street: String },
        }
    }

    #[test]
    fn what_comes_after_an_identifier_and_in_any_variant_is_seen() {
        assert_ne!(digest::<(Id, first::User)>(), digest::<(Id, swapped::User)>());
        assert_ne!(digest::<Last>(), digest::<other::Last>());
        assert_ne!(digest::<(Id, Vec<Last>)>(), digest::<(Id, Vec<other::Last>)>());
        assert_ne!(digest::<(std::net::IpAddr, u8)>(), digest::<(std::net::IpAddr, i8)>());
    }

    #[test]
    fn a_type_that_holds_itself_is_known_as_well() {
        assert_eq!(digest::<List>(), digest::<List>());
        assert_ne!(digest::<List>(), digest::<Option<List>>());
    }
}

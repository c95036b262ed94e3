//! Values as bytes, for stores.
//!
//! Reading order: this file (the forms), [`bounded`] (postcard, within bounds), [`nesting`] (the other forms likewise), [`compress`] (the same in fewer bytes), [`schema`] (which type bytes are of).

#[cfg(feature = "structures")]
mod bounded;
pub(crate) mod compress;
#[cfg(all(test, feature = "structures"))]
mod nested_tests;
#[cfg(all(feature = "structures", any(feature = "msgpack", feature = "json")))]
mod nesting;
#[cfg(feature = "structures")]
pub(crate) mod schema;

#[cfg(feature = "structures")]
use serde::{Serialize, de::DeserializeOwned};

pub use compress::Compression;

/// How values become bytes in a second tier.
///
/// In configuration: `remote.codec` and `codec` of a method, by the names shown. Each value says which form it has, and is read as that: who
/// changes it loses nothing.
///
/// Default: [`Postcard`](Self::Postcard).
///
/// # Examples
///
/// ```
/// use cachex::{Codec, RemoteSettings};
///
/// assert_eq!(RemoteSettings::default().codec, Codec::Postcard);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Codec {
    /// `postcard`: the shortest and fastest. It can't keep what serde calls self-describing, as `#[serde(untagged)]` and
    /// `serde_json::Value`.
    #[default]
    Postcard,
    /// `msgpack`, with names of fields; other languages can read it. Needs the feature `msgpack`.
    MessagePack,
    /// `json`, for people to read. Needs the feature `json`.
    Json,
    /// `protobuf`, of methods that return messages of the crate `prost`. Needs the feature `protobuf`, and to be written in the annotation,
    /// `#[cached(codec = "protobuf")]`: the values are messages then, and need not be what serde knows.
    Protobuf,
}

impl Codec {
    pub(crate) const NAMES: [(&'static str, Self); 4] = [
        ("postcard", Self::Postcard),
        ("msgpack", Self::MessagePack),
        ("json", Self::Json),
        ("protobuf", Self::Protobuf),
    ];

    /// Whether the features of this build have it.
    pub(crate) const fn is_built_in(self) -> bool {
        match self {
            Self::Postcard => cfg!(feature = "structures"),
            Self::MessagePack => cfg!(feature = "msgpack"),
            Self::Json => cfg!(feature = "json"),
            Self::Protobuf => cfg!(feature = "protobuf"),
        }
    }

    /// Returns itself if this build has it, or has no second tier at all: the attribute calls it in a constant, where a panic is a compile error.
    #[doc(hidden)]
    #[must_use]
    #[track_caller]
    pub const fn needed(self) -> Self {
        assert!(
            self.is_built_in() || !cfg!(feature = "remote"),
            "this `codec` needs the feature of cachex that has its name; add it to the dependency in Cargo.toml"
        );
        self
    }

    /// Returns its name, which is that of its feature as well.
    pub(crate) fn name(self) -> &'static str {
        let found = Self::NAMES.into_iter().find(|(_, codec)| *codec == self);
        found.map(|(name, _)| name).expect("every codec has a name")
    }

    /// Returns its number in an envelope.
    #[cfg(feature = "structures")]
    pub(crate) fn number(self) -> u8 {
        match self {
            Self::Postcard => 0,
            Self::MessagePack => 1,
            Self::Json => 2,
            Self::Protobuf => 3,
        }
    }

    /// Returns the one with a number.
    #[cfg(feature = "remote")]
    pub(crate) fn numbered(number: u8) -> Option<Self> {
        Self::NAMES.into_iter().map(|(_, codec)| codec).find(|codec| codec.number() == number)
    }
}

/// Turns a value into bytes. Nothing if the type refuses.
#[cfg(feature = "structures")]
pub(crate) fn encode<V: Serialize>(codec: Codec, value: &V) -> Option<Vec<u8>> {
    match codec {
        Codec::Postcard => postcard::to_stdvec(value).ok(),
        #[cfg(feature = "msgpack")]
        Codec::MessagePack => rmp_serde::to_vec_named(value).ok(),
        #[cfg(feature = "json")]
        Codec::Json => serde_json::to_vec(value).ok(),
        // Of messages (see `protobuf`), or refused with the other settings that make no sense.
        _ => None,
    }
}

/// How deep values nest at most, in every form. Options and newtypes are counted as well, so it is as much as the 128 objects that `serde_json` has if
/// each is in an option.
#[cfg(feature = "structures")]
const DEPTH: usize = 256;

/// Turns bytes into a value. Nothing if they are none of this type, or more than one.
///
/// Whatever the bytes are, it takes room and time by their number. How deep they nest is bounded by [`DEPTH`]; how many elements they have
///
/// - in postcard by [`bounded`], for those of `()` take no bytes;
/// - in MessagePack and JSON by the bytes, for each element has one. JSON nests 128 deep besides, by a rule of its own.
///
/// Bytes of protobuf go another way: `prost` has them nest 100 deep.
#[cfg(feature = "structures")]
pub(crate) fn decode<V: DeserializeOwned>(codec: Codec, bytes: &[u8]) -> Option<V> {
    match codec {
        Codec::Postcard => {
            let (value, rest) = bounded::take_from_bytes(bytes).ok()?;
            rest.is_empty().then_some(value)
        }
        #[cfg(feature = "msgpack")]
        Codec::MessagePack => {
            let mut rest = bytes;
            let value = nesting::read(&mut rmp_serde::Deserializer::new(&mut rest)).ok()?;
            rest.is_empty().then_some(value)
        }
        #[cfg(feature = "json")]
        Codec::Json => {
            let mut form = serde_json::Deserializer::from_slice(bytes);
            let value = nesting::read(&mut form).ok()?;
            form.end().ok()?;
            Some(value)
        }
        _ => None,
    }
}

#[cfg(all(test, feature = "structures", feature = "msgpack", feature = "json"))]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde::{Deserialize, Serialize};

    use super::*;

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    enum Shape {
        Round { radius: u32 },
        Flat(i16, Option<String>),
        None,
    }

    type Value = (Vec<Option<String>>, BTreeMap<String, i64>, Vec<Shape>, (bool, char));

    fn shapes() -> impl Strategy<Value = Shape> {
        prop_oneof![
            any::<u32>().prop_map(|radius| Shape::Round { radius }),
            any::<(i16, Option<String>)>().prop_map(|(size, name)| Shape::Flat(size, name)),
            Just(Shape::None),
        ]
    }

    proptest! {
        #[test]
        fn a_value_is_read_as_it_was_written(
            names: Vec<Option<String>>, numbers: BTreeMap<String, i64>, shapes in proptest::collection::vec(shapes(), 0..5), last: (bool, char),
        ) {
            let value: Value = (names, numbers, shapes, last);
            for (name, codec) in Codec::NAMES.into_iter().filter(|(_, codec)| *codec != Codec::Protobuf) {
                let bytes = encode(codec, &value).expect("it can be written");
                prop_assert_eq!(decode::<Value>(codec, &bytes), Some(value.clone()), "{}", name);
                let more = [&bytes[..], &bytes].concat();
                prop_assert_eq!(decode::<Value>(codec, &more), None, "{}", name);
            }
        }

        #[test]
        fn bytes_of_others_are_no_reason_to_panic(bytes: Vec<u8>) {
            for (_, codec) in Codec::NAMES {
                let _refused = decode::<Value>(codec, &bytes);
            }
        }
    }
}

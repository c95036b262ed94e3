//! Values as bytes, for stores.
//!
//! Reading order: this file (the forms), [`compress`] (the same in fewer bytes), [`schema`] (which type bytes are of).

pub(crate) mod compress;
#[cfg(feature = "structures")]
pub(crate) mod schema;

#[cfg(feature = "structures")]
use serde::{Serialize, de::DeserializeOwned};

pub use compress::Compression;

/// How values become bytes in a second tier.
///
/// In configuration: `remote.codec`, by the names shown. Values of one form are not read as another: who changes it loads anew.
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
}

impl Codec {
    pub(crate) const NAMES: [(&'static str, Self); 3] =
        [("postcard", Self::Postcard), ("msgpack", Self::MessagePack), ("json", Self::Json)];

    /// Whether the features of this build have it.
    pub(crate) fn is_built_in(self) -> bool {
        match self {
            Self::Postcard => cfg!(feature = "structures"),
            Self::MessagePack => cfg!(feature = "msgpack"),
            Self::Json => cfg!(feature = "json"),
        }
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
        }
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
        #[cfg(not(all(feature = "msgpack", feature = "json")))]
        // Refused with the other settings that make no sense.
        _ => None,
    }
}

/// Turns bytes into a value. Nothing if they are none of this type, or more than one.
#[cfg(feature = "structures")]
pub(crate) fn decode<V: DeserializeOwned>(codec: Codec, bytes: &[u8]) -> Option<V> {
    match codec {
        Codec::Postcard => {
            let (value, rest) = postcard::take_from_bytes(bytes).ok()?;
            rest.is_empty().then_some(value)
        }
        #[cfg(feature = "msgpack")]
        Codec::MessagePack => {
            let mut rest = bytes;
            let value = rmp_serde::from_read(&mut rest).ok()?;
            rest.is_empty().then_some(value)
        }
        #[cfg(feature = "json")]
        Codec::Json => serde_json::from_slice(bytes).ok(),
        #[cfg(not(all(feature = "msgpack", feature = "json")))]
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
            for (name, codec) in Codec::NAMES {
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

//! Lists, sets and hashes: typed values go in and come out, and are bytes in between.
//!
//! Reading order: this file (values as bytes), [`list`], [`set`], [`hash`].

mod hash;
mod list;
mod set;

use std::any::type_name;
use std::collections::BTreeMap;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::unexpected;
use crate::codec::{self, Codec};
use crate::engine::Engine;
use crate::error::Error;
use crate::structure::Answer;

impl Engine {
    /// Turns a value into what a structure holds: the head of its type, and then itself.
    fn encoded<T: Serialize + DeserializeOwned + 'static>(&self, value: &T) -> Result<Vec<u8>, Error> {
        let bytes =
            codec::encode(self.codec, value).ok_or_else(|| Error::unfit(type_name::<T>(), self.codec.name()))?;
        let mut out = head::<T>(self.codec);
        out.extend(bytes);
        Ok(out)
    }
}

/// Returns what the bytes of every value of a type begin with: postcard itself would read them as another type.
fn head<T: DeserializeOwned + 'static>(codec: Codec) -> Vec<u8> {
    let mut head = vec![codec.number()];
    head.extend(codec::schema::of::<T>().to_be_bytes());
    head
}

fn value<T: DeserializeOwned + 'static>(bytes: &[u8], codec: Codec) -> Result<T, Error> {
    let payload = bytes.strip_prefix(&head::<T>(codec)[..]);
    payload.and_then(|payload| codec::decode(codec, payload)).ok_or_else(|| Error::other_value(type_name::<T>()))
}

fn decoded<T: DeserializeOwned + 'static>(answer: Answer, codec: Codec) -> Result<Option<T>, Error> {
    match answer {
        Answer::Bytes(bytes) => value(&bytes, codec).map(Some),
        Answer::Missing => Ok(None),
        _ => Err(unexpected()),
    }
}

fn decoded_all<T: DeserializeOwned + 'static>(answer: Answer, codec: Codec) -> Result<Vec<T>, Error> {
    match answer {
        Answer::Many(all) => all.iter().map(|bytes| value(bytes, codec)).collect(),
        _ => Err(unexpected()),
    }
}

fn decoded_pairs<T: DeserializeOwned + 'static>(answer: Answer, codec: Codec) -> Result<BTreeMap<String, T>, Error> {
    match answer {
        Answer::Pairs(all) => all.into_iter().map(|(field, bytes)| Ok((field, value(&bytes, codec)?))).collect(),
        _ => Err(unexpected()),
    }
}

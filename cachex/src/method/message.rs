//! Values that are kept as protobuf messages: `#[cached(codec = "protobuf")]`.
//!
//! A message says itself what its fields are and skips those it does not know, so the digest of its type is that of its name, and none of its
//! fields: programs of different ages share values. Another type of the same name is another `version` of the method.

use std::fmt;
use std::marker::PhantomData;
#[cfg(feature = "protobuf")]
use std::sync::Arc;

use super::keep::{Keep, in_memory};
use super::short::is_short;
#[cfg(feature = "remote")]
use crate::codec::Codec;
use crate::entry::{Entry, Meta, PlainEntry};

/// A value that is a message, may be none, or shares one. `F` tells which, and is found out by the compiler.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be kept as protobuf",
    label = "not a message",
    note = "with `codec = \"protobuf\"` a kept value is a message, `Option` or `Arc` of one, or `Option<Arc<…>>`",
    note = "a message is `prost::Message + Default + Clone`, of prost 0.14; it needs the feature `protobuf` of cachex",
    note = "for other values remove `codec = \"protobuf\"`, or return a message that has them as fields"
)]
pub trait MessageValue<F>: Clone + Send + Sync + 'static {
    /// Turns it into bytes.
    #[doc(hidden)]
    fn write(&self) -> Vec<u8>;
    /// Turns bytes into it. Nothing if they are none.
    #[doc(hidden)]
    fn read(bytes: &[u8]) -> Option<Self>;
    /// Returns how many bytes it would be.
    #[doc(hidden)]
    fn size(&self) -> usize;
    /// Returns the name of the message, and what is around it.
    #[doc(hidden)]
    fn name() -> String;
}

/// The message itself.
#[derive(Debug)]
pub struct Whole;
/// A message, or none: a byte that says which comes before it.
#[derive(Debug)]
pub struct Perhaps<F>(PhantomData<F>);
/// A shared message, which has the form of one that is not.
#[derive(Debug)]
pub struct Shared;

#[cfg(feature = "protobuf")]
#[diagnostic::do_not_recommend]
impl<M: prost::Message + Default + Clone + 'static> MessageValue<Whole> for M {
    fn write(&self) -> Vec<u8> {
        self.encode_to_vec()
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        Self::decode(bytes).ok()
    }

    fn size(&self) -> usize {
        self.encoded_len()
    }

    fn name() -> String {
        std::any::type_name::<M>().to_owned()
    }
}

#[cfg(feature = "protobuf")]
#[diagnostic::do_not_recommend]
impl<M: prost::Message + Default + Clone + 'static> MessageValue<Shared> for Arc<M> {
    fn write(&self) -> Vec<u8> {
        self.encode_to_vec()
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        M::decode(bytes).ok().map(Self::new)
    }

    fn size(&self) -> usize {
        self.encoded_len()
    }

    fn name() -> String {
        std::any::type_name::<M>().to_owned()
    }
}

#[diagnostic::do_not_recommend]
impl<V: MessageValue<F>, F> MessageValue<Perhaps<F>> for Option<V> {
    fn write(&self) -> Vec<u8> {
        match self {
            None => vec![0],
            Some(value) => [vec![1], value.write()].concat(),
        }
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        match bytes.split_first()? {
            (0, []) => Some(None),
            (1, rest) => V::read(rest).map(Some),
            _ => None,
        }
    }

    fn size(&self) -> usize {
        1 + self.as_ref().map_or(0, V::size)
    }

    fn name() -> String {
        format!("Option<{}>", V::name())
    }
}

/// Keeps messages in any store.
pub struct Protobuf<F>(PhantomData<fn() -> F>);

/// Makes the way to keep messages; what is around them is found out.
#[must_use]
pub const fn protobuf<F>() -> Protobuf<F> {
    Protobuf(PhantomData)
}

impl<F> Clone for Protobuf<F> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<F> Copy for Protobuf<F> {}

impl<F> fmt::Debug for Protobuf<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Protobuf")
    }
}

#[diagnostic::do_not_recommend]
impl<V: MessageValue<F>, F> Keep<V> for Protobuf<F> {
    in_memory!(V);

    fn size(self, value: &V) -> u64 {
        (size_of::<V>() + MessageValue::size(value)) as u64
    }

    #[cfg(feature = "remote")]
    fn codec(self, _: Codec) -> Codec {
        Codec::Protobuf
    }

    #[cfg(feature = "remote")]
    fn encode(self, value: &V, codec: Codec) -> Option<Vec<u8>> {
        (codec == Codec::Protobuf).then(|| value.write())
    }

    #[cfg(feature = "remote")]
    fn decode(self, bytes: &[u8], codec: Codec) -> Option<V> {
        (codec == Codec::Protobuf).then(|| V::read(bytes)).flatten()
    }

    #[cfg(feature = "remote")]
    fn schema(self) -> Option<u64> {
        Some(xxhash_rust::xxh3::xxh3_64(V::name().as_bytes()))
    }
}

#[cfg(all(test, feature = "protobuf", feature = "remote"))]
mod tests {
    use proptest::prelude::*;
    use prost::Message;

    use super::*;

    #[derive(Clone, PartialEq, Message)]
    struct Node {
        #[prost(string, tag = "1")]
        name: String,
        #[prost(message, repeated, tag = "2")]
        nodes: Vec<Node>,
        #[prost(uint64, repeated, tag = "3")]
        numbers: Vec<u64>,
    }

    fn check<F, V: MessageValue<F> + PartialEq + fmt::Debug>(value: V) {
        let way = protobuf::<F>();
        let bytes = way.encode(&value, Codec::Protobuf).expect("a message has bytes");
        assert_eq!(bytes.len(), MessageValue::size(&value));
        assert_eq!(way.decode(&bytes, Codec::Protobuf), Some(value));
        assert_eq!(Keep::<V>::decode(way, &bytes, Codec::Json), None);
    }

    proptest! {
        #[test]
        fn a_message_is_read_as_it_was_written(name: String, numbers: Vec<u64>) {
            let node = Node { name, nodes: vec![Node { numbers, ..Node::default() }], ..Node::default() };
            check(node.clone());
            check(Arc::new(node.clone()));
            check(Some(Arc::new(node.clone())));
            check(Some(node));
        }

        #[test]
        fn bytes_of_others_are_no_reason_to_panic(bytes: Vec<u8>) {
            let _refused = Node::read(&bytes);
            let _refused = <Option<Arc<Node>>>::read(&bytes);
        }
    }

    #[test]
    fn nothing_is_not_an_empty_message() {
        check(None::<Node>);
        check(Some(Node::default()));
        assert_eq!(<Option<Node>>::read(&[]), None);
        assert_eq!(<Option<Node>>::read(&[0, 0]), None);
        assert_eq!(<Option<Node>>::read(&[2]), None);
    }

    /// Each level takes two bytes, and to read it takes a step of the stack.
    #[test]
    fn what_is_nested_too_deeply_is_refused() {
        let mut bytes = Vec::new();
        for _ in 0..20_000 {
            let mut outer = vec![0x12];
            prost::encoding::encode_varint(bytes.len() as u64, &mut outer);
            if bytes.len() > 1 << 16 {
                break;
            }
            outer.extend(&bytes);
            bytes = outer;
        }
        assert_eq!(Node::read(&bytes), None);
    }

    /// What is said to be long is not made room for before it is there.
    #[test]
    fn a_length_that_lies_is_refused() {
        for field in [0x0a, 0x12, 0x1a] {
            let mut bytes = vec![field];
            prost::encoding::encode_varint(u64::from(u32::MAX), &mut bytes);
            assert_eq!(Node::read(&bytes), None);
        }
    }

    #[test]
    fn a_type_is_known_by_its_name_whatever_shares_it() {
        let schema = |way: Protobuf<Whole>| Keep::<Node>::schema(way);
        assert_eq!(schema(protobuf()), Keep::<Arc<Node>>::schema(protobuf::<Shared>()));
        assert_ne!(schema(protobuf()), Keep::<Option<Node>>::schema(protobuf::<Perhaps<Whole>>()));
    }
}

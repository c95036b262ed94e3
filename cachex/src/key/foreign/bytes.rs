//! Buffers of the crate `bytes`, written as a `Vec<u8>` is.

use ::bytes::{Bytes, BytesMut};

use crate::key::{CacheKey, KeyWriter};

impl CacheKey for Bytes {
    fn encode(&self, out: &mut KeyWriter<'_>) {
        out.write_bytes(self);
    }
}

impl CacheKey for BytesMut {
    fn encode(&self, out: &mut KeyWriter<'_>) {
        out.write_bytes(self);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Key;

    #[test]
    fn bytes_are_written_whatever_their_owner() {
        let expected = Key::new("k").part(b"ab");
        assert_eq!(Key::new("k").part(&Bytes::from_static(b"ab")), expected);
        assert_eq!(Key::new("k").part(&BytesMut::from(&b"ab"[..])), expected);
        assert_ne!(Key::new("k").part(&Bytes::from_static(b"ac")), expected);
    }
}

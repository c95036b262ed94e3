//! The bytes of a key that is written down.

/// Bytes kept without an allocation …
const SHORT: usize = 112;
/// … and what is written at once, as that takes as long for one byte as for all: a kind and most bodies of fixed size are no longer.
pub(super) const ONCE: usize = 24;

/// The bytes of a key; short ones without an allocation.
#[derive(Debug)]
pub(crate) struct KeyBytes {
    len: usize,
    short: [u8; SHORT + ONCE],
    /// All of them, once there are too many.
    long: Vec<u8>,
}

impl KeyBytes {
    #[inline]
    pub(crate) fn new() -> Self {
        Self { len: 0, short: [0; SHORT + ONCE], long: Vec::new() }
    }

    /// Appends the first `count` of these bytes.
    #[inline]
    pub(super) fn push(&mut self, bytes: [u8; ONCE], count: usize) {
        if self.len + count > SHORT {
            self.push_long(&bytes[..count]);
            return;
        }
        if let Some(place) = self.short[self.len..].first_chunk_mut() {
            *place = bytes;
        }
        self.len += count;
    }

    #[inline]
    pub(super) fn push_slice(&mut self, bytes: &[u8]) {
        if self.len + bytes.len() > SHORT {
            self.push_long(bytes);
            return;
        }
        self.short[self.len..self.len + bytes.len()].copy_from_slice(bytes);
        self.len += bytes.len();
    }

    #[cold]
    #[inline(never)]
    fn push_long(&mut self, bytes: &[u8]) {
        if self.long.is_empty() {
            self.long.reserve(2 * (self.len + bytes.len()));
            self.long.extend_from_slice(&self.short[..self.len]);
        }
        self.long.extend_from_slice(bytes);
        // More than fit into the short ones, from now on.
        self.len += bytes.len();
    }

    #[inline]
    pub(crate) fn as_slice(&self) -> &[u8] {
        if self.long.is_empty() { &self.short[..self.len] } else { &self.long }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn bytes_are_kept_however_they_come(parts in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 0..20)) {
            let (mut bytes, mut expected) = (KeyBytes::new(), Vec::new());
            for part in &parts {
                if part.len() <= ONCE {
                    let mut once = [0xee; ONCE];
                    once[..part.len()].copy_from_slice(part);
                    bytes.push(once, part.len());
                } else {
                    bytes.push_slice(part);
                }
                expected.extend_from_slice(part);
                prop_assert_eq!(bytes.as_slice(), &expected[..]);
            }
        }
    }
}

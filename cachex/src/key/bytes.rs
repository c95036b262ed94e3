//! The bytes of a key that is written down.

/// Bytes kept without an allocation.
const SHORT: usize = 112;

/// The bytes of a key; short ones without an allocation.
#[derive(Debug)]
pub(crate) struct KeyBytes {
    len: usize,
    short: [u8; SHORT],
    /// All of them, once there are too many.
    long: Vec<u8>,
}

impl KeyBytes {
    #[inline]
    pub(crate) fn new() -> Self {
        Self { len: 0, short: [0; SHORT], long: Vec::new() }
    }

    /// Appends a kind and what follows it.
    #[inline(always)]
    pub(super) fn push<const N: usize>(&mut self, kind: u8, body: &[u8; N]) {
        let place = self.short.get_mut(self.len..).and_then(<[u8]>::split_first_mut);
        if let Some((first, rest)) = place
            && let Some(rest) = rest.first_chunk_mut::<N>()
        {
            *first = kind;
            *rest = *body;
            self.len += 1 + N;
            return;
        }
        self.push_long(&[kind]);
        self.push_long(body);
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
                match part.first_chunk::<9>() {
                    Some(&[kind, ref body @ ..]) if part.len() == 9 => {
                        let body: &[u8; 8] = body;
                        bytes.push(kind, body);
                    }
                    _ => bytes.push_slice(part),
                }
                expected.extend_from_slice(part);
                prop_assert_eq!(bytes.as_slice(), &expected[..]);
            }
        }
    }
}

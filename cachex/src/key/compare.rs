//! Comparing a key that is written with the bytes of one that was: part by part, without putting it anywhere.

/// What is compared, as far as it has not been yet.
#[derive(Clone, Copy)]
pub(super) struct Compared<'a> {
    rest: &'a [u8],
    is_same: bool,
}

impl<'a> Compared<'a> {
    #[inline(always)]
    pub(super) fn with(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, is_same: true }
    }

    /// Whether all that was written is the same, and nothing is left.
    #[inline(always)]
    pub(super) fn is_same(self) -> bool {
        self.is_same && self.rest.is_empty()
    }

    /// A kind and a body of fixed size come next.
    #[inline(always)]
    pub(super) fn fixed<const N: usize>(&mut self, kind: u8, body: &[u8; N]) {
        let Some(next) = self.next(1 + N) else { return };
        // Both at once, as the length is known: nothing is decided between them.
        self.is_same &= (next[0] == kind) & (next[1..] == body[..]);
    }

    /// These bytes come next.
    #[inline(always)]
    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        let Some(next) = self.next(bytes.len()) else { return };
        self.is_same &= are_same(next, bytes);
    }

    #[inline(always)]
    fn next(&mut self, count: usize) -> Option<&'a [u8]> {
        match self.rest.split_at_checked(count) {
            Some((next, rest)) => {
                self.rest = rest;
                Some(next)
            }
            None => {
                self.is_same = false;
                None
            }
        }
    }
}

/// Compares slices of one length; most are shorter than a call of a function is worth.
// The first bytes and the last ones may have some in common.
#[inline(always)]
fn are_same(a: &[u8], b: &[u8]) -> bool {
    match a.len() {
        0..4 => a == b,
        4..8 => a.first_chunk::<4>() == b.first_chunk() && a.last_chunk::<4>() == b.last_chunk(),
        8..17 => a.first_chunk::<8>() == b.first_chunk() && a.last_chunk::<8>() == b.last_chunk(),
        17..33 => a.first_chunk::<16>() == b.first_chunk() && a.last_chunk::<16>() == b.last_chunk(),
        _ => a == b,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_of_any_length_are_told_apart_by_any_byte() {
        for len in 0..70 {
            let bytes: Vec<u8> = (0..len).collect();
            assert!(are_same(&bytes, &bytes.clone()));
            for at in 0..bytes.len() {
                let mut other = bytes.clone();
                other[at] ^= 0x80;
                assert!(!are_same(&bytes, &other), "{len} bytes, at {at}");
            }
        }
    }

    #[test]
    fn what_is_shorter_or_longer_is_not_the_same() {
        for len in [8, 10] {
            let bytes = vec![7; len];
            let mut compared = Compared::with(&bytes);
            compared.fixed(7, &[7; 8]);
            assert!(!compared.is_same(), "{len}");
        }
        let mut compared = Compared::with(&[7; 9]);
        compared.fixed(7, &[7; 8]);
        assert!(compared.is_same());
        compared.bytes(&[]);
        assert!(compared.is_same());
        compared.bytes(&[7]);
        assert!(!compared.is_same());
    }
}

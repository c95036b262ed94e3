//! Lengths and counts: 7 bits a byte, lowest first, high bit set on all but the last (LEB128).

/// More bytes than any count takes.
const MOST: usize = usize::BITS.div_ceil(7) as usize;

/// A count, written.
pub(super) struct Count {
    bytes: [u8; MOST],
    len: usize,
}

impl Count {
    #[inline(always)]
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// Writes a count that takes more than one byte, or any other.
#[cold]
#[inline(never)]
pub(super) fn write(count: usize) -> Count {
    let mut written = Count { bytes: [0; MOST], len: 0 };
    let mut rest = count;
    while rest >= 0x80 {
        written.bytes[written.len] = rest as u8 | 0x80;
        written.len += 1;
        rest >>= 7;
    }
    written.bytes[written.len] = rest as u8;
    written.len += 1;
    written
}

/// Reads a count, and returns what follows it.
pub(super) fn read(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut count = 0;
    for (at, byte) in bytes.iter().enumerate().take(MOST) {
        let (bits, shift) = (usize::from(byte & 0x7f), 7 * at as u32);
        if bits.leading_zeros() < shift {
            return None;
        }
        count |= bits << shift;
        if *byte < 0x80 {
            return Some((count, &bytes[at + 1..]));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_written_is_read(count in any::<usize>(), shift in 0..usize::BITS, rest in any::<[u8; 3]>()) {
            let count = count >> shift;
            let bytes = [write(count).bytes(), &rest].concat();
            prop_assert_eq!(read(&bytes), Some((count, &rest[..])));
            let written = write(count);
            prop_assert!(read(&written.bytes()[..written.len - 1]).is_none(), "a part is no count");
        }
    }
}

//! The canonical encoding of key parts.
//!
//! Every value is a kind byte followed by a self-delimiting body, so a sequence of values can be read in one way only:
//! that is what makes the encoding injective. The byte values are frozen by the golden vectors.

/// Kind bytes. A change here is a new version of the encoding.
pub(crate) mod kind {
    pub(crate) const UNIT: u8 = 0x00;
    pub(crate) const FALSE: u8 = 0x01;
    pub(crate) const TRUE: u8 = 0x02;
    pub(crate) const NONE: u8 = 0x03;
    pub(crate) const SOME: u8 = 0x04;
    pub(crate) const U8: u8 = 0x10;
    pub(crate) const U16: u8 = 0x11;
    pub(crate) const U32: u8 = 0x12;
    pub(crate) const U64: u8 = 0x13;
    pub(crate) const U128: u8 = 0x14;
    pub(crate) const I8: u8 = 0x18;
    pub(crate) const I16: u8 = 0x19;
    pub(crate) const I32: u8 = 0x1a;
    pub(crate) const I64: u8 = 0x1b;
    pub(crate) const I128: u8 = 0x1c;
    pub(crate) const F32: u8 = 0x20;
    pub(crate) const F64: u8 = 0x21;
    pub(crate) const CHAR: u8 = 0x22;
    pub(crate) const STR: u8 = 0x30;
    pub(crate) const BYTES: u8 = 0x31;
    pub(crate) const SEQ: u8 = 0x40;
    pub(crate) const MAP: u8 = 0x41;
    pub(crate) const SET: u8 = 0x42;
    pub(crate) const TUPLE: u8 = 0x43;
    pub(crate) const STRUCT: u8 = 0x44;
    pub(crate) const VARIANT: u8 = 0x45;
}

/// Bytes kept without an allocation; longer keys move to the heap.
const INLINE: usize = 120;

/// Collects the canonical bytes of a key.
///
/// Short keys (120 bytes or less) are written in place, without an allocation.
#[derive(Debug, Clone)]
pub struct KeyWriter {
    len: usize,
    inline: [u8; INLINE],
    spilled: Vec<u8>,
}

macro_rules! write_integer {
    ($($(#[$doc:meta])* $name:ident, $ty:ty, $kind:expr;)*) => {$(
        $(#[$doc])*
        #[inline]
        pub fn $name(&mut self, value: $ty) {
            let mut bytes = [0; 1 + size_of::<$ty>()];
            bytes[0] = $kind;
            bytes[1..].copy_from_slice(&value.to_be_bytes());
            self.push(&bytes);
        }
    )*};
}

impl KeyWriter {
    /// Starts an empty key.
    #[inline]
    #[must_use]
    pub const fn new() -> Self {
        Self { len: 0, inline: [0; INLINE], spilled: Vec::new() }
    }

    /// Returns what was written so far.
    #[inline]
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        if self.spilled.is_empty() { &self.inline[..self.len] } else { &self.spilled }
    }

    #[inline]
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        let end = self.len + bytes.len();
        if end <= INLINE && self.spilled.is_empty() {
            self.inline[self.len..end].copy_from_slice(bytes);
            self.len = end;
        } else {
            self.spill(bytes);
        }
    }

    #[cold]
    fn spill(&mut self, bytes: &[u8]) {
        if self.spilled.is_empty() {
            self.spilled.reserve(2 * INLINE + bytes.len());
            self.spilled.extend_from_slice(&self.inline[..self.len]);
        }
        self.spilled.extend_from_slice(bytes);
    }

    write_integer! {
        /// Writes a `u8`.
        write_u8, u8, kind::U8;
        /// Writes a `u16`.
        write_u16, u16, kind::U16;
        /// Writes a `u32`.
        write_u32, u32, kind::U32;
        /// Writes a `u64`; `usize` is written as one as well.
        write_u64, u64, kind::U64;
        /// Writes a `u128`.
        write_u128, u128, kind::U128;
        /// Writes an `i8`.
        write_i8, i8, kind::I8;
        /// Writes an `i16`.
        write_i16, i16, kind::I16;
        /// Writes an `i32`.
        write_i32, i32, kind::I32;
        /// Writes an `i64`; `isize` is written as one as well.
        write_i64, i64, kind::I64;
        /// Writes an `i128`.
        write_i128, i128, kind::I128;
    }

    /// Writes a `bool`.
    #[inline]
    pub fn write_bool(&mut self, value: bool) {
        self.push(&[if value { kind::TRUE } else { kind::FALSE }]);
    }

    /// Writes a string, whatever its owner.
    #[inline]
    pub fn write_str(&mut self, value: &str) {
        self.push(&[kind::STR]);
        self.push_len(value.len());
        self.push(value.as_bytes());
    }

    /// Writes a length or a count: 7 bits a byte, lowest first, high bit set on all but the last (LEB128).
    #[inline]
    pub(crate) fn push_len(&mut self, len: usize) {
        let mut rest = len;
        while rest >= 0x80 {
            self.push(&[(rest as u8) | 0x80]);
            rest >>= 7;
        }
        self.push(&[rest as u8]);
    }
}

impl Default for KeyWriter {
    fn default() -> Self {
        Self::new()
    }
}

/// Tells keys apart in messages without showing them; not used to find entries.
pub(crate) fn digest(bytes: &[u8]) -> u64 {
    // FNV-1a, 64 bit (draft-eastlake-fnv): stable between processes, so that log lines can be compared.
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

//! Where the canonical encoding of key parts is written: the buffer, and the values without parts of their own.
//!
//! Every value is a kind byte followed by a self-delimiting body, so a sequence of values can be read in one way only:
//! that is what makes the encoding injective. The byte values are frozen by the golden vectors. Numbers are big-endian.

use std::fmt;

use super::kind;
use crate::raw::bytes::Bytes;
use crate::raw::words::Words;

/// Collects the canonical bytes of a key.
///
/// Short keys (112 bytes or less) are written in place, without an allocation. Each `write_…` method appends one value, or
/// the head of one; see [`CacheKey`](crate::CacheKey) for the rules.
///
/// `Debug` shows the length in bytes and a digest, never the bytes, which may hold personal data.
///
/// # Examples
///
/// ```
/// use cachex::{CacheKey, KeyWriter};
///
/// let mut split_early = KeyWriter::new();
/// split_early.write_str("a");
/// split_early.write_str("bc");
///
/// let mut split_late = KeyWriter::new();
/// ("ab", "c").0.encode(&mut split_late);
/// split_late.write_str("c");
///
/// assert_ne!(split_early.as_bytes(), split_late.as_bytes());
/// ```
pub struct KeyWriter(Words);

macro_rules! write_integer {
    ($($(#[$doc:meta])* $name:ident, $ty:ty, $kind:expr;)*) => {$(
        $(#[$doc])*
        ///
        /// # Examples
        ///
        /// ```
        /// let mut out = cachex::KeyWriter::new();
        #[doc = concat!("out.", stringify!($name), "(7);")]
        #[doc = concat!("assert_eq!(out.as_bytes()[1..], 7_", stringify!($ty), ".to_be_bytes());")]
        /// ```
        #[inline(always)]
        pub fn $name(&mut self, value: $ty) {
            self.push_fixed($kind, &value.to_be_bytes());
        }
    )*};
}

impl KeyWriter {
    /// Starts an empty key.
    ///
    /// # Examples
    ///
    /// ```
    /// let out = cachex::KeyWriter::new();
    /// assert!(out.as_bytes().is_empty());
    /// ```
    #[inline]
    #[must_use]
    pub const fn new() -> Self {
        Self(Words::new())
    }

    /// Returns what was written so far.
    ///
    /// # Examples
    ///
    /// ```
    /// let mut out = cachex::KeyWriter::new();
    /// out.write_u8(7);
    /// assert_eq!(out.as_bytes(), [0x10, 7]);
    /// ```
    #[inline(always)]
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.bytes().as_slice()
    }

    #[inline(always)]
    pub(crate) fn bytes(&self) -> Bytes<'_> {
        self.0.bytes()
    }

    #[inline(always)]
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.0.push_slice(bytes);
    }

    #[inline(always)]
    pub(crate) fn push_byte(&mut self, byte: u8) {
        self.0.push(u64::from(byte), 1);
    }

    /// Pushes a kind byte and a length or a count: 7 bits a byte, lowest first, high bit set on all but the last (LEB128).
    #[inline(always)]
    pub(crate) fn push_counted(&mut self, kind: u8, count: usize) {
        if count < 0x80 {
            self.0.push(u64::from(kind) | (count as u64) << 8, 2);
        } else {
            self.push_byte(kind);
            self.push_long_count(count);
        }
    }

    fn push_long_count(&mut self, count: usize) {
        let mut rest = count;
        while rest >= 0x80 {
            self.push_byte((rest as u8) | 0x80);
            rest >>= 7;
        }
        self.push_byte(rest as u8);
    }

    /// Pushes a count that no kind byte precedes.
    #[inline]
    pub(crate) fn push_count(&mut self, count: usize) {
        if count < 0x80 { self.push_byte(count as u8) } else { self.push_long_count(count) }
    }

    /// Pushes a value of a fixed size.
    #[inline(always)]
    pub(crate) fn push_fixed<const N: usize>(&mut self, kind: u8, bytes: &[u8; N]) {
        if N > 8 {
            self.push_byte(kind);
            self.push(bytes);
            return;
        }
        let mut word = [0; 8];
        word[..N].copy_from_slice(bytes);
        self.0.push_after(kind, u64::from_le_bytes(word), N);
    }

    /// Pushes a whole number of seconds and the nanoseconds after it.
    #[inline]
    pub(crate) fn push_seconds(&mut self, kind: u8, seconds: [u8; 8], nanos: u32) {
        self.push_byte(kind);
        self.push(&seconds);
        self.push(&nanos.to_be_bytes());
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

    /// Writes an `f32` by its bits, with one zero (`-0.0` is written as `0.0`, to which it is equal) and one NaN.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::KeyWriter;
    ///
    /// let (mut zero, mut negative) = (KeyWriter::new(), KeyWriter::new());
    /// zero.write_f32(0.0);
    /// negative.write_f32(-0.0);
    /// assert_eq!(zero.as_bytes(), negative.as_bytes());
    /// ```
    #[inline]
    pub fn write_f32(&mut self, value: f32) {
        let canonical = if value.is_nan() { f32::from_bits(0x7fc0_0000) } else { value + 0.0 };
        self.push_fixed(kind::F32, &canonical.to_bits().to_be_bytes());
    }

    /// Writes an `f64` by its bits, with one zero (`-0.0` is written as `0.0`, to which it is equal) and one NaN.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::KeyWriter;
    ///
    /// let written = |value: f64| {
    ///     let mut out = KeyWriter::new();
    ///     out.write_f64(value);
    ///     out.as_bytes().to_vec()
    /// };
    /// assert_eq!(written(0.0), written(-0.0));
    /// assert_eq!(written(f64::NAN), written(-f64::NAN));
    /// assert_ne!(written(1.0), written(-1.0));
    /// ```
    #[inline]
    pub fn write_f64(&mut self, value: f64) {
        let canonical = if value.is_nan() { f64::from_bits(0x7ff8_0000_0000_0000) } else { value + 0.0 };
        self.push_fixed(kind::F64, &canonical.to_bits().to_be_bytes());
    }

    /// Writes a `bool`.
    ///
    /// # Examples
    ///
    /// ```
    /// let mut out = cachex::KeyWriter::new();
    /// out.write_bool(true);
    /// assert_eq!(out.as_bytes(), [0x02]);
    /// ```
    #[inline]
    pub fn write_bool(&mut self, value: bool) {
        self.push_byte(if value { kind::TRUE } else { kind::FALSE });
    }

    /// Writes a `char`.
    ///
    /// # Examples
    ///
    /// ```
    /// let mut out = cachex::KeyWriter::new();
    /// out.write_char('ä');
    /// assert_eq!(out.as_bytes(), [0x22, 0, 0, 0, 0xe4]);
    /// ```
    #[inline]
    pub fn write_char(&mut self, value: char) {
        self.push_fixed(kind::CHAR, &u32::from(value).to_be_bytes());
    }

    /// Writes a string, whatever its owner.
    ///
    /// # Examples
    ///
    /// ```
    /// let mut out = cachex::KeyWriter::new();
    /// out.write_str("ab");
    /// assert_eq!(out.as_bytes(), [0x30, 2, b'a', b'b']);
    /// ```
    #[inline(always)]
    pub fn write_str(&mut self, value: &str) {
        self.push_counted(kind::STR, value.len());
        self.push(value.as_bytes());
    }

    /// Writes bytes, whatever their owner; a slice of `u8` is written so.
    ///
    /// # Examples
    ///
    /// ```
    /// let mut out = cachex::KeyWriter::new();
    /// out.write_bytes(&[7, 8]);
    /// assert_eq!(out.as_bytes(), [0x31, 2, 7, 8]);
    /// ```
    #[inline]
    pub fn write_bytes(&mut self, value: &[u8]) {
        self.push_counted(kind::BYTES, value.len());
        self.push(value);
    }

    /// Writes what has one value only, such as `()`.
    ///
    /// # Examples
    ///
    /// ```
    /// let mut out = cachex::KeyWriter::new();
    /// out.write_unit();
    /// assert_eq!(out.as_bytes(), [0x00]);
    /// ```
    #[inline]
    pub fn write_unit(&mut self) {
        self.push_byte(kind::UNIT);
    }
}

impl Clone for KeyWriter {
    #[inline(always)]
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl Default for KeyWriter {
    #[inline(always)]
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for KeyWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.as_bytes();
        write!(f, "KeyWriter({} bytes, {:016x})", bytes.len(), digest(bytes))
    }
}

/// Tells keys apart in messages without showing them; not used to find entries.
pub(crate) fn digest(bytes: &[u8]) -> u64 {
    fnv1a(FNV_BASIS, bytes)
}

/// Where [`fnv1a`] starts.
pub(crate) const FNV_BASIS: u64 = 0xcbf2_9ce4_8422_2325;

/// FNV-1a, 64 bit (draft-eastlake-fnv): stable between processes and releases, and computable by the compiler.
pub(crate) const fn fnv1a(start: u64, bytes: &[u8]) -> u64 {
    let mut hash = start;
    let mut at = 0;
    while at < bytes.len() {
        hash = (hash ^ bytes[at] as u64).wrapping_mul(0x0100_0000_01b3);
        at += 1;
    }
    hash
}

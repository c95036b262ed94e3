//! Where the canonical encoding of key parts is written: the buffer, and the values without parts of their own.
//!
//! Every value is a kind byte followed by a self-delimiting body, so a sequence of values can be read in one way only:
//! that is what makes the encoding injective. The byte values are frozen by the golden vectors. Numbers are big-endian.

use std::fmt;

use super::bytes::KeyBytes;
use super::compare::Compared;
use super::hash::KeyHasher;
use super::{count, kind};

/// Takes the canonical bytes of a key, one value after the other.
///
/// Each `write_…` method appends one value, or the head of one; see [`CacheKey`](crate::CacheKey) for the rules. A
/// writer made by [`new`](Self::new) keeps the bytes. Those that a call of an annotated method makes for a look-up keep none: a key is
/// written once to be hashed and once to be compared with that of the entry found, and is not copied for it. (Sets and maps are,
/// to be put in order.)
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
// Where nothing is kept and nothing compared, the compiler leaves out what there is for it, as long as no function that is not part of
// this one is lent the writer. So what such functions need is given to them by value.
pub struct KeyWriter<'a> {
    /// In bytes.
    len: usize,
    /// Nothing where nobody asks for the hash.
    hasher: Option<KeyHasher>,
    compared: Compared<'a>,
    kept: Kept<'a>,
}

/// Where the bytes are kept.
enum Kept<'a> {
    Nowhere,
    Lent(&'a mut KeyBytes),
    // Boxed, so that who appends to it is not lent the writer.
    Here(Box<KeyBytes>),
}

impl Kept<'_> {
    #[inline(always)]
    fn bytes(&mut self) -> Option<&mut KeyBytes> {
        match self {
            Self::Nowhere => None,
            Self::Lent(bytes) => Some(bytes),
            Self::Here(bytes) => Some(bytes),
        }
    }
}

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
            self.put_fixed($kind, &value.to_be_bytes());
        }
    )*};
}

impl<'a> KeyWriter<'a> {
    /// Starts an empty key whose bytes are kept.
    ///
    /// # Examples
    ///
    /// ```
    /// let out = cachex::KeyWriter::new();
    /// assert!(out.as_bytes().is_empty());
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self::with(Some(KeyHasher::new()), Compared::with(&[]), Kept::Here(Box::new(KeyBytes::new())))
    }

    /// Starts an empty part of a key: its bytes are kept, and hashed when they are put into the key.
    pub(super) fn apart() -> Self {
        Self::with(None, Compared::with(&[]), Kept::Here(Box::new(KeyBytes::new())))
    }

    /// Starts an empty key whose bytes are kept in an empty list.
    pub(crate) fn keeping(bytes: &'a mut KeyBytes) -> Self {
        Self::with(Some(KeyHasher::new()), Compared::with(&[]), Kept::Lent(bytes))
    }

    /// Starts an empty key that is hashed only.
    #[inline(always)]
    pub(crate) fn hashing() -> Self {
        Self::with(Some(KeyHasher::new()), Compared::with(&[]), Kept::Nowhere)
    }

    /// Starts an empty key that is compared with the bytes of another one.
    #[inline(always)]
    pub(crate) fn comparing(bytes: &'a [u8]) -> Self {
        Self::with(None, Compared::with(bytes), Kept::Nowhere)
    }

    #[inline(always)]
    fn with(hasher: Option<KeyHasher>, compared: Compared<'a>, kept: Kept<'a>) -> Self {
        Self { len: 0, hasher, compared, kept }
    }

    /// Returns what was written so far. A writer that keeps nothing returns nothing.
    ///
    /// # Examples
    ///
    /// ```
    /// let mut out = cachex::KeyWriter::new();
    /// out.write_u8(7);
    /// assert_eq!(out.as_bytes(), [0x10, 7]);
    /// ```
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match &self.kept {
            Kept::Nowhere => &[],
            Kept::Lent(bytes) => bytes.as_slice(),
            Kept::Here(bytes) => bytes.as_slice(),
        }
    }

    /// Returns the number of bytes written so far.
    #[inline(always)]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Returns the hash of what was written as the key of a region.
    #[inline(always)]
    pub(crate) fn hash(&self, region: u32) -> u64 {
        self.hasher.as_ref().map_or(0, |hasher| hasher.finish(region))
    }

    /// Whether what was written is all that it was compared with.
    #[inline(always)]
    pub(crate) fn is_same(&self) -> bool {
        self.compared.is_same()
    }

    /// Keeps bytes, and compares them.
    #[inline(always)]
    fn put(&mut self, bytes: &[u8]) {
        self.len += bytes.len();
        self.compared.bytes(bytes);
        self.keep(bytes);
    }

    #[inline(always)]
    fn keep(&mut self, bytes: &[u8]) {
        if let Some(kept) = self.kept.bytes() {
            kept.push_slice(bytes);
        }
    }

    /// Keeps a kind and what follows it.
    #[inline(always)]
    fn keep_with<const N: usize>(&mut self, kind: u8, body: &[u8; N]) {
        if let Some(kept) = self.kept.bytes() {
            kept.push(kind, body);
        }
    }

    /// Writes values that were written elsewhere.
    pub(crate) fn put_written(&mut self, bytes: &[u8]) {
        if let Some(hasher) = &mut self.hasher {
            hasher.written(bytes);
        }
        self.put(bytes);
    }

    /// Writes a kind that says everything, or that comes before another value.
    #[inline(always)]
    pub(super) fn put_kind(&mut self, kind: u8) {
        self.put_fixed(kind, &[]);
    }

    /// Writes a value of a fixed size, big-endian.
    #[inline(always)]
    pub(super) fn put_fixed<const N: usize>(&mut self, kind: u8, body: &[u8; N]) {
        if let Some(hasher) = &mut self.hasher {
            hasher.kind(kind);
            hasher.fixed(body);
        }
        self.len += 1 + N;
        self.compared.fixed(kind, body);
        self.keep_with(kind, body);
    }

    /// Writes a whole number of seconds and the nanoseconds after it.
    #[inline(always)]
    pub(super) fn put_seconds(&mut self, kind: u8, seconds: [u8; 8], nanos: u32) {
        let mut body = [0; 12];
        body[..8].copy_from_slice(&seconds);
        body[8..].copy_from_slice(&nanos.to_be_bytes());
        self.put_fixed(kind, &body);
    }

    /// Writes a kind and a length or a count.
    #[inline(always)]
    pub(super) fn put_counted(&mut self, kind: u8, count: usize) {
        if let Some(hasher) = &mut self.hasher {
            hasher.counted(kind, count);
        }
        if count < 0x80 {
            self.len += 2;
            self.compared.fixed(kind, &[count as u8]);
            self.keep_with(kind, &[count as u8]);
        } else {
            self.put(&[kind]);
            self.put(count::write(count).bytes());
        }
    }

    /// Writes a count that no kind precedes.
    #[inline(always)]
    pub(super) fn put_count(&mut self, count: usize) {
        if let Some(hasher) = &mut self.hasher {
            hasher.count(count);
        }
        if count < 0x80 { self.put(&[count as u8]) } else { self.put(count::write(count).bytes()) }
    }

    /// Writes the bytes of a string, whose length was written.
    #[inline(always)]
    pub(super) fn put_text(&mut self, text: &[u8]) {
        if let Some(hasher) = &mut self.hasher {
            hasher.text(text);
        }
        self.put(text);
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
    #[inline(always)]
    pub fn write_f32(&mut self, value: f32) {
        let canonical = if value.is_nan() { f32::from_bits(0x7fc0_0000) } else { value + 0.0 };
        self.put_fixed(kind::F32, &canonical.to_bits().to_be_bytes());
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
    #[inline(always)]
    pub fn write_f64(&mut self, value: f64) {
        let canonical = if value.is_nan() { f64::from_bits(0x7ff8_0000_0000_0000) } else { value + 0.0 };
        self.put_fixed(kind::F64, &canonical.to_bits().to_be_bytes());
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
    #[inline(always)]
    pub fn write_bool(&mut self, value: bool) {
        self.put_kind(if value { kind::TRUE } else { kind::FALSE });
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
    #[inline(always)]
    pub fn write_char(&mut self, value: char) {
        self.put_fixed(kind::CHAR, &u32::from(value).to_be_bytes());
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
        self.put_counted(kind::STR, value.len());
        self.put_text(value.as_bytes());
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
    #[inline(always)]
    pub fn write_bytes(&mut self, value: &[u8]) {
        self.put_counted(kind::BYTES, value.len());
        self.put_text(value);
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
    #[inline(always)]
    pub fn write_unit(&mut self) {
        self.put_kind(kind::UNIT);
    }
}

impl Default for KeyWriter<'_> {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for KeyWriter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyWriter({} bytes, {:016x})", self.len, digest(self.as_bytes()))
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

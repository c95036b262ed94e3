//! The encoding of values that have parts: sequences, maps, tuples, structs, variants.

use super::writer::{FNV_BASIS, fnv1a};
use super::{CacheKey, KeyWriter, kind};

impl KeyWriter<'_> {
    /// Writes the "none" of an optional value.
    ///
    /// # Examples
    ///
    /// ```
    /// let mut out = cachex::KeyWriter::new();
    /// out.write_none();
    /// assert_eq!(out.as_bytes(), [0x03]);
    /// ```
    #[inline(always)]
    pub fn write_none(&mut self) {
        self.put_kind(kind::NONE);
    }

    /// Writes an optional value that is there.
    ///
    /// # Examples
    ///
    /// ```
    /// let mut out = cachex::KeyWriter::new();
    /// out.write_some("");
    /// assert_eq!(out.as_bytes(), [0x04, 0x30, 0]);
    /// ```
    #[inline(always)]
    pub fn write_some<T: CacheKey + ?Sized>(&mut self, value: &T) {
        self.put_kind(kind::SOME);
        value.encode(self);
    }

    /// Writes values whose order matters: their count, as the iterator tells it beforehand, then each.
    ///
    /// # Examples
    ///
    /// ```
    /// let mut out = cachex::KeyWriter::new();
    /// out.write_sequence([true, false]);
    /// assert_eq!(out.as_bytes(), [0x40, 2, 0x02, 0x01]);
    /// ```
    pub fn write_sequence<I>(&mut self, items: I)
    where
        I: IntoIterator<Item: CacheKey, IntoIter: ExactSizeIterator>,
    {
        let items = items.into_iter();
        self.put_counted(kind::SEQ, items.len());
        for item in items {
            item.encode(self);
        }
    }

    /// Writes values whose order does not matter: their count, then each, sorted by their bytes.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::KeyWriter;
    ///
    /// let (mut one, mut other) = (KeyWriter::new(), KeyWriter::new());
    /// one.write_set(["a", "b"]);
    /// other.write_set(["b", "a"]);
    /// assert_eq!(one.as_bytes(), other.as_bytes());
    /// ```
    pub fn write_set<T: CacheKey>(&mut self, items: impl IntoIterator<Item = T>) {
        let mut sorted = Sorted::new();
        for item in items {
            item.encode(&mut sorted.parts);
            sorted.end_part();
        }
        sorted.append_to(self, kind::SET);
    }

    /// Writes pairs whose order does not matter: their count, then each, sorted by their bytes.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::KeyWriter;
    ///
    /// let (mut one, mut other) = (KeyWriter::new(), KeyWriter::new());
    /// one.write_map([("a", 1), ("b", 2)]);
    /// other.write_map([("b", 2), ("a", 1)]);
    /// assert_eq!(one.as_bytes(), other.as_bytes());
    /// ```
    pub fn write_map<K: CacheKey, V: CacheKey>(&mut self, entries: impl IntoIterator<Item = (K, V)>) {
        let mut sorted = Sorted::new();
        for (key, value) in entries {
            key.encode(&mut sorted.parts);
            value.encode(&mut sorted.parts);
            sorted.end_part();
        }
        sorted.append_to(self, kind::MAP);
    }

    /// Writes the head of a tuple; write its `count` fields after it.
    ///
    /// # Examples
    ///
    /// ```
    /// let mut out = cachex::KeyWriter::new();
    /// out.write_tuple(2);
    /// out.write_bool(true);
    /// out.write_u8(7);
    /// assert_eq!(out.as_bytes(), [0x43, 2, 0x02, 0x10, 7]);
    /// ```
    #[inline(always)]
    pub fn write_tuple(&mut self, count: usize) {
        self.put_counted(kind::TUPLE, count);
    }

    /// Writes the head of a struct; write its fields after it, in the order of `fields`.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::{CacheKey, Key, KeyFields, KeyWriter};
    ///
    /// struct Range {
    ///     from: u32,
    ///     to: u32,
    /// }
    ///
    /// impl CacheKey for Range {
    ///     fn encode(&self, out: &mut KeyWriter<'_>) {
    ///         out.write_struct(const { KeyFields::new(&["from", "to"]) });
    ///         out.write_u32(self.from);
    ///         out.write_u32(self.to);
    ///     }
    /// }
    ///
    /// assert_ne!(Key::new("sum").part(&Range { from: 1, to: 2 }), Key::new("sum").part(&Range { from: 2, to: 1 }));
    /// ```
    #[inline(always)]
    pub fn write_struct(&mut self, fields: KeyFields) {
        self.put_fixed(kind::STRUCT, &fields.fingerprint.to_be_bytes());
        self.put_count(fields.count);
    }

    /// Writes the head of an enum's variant; write its `count` fields after it.
    ///
    /// The variant is known by its name, so variants may be added and reordered without a change of meaning.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::{CacheKey, Key, KeyWriter};
    ///
    /// enum Order {
    ///     Newest,
    ///     Near(i32, i32),
    /// }
    ///
    /// impl CacheKey for Order {
    ///     fn encode(&self, out: &mut KeyWriter<'_>) {
    ///         match self {
    ///             Order::Newest => out.write_variant("Newest", 0),
    ///             Order::Near(x, y) => {
    ///                 out.write_variant("Near", 2);
    ///                 x.encode(out);
    ///                 y.encode(out);
    ///             }
    ///         }
    ///     }
    /// }
    ///
    /// assert_eq!(Key::list("shops", &Order::Newest).text(), "list:shops(Newest)");
    /// assert_eq!(Key::list("shops", &Order::Near(1, 2)).text(), "list:shops(Near(1, 2))");
    /// ```
    #[inline(always)]
    pub fn write_variant(&mut self, name: &str, count: usize) {
        self.put_counted(kind::VARIANT, name.len());
        self.put_text(name.as_bytes());
        self.put_count(count);
    }
}

/// Names the fields of a struct, in their order: a struct with other fields has other keys.
///
/// Make it in a `const`, so that nothing is left to do at run time.
///
/// # Examples
///
/// ```
/// use cachex::KeyFields;
///
/// const FIELDS: KeyFields = KeyFields::new(&["city", "min_age"]);
/// assert_ne!(FIELDS, KeyFields::new(&["city", "max_age"]));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyFields {
    fingerprint: u64,
    count: usize,
}

impl KeyFields {
    /// Makes the fingerprint of `names`: 64 bits, stable between processes and releases.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::KeyFields;
    ///
    /// assert_eq!(KeyFields::new(&["x", "y"]), KeyFields::new(&["x", "y"]));
    /// assert_ne!(KeyFields::new(&["x", "y"]), KeyFields::new(&["y", "x"]));
    /// ```
    #[must_use]
    pub const fn new(names: &[&str]) -> Self {
        let mut fingerprint = FNV_BASIS;
        let mut at = 0;
        while at < names.len() {
            // 0xff stands in no name: it is not UTF-8.
            fingerprint = fnv1a(fnv1a(fingerprint, names[at].as_bytes()), &[0xff]);
            at += 1;
        }
        Self { fingerprint, count: names.len() }
    }
}

/// Encoded parts that are yet to be put in order.
struct Sorted {
    parts: KeyWriter<'static>,
    ends: Vec<usize>,
}

impl Sorted {
    fn new() -> Self {
        Self { parts: KeyWriter::apart(), ends: Vec::new() }
    }

    fn end_part(&mut self) {
        self.ends.push(self.parts.as_bytes().len());
    }

    // No part is the beginning of another (the encoding is prefix-free), so sorting pairs by all their bytes sorts them
    // by their keys first.
    fn append_to(self, out: &mut KeyWriter<'_>, kind: u8) {
        out.put_counted(kind, self.ends.len());
        let bytes = self.parts.as_bytes();
        let mut start = 0;
        let mut parts: Vec<&[u8]> =
            self.ends.iter().map(|&end| &bytes[std::mem::replace(&mut start, end)..end]).collect();
        parts.sort_unstable();
        for part in parts {
            out.put_written(part);
        }
    }
}

//! Keys read back from their bytes, for people and for removal by pattern.

use std::fmt::Write;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use super::{Key, count, kind, pattern};
use crate::method::Region;

/// Bytes of text after which [`Key::text`] is cut.
const LONGEST: usize = 16 * 1024;

/// Values inside of values that are still shown; what lies deeper is shown as bytes.
const DEEPEST: u32 = 32;

impl Key {
    /// Renders the key for people: the method, or the name of a manual key, and the arguments.
    ///
    /// The text shows the arguments, so it may hold personal data; `Debug` does not show it. It is not a key itself: two
    /// keys may have one text (`1_u8` and `1_u64` both show as `1`). Structs show without names, bytes in hexadecimal, and so
    /// does what can't be read. Text over 16 KiB is cut, and ends in `…`.
    ///
    /// # Examples
    ///
    /// ```
    /// use cachex::Key;
    ///
    /// let key = Key::new("find").part(&7).part("x").part(&None::<u8>).part(&[1, 2]);
    /// assert_eq!(key.text(), r#"find(7, "x", None, [1, 2])"#);
    /// ```
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = render(self.region, self.bytes());
        if text.len() > LONGEST {
            let end = (0..=LONGEST).rev().find(|&end| text.is_char_boundary(end)).unwrap_or(0);
            text.truncate(end);
            text.push('…');
        }
        text
    }

    /// Returns the [`text`](Self::text), uncut.
    #[cfg(all(test, feature = "remote"))]
    pub(crate) fn whole_text(&self) -> String {
        render(self.region, self.bytes())
    }

    /// Returns whether the whole [`text`](Self::text), uncut, fits a glob pattern.
    pub(crate) fn matches(&self, pattern: &str) -> bool {
        pattern::matches(pattern, &render(self.region, self.bytes()))
    }
}

/// Renders any bytes, however they came about.
fn render(region: &'static Region, bytes: &[u8]) -> String {
    let mut reader = Reader { rest: bytes, out: String::with_capacity(region.name().len() + 2 * bytes.len()) };
    if region.id() != Region::manual().id() {
        reader.out.push_str(region.name());
        reader.arguments();
    } else if reader.manual_head().is_some() {
        if !reader.rest.is_empty() {
            reader.arguments();
        }
    } else {
        reader.out.clear();
        reader.out.push_str(region.name());
        reader.rest = bytes;
        reader.arguments();
    }
    reader.out
}

/// Reads values off the front of `rest` and writes their text to `out`; `None` means that the bytes are no value.
struct Reader<'a> {
    rest: &'a [u8],
    out: String,
}

impl<'a> Reader<'a> {
    fn manual_head(&mut self) -> Option<()> {
        let (&first, after) = self.rest.split_first()?;
        let scheme = match first {
            kind::STR => "",
            kind::ENTITY => "entity:",
            kind::LIST => "list:",
            kind::COMPOSITE => "composite:",
            kind::SESSION => {
                self.rest = after;
                self.out.push_str("session");
                return Some(());
            }
            _ => return None,
        };
        if first != kind::STR {
            self.rest = after;
        }
        let [kind::STR] = self.fixed::<1>()? else { return None };
        let name = self.string()?;
        self.out.push_str(scheme);
        self.out.push_str(name);
        Some(())
    }

    fn arguments(&mut self) {
        self.out.push('(');
        let mut separator = "";
        while !self.rest.is_empty() {
            self.out.push_str(std::mem::replace(&mut separator, ", "));
            let (rest, length) = (self.rest, self.out.len());
            if self.value(0).is_none() {
                self.out.truncate(length);
                self.hex(rest);
                self.rest = &[];
            }
        }
        self.out.push(')');
    }

    fn value(&mut self, depth: u32) -> Option<()> {
        let [kind] = self.fixed()?;
        match kind {
            kind::NONE => self.out.push_str("None"),
            kind::SOME if depth == DEEPEST => return None,
            kind::SOME => {
                self.out.push_str("Some(");
                self.value(depth + 1)?;
                self.out.push(')');
            }
            kind::SEQ => self.list(depth, '[', ']')?,
            kind::SET => self.list(depth, '{', '}')?,
            kind::TUPLE => self.list(depth, '(', ')')?,
            kind::MAP => self.map(depth)?,
            kind::STRUCT => {
                self.fixed::<8>()?;
                self.list(depth, '{', '}')?;
            }
            kind::VARIANT => {
                let name = self.string()?;
                self.out.push_str(name);
                match self.rest.first() {
                    Some(0) => self.rest = &self.rest[1..],
                    _ => self.list(depth, '(', ')')?,
                }
            }
            _ => self.leaf(kind)?,
        }
        Some(())
    }

    fn list(&mut self, depth: u32, open: char, close: char) -> Option<()> {
        let count = self.count()?;
        if depth == DEEPEST {
            return None;
        }
        self.out.push(open);
        for at in 0..count {
            if at > 0 {
                self.out.push_str(", ");
            }
            self.value(depth + 1)?;
        }
        self.out.push(close);
        Some(())
    }

    fn map(&mut self, depth: u32) -> Option<()> {
        let count = self.count()?;
        if depth == DEEPEST {
            return None;
        }
        self.out.push('{');
        for at in 0..count {
            if at > 0 {
                self.out.push_str(", ");
            }
            self.value(depth + 1)?;
            self.out.push_str(": ");
            self.value(depth + 1)?;
        }
        self.out.push('}');
        Some(())
    }

    /// Shows a value without parts.
    fn leaf(&mut self, kind: u8) -> Option<()> {
        match kind {
            kind::UNIT => self.show("()"),
            kind::FALSE => self.show(false),
            kind::TRUE => self.show(true),
            kind::U8 => self.fixed().map(u8::from_be_bytes).map(|number| self.show(number))?,
            kind::U16 => self.fixed().map(u16::from_be_bytes).map(|number| self.show(number))?,
            kind::U32 => self.fixed().map(u32::from_be_bytes).map(|number| self.show(number))?,
            kind::U64 => self.fixed().map(u64::from_be_bytes).map(|number| self.show(number))?,
            kind::U128 => self.fixed().map(u128::from_be_bytes).map(|number| self.show(number))?,
            kind::I8 => self.fixed().map(i8::from_be_bytes).map(|number| self.show(number))?,
            kind::I16 => self.fixed().map(i16::from_be_bytes).map(|number| self.show(number))?,
            kind::I32 => self.fixed().map(i32::from_be_bytes).map(|number| self.show(number))?,
            kind::I64 => self.fixed().map(i64::from_be_bytes).map(|number| self.show(number))?,
            kind::I128 => self.fixed().map(i128::from_be_bytes).map(|number| self.show(number))?,
            kind::F32 => self.fixed().map(f32::from_be_bytes).map(|number| self.show(format_args!("{number:?}")))?,
            kind::F64 => self.fixed().map(f64::from_be_bytes).map(|number| self.show(format_args!("{number:?}")))?,
            kind::CHAR => {
                let character = char::from_u32(u32::from_be_bytes(self.fixed()?))?;
                self.show(format_args!("{character:?}"));
            }
            kind::STR => {
                let text = self.string()?;
                self.show(format_args!("{text:?}"));
            }
            kind::BYTES => {
                let count = self.count()?;
                let bytes = self.take(count)?;
                self.hex(bytes);
            }
            _ => self.named_leaf(kind)?,
        }
        Some(())
    }

    /// Shows a value that has a customary notation.
    fn named_leaf(&mut self, kind: u8) -> Option<()> {
        match kind {
            kind::DURATION => {
                let (seconds, nanos) = (u64::from_be_bytes(self.fixed()?), self.nanos()?);
                self.show(format_args!("{:?}", Duration::new(seconds, nanos)));
            }
            // Seconds since 1970, as `date -d` takes them.
            kind::INSTANT => {
                let (seconds, nanos) = (i64::from_be_bytes(self.fixed()?), u32::from_be_bytes(self.fixed()?));
                self.show(format_args!("@{seconds}.{nanos:09}"));
            }
            kind::IPV4 => self.fixed::<4>().map(Ipv4Addr::from).map(|address| self.show(address))?,
            kind::IPV6 => self.fixed::<16>().map(Ipv6Addr::from).map(|address| self.show(address))?,
            kind::UUID => {
                let digits = format!("{:032x}", u128::from_be_bytes(self.fixed()?));
                let (a, b, c, d, e) = (&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]);
                self.show(format_args!("{a}-{b}-{c}-{d}-{e}"));
            }
            kind::DECIMAL => {
                let (mantissa, [scale]) = (i128::from_be_bytes(self.fixed()?), self.fixed()?);
                let scale = usize::from(scale);
                let digits = format!("{:0>width$}", mantissa.unsigned_abs(), width = scale + 1);
                let (whole, fraction) = digits.split_at(digits.len() - scale);
                let sign = if mantissa < 0 { "-" } else { "" };
                let point = if fraction.is_empty() { "" } else { "." };
                self.show(format_args!("{sign}{whole}{point}{fraction}"));
            }
            _ => return None,
        }
        Some(())
    }

    fn show(&mut self, value: impl std::fmt::Display) {
        write!(self.out, "{value}").expect("a `String` takes any text");
    }

    fn hex(&mut self, bytes: &[u8]) {
        self.out.push_str("0x");
        for byte in bytes {
            for digit in [byte >> 4, byte & 0xf] {
                self.out.push(char::from(b"0123456789abcdef"[usize::from(digit)]));
            }
        }
    }

    fn string(&mut self) -> Option<&'a str> {
        let count = self.count()?;
        std::str::from_utf8(self.take(count)?).ok()
    }

    fn nanos(&mut self) -> Option<u32> {
        Some(u32::from_be_bytes(self.fixed()?)).filter(|nanos| *nanos < 1_000_000_000)
    }

    fn count(&mut self) -> Option<usize> {
        let (count, rest) = count::read(self.rest)?;
        self.rest = rest;
        Some(count)
    }

    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(taken)
    }

    fn fixed<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(*taken)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1024))]

        #[test]
        fn any_bytes_have_a_text(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let text = Key::from_parts(Region::manual(), &bytes).text();
            prop_assert!(!text.is_empty() || bytes == [kind::STR, 0]);
            prop_assert!(text.len() <= LONGEST + '…'.len_utf8());
        }

        // Bytes near those of a real key reach further into the reader than random ones.
        #[test]
        fn any_kinds_have_a_text(
            kinds in proptest::collection::vec(prop_oneof![0x00_u8..0x05, 0x10_u8..0x32, 0x40_u8..0x54, Just(0xff)], 0..200),
        ) {
            let key = Key::from_parts(Region::manual(), &[&[kind::STR, 1, b'k'], &kinds[..]].concat());
            let text = key.text();
            prop_assert!(text.starts_with('k') && (kinds.is_empty() || text.ends_with(')')));
            prop_assert!(key.matches("k*"));
        }
    }

    #[test]
    fn what_is_no_value_shows_in_hexadecimal() {
        let head = [kind::STR, 1, b'k'];
        let cases: [(&[u8], &str); 6] = [
            (&[kind::TRUE, 0xfe, 0x01], "k(true, 0xfe01)"),
            (&[kind::U32, 0, 0], "k(0x120000)"),
            (&[kind::STR, 2, 0xff, 0xff], "k(0x3002ffff)"),
            (&[kind::SEQ, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f], "k(0x40ffffffffffffffffff7f)"),
            (&[kind::CHAR, 0, 0, 0xd8, 0], "k(0x220000d800)"),
            (
                &[kind::DURATION, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
                "k(0x23ffffffffffffffffffffffff)",
            ),
        ];
        for (bytes, expected) in cases {
            assert_eq!(Key::from_parts(Region::manual(), &[&head, bytes].concat()).text(), expected);
        }
        assert_eq!(Key::from_parts(Region::manual(), &[]).text(), "manual()");
        assert_eq!(Key::from_parts(Region::manual(), &[0xee]).text(), "manual(0xee)");
    }

    #[test]
    fn a_deep_value_is_cut_off_without_recursing_further() {
        let key = Key::from_parts(Region::manual(), &[&[kind::STR, 1, b'k'][..], &vec![kind::SOME; 100_000]].concat());
        assert!(key.text().starts_with("k(0x0404"));
        assert!(key.text().ends_with('…'));
    }

    #[test]
    fn a_long_text_is_cut_but_a_pattern_sees_all_of_it() {
        let key = Key::new("page").part(&"é".repeat(LONGEST)).part("end");
        assert!(key.text().ends_with('…'));
        assert!(key.matches(r#"page(*"end")"#));
        assert!(!key.matches(r#"page(*"start")"#));
    }
}

//! Single values: what a source says for a key goes in, a typed value or what to write instead comes out.

use std::time::Duration;

use super::tree::Value;
use crate::error::nearest;
use crate::policy::Jitter;

impl Value {
    /// Reads text.
    pub(super) fn text(&self) -> Result<String, String> {
        match self {
            Self::Text(text) | Self::Plain(text) => Ok(text.clone()),
            other => Err(format!("is not text: {}, write for example \"shop\"", other.kind())),
        }
    }

    /// Reads a number of things.
    pub(super) fn count(&self) -> Result<u64, String> {
        let mend = "write for example 100_000";
        let number = match self {
            Self::Number(number) => *number,
            Self::Plain(text) => {
                let digits = text.trim().replace('_', "");
                digits.parse().map_err(|_| format!("is not a number: `{text}`, {mend}"))?
            }
            other => return Err(format!("is not a number: {}, {mend}", other.kind())),
        };
        u64::try_from(number).map_err(|_| format!("is out of range: {number}, {mend}"))
    }

    /// Reads true or false.
    pub(super) fn flag(&self) -> Result<bool, String> {
        match self {
            Self::Flag(flag) => Ok(*flag),
            Self::Plain(text) if text == "true" => Ok(true),
            Self::Plain(text) if text == "false" => Ok(false),
            Self::Plain(text) => Err(format!("is not true or false: `{text}`, write `true` or `false`")),
            other => Err(format!("is not true or false: {}, write `true` or `false`", other.kind())),
        }
    }

    /// Reads a span of time, such as "5m" or "1h 30m".
    pub(super) fn span(&self) -> Result<Duration, String> {
        match self {
            Self::Text(text) | Self::Plain(text) => span(text),
            Self::Number(number) => Err(no_unit(*number)),
            other => Err(format!("is not a duration: {}, write for example \"5m\"", other.kind())),
        }
    }

    /// Reads a jitter: "10%" of the TTL, or a span of time.
    pub(super) fn jitter(&self) -> Result<Jitter, String> {
        let (Self::Text(text) | Self::Plain(text)) = self else {
            return Err(format!("is not a jitter: {}, write for example \"10%\" or \"30s\"", self.kind()));
        };
        let Some(percent) = text.trim().strip_suffix('%') else {
            return span(text).map(Jitter::Span);
        };
        match percent.trim_end().parse::<f64>() {
            Ok(percent) if percent.is_finite() => Ok(Jitter::Share(percent / 100.0)),
            _ => Err(format!("is not a percentage: `{text}`, write for example \"10%\"")),
        }
    }

    /// Reads a number of bytes, such as "256MiB".
    pub(super) fn bytes(&self) -> Result<u64, String> {
        match self {
            Self::Text(text) | Self::Plain(text) => bytes(text),
            Self::Number(number) => u64::try_from(*number).map_err(|_| format!("is out of range: {number}")),
            other => Err(format!("is not a size: {}, write for example \"256MiB\"", other.kind())),
        }
    }

    /// Reads the mode of a file: octal digits.
    pub(super) fn mode(&self) -> Result<u32, String> {
        let mend = "write its octal digits in quotes, for example \"0600\"";
        let (Self::Text(text) | Self::Plain(text)) = self else {
            return Err(format!("is not the mode of a file: {}, {mend}", self.kind()));
        };
        let digits = text.trim().strip_prefix("0o").unwrap_or(text.trim());
        let mode = u32::from_str_radix(digits, 8).ok().filter(|mode| *mode <= 0o7777 && !digits.starts_with('+'));
        mode.ok_or_else(|| format!("is not the mode of a file: `{text}`, {mend}"))
    }

    /// Reads one name of several.
    pub(super) fn name_of<T: Copy>(&self, what: &str, names: &[(&'static str, T)]) -> Result<T, String> {
        let text = self.text()?;
        if let Some((_, value)) = names.iter().find(|(name, _)| *name == text) {
            return Ok(*value);
        }
        let known = names.iter().map(|(name, _)| *name);
        Err(match nearest(&text, known.clone()) {
            Some(name) => format!("is not {what}: `{text}`, did you mean \"{name}\"?"),
            None => {
                let all: Vec<_> = known.map(|name| format!("\"{name}\"")).collect();
                format!("is not {what}: `{text}`, write one of {}", all.join(", "))
            }
        })
    }

    /// Names the kind of value for a message.
    pub(super) fn kind(&self) -> String {
        match self {
            Self::Text(_) => "text in quotes".to_owned(),
            Self::Number(number) => format!("the number {number}"),
            Self::Flag(flag) => format!("`{flag}`"),
            Self::Plain(text) if text.is_empty() => "nothing".to_owned(),
            Self::Plain(text) => format!("`{text}`"),
            Self::Table(_) => "a table".to_owned(),
            Self::Other(kind) => (*kind).to_owned(),
        }
    }
}

fn span(text: &str) -> Result<Duration, String> {
    if let Ok(number) = text.trim().parse() {
        return Err(no_unit(number));
    }
    humantime::parse_duration(text.trim())
        .map_err(|error| format!("is not a duration: `{text}` ({error}), write for example \"5m\""))
}

fn no_unit(number: i128) -> String {
    format!("is not a duration: {number} has no unit, write for example \"{number}s\"")
}

/// Bytes in one of each unit: the decimal ones are powers of 1000, the binary ones of 1024.
const UNITS: [(&str, u64); 9] = [
    ("b", 1),
    ("kb", 1000),
    ("mb", 1_000_000),
    ("gb", 1_000_000_000),
    ("tb", 1_000_000_000_000),
    ("kib", 1 << 10),
    ("mib", 1 << 20),
    ("gib", 1 << 30),
    ("tib", 1 << 40),
];

fn bytes(text: &str) -> Result<u64, String> {
    let wrong = || format!("is not a size: `{text}`, write for example \"256MiB\"");
    let written = text.trim();
    let end = written.find(|c: char| !c.is_ascii_digit() && c != '_').unwrap_or(written.len());
    let (digits, unit) = written.split_at(end);
    let number: u64 = digits.replace('_', "").parse().map_err(|_| wrong())?;
    let unit = unit.trim().to_lowercase();
    let size = if unit.is_empty() {
        1
    } else {
        UNITS.iter().find(|(name, _)| *name == unit).map(|(_, size)| *size).ok_or_else(wrong)?
    };
    number.checked_mul(size).ok_or_else(|| format!("is out of range: `{text}`, write a smaller size"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    fn plain(text: &str) -> Value {
        Value::Plain(text.to_owned())
    }

    #[test]
    fn a_size_has_decimal_and_binary_units() {
        let check = |written: &str, bytes: u64| assert_eq!(text(written).bytes(), Ok(bytes), "{written}");
        check("512", 512);
        check("1kB", 1000);
        check("256MiB", 256 << 20);
        check(" 1_000 b ", 1000);
        check("2 GB", 2_000_000_000);
        assert_eq!(Value::Number(7).bytes(), Ok(7));
    }

    #[test]
    fn a_wrong_size_says_how_to_write_one() {
        let check = |value: Value, message: &str| assert_eq!(value.bytes().unwrap_err(), message);
        check(text("256 MiBs"), "is not a size: `256 MiBs`, write for example \"256MiB\"");
        check(text("MiB"), "is not a size: `MiB`, write for example \"256MiB\"");
        check(text("-1MiB"), "is not a size: `-1MiB`, write for example \"256MiB\"");
        check(text("99999999TiB"), "is out of range: `99999999TiB`, write a smaller size");
        check(Value::Flag(true), "is not a size: `true`, write for example \"256MiB\"");
    }

    #[test]
    fn a_duration_has_a_unit() {
        assert_eq!(text("1h 30m").span(), Ok(Duration::from_secs(5400)));
        assert_eq!(plain("5m").span(), Ok(Duration::from_secs(300)));
        let message = "is not a duration: 300 has no unit, write for example \"300s\"";
        assert_eq!(Value::Number(300).span().unwrap_err(), message);
        assert_eq!(text("300").span().unwrap_err(), message);
        assert!(text("5 parsecs").span().unwrap_err().starts_with("is not a duration: `5 parsecs` ("));
        assert!(text("").span().unwrap_err().ends_with("write for example \"5m\""));
    }

    #[test]
    fn a_duration_beyond_all_numbers_is_a_message() {
        assert!(text("99999999999999999999years").span().is_err());
        assert!(text("999999999999999years").span().is_err());
    }

    #[test]
    fn a_jitter_is_a_share_or_a_span() {
        assert_eq!(text("10%").jitter(), Ok(Jitter::Share(0.1)));
        assert_eq!(text("30s").jitter(), Ok(Jitter::Span(Duration::from_secs(30))));
        let message = "is not a percentage: `nan%`, write for example \"10%\"";
        assert_eq!(text("nan%").jitter().unwrap_err(), message);
        assert!(Value::Number(10).jitter().unwrap_err().contains("\"10%\" or \"30s\""));
    }

    #[test]
    fn a_count_is_a_whole_number_from_zero() {
        assert_eq!(plain("100_000").count(), Ok(100_000));
        assert_eq!(Value::Number(-1).count().unwrap_err(), "is out of range: -1, write for example 100_000");
        assert_eq!(plain("many").count().unwrap_err(), "is not a number: `many`, write for example 100_000");
        assert_eq!(text("5").count().unwrap_err(), "is not a number: text in quotes, write for example 100_000");
    }
}

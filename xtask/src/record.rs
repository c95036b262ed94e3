//! What a hit cost when the record was made: counts go in, whether they are as recorded comes out.

use std::collections::BTreeMap;
use std::fmt::Write;

use toml::de::DeTable;

/// How much a count may be off, in percent of what is recorded: compilers and C libraries differ by less.
const TOLERANCE: u64 = 10;
const RENEW: &str = "cargo xtask instructions --write";

/// Instructions of a hit, by case.
pub(crate) type Counts = BTreeMap<String, u64>;

/// The recorded counts, by architecture.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Record(BTreeMap<String, Counts>);

impl Record {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let table = DeTable::parse(text).map_err(|error| format!("the record is not TOML: {error}"))?;
        let mut record = Self::default();
        for (architecture, section) in table.get_ref() {
            let name = architecture.get_ref();
            let section = section.get_ref().as_table().ok_or_else(|| format!("`{name}` is no table"))?;
            for (case, count) in section {
                let case = case.get_ref();
                let digits = count.get_ref().as_integer().map(|integer| integer.as_str().parse().ok());
                let count = digits.flatten().ok_or_else(|| format!("`{name}.{case}` is no count"))?;
                record.0.entry(name.to_string()).or_default().insert(case.to_string(), count);
            }
        }
        Ok(record)
    }

    /// Takes new counts for one architecture.
    pub(crate) fn renew(&mut self, architecture: &str, counts: Counts) {
        self.0.insert(architecture.to_owned(), counts);
    }

    /// Writes the file that [`parse`](Self::parse) reads.
    pub(crate) fn text(&self) -> String {
        let mut text = format!("# Instructions of a hit, as callgrind counts them. Made by `{RENEW}`.\n");
        for (architecture, counts) in &self.0 {
            // A `String` takes all that is written.
            let _ = writeln!(text, "\n[{architecture}]");
            for (case, count) in counts {
                let _ = writeln!(text, "{case} = {count}");
            }
        }
        text
    }

    /// Compares counts with those recorded: says how they differ, or what is wrong.
    pub(crate) fn compare(&self, architecture: &str, counts: &Counts) -> Result<String, String> {
        let nothing = Counts::new();
        let recorded = self.0.get(architecture).unwrap_or(&nothing);
        let mut mistakes: Vec<_> = counts
            .iter()
            .filter_map(|(case, count)| mistake(case, *count, recorded.get(case).copied(), architecture))
            .collect();
        let gone = recorded.keys().filter(|case| !counts.contains_key(*case));
        mistakes.extend(gone.map(|case| format!("`{case}` is recorded, and there is no such case; type: {RENEW}")));
        if !mistakes.is_empty() {
            return Err(mistakes.join("\n"));
        }
        let lines = counts.iter().map(|(case, count)| format!("{case:<14} {count:>5}, recorded {:>5}", recorded[case]));
        Ok(lines.collect::<Vec<_>>().join("\n"))
    }
}

/// Returns what is wrong with the count of a case.
fn mistake(case: &str, count: u64, recorded: Option<u64>, architecture: &str) -> Option<String> {
    let Some(recorded) = recorded else {
        return Some(format!(
            "`{case}` takes {count} instructions, and none are recorded for {architecture}; type: {RENEW}"
        ));
    };
    let share = count * 100;
    if share > recorded * (100 + TOLERANCE) {
        return Some(format!(
            "a hit of `{case}` takes {count} instructions, recorded are {recorded}; find what was added to the path of a \
             hit, or if it is worth its price, type: {RENEW}"
        ));
    }
    (share < recorded * (100 - TOLERANCE)).then(|| {
        format!(
            "a hit of `{case}` takes only {count} instructions, recorded are {recorded}; to keep it so, type: {RENEW}"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORD: &str = "[x86_64]\nnumber = 200\n";

    fn check(counts: &[(&str, u64)], expected: Result<&str, &str>) {
        let counts = counts.iter().map(|(case, count)| ((*case).to_owned(), *count)).collect();
        let compared = Record::parse(RECORD).unwrap().compare("x86_64", &counts);
        assert_eq!(compared.as_deref().map_err(String::as_str), expected);
    }

    #[test]
    fn a_count_within_the_tolerance_passes() {
        check(&[("number", 220)], Ok("number           220, recorded   200"));
        check(&[("number", 180)], Ok("number           180, recorded   200"));
    }

    #[test]
    fn a_count_beyond_the_tolerance_fails_either_way() {
        let more = "a hit of `number` takes 221 instructions, recorded are 200; find what was added to the path of a hit, \
                    or if it is worth its price, type: cargo xtask instructions --write";
        check(&[("number", 221)], Err(more));
        let less = "a hit of `number` takes only 179 instructions, recorded are 200; to keep it so, type: cargo xtask \
                    instructions --write";
        check(&[("number", 179)], Err(less));
    }

    #[test]
    fn every_case_is_recorded_and_every_record_a_case() {
        let wrong = "`text` takes 250 instructions, and none are recorded for x86_64; type: cargo xtask instructions --write\n\
                     `number` is recorded, and there is no such case; type: cargo xtask instructions --write";
        check(&[("text", 250)], Err(wrong));
        let counts = Counts::from([("number".to_owned(), 200)]);
        let wrong = Record::parse(RECORD).unwrap().compare("aarch64", &counts).unwrap_err();
        assert!(wrong.contains("none are recorded for aarch64"), "{wrong}");
    }

    #[test]
    fn what_is_written_is_read() {
        let mut record = Record::parse(RECORD).unwrap();
        record.renew("aarch64", Counts::from([("number".to_owned(), 190), ("text".to_owned(), 240)]));
        assert_eq!(Record::parse(&record.text()), Ok(record));
    }

    #[test]
    fn what_is_no_record_is_refused() {
        assert_eq!(Record::parse("number = 200").unwrap_err(), "`number` is no table");
        assert_eq!(Record::parse("[x86_64]\nnumber = \"200\"").unwrap_err(), "`x86_64.number` is no count");
    }
}

//! What a suite returns: rows, shown as a table and kept as JSON.

use std::borrow::Cow;
use std::path::Path;

use serde::{Deserialize, Serialize};

/// A word, mostly one that the program says itself.
pub(crate) type Name = Cow<'static, str>;

/// One figure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) suite: Name,
    /// What is done.
    pub(crate) case: Name,
    /// By whom, or to what.
    pub(crate) subject: Name,
    /// How many threads do it at once.
    pub(crate) threads: usize,
    /// On how many entries, or methods.
    pub(crate) entries: usize,
    pub(crate) value: f64,
    pub(crate) unit: Name,
}

/// Writes rows as a table; beside each figure is that of cachex in its proportion, or for percentages their difference.
pub(crate) fn table(rows: &[Row]) -> String {
    let width = |heading: &str, of: fn(&Row) -> &str| {
        rows.iter().map(|row| of(row).chars().count()).fold(heading.len(), usize::max) + 2
    };
    let (suites, cases) = (width("suite", |row| &row.suite), width("case", |row| &row.case));
    let (subjects, units) = (width("subject", |row| &row.subject), width("unit", |row| &row.unit));
    let mut table = format!(
        "{:<suites$}{:<cases$}{:<subjects$}{:>7} {:>9} {:>15} {:<units$}{}\n",
        "suite", "case", "subject", "threads", "entries", "value", "unit", "cachex is"
    );
    for row in rows {
        let Row { suite, case, subject, threads, entries, value, unit } = row;
        let line = format!(
            "{suite:<suites$}{case:<cases$}{subject:<subjects$}{threads:>7} {entries:>9} {value:>15.3} {unit:<units$}"
        );
        table.push_str((line + &comparison(row, rows)).trim_end());
        table.push('\n');
    }
    table
}

/// Compares a peer's figure with that of cachex in the same case; empty where there is none.
fn comparison(row: &Row, rows: &[Row]) -> String {
    let case = |row: &Row| (row.suite.clone(), row.case.clone(), row.threads, row.entries, row.unit.clone());
    match rows.iter().find(|other| other.subject == "cachex" && case(other) == case(row)) {
        Some(ours) if ours == row => String::new(),
        Some(ours) if row.unit == "%" => format!("{:+.2} points", ours.value - row.value),
        Some(_) if row.value == 0.0 => String::new(),
        Some(ours) => format!("{:.2}x", ours.value / row.value),
        None => String::new(),
    }
}

/// Writes rows to a file, as a JSON array.
pub(crate) fn write_json(path: &Path, rows: &[Row]) -> Result<(), String> {
    let json = serde_json::to_string_pretty(rows).map_err(|error| format!("the rows can't be written: {error}"))?;
    std::fs::write(path, json + "\n").map_err(|error| format!("{} can't be written: {error}", path.display()))
}

/// Reads rows from a file that [`write_json`] has written.
pub(crate) fn read_json(path: &Path) -> Result<Vec<Row>, String> {
    let json = std::fs::read_to_string(path).map_err(|error| format!("{} can't be read: {error}", path.display()))?;
    serde_json::from_str(&json).map_err(|error| format!("{} has no rows: {error}", path.display()))
}

/// Returns the middle of some values; of an even number, the mean of the two in the middle.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    let half = values.len() / 2;
    match values.len() {
        0 => f64::NAN,
        odd if odd % 2 == 1 => values[half],
        _ => f64::midpoint(values[half - 1], values[half]),
    }
}

/// Returns the least of some values.
pub(crate) fn best(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::INFINITY, f64::min)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(subject: &'static str, threads: usize, value: f64, unit: &'static str) -> Row {
        Row {
            suite: "hit".into(),
            case: "uniform".into(),
            subject: subject.into(),
            threads,
            entries: 10,
            value,
            unit: unit.into(),
        }
    }

    #[test]
    fn a_peer_is_compared_with_cachex_in_the_same_case() {
        let rows = [row("cachex", 2, 90.0, "ns"), row("cachex", 1, 30.0, "ns"), row("peer", 1, 60.0, "ns")];
        assert_eq!(rows.each_ref().map(|row| comparison(row, &rows)), ["", "", "0.50x"]);
        let rows = [row("cachex", 1, 90.5, "%"), row("peer", 1, 91.0, "%"), row("peer", 2, 91.0, "%")];
        assert_eq!(rows.each_ref().map(|row| comparison(row, &rows)), ["", "-0.50 points", ""]);
        let rows = [row("cachex", 1, 1.0, "allocs"), row("peer", 1, 0.0, "allocs")];
        assert_eq!(rows.each_ref().map(|row| comparison(row, &rows)), ["", ""]);
    }

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median(&[9.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[9.0, 1.0, 2.0, 4.0]), 3.0);
        assert_eq!(best(&[9.0, 1.0, 2.0]), 1.0);
    }
}

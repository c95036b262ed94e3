//! What a suite returns: rows, shown as a table and kept as JSON.

use std::path::Path;

use serde::Serialize;

/// One figure.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Row {
    pub(crate) suite: &'static str,
    /// What is done.
    pub(crate) case: &'static str,
    /// By whom, or to what.
    pub(crate) subject: &'static str,
    /// How many threads do it at once.
    pub(crate) threads: usize,
    /// On how many entries, or methods.
    pub(crate) entries: usize,
    pub(crate) value: f64,
    pub(crate) unit: &'static str,
}

/// Writes rows as a table.
pub(crate) fn table(rows: &[Row]) -> String {
    let mut table =
        format!("{:<10}{:<17}{:<12}{:>8}{:>10}{:>12}\n", "suite", "case", "subject", "threads", "entries", "value");
    for Row { suite, case, subject, threads, entries, value, unit } in rows {
        table.push_str(&format!("{suite:<10}{case:<17}{subject:<12}{threads:>8}{entries:>10}{value:>12.3} {unit}\n"));
    }
    table
}

/// Writes rows to a file, as a JSON array.
pub(crate) fn write_json(path: &Path, rows: &[Row]) -> Result<(), String> {
    let json = serde_json::to_string_pretty(rows).map_err(|error| format!("the rows can't be written: {error}"))?;
    std::fs::write(path, json + "\n").map_err(|error| format!("{} can't be written: {error}", path.display()))
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

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median(&[9.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[9.0, 1.0, 2.0, 4.0]), 3.0);
        assert_eq!(best(&[9.0, 1.0, 2.0]), 1.0);
    }
}

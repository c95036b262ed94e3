//! The page of results: from the rows of a run to `benches/RESULTS.md` and the plots beside it.
//!
//! Reading order: [`bars`] (what is to be reached, and what was), [`pivot`] (tables), [`page`] (the page), [`plots`] (which
//! plots there are), [`draw`] (how they are drawn).

mod bars;
mod draw;
mod page;
mod pivot;
mod plots;

use std::fs;
use std::path::Path;

use crate::row::{self, Row};

/// Makes the page and its plots from a file with the rows of a run.
pub(crate) fn write_again(json: &Path) -> Result<(), String> {
    write(row::read_json(json)?)
}

/// Makes the page and its plots from the rows of a run.
pub(crate) fn write(rows: Vec<Row>) -> Result<(), String> {
    let figures = Figures { rows };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let plots = folder.join("plots");
    fs::create_dir_all(&plots).map_err(|error| format!("{} can't be made: {error}", plots.display()))?;
    let drawn = plots::draw(&figures, &plots)?;
    let page = folder.join("RESULTS.md");
    fs::write(&page, page::text(&figures, &drawn))
        .map_err(|error| format!("{} can't be written: {error}", page.display()))?;
    println!("{} and {} plots are written", page.display(), drawn.len());
    Ok(())
}

/// The rows of a run.
struct Figures {
    rows: Vec<Row>,
}

impl Figures {
    /// Returns the rows of a suite, in their order.
    fn of(&self, suite: &str) -> Vec<&Row> {
        self.rows.iter().filter(|row| row.suite == suite).collect()
    }

    /// Returns one figure.
    fn value(&self, suite: &str, case: &str, subject: &str, threads: usize, entries: usize) -> Option<f64> {
        let mut rows = self.rows.iter();
        let row = rows.find(|row| {
            row.suite == suite
                && row.case == case
                && row.subject == subject
                && (row.threads, row.entries) == (threads, entries)
        });
        row.map(|row| row.value)
    }
}

/// Writes a count shortly: 1000 as `1k`, 1 000 000 as `1M`.
fn short(count: usize) -> String {
    match count {
        1_000_000.. if count.is_multiple_of(1_000_000) => format!("{}M", count / 1_000_000),
        1_000.. if count.is_multiple_of(1_000) => format!("{}k", count / 1_000),
        _ => count.to_string(),
    }
}

/// Writes a value with three digits that count, or as a whole number.
fn digits(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        ..10.0 => format!("{value:.2}"),
        ..100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

/// Makes a row.
#[cfg(test)]
fn figure(suite: &'static str, case: &'static str, subject: &'static str, size: (usize, usize), value: f64) -> Row {
    Row {
        suite: suite.into(),
        case: case.into(),
        subject: subject.into(),
        threads: size.0,
        entries: size.1,
        value,
        unit: "ns".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_shortly() {
        let counts = [7, 1_000, 1_500, 20_000, 1_000_000].map(short);
        assert_eq!(counts, ["7", "1k", "1500", "20k", "1M"]);
        let values = [0.0, 0.123, 9.876, 12.34, 123.4, 12_345.6].map(digits);
        assert_eq!(values, ["0", "0.12", "9.88", "12.3", "123", "12346"]);
    }
}

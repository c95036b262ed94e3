//! Tables: rows of a run, one kind of thing to the left and one above.

use super::digits;
use crate::row::Row;

/// What stands to the left or above.
pub(super) type Label = fn(&Row) -> String;

/// Returns a Markdown table of rows; what is to the left is `heading`. Beside each figure of a peer is that of cachex in its
/// proportion, if `is_compared`.
pub(super) fn table(heading: &str, rows: &[&Row], left: Label, above: Label, is_compared: bool) -> String {
    let (lines, columns) = (distinct(rows, left), distinct(rows, above));
    if lines.is_empty() {
        return String::new();
    }
    let mut table = format!("| {heading} | {} |\n|---|{}\n", columns.join(" | "), "--:|".repeat(columns.len()));
    for line in lines {
        let cells = columns.iter().map(|column| {
            let found = rows.iter().find(|row| left(row) == line && above(row) == *column);
            found.map_or_else(String::new, |row| cell(row, rows, is_compared))
        });
        table.push_str(&format!("| {} | {} |\n", emphasised(&line), cells.collect::<Vec<_>>().join(" | ")));
    }
    table.push('\n');
    table
}

fn cell(row: &Row, rows: &[&Row], is_compared: bool) -> String {
    let value = digits(row.value);
    let case = |row: &Row| (row.case.clone(), row.threads, row.entries);
    let ours = rows.iter().find(|other| other.subject == "cachex" && case(other) == case(row));
    match ours.filter(|ours| is_compared && ours.value > 0.0 && row.subject != "cachex") {
        Some(ours) => format!("{value} ({}x)", digits(row.value / ours.value)),
        None => value,
    }
}

fn emphasised(line: &str) -> String {
    if line == "cachex" { format!("**{line}**") } else { line.to_owned() }
}

fn distinct(rows: &[&Row], label: Label) -> Vec<String> {
    let mut labels: Vec<String> = Vec::new();
    for label in rows.iter().map(|row| label(row)) {
        if !labels.contains(&label) {
            labels.push(label);
        }
    }
    labels
}

#[cfg(test)]
mod tests {
    use super::super::figure;
    use super::*;

    #[test]
    fn a_peer_is_beside_cachex_in_the_same_column() {
        let rows = [
            figure("hit", "a", "cachex", (1, 1), 10.0),
            figure("hit", "a", "peer", (1, 1), 25.0),
            figure("hit", "b", "peer", (1, 1), 5.0),
        ];
        let rows: Vec<_> = rows.iter().collect();
        let table = table("who", &rows, |row| row.subject.to_string(), |row| row.case.to_string(), true);
        let expected = "| who | a | b |\n|---|--:|--:|\n| **cachex** | 10.0 |  |\n| peer | 25.0 (2.50x) | 5.00 |\n\n";
        assert_eq!(table, expected);
    }
}

//! Runs steps and shows how they ended.

use std::time::Duration;

use crate::step::Step;
use crate::workspace::Workspace;

/// Runs steps in their order and returns whether all passed; after a failure the rest is run only if told so.
pub(crate) fn run(steps: Vec<Step>, workspace: &Workspace, keep_going: bool) -> bool {
    let mut rows = Vec::new();
    let mut failures = Vec::new();
    for step in &steps {
        if !failures.is_empty() && !keep_going {
            rows.push((step.name, "not run", Duration::ZERO));
            continue;
        }
        let outcome = step.run(workspace, keep_going);
        let word = if outcome.failure.is_none() { "ok" } else { "FAILED" };
        rows.push((step.name, word, outcome.took));
        failures.extend(outcome.failure.map(|failure| format!("{}: {failure}", step.name)));
    }
    println!("\n{}", table(&rows));
    for failure in &failures {
        println!("\n{failure}");
    }
    failures.is_empty()
}

fn table(rows: &[(&str, &str, Duration)]) -> String {
    let total = rows.iter().map(|row| row.2).sum::<Duration>();
    let lines = rows.iter().map(|(name, word, took)| format!("{name:<14} {word:<8} {:>7.1} s", took.as_secs_f64()));
    let total = format!("{:<14} {:<8} {:>7.1} s", "total", "", total.as_secs_f64());
    lines.chain([total]).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_a_line_for_each_step_and_the_total() {
        let rows = [("format", "ok", Duration::from_millis(1_200)), ("clippy", "FAILED", Duration::from_secs(60))];
        let expected = "\
format         ok           1.2 s
clippy         FAILED      60.0 s
total                      61.2 s";
        assert_eq!(table(&rows), expected);
    }
}

//! Runs steps and shows how they ended.

use std::time::Duration;

use crate::step::{Step, Work};
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
        rows.push((step.name, word(&step.work, outcome.failure.is_some()), outcome.took));
        failures.extend(outcome.failure.map(|failure| format!("{}: {failure}", step.name)));
    }
    println!("\n{}", table(&rows));
    for failure in &failures {
        println!("\n{failure}");
    }
    failures.is_empty()
}

/// Says how a step ended.
fn word(work: &Work, has_failed: bool) -> &'static str {
    match (work, has_failed) {
        (_, true) => "FAILED",
        (Work::Skip(_), false) => "skipped",
        (Work::Run(_) | Work::Check(_), false) => "ok",
    }
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
    fn a_step_that_was_skipped_does_not_pass_for_one_that_was_run() {
        assert_eq!(word(&Work::Skip("no reason"), false), "skipped");
        assert_eq!((word(&Work::Run(Vec::new()), false), word(&Work::Run(Vec::new()), true)), ("ok", "FAILED"));
    }

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

//! What annotating methods adds to a clean `cargo check`.
//!
//! Two crates are generated, with the same methods; in one of them they are annotated. Both depend on cachex, what they
//! depend on is compiled before, and then each is checked from nothing, in turns. Reading order: [`source`] (the crates),
//! [`project`] (cargo), this file.

mod project;
mod source;

use project::Project;

use crate::args::Arguments;
use crate::program::Suite;
use crate::row::{Row, best, median};

pub(crate) const SUITE: Suite =
    Suite { name: "compile", summary: "what annotating methods adds to a clean `cargo check`, per method", run };

fn run(arguments: &Arguments) -> Result<Vec<Row>, String> {
    let repetitions = if arguments.is_quick { 1 } else { 15 };
    let project = Project::generate(arguments.methods)?;
    let (mut plain, mut annotated) = (Vec::new(), Vec::new());
    for _ in 0..repetitions {
        plain.push(project.check("plain")?);
        annotated.push(project.check("annotated")?);
    }
    let added = |of: fn(&[f64]) -> f64| (of(&annotated) - of(&plain)) / arguments.methods as f64;
    let row = |case: &'static str, subject: &'static str, value| Row {
        suite: SUITE.name.into(),
        case: case.into(),
        subject: subject.into(),
        threads: 1,
        entries: arguments.methods,
        value,
        unit: "ms".into(),
    };
    // Loading cachex is in what is added: the plain crate does not. The best of the repetitions is beside their median, as it
    // tells what the compiler needs where other programs want the processor as well.
    Ok(vec![
        row("check", "plain", median(&plain)),
        row("check", "annotated", median(&annotated)),
        row("per method", "annotated", added(median)),
        row("best check", "plain", best(&plain)),
        row("best check", "annotated", best(&annotated)),
        row("best per method", "annotated", added(best)),
    ])
}

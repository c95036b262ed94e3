//! What annotating methods adds to a clean `cargo check`.
//!
//! Two crates are generated, with the same methods; in one of them they are annotated. Both depend on cachex, what they
//! depend on is compiled before, and then each is checked from nothing, in turns. Reading order: [`source`] (the crates),
//! [`project`] (cargo), this file.

mod project;
mod source;

use project::Project;

use crate::Suite;
use crate::args::Arguments;
use crate::report::{Row, median};

pub(crate) const SUITE: Suite =
    Suite { name: "compile", summary: "what annotating methods adds to a clean `cargo check`, per method", run };

fn run(arguments: &Arguments) -> Result<Vec<Row>, String> {
    let repetitions = if arguments.is_quick { 3 } else { 15 };
    let project = Project::generate(arguments.methods)?;
    let (mut plain, mut annotated) = (Vec::new(), Vec::new());
    for _ in 0..repetitions {
        plain.push(project.check("plain")?);
        annotated.push(project.check("annotated")?);
    }
    let (plain, annotated) = (median(plain), median(annotated));
    let row = |case, subject, value| Row {
        suite: SUITE.name,
        case,
        subject,
        threads: 1,
        entries: arguments.methods,
        value,
        unit: "ms",
    };
    Ok(vec![
        row("check", "plain", plain),
        row("check", "annotated", annotated),
        // Loading cachex is in it: a crate without an annotation does not.
        row("per method", "annotated", (annotated - plain) / arguments.methods as f64),
    ])
}

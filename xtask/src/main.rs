//! The commands of the project: `cargo xtask test` is everything, `cargo xtask fast` is the inner loop.
//!
//! Reading order: [`steps`] (what is run), [`step`] (how one is run), [`summary`] (what is shown in the end), [`setup`]
//! (what must be installed), [`workspace`] (what cargo knows), [`dependencies`] and [`licence`] (what we stand on),
//! [`instructions`] and [`record`] (what a hit costs).

mod dependencies;
mod instructions;
mod licence;
mod record;
mod setup;
mod step;
mod steps;
mod summary;
mod workspace;

use std::process::ExitCode;

use step::Step;
use workspace::Workspace;

const HELP: &str = "\
usage: cargo xtask <command>

  test [--keep-going] [step ...]   everything, or only the named steps; stops at the first failure unless told to go on
  fast [--keep-going]              the inner loop: format, clippy and tests with the default features
  instructions [--write]           counts the instructions of a hit and compares them with the record, or renews it
  deny                             cargo-deny: licences, sources, duplicates and security advisories; installs the tool
  list                             the steps of `test`, with the commands they run";

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

/// Runs a command and returns whether all its steps passed.
fn run(arguments: &[String]) -> Result<bool, String> {
    let Some((command, rest)) = arguments.split_first() else {
        return Err(format!("which command?\n\n{HELP}"));
    };
    if command == "help" || command == "--help" {
        println!("{HELP}");
        return Ok(true);
    }
    let (flags, names): (Vec<_>, Vec<_>) = rest.iter().partition(|argument| argument.starts_with("--"));
    let known = if command == "instructions" { "--write" } else { "--keep-going" };
    if let Some(flag) = flags.iter().find(|flag| **flag != known) {
        return Err(format!("unknown flag `{flag}`\n\n{HELP}"));
    }
    setup::ready()?;
    let workspace = Workspace::read()?;
    let steps = match command.as_str() {
        "test" => named(steps::all(&workspace)?, &names)?,
        "instructions" if flags.is_empty() => named(steps::all(&workspace)?, &[command])?,
        "instructions" => {
            setup::valgrind()?;
            instructions::write(&workspace)?;
            return Ok(true);
        }
        "fast" => named(steps::fast(&workspace)?, &names)?,
        "deny" => {
            setup::cargo_deny()?;
            steps::deny()
        }
        "list" => {
            for step in steps::all(&workspace)? {
                println!("{step}");
            }
            return Ok(true);
        }
        other => return Err(format!("unknown command `{other}`\n\n{HELP}")),
    };
    if instructions::IS_POSSIBLE && steps.iter().any(|step| step.name == "instructions") {
        setup::valgrind()?;
    }
    Ok(summary::run(steps, &workspace, !flags.is_empty()))
}

/// Keeps the named steps; all if none is named.
fn named(steps: Vec<Step>, names: &[&String]) -> Result<Vec<Step>, String> {
    if let Some(unknown) = names.iter().find(|name| steps.iter().all(|step| step.name != name.as_str())) {
        let known: Vec<_> = steps.iter().map(|step| step.name).collect();
        return Err(format!("there is no step `{unknown}`; the steps are {}", known.join(", ")));
    }
    Ok(steps.into_iter().filter(|step| names.is_empty() || names.iter().any(|name| step.name == *name)).collect())
}

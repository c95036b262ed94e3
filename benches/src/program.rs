//! What the program does.

use std::process::ExitCode;

use crate::args::{self, Arguments, Command};
use crate::row::{self, Row};
use crate::{compile, diesel, hit, invalidate, l2, machine, memory, miss, ratio, results, scale};

/// A set of measurements that are made in one run, so that they can be compared.
pub(crate) struct Suite {
    /// What it is asked for by.
    pub(crate) name: &'static str,
    /// What it measures, in a line.
    pub(crate) summary: &'static str,
    /// Measures; fails with a message.
    pub(crate) run: fn(&Arguments) -> Result<Vec<Row>, String>,
}

/// Every suite there is.
pub(crate) const SUITES: &[Suite] = &[
    hit::SUITE,
    miss::SUITE,
    scale::SUITE,
    ratio::SUITE,
    memory::SUITE,
    invalidate::SUITE,
    l2::SUITE,
    diesel::SUITE,
    compile::SUITE,
];

/// Does what the command line asks for.
pub fn main() -> ExitCode {
    let outcome = match args::parse(std::env::args().skip(1)) {
        Ok(Command::Run(arguments)) => run(&arguments),
        Ok(Command::Report(file)) => results::write_again(&file),
        Ok(Command::Help) => {
            println!("{}", args::help());
            Ok(())
        }
        Err(message) => {
            eprintln!("error: {message}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), String> {
    let mut all = machine::rows(&arguments.command);
    for suite in &arguments.suites {
        let rows = (suite.run)(arguments)?;
        print!("{}", row::table(&rows));
        all.extend(rows);
        // After each suite, so that what fails later takes nothing with it.
        if let Some(path) = &arguments.json {
            row::write_json(path, &all)?;
        }
    }
    if arguments.is_reported { results::write(all) } else { Ok(()) }
}

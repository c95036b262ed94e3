//! What the program does.

use std::process::ExitCode;

use crate::args::{self, Arguments, Command};
use crate::row::{self, Row};
use crate::{compile, hit, invalidate, memory, miss, ratio, scale};

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
pub(crate) const SUITES: &[Suite] =
    &[hit::SUITE, miss::SUITE, scale::SUITE, ratio::SUITE, memory::SUITE, invalidate::SUITE, compile::SUITE];

/// Does what the command line asks for.
pub fn main() -> ExitCode {
    let arguments = match args::parse(std::env::args().skip(1)) {
        Ok(Command::Run(arguments)) => arguments,
        Ok(Command::Help) => {
            println!("{}", args::help());
            return ExitCode::SUCCESS;
        }
        Err(message) => {
            eprintln!("error: {message}");
            return ExitCode::from(2);
        }
    };
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), String> {
    let rows = (arguments.suite.run)(arguments)?;
    print!("{}", row::table(&rows));
    match &arguments.json {
        Some(path) => row::write_json(path, &rows),
        None => Ok(()),
    }
}

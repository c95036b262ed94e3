//! Figures: `cargo run --release -p cachex-bench -- <suite>`.
//!
//! Reading order: this file (the list of suites), [`args`] (the command line), [`report`] (what a suite returns and how it is
//! shown); [`service`] (annotated methods), [`peers`] (other crates), [`random`] (what is asked for), [`measure`] (how time is
//! taken); then a module for each suite: [`hit`], [`ratio`], [`miss`], [`invalidate`], [`compile`].

mod args;
mod compile;
mod hit;
mod invalidate;
mod measure;
mod miss;
mod peers;
mod random;
mod ratio;
mod report;
mod service;

use std::process::ExitCode;

use args::{Arguments, Command};
use report::Row;

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
pub(crate) const SUITES: &[Suite] = &[hit::SUITE, ratio::SUITE, miss::SUITE, invalidate::SUITE, compile::SUITE];

fn main() -> ExitCode {
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
    print!("{}", report::table(&rows));
    match &arguments.json {
        Some(path) => report::write_json(path, &rows),
        None => Ok(()),
    }
}

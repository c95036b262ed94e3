//! The command line.

use std::path::PathBuf;
use std::time::Duration;

pub(crate) const HELP: &str = "\
A repository of cached methods on a SQLite database of the world's cities, and a check that no read is ever stale.

usage: cargo run --example quickstart -- [--database FILE] [--seconds N]

  --database FILE   keep the database in FILE, which is made, or filled anew (default: a temporary file)
  --seconds N       how long to read and write at the same time, 1 to 3600 (default: 3)
  --help            show this";

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Help,
    Run(Arguments),
}

/// How to run.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Arguments {
    /// Where the database is; a temporary file if nowhere.
    pub(crate) database: Option<PathBuf>,
    /// How long to read and write at the same time.
    pub(crate) duration: Duration,
}

/// Reads the arguments, the program's name left out.
pub(crate) fn parse(mut words: impl Iterator<Item = String>) -> Result<Command, String> {
    let mut arguments = Arguments { database: None, duration: Duration::from_secs(3) };
    while let Some(word) = words.next() {
        match word.as_str() {
            "--help" | "-h" => return Ok(Command::Help),
            "--database" => arguments.database = Some(value(&word, words.next())?.into()),
            "--seconds" => arguments.duration = seconds(&value(&word, words.next())?)?,
            _ => return Err(format!("unknown argument `{word}`; `--help` shows what there is")),
        }
    }
    Ok(Command::Run(arguments))
}

fn value(option: &str, word: Option<String>) -> Result<String, String> {
    match word {
        Some(word) if !word.is_empty() && !word.starts_with("--") => Ok(word),
        _ => Err(format!("`{option}` needs a value; `--help` shows which")),
    }
}

fn seconds(word: &str) -> Result<Duration, String> {
    match word.parse() {
        Ok(seconds @ 1..=3600) => Ok(Duration::from_secs(seconds)),
        _ => Err(format!("`--seconds {word}` is not a whole number of seconds from 1 to 3600")),
    }
}

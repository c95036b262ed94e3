//! The command line.

use crate::database::Place;

pub(crate) const HELP: &str = "\
A web service whose posts are in a database, read by cached methods, and a load that measures it with the cache on and off. The load fails if a
read returns less than a write that had been answered before.

usage: cargo run --example diesel-rest -- [--database PLACE] [--requests N]
       cargo run --example diesel-rest -- --serve [--database PLACE] [--port N]

  --database PLACE  the file of a SQLite database, or `postgres://…` (with `--features postgres`; default: a temporary file)
  --requests N      about how many requests are sent each time, 1 to 10000000 (default: 5000)
  --serve           serves until ctrl-c, and sends nothing
  --port N          where it serves, on the loopback; 0 is any that is free (default: 3000)
  --help            shows this";

/// What is asked for.
#[derive(Debug)]
pub(crate) enum Command {
    Help,
    Run {
        /// Where the posts are; in a temporary file if nowhere.
        database: Option<Place>,
        work: Work,
    },
}

/// What is done with the posts.
#[derive(Debug)]
pub(crate) enum Work {
    Load { requests: u64 },
    Serve { port: u16 },
}

/// Reads the arguments, the program's name left out.
pub(crate) fn parse(mut words: impl Iterator<Item = String>) -> Result<Command, String> {
    let (mut database, mut requests, mut port, mut is_to_serve) = (None, None, None, false);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--help" | "-h" => return Ok(Command::Help),
            "--database" => database = Some(Place::parse(value(&word, words.next())?)?),
            "--requests" => requests = Some(number(&word, &value(&word, words.next())?, 1, 10_000_000)?),
            "--port" => port = Some(number(&word, &value(&word, words.next())?, 0, u16::MAX.into())?),
            "--serve" => is_to_serve = true,
            _ => return Err(format!("unknown argument `{word}`; `--help` shows what there is")),
        }
    }
    let work = match (is_to_serve, requests, port) {
        (true, None, port) => Work::Serve { port: port.map_or(3000, |port| port as u16) },
        (false, requests, None) => Work::Load { requests: requests.unwrap_or(5000) },
        (true, Some(_), _) => return Err("`--requests` is for the load: leave it out, or `--serve`".to_owned()),
        (false, _, Some(_)) => return Err("`--port` goes with `--serve`: the load takes any that is free".to_owned()),
    };
    Ok(Command::Run { database, work })
}

fn value(option: &str, word: Option<String>) -> Result<String, String> {
    match word {
        Some(word) if !word.is_empty() && !word.starts_with("--") => Ok(word),
        _ => Err(format!("`{option}` needs a value; `--help` shows which")),
    }
}

fn number(option: &str, word: &str, least: u64, most: u64) -> Result<u64, String> {
    match word.parse() {
        Ok(number) if (least..=most).contains(&number) => Ok(number),
        _ => Err(format!("`{option} {word}` is not a whole number from {least} to {most}")),
    }
}

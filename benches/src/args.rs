//! The command line.

use std::path::PathBuf;

use crate::program::{SUITES, Suite};

/// What is asked for.
pub(crate) enum Command {
    Help,
    Run(Arguments),
    /// To make the page of results from the rows in a file.
    Report(PathBuf),
}

/// What to measure, and how.
pub(crate) struct Arguments {
    pub(crate) suites: Vec<&'static Suite>,
    /// How many methods the generated crates have.
    pub(crate) methods: usize,
    /// Measures less often: enough to see that it works, not enough to quote.
    pub(crate) is_quick: bool,
    /// Where to write the rows as well.
    pub(crate) json: Option<PathBuf>,
    /// Whether to make the page of results from the rows.
    pub(crate) is_reported: bool,
    /// How the program was started.
    pub(crate) command: String,
}

const PROGRAM: &str = "cargo run --release -p cachex-bench --";

/// Stands for all suites.
const ALL: &str = "all";
/// Stands for all suites, and the page of their rows.
const RESULTS: &str = "results";

/// Returns what `--help` shows.
pub(crate) fn help() -> String {
    let mut help = format!("usage: {PROGRAM} <suite> [option ...]\n       {PROGRAM} results [option ...]\n\n");
    let all = (ALL, "all of these, one after the other");
    for (name, summary) in SUITES.iter().map(|suite| (suite.name, suite.summary)).chain([all]) {
        help.push_str(&format!("  {name:<14}{summary}\n"));
    }
    help.push_str(
        "\n  --methods N   how many methods the generated crates of `compile` have, 1 to 10000 (default: 200)\
         \n  --quick       measure less often: to see that it works, not to quote\
         \n  --json FILE   write the rows to FILE as well\
         \n\n`results` runs all suites and makes benches/RESULTS.md and its plots of their rows\
         \n`report FILE` makes them of the rows that a run has written to FILE",
    );
    help
}

/// Reads the arguments, the program's name left out.
pub(crate) fn parse(words: impl Iterator<Item = String>) -> Result<Command, String> {
    let words: Vec<String> = words.collect();
    let command = command(&words);
    let mut words = words.into_iter();
    let (mut name, mut methods, mut is_quick, mut json, mut file) = (None, 200, false, None, None);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--help" | "-h" => return Ok(Command::Help),
            "--quick" => is_quick = true,
            "--methods" => methods = count(&value(&word, words.next())?)?,
            "--json" => json = Some(value(&word, words.next())?.into()),
            option if option.starts_with('-') => {
                return Err(format!("unknown option `{option}`; `--help` shows what there is"));
            }
            "report" if name.is_none() => {
                name = Some(word);
                file = Some(words.next().ok_or("`report` needs the file that `all --json FILE` has written")?);
            }
            other if name.is_some() => return Err(format!("one suite at a time; `{other}` is one too many")),
            _ => name = Some(word),
        }
    }
    if let Some(file) = file {
        return Ok(Command::Report(file.into()));
    }
    let name = name.ok_or_else(|| format!("which suite? {}", names()))?;
    let is_reported = name == RESULTS;
    if is_reported && is_quick {
        return Err(
            "`results` writes what is published, and `--quick` measures what is not; `all --quick` shows it".into()
        );
    }
    let suites = suites(if is_reported { ALL } else { &name })?;
    Ok(Command::Run(Arguments { suites, methods, is_quick, json, is_reported, command }))
}

/// Returns how the program was started, without where the rows are to be written.
fn command(words: &[String]) -> String {
    let mut command = PROGRAM.to_owned();
    let mut before = "";
    for word in words {
        command.push(' ');
        command.push_str(if before == "--json" { "FILE" } else { word });
        before = word;
    }
    command
}

fn value(option: &str, word: Option<String>) -> Result<String, String> {
    match word {
        Some(word) if !word.is_empty() && !word.starts_with("--") => Ok(word),
        _ => Err(format!("`{option}` needs a value; `--help` shows which")),
    }
}

fn count(word: &str) -> Result<usize, String> {
    match word.parse() {
        Ok(count @ 1..=10_000) => Ok(count),
        _ => Err(format!("`--methods {word}` is not a whole number from 1 to 10000")),
    }
}

fn suites(name: &str) -> Result<Vec<&'static Suite>, String> {
    let suites: Vec<_> = SUITES.iter().filter(|suite| name == ALL || name == suite.name).collect();
    if suites.is_empty() {
        return Err(format!("there is no suite `{name}`; {}", names()));
    }
    Ok(suites)
}

fn names() -> String {
    let names: Vec<_> = SUITES.iter().map(|suite| suite.name).collect();
    format!("the suites are: {}; or `all` of them", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Command, String> {
        parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn options_stand_before_or_after_the_suite() {
        for line in ["compile --methods 20 --quick --json out", "--quick --json out --methods 20 compile"] {
            let Ok(Command::Run(arguments)) = parsed(line) else { panic!("{line}") };
            let names: Vec<_> = arguments.suites.iter().map(|suite| suite.name).collect();
            assert_eq!((names.as_slice(), arguments.methods, arguments.is_quick), (["compile"].as_slice(), 20, true));
            assert_eq!(arguments.json, Some("out".into()));
            assert_eq!(arguments.command, format!("{PROGRAM} {}", line.replace("out", "FILE")));
        }
    }

    #[test]
    fn all_suites_can_be_asked_for_and_their_rows_shown() {
        let Ok(Command::Run(arguments)) = parsed("all") else { panic!() };
        assert_eq!((arguments.suites.len(), arguments.is_reported), (SUITES.len(), false));
        let Ok(Command::Run(arguments)) = parsed("results --json out") else { panic!() };
        assert_eq!((arguments.suites.len(), arguments.is_reported), (SUITES.len(), true));
        assert!(matches!(parsed("report rows.json"), Ok(Command::Report(file)) if *file == *"rows.json"));
    }

    #[test]
    fn mistakes_are_told() {
        let mistakes = [
            ("", "which suite?"),
            ("compil", "no suite `compil`"),
            ("compile compile", "one too many"),
            ("compile --fast", "unknown option `--fast`"),
            ("compile --methods 0", "from 1 to 10000"),
            ("compile --json --quick", "`--json` needs a value"),
            ("report", "`report` needs the file"),
            ("report a b", "one too many"),
        ];
        for (line, told) in mistakes {
            let message = parsed(line).err().unwrap_or_else(|| panic!("`{line}` is taken"));
            assert!(message.contains(told), "`{line}`: {message}");
        }
    }
}

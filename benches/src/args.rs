//! The command line.

use std::path::PathBuf;

use crate::program::{SUITES, Suite};

/// What is asked for.
pub(crate) enum Command {
    Help,
    Run(Arguments),
}

/// What to measure, and how.
pub(crate) struct Arguments {
    pub(crate) suite: &'static Suite,
    /// How many methods the generated crates have.
    pub(crate) methods: usize,
    /// Measures less often: enough to see that it works, not enough to quote.
    pub(crate) is_quick: bool,
    /// Where to write the rows as well.
    pub(crate) json: Option<PathBuf>,
}

/// Returns what `--help` shows.
pub(crate) fn help() -> String {
    let mut help = "usage: cargo run --release -p cachex-bench -- <suite> [option ...]\n\n".to_owned();
    for suite in SUITES {
        help.push_str(&format!("  {:<14}{}\n", suite.name, suite.summary));
    }
    help.push_str(
        "\n  --methods N   how many methods the generated crates of `compile` have, 1 to 10000 (default: 200)\
         \n  --quick       measure less often: to see that it works, not to quote\
         \n  --json FILE   write the rows to FILE as well",
    );
    help
}

/// Reads the arguments, the program's name left out.
pub(crate) fn parse(mut words: impl Iterator<Item = String>) -> Result<Command, String> {
    let (mut suite, mut methods, mut is_quick, mut json) = (None, 200, false, None);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--help" | "-h" => return Ok(Command::Help),
            "--quick" => is_quick = true,
            "--methods" => methods = count(&value(&word, words.next())?)?,
            "--json" => json = Some(value(&word, words.next())?.into()),
            name if name.starts_with('-') => {
                return Err(format!("unknown option `{name}`; `--help` shows what there is"));
            }
            name if suite.is_some() => return Err(format!("one suite at a time; `{name}` is one too many")),
            name => suite = Some(named(name)?),
        }
    }
    let suite = suite.ok_or_else(|| format!("which suite? {}", names()))?;
    Ok(Command::Run(Arguments { suite, methods, is_quick, json }))
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

fn named(name: &str) -> Result<&'static Suite, String> {
    SUITES.iter().find(|suite| suite.name == name).ok_or_else(|| format!("there is no suite `{name}`; {}", names()))
}

fn names() -> String {
    let names: Vec<_> = SUITES.iter().map(|suite| suite.name).collect();
    format!("the suites are: {}", names.join(", "))
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
            assert_eq!((arguments.suite.name, arguments.methods, arguments.is_quick), ("compile", 20, true));
            assert_eq!(arguments.json, Some("out".into()));
        }
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
        ];
        for (line, told) in mistakes {
            let message = parsed(line).err().unwrap_or_else(|| panic!("`{line}` is taken"));
            assert!(message.contains(told), "`{line}`: {message}");
        }
    }
}

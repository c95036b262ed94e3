//! One step: commands or a check go in, whether it passed and how long it took come out.

use std::fmt;
use std::io::IsTerminal;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use crate::workspace::Workspace;

/// A named part of the test run.
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) work: Work,
    /// How long each of its commands may take.
    pub(crate) limit: Duration,
}

/// What a step does.
pub(crate) enum Work {
    /// Programs, one after another.
    Run(Vec<Program>),
    /// A check of our own, which says what it saw or what is wrong.
    Check(fn(&Workspace) -> Result<String, String>),
    /// Nothing, for the reason that is given: this machine can't.
    Skip(&'static str),
}

/// A program with its arguments and what is added to its environment.
#[derive(Clone)]
pub(crate) struct Program {
    arguments: Vec<String>,
    environment: Vec<(&'static str, &'static str)>,
}

/// How a step ended.
pub(crate) struct Outcome {
    pub(crate) took: Duration,
    /// What failed and what to type to see it again; `None` if nothing did.
    pub(crate) failure: Option<String>,
}

impl Program {
    /// Makes a call of cargo from its arguments, which are separated by spaces.
    pub(crate) fn cargo(arguments: &str) -> Self {
        Self::new(&format!("cargo {arguments}"))
    }

    /// Makes a call of any program from a line without quotes; empty if the program is to be an [`argument`](Self::argument).
    pub(crate) fn new(line: &str) -> Self {
        Self { arguments: line.split_whitespace().map(str::to_owned).collect(), environment: Vec::new() }
    }

    /// Adds an argument, which may have spaces.
    pub(crate) fn argument(mut self, argument: impl Into<String>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    pub(crate) fn variable(mut self, name: &'static str, value: &'static str) -> Self {
        self.environment.push((name, value));
        self
    }

    fn command(&self) -> Command {
        let mut command = match self.arguments[0].as_str() {
            // The cargo that runs us, which may not be the first in the path.
            "cargo" => Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())),
            program => Command::new(program),
        };
        command.args(&self.arguments[1..]).envs(self.environment.iter().copied());
        // What cargo tells us of ourselves is not true for what we run, and would make it build anew.
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy();
            if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
                command.env_remove(&*name);
            }
        }
        command
    }

    /// Runs the program to its end and returns what it writes to its standard output.
    pub(crate) fn output(&self) -> Result<String, String> {
        let mut command = self.command();
        let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output();
        let output = output.map_err(|error| format!("`{self}` can't be run: {error}"))?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let status = output.status;
        if status.success() { Ok(said) } else { Err(format!("{said}failed with {status}; rerun: {self}")) }
    }

    /// Runs the program to its end, or kills it when its time is up.
    pub(crate) fn run(&self, limit: Duration) -> Result<(), String> {
        println!("$ {self}");
        let mut command = self.command();
        // In a group of its own all it started can be killed; at a terminal it must stay in ours to see Ctrl-C.
        let has_group = !std::io::stdin().is_terminal();
        if has_group {
            #[cfg(unix)]
            std::os::unix::process::CommandExt::process_group(&mut command, 0);
        }
        let mut child =
            command.stdin(Stdio::null()).spawn().map_err(|error| format!("`{self}` can't be run: {error}"))?;
        let id = child.id();
        let (ended, end) = mpsc::channel();
        let waiter = thread::spawn(move || ended.send(child.wait()));
        let status = match end.recv_timeout(limit) {
            Ok(status) => status.map_err(|error| format!("`{self}` can't be waited for: {error}"))?,
            Err(_) => {
                let target = if has_group { format!("-{id}") } else { id.to_string() };
                // Killing fails only if the program ended just now.
                let _ = Command::new("kill").args(["-KILL", "--", &target]).status();
                let _ = waiter.join();
                return Err(format!("did not end within {}s; rerun: {self}", limit.as_secs()));
            }
        };
        if status.success() { Ok(()) } else { Err(format!("failed with {status}; rerun: {self}")) }
    }
}

/// Shows the line to type.
impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in &self.environment {
            write!(f, "{name}=\"{value}\" ")?;
        }
        f.write_str(&self.arguments.join(" "))
    }
}

impl Step {
    #[expect(clippy::disallowed_methods, reason = "how long a step takes is told by the clock of the machine")]
    pub(crate) fn run(&self, workspace: &Workspace, keep_going: bool) -> Outcome {
        println!("\n==> {}", self.name);
        let start = Instant::now();
        let failure = match &self.work {
            Work::Run(programs) if programs.is_empty() => {
                Some("has nothing to run; add what it is there for".to_owned())
            }
            Work::Run(programs) => {
                let mut failures = Vec::new();
                for program in programs {
                    failures.extend(program.run(self.limit).err());
                    if !failures.is_empty() && !keep_going {
                        break;
                    }
                }
                if failures.is_empty() { None } else { Some(failures.join("\n")) }
            }
            Work::Check(check) => match check(workspace) {
                Ok(seen) => {
                    println!("{seen}");
                    None
                }
                Err(wrong) => Some(format!("{wrong}\nrerun: cargo xtask test {}", self.name)),
            },
            Work::Skip(reason) => {
                println!("skipped: {reason}");
                None
            }
        };
        Outcome { took: start.elapsed(), failure }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.name)?;
        match &self.work {
            Work::Run(programs) => programs.iter().try_for_each(|program| writeln!(f, "  {program}")),
            Work::Check(_) => writeln!(f, "  cargo xtask test {}", self.name),
            Work::Skip(reason) => writeln!(f, "  skipped: {reason}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn a_program_that_fails_says_what_to_type() {
        let program = Program::new("false").variable("A", "b c");
        let failure = program.run(LONG).unwrap_err();
        assert!(failure.ends_with("rerun: A=\"b c\" false"), "{failure}");
        assert_eq!(Program::new("true").run(LONG), Ok(()));
    }

    #[test]
    fn what_a_program_says_is_returned_if_it_ends_well() {
        assert_eq!(Program::new("echo a b").output().as_deref(), Ok("a b\n"));
        assert!(Program::new("false").output().unwrap_err().ends_with("rerun: false"));
    }

    #[test]
    fn a_program_that_does_not_end_is_killed() {
        let failure = Program::new("tail -f /dev/null").run(Duration::from_millis(50)).unwrap_err();
        assert!(failure.starts_with("did not end within 0s"), "{failure}");
    }

    #[test]
    fn a_program_that_is_missing_is_a_failure() {
        let failure = Program::new("no-such-program").run(LONG).unwrap_err();
        assert!(failure.starts_with("`no-such-program` can't be run: "), "{failure}");
    }
}

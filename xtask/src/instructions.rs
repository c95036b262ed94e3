//! How many instructions a hit takes: counted by callgrind, compared with `tests/instructions/record.toml`.
//!
//! The program that is counted is `tests/instructions`, as a release is built.

use std::env::consts::ARCH;
use std::time::Duration;

use crate::record::{Counts, Record};
use crate::step::Program;
use crate::workspace::Workspace;

const RECORD: &str = "tests/instructions/record.toml";
/// The hits of the two runs whose difference is counted. Between them is a multiple of 256, of which one hit is timed.
const HITS: [u64; 2] = [2_560, 12_800];
const LIMIT: Duration = Duration::from_secs(20 * 60);

/// Whether there is something to count with.
pub(crate) const IS_POSSIBLE: bool = cfg!(target_os = "linux");

/// Counts, and compares with the record.
pub(crate) fn check(workspace: &Workspace) -> Result<String, String> {
    read()?.compare(ARCH, &count(workspace)?)
}

/// Counts, and makes that the record for this architecture.
pub(crate) fn write(workspace: &Workspace) -> Result<(), String> {
    let mut record = read()?;
    record.renew(ARCH, count(workspace)?);
    std::fs::write(RECORD, record.text()).map_err(|error| format!("`{RECORD}` can't be written: {error}"))?;
    println!("{}", record.text());
    Ok(())
}

fn read() -> Result<Record, String> {
    let text = std::fs::read_to_string(RECORD).map_err(|error| format!("`{RECORD}` can't be read: {error}"))?;
    Record::parse(&text).map_err(|error| format!("`{RECORD}`: {error}"))
}

/// Counts the instructions of a hit, in each case there is.
fn count(workspace: &Workspace) -> Result<Counts, String> {
    Program::cargo("build --release --package cachex-tests --bin instructions").run(LIMIT)?;
    let program = workspace.target.join("release/instructions").display().to_string();
    let cases = Program::new("").argument(&program).output()?;
    cases.lines().map(|case| Ok((case.to_owned(), of_a_hit(&program, case)?))).collect()
}

fn of_a_hit(program: &str, case: &str) -> Result<u64, String> {
    let mut counted = [0; 2];
    for (counted, hits) in counted.iter_mut().zip(HITS) {
        let callgrind = Program::new("valgrind --tool=callgrind --callgrind-out-file=/dev/null --log-fd=1");
        let said = callgrind.argument(program).argument(case).argument(hits.to_string()).output()?;
        *counted = collected(&said).ok_or_else(|| format!("callgrind did not say what it counted:\n{said}"))?;
    }
    let ([fewer, more], [few, many]) = (counted, HITS);
    Ok(more.saturating_sub(fewer).div_ceil(many - few))
}

/// Finds what callgrind has counted in all it says.
fn collected(said: &str) -> Option<u64> {
    said.lines().find_map(|line| line.split_once(" Collected : ")?.1.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_callgrind_counted_is_found() {
        let said = "==7== Events    : Ir\n==7== Collected : 1777178\n==7== \n==7== I   refs:      1,777,178\n";
        assert_eq!(collected(said), Some(1_777_178));
        assert_eq!(collected("==7== Process terminating\n"), None);
    }

    #[test]
    fn as_many_hits_are_timed_as_on_average() {
        assert_eq!((HITS[1] - HITS[0]) % 256, 0);
    }
}

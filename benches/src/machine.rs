//! What a run was measured on, as rows of the suite `machine`: their subject says it, where a number does not.

use std::fs;
use std::process::Command;
use std::thread::available_parallelism;

use crate::row::Row;

/// The name of the suite.
pub(crate) const SUITE: &str = "machine";

/// Returns the rows that a run begins with; `command` is how it was started.
pub(crate) fn rows(command: &str) -> Vec<Row> {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    let cores = available_parallelism().map_or(0, usize::from);
    let kibibytes = field(&read("/proc/meminfo"), "MemTotal:").and_then(|size| size.split(' ').next()?.parse().ok());
    let gibibytes = kibibytes.map_or(f64::NAN, |kibibytes: f64| kibibytes / f64::from(1 << 20));
    let cpuinfo = read("/proc/cpuinfo");
    let cpu = field(&cpuinfo, "model name").map(|name| name.trim_start_matches(": ").to_owned());
    let system = field(&read("/etc/os-release"), "PRETTY_NAME=").map(|name| name.trim_matches('"').to_owned());
    let release = read("/proc/sys/kernel/osrelease");
    // Without what a distribution or provider adds.
    let kernel = release.trim().split('-').next().unwrap_or_default();
    let compiler = Command::new("rustc").arg("--version").output().ok();
    let compiler = compiler.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    vec![
        row("processor", cpu, cores as f64, "cores"),
        row("memory", Some("main memory".to_owned()), (gibibytes * 10.0).round() / 10.0, "GiB"),
        row("system", system.map(|system| format!("{system}, Linux {kernel}")), 1.0, ""),
        row("compiler", compiler.filter(|version| !version.is_empty()), 1.0, ""),
        row("command", Some(command.to_owned()), 1.0, ""),
    ]
}

fn row(case: &'static str, subject: Option<String>, value: f64, unit: &'static str) -> Row {
    Row {
        suite: SUITE.into(),
        case: case.into(),
        subject: subject.unwrap_or_else(|| "unknown".to_owned()).into(),
        threads: 1,
        entries: 0,
        // JSON has no other numbers.
        value: if value.is_finite() { value } else { 0.0 },
        unit: unit.into(),
    }
}

/// Returns what follows a name at the beginning of a line.
fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.strip_prefix(name)).map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_what_follows_its_name() {
        let text = "MemFree: 1 kB\nMemTotal:       24737400 kB\n";
        assert_eq!(field(text, "MemTotal:"), Some("24737400 kB"));
        assert_eq!(field(text, "Cached:"), None);
    }

    #[test]
    fn a_machine_is_described_by_rows_that_can_be_kept() {
        let rows = rows("cargo run");
        let kept: Vec<Row> = serde_json::from_str(&serde_json::to_string(&rows).unwrap()).unwrap();
        assert_eq!(kept, rows);
        assert!(rows.iter().any(|row| row.case == "command" && row.subject == "cargo run"));
    }
}

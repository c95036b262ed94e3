//! The side that starts the program that counts.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::row::Row;

const PROGRAM: &str = "cachex-bench-counting";

/// The program that counts.
pub(crate) struct Program(PathBuf);

impl Program {
    /// Builds it as this one was built.
    pub(crate) fn build() -> Result<Self, String> {
        build().map(Self)
    }

    /// Counts a part with so many entries.
    pub(crate) fn rows(&self, part: &str, entries: u64) -> Result<Vec<Row>, String> {
        let Self(path) = self;
        let output = Command::new(path).args([part, &entries.to_string()]).stderr(Stdio::inherit()).output();
        let output = output.map_err(|error| format!("{} can't be run: {error}", path.display()))?;
        if !output.status.success() {
            return Err(format!("`{PROGRAM} {part} {entries}` failed: {}", output.status));
        }
        serde_json::from_slice(&output.stdout)
            .map_err(|error| format!("what `{PROGRAM} {part} {entries}` wrote is not understood: {error}"))
    }

    /// Counts the bytes for each entry, after churn.
    pub(crate) fn bytes(&self, part: &str, entries: u64) -> Result<f64, String> {
        let rows = self.rows(part, entries)?;
        let bytes = rows.iter().find(|row| row.case == "bytes churned");
        bytes.map(|row| row.value).ok_or_else(|| format!("`{part}` does not churn"))
    }
}

/// Builds the program, and says where it is.
fn build() -> Result<PathBuf, String> {
    let own = std::env::current_exe().map_err(|error| format!("this program can't be found: {error}"))?;
    let folder = own.parent().unwrap_or(Path::new("."));
    let profile = match folder.file_name().and_then(|name| name.to_str()) {
        None | Some("debug") => "dev",
        Some(name) => name,
    };
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(cargo);
    command.args(["build", "--package", "cachex-bench", "--bin", PROGRAM, "--message-format", "json"]);
    command.args(["--profile", profile]).arg("--target-dir").arg(folder.parent().unwrap_or(folder));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).stderr(Stdio::inherit());
    let output = command.output().map_err(|error| format!("cargo can't be run: {error}"))?;
    if !output.status.success() {
        return Err(format!("`{PROGRAM}` can't be built: {}", output.status));
    }
    let told = String::from_utf8_lossy(&output.stdout);
    executable(&told).ok_or_else(|| format!("cargo does not say where `{PROGRAM}` is"))
}

/// Finds the program in what cargo tells, a JSON value in each line.
fn executable(told: &str) -> Option<PathBuf> {
    let artifacts = told.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut ours = artifacts.filter(|artifact| artifact["target"]["name"] == PROGRAM);
    ours.find_map(|artifact| artifact["executable"].as_str().map(PathBuf::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_is_where_cargo_says() {
        let told = r#"
            {"reason":"compiler-artifact","target":{"name":"cachex_bench"},"executable":null}
            not json
            {"reason":"compiler-artifact","target":{"name":"cachex-bench-counting"},"executable":"/a/b"}
            {"reason":"build-finished","success":true}"#;
        assert_eq!(executable(told), Some("/a/b".into()));
        assert_eq!(executable(""), None);
    }
}

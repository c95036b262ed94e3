//! The generated crates on disk, and cargo in them.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Instant;

use super::source::{Style, library};

/// A generated workspace of two crates, `plain` and `annotated`.
///
/// It is in the target directory: `cargo clean` removes it, and what it depends on stays compiled from run to run.
pub(crate) struct Project {
    root: PathBuf,
    /// Whether all that is needed is on this machine.
    is_offline: bool,
}

impl Project {
    /// Writes the crates, and compiles what they depend on.
    pub(crate) fn generate(methods: usize) -> Result<Self, String> {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let workspace = fs::canonicalize(&workspace).map_err(|error| failure(&workspace, "found", &error))?;
        let root = workspace.join("target/compile-time");
        write(&root.join("Cargo.toml"), "[workspace]\nresolver = \"3\"\nmembers = [\"plain\", \"annotated\"]\n")?;
        for (name, style) in [("plain", Style::Plain), ("annotated", Style::Annotated)] {
            write(&root.join(name).join("Cargo.toml"), &manifest(name, &workspace.join("cachex")))?;
            write(&root.join(name).join("src/lib.rs"), &library(style, methods))?;
        }
        // The same versions as in the project.
        let lock = workspace.join("Cargo.lock");
        let versions = fs::read_to_string(&lock).map_err(|error| failure(&lock, "read", &error))?;
        write(&root.join("Cargo.lock"), &versions)?;
        let mut project = Self { root, is_offline: true };
        let prepare = |project: &Self| project.cargo(&["check", "--workspace"]);
        if prepare(&project).is_err() {
            project.is_offline = false;
            prepare(&project)?;
        }
        Ok(project)
    }

    /// Checks a crate from nothing, and returns how long that takes, in milliseconds.
    #[expect(clippy::disallowed_methods, reason = "real time is what is measured")]
    pub(crate) fn check(&self, name: &str) -> Result<f64, String> {
        self.cargo(&["clean", "--package", name])?;
        let started_at = Instant::now();
        let output = self.cargo(&["check", "--package", name])?;
        let millis = started_at.elapsed().as_secs_f64() * 1e3;
        let told = String::from_utf8_lossy(&output.stderr);
        let checked: Vec<_> = told.lines().filter(|line| line.trim_start().starts_with("Checking")).collect();
        match checked.as_slice() {
            [only] if only.contains(name) => Ok(millis),
            _ => Err(format!("`{name}`, and nothing else, should have been checked; cargo says:\n{told}")),
        }
    }

    fn cargo(&self, arguments: &[&str]) -> Result<Output, String> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
        let mut command = Command::new(cargo);
        command.args(arguments).arg("--target-dir").arg(self.root.join("target")).current_dir(&self.root);
        if self.is_offline {
            command.arg("--offline");
        }
        // As a user has it: incremental, and nothing that remembers what it compiled elsewhere.
        command.env("CARGO_INCREMENTAL", "1").env("RUSTC_WRAPPER", "").env("CARGO_TERM_COLOR", "never");
        command.env_remove("CARGO_TERM_QUIET");
        let output = command.output().map_err(|error| format!("cargo can't be run: {error}"))?;
        match output.status.success() {
            true => Ok(output),
            false => {
                let line = arguments.join(" ");
                Err(format!("`cargo {line}` failed:\n{}", String::from_utf8_lossy(&output.stderr).trim()))
            }
        }
    }
}

fn manifest(name: &str, cachex: &Path) -> String {
    let cachex = toml_string(&cachex.display().to_string());
    format!(
        "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[dependencies]\ncachex = {{ path = {cachex} }}\n"
    )
}

fn toml_string(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Writes a file and the folders it is in.
fn write(path: &Path, text: &str) -> Result<(), String> {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder).map_err(|error| failure(folder, "made", &error))?;
    fs::write(path, text).map_err(|error| failure(path, "written", &error))
}

fn failure(path: &Path, done: &str, error: &std::io::Error) -> String {
    format!("{} can't be {done}: {error}", path.display())
}

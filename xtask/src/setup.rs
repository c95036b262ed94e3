//! What must be installed: it is installed if that can be done, else the command to type is the error.

use std::path::Path;
use std::process::{Command, Stdio};

/// A program that the steps need.
struct Tool {
    name: &'static str,
    /// Ends well if the tool is there.
    probe: &'static [&'static str],
    /// Its component, where rustup manages the toolchain.
    component: Option<&'static str>,
    /// The Debian packages that have it.
    packages: &'static [&'static str],
}

const TOOLS: [Tool; 9] = [
    Tool { name: "a C compiler", probe: &["cc", "--version"], component: None, packages: &["gcc", "libc6-dev"] },
    Tool { name: "rustfmt", probe: &["cargo", "fmt", "--version"], component: Some("rustfmt"), packages: &["rustfmt"] },
    Tool {
        name: "clippy",
        probe: &["cargo", "clippy", "--version"],
        component: Some("clippy"),
        packages: &["rust-clippy"],
    },
    Tool { name: "redis-server", probe: &["redis-server", "--version"], component: None, packages: &["redis-server"] },
    Tool { name: "memcached", probe: &["memcached", "--version"], component: None, packages: &["memcached"] },
    // Debian keeps its programs where no shell looks.
    Tool {
        name: "PostgreSQL",
        probe: &["sh", "-c", "command -v initdb || ls /usr/lib/postgresql/*/bin/initdb"],
        component: None,
        packages: &["postgresql"],
    },
    Tool {
        name: "libpq",
        probe: &["sh", "-c", "pkg-config --exists libpq || pg_config --includedir"],
        component: None,
        packages: &["libpq-dev", "pkg-config"],
    },
    Tool {
        name: "MariaDB",
        probe: &["sh", "-c", "mariadbd --version && mariadb --version"],
        component: None,
        packages: &["mariadb-server-core", "mariadb-client-core"],
    },
    Tool {
        name: "libmariadb",
        probe: &["pkg-config", "--exists", "libmariadb"],
        component: None,
        packages: &["libmariadb-dev", "pkg-config"],
    },
];

const VALGRIND: Tool =
    Tool { name: "valgrind", probe: &["valgrind", "--version"], component: None, packages: &["valgrind"] };

/// Installs what the steps need and is missing.
pub(crate) fn ready() -> Result<(), String> {
    TOOLS.iter().try_for_each(Tool::ready)
}

/// Installs valgrind if it is missing; only what counts instructions needs it.
pub(crate) fn valgrind() -> Result<(), String> {
    VALGRIND.ready()
}

/// Installs Valkey if there is a package of it; returns whether it is there. Debian has none before its version 13.
pub(crate) fn valkey() -> bool {
    const PROBE: &[&str] = &["valkey-server", "--version"];
    const INSTALL: [&str; 5] = ["apt-get", "install", "--yes", "--no-install-recommends", "valkey-server"];
    let can_install = || is_root() && passes(&["apt-cache", "show", "--quiet", "valkey-server"]);
    passes(PROBE) || (can_install() && succeeds(&INSTALL.map(str::to_owned)) && passes(PROBE))
}

/// Installs cargo-deny if it is missing; that takes minutes, so only the command that needs it does so.
pub(crate) fn cargo_deny() -> Result<(), String> {
    let install = ["cargo", "install", "--locked", "cargo-deny"].map(str::to_owned);
    if passes(&["cargo", "deny", "--version"]) || succeeds(&install) {
        return Ok(());
    }
    Err(format!("cargo-deny is missing and can't be installed; type: {}", install.join(" ")))
}

/// Installs Miri if it is missing; returns whether it is there. It belongs to a nightly toolchain.
pub(crate) fn miri() -> bool {
    const PROBE: &[&str] = &["rustup", "run", "nightly", "cargo", "miri", "--version"];
    // Miri builds the standard library from its source: without that, its own version is all it can tell.
    const SOURCE: &str = "rustup component add --toolchain nightly miri rust-src";
    const TOOLCHAIN: &str = "rustup toolchain install nightly --profile minimal --component miri --component rust-src";
    let install = |line: &str| succeeds(&line.split(' ').map(str::to_owned).collect::<Vec<_>>());
    passes(&["rustup", "--version"]) && (install(SOURCE) || install(TOOLCHAIN)) && passes(PROBE)
}

impl Tool {
    /// Installs the tool if it is missing.
    fn ready(&self) -> Result<(), String> {
        if passes(self.probe) {
            return Ok(());
        }
        let commands = self.commands(passes(&["rustup", "--version"]));
        let needs_root = commands[0][0] == "apt-get";
        let can_install = !needs_root || (is_root() && Path::new("/usr/bin/apt-get").exists());
        if !can_install {
            return Err(self.advice(&commands));
        }
        println!("{} is missing; installing it", self.name);
        if !commands.iter().all(|command| succeeds(command)) || !passes(self.probe) {
            return Err(self.advice(&commands));
        }
        Ok(())
    }

    /// Returns the commands that install the tool.
    fn commands(&self, has_rustup: bool) -> Vec<Vec<String>> {
        let words = |line: &[&str]| line.iter().map(|word| (*word).to_owned()).collect();
        if let Some(component) = self.component.filter(|_| has_rustup) {
            return vec![words(&["rustup", "component", "add", component])];
        }
        let mut install: Vec<String> = words(&["apt-get", "install", "--yes", "--no-install-recommends"]);
        install.extend(self.packages.iter().map(|package| (*package).to_owned()));
        vec![words(&["apt-get", "update"]), install]
    }

    fn advice(&self, commands: &[Vec<String>]) -> String {
        let sudo = if commands[0][0] == "apt-get" { "sudo " } else { "" };
        let lines: Vec<_> = commands.iter().map(|command| format!("{sudo}{}", command.join(" "))).collect();
        format!("{} is missing; type: {}", self.name, lines.join(" && "))
    }
}

/// Returns whether a command ends well; what it says is not shown.
fn passes(command: &[&str]) -> bool {
    let mut command_ = Command::new(command[0]);
    let command_ = command_.args(&command[1..]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command_.status().is_ok_and(|status| status.success())
}

fn succeeds(command: &[String]) -> bool {
    println!("$ {}", command.join(" "));
    Command::new(&command[0]).args(&command[1..]).status().is_ok_and(|status| status.success())
}

fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output();
    output.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_can_not_install_is_told_what_to_type() {
        let [compiler, format, ..] = &TOOLS;
        assert_eq!(
            compiler.advice(&compiler.commands(true)),
            "a C compiler is missing; type: sudo apt-get update && \
             sudo apt-get install --yes --no-install-recommends gcc libc6-dev"
        );
        assert_eq!(format.advice(&format.commands(true)), "rustfmt is missing; type: rustup component add rustfmt");
        assert!(format.advice(&format.commands(false)).ends_with(" rustfmt"));
    }

    #[test]
    fn a_missing_program_does_not_pass() {
        assert!(!passes(&["no-such-program"]));
        assert!(passes(&["true"]));
    }
}

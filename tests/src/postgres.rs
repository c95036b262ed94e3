//! A PostgreSQL server of a test: in a directory of its own, reached by a socket there, ended with its guard.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::cable::Cable;
use crate::redis::pause;

/// Looks whether it is ready, with a pause between them.
const ATTEMPTS: usize = 3_000;

/// A server; dropped, it is ended, and so it is when a test panics.
#[derive(Debug)]
pub struct Server {
    child: Option<Child>,
    directory: PathBuf,
}

impl Server {
    /// Starts one with an empty database.
    ///
    /// # Panics
    ///
    /// PostgreSQL is not installed, or it does not start.
    #[must_use]
    pub fn start() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let directory = std::env::temp_dir().join(format!("cachex-postgres-{}-{number}", std::process::id()));
        let _left = std::fs::remove_dir_all(&directory);
        std::fs::create_dir_all(&directory).expect("the directory for temporary files can be written to");
        let everybody = std::fs::Permissions::from_mode(0o777);
        std::fs::set_permissions(&directory, everybody).expect("a directory of ours can be changed");
        let mut server = Self { child: None, directory };
        let data = server.directory.join("data");
        let mut init = as_nobody("initdb");
        init.arg("--pgdata").arg(&data).args([
            "--auth",
            "trust",
            "--username",
            "tests",
            "--no-sync",
            "--locale",
            "C.UTF-8",
        ]);
        let made = init.stdin(Stdio::null()).stdout(Stdio::null()).status();
        assert!(made.is_ok_and(|made| made.success()), "initdb makes a database");
        server.run();
        server
    }

    /// Starts it again, where it was.
    ///
    /// # Panics
    ///
    /// It does not start.
    pub fn run(&mut self) {
        let mut command = as_nobody("postgres");
        command.arg("-D").arg(self.directory.join("data")).arg("-k").arg(&self.directory);
        command.args(["-c", "listen_addresses=", "-c", "fsync=off", "-c", "max_prepared_transactions=8"]);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        self.child = Some(child.expect("postgres is installed: `apt-get install postgresql`"));
        for _ in 0..ATTEMPTS {
            if self.answers() {
                return;
            }
            pause();
        }
        panic!("postgres does not answer in {}", self.directory.display());
    }

    /// Returns the URL of the database.
    #[must_use]
    pub fn url(&self) -> String {
        format!("host={} user=tests dbname=postgres", self.directory.display())
    }

    /// Lays a cable to it.
    #[must_use]
    pub fn cable(&self) -> Cable {
        Cable::to(&self.directory, ".s.PGSQL.5432", &self.url())
    }

    /// Ends it at once, with all its processes.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            // All at once, and nothing is saved: what it was asked to keep is found in its log.
            let _gone = Command::new("kill").args(["-QUIT", &child.id().to_string()]).status();
            let _gone = child.wait();
        }
    }

    fn answers(&self) -> bool {
        let mut ask = Command::new(program("pg_isready"));
        ask.arg("--quiet").arg("--host").arg(&self.directory).stdin(Stdio::null());
        ask.status().is_ok_and(|status| status.success())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
        let _gone = std::fs::remove_dir_all(&self.directory);
    }
}

/// PostgreSQL refuses to be run by root.
fn as_nobody(name: &str) -> Command {
    let is_root = std::fs::metadata("/proc/self").is_ok_and(|about| std::os::unix::fs::MetadataExt::uid(&about) == 0);
    if !is_root {
        return Command::new(program(name));
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(program(name));
    // The directory that it is started in may be none of its own.
    command.current_dir("/");
    command
}

/// Returns where a program of PostgreSQL is: Debian keeps each version in a directory of its own.
fn program(name: &str) -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let found = versions.map(|version| version.path().join("bin").join(name)).filter(|path| path.exists()).max();
    found.unwrap_or_else(|| Path::new(name).to_path_buf())
}

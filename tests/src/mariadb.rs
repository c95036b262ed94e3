//! A MariaDB server of a test: in a directory of its own, reached by a socket there, ended with its guard.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::cable::Cable;
use crate::redis::pause;

/// Looks whether it is ready, with a pause between them.
const ATTEMPTS: usize = 3_000;
/// Its socket, in its directory.
const SOCKET: &str = "socket";

/// A server; dropped, it is ended, and so it is when a test panics.
#[derive(Debug)]
pub struct Server {
    child: Child,
    directory: PathBuf,
}

impl Server {
    /// Starts one with an empty database.
    ///
    /// # Panics
    ///
    /// MariaDB is not installed, or it does not start.
    #[must_use]
    pub fn start() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let directory = std::env::temp_dir().join(format!("cachex-mariadb-{}-{number}", std::process::id()));
        let _left = std::fs::remove_dir_all(&directory);
        std::fs::create_dir_all(&directory).expect("the directory for temporary files can be written to");
        let everybody = std::fs::Permissions::from_mode(0o777);
        std::fs::set_permissions(&directory, everybody).expect("a directory of ours can be changed");
        let (data, socket) = (directory.join("data"), directory.join(SOCKET));
        let mut install = as_nobody("mariadb-install-db", &directory);
        install.args(["--no-defaults", "--skip-test-db", "--auth-root-authentication-method=normal"]);
        install.arg(format!("--datadir={}", data.display()));
        let made = install.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
        assert!(made.is_ok_and(|made| made.success()), "mariadb-install-db makes a database");
        let mut command = as_nobody("mariadbd", &directory);
        command.args(["--no-defaults", "--skip-networking", "--skip-grant-tables", "--innodb-buffer-pool-size=16M"]);
        command.args(["--innodb-flush-log-at-trx-commit=0".to_owned(), format!("--datadir={}", data.display())]);
        command.arg(format!("--socket={}", socket.display()));
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let child = child.expect("mariadbd is installed: `apt-get install mariadb-server-core`");
        let server = Self { child, directory };
        for _ in 0..ATTEMPTS {
            // It is made once the server is ready.
            if std::os::unix::net::UnixStream::connect(&socket).is_ok() {
                server.make("tests");
                return server;
            }
            pause();
        }
        panic!("mariadbd does not answer in {}", server.directory.display());
    }

    fn make(&self, database: &str) {
        let mut ask = Command::new("mariadb");
        ask.arg("--no-defaults").arg(format!("--socket={}", self.socket().display()));
        ask.args(["--execute", &format!("CREATE DATABASE {database}")]);
        assert!(ask.stdin(Stdio::null()).status().is_ok_and(|status| status.success()), "a database is made");
    }

    fn socket(&self) -> PathBuf {
        self.directory.join(SOCKET)
    }

    /// Returns the URL of the database.
    #[must_use]
    pub fn url(&self) -> String {
        format!("mysql://root@localhost/tests?unix_socket={}", self.socket().display())
    }

    /// Lays a cable to it.
    #[must_use]
    pub fn cable(&self) -> Cable {
        Cable::to(&self.directory, SOCKET, &self.url())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _gone = self.child.wait();
        let _gone = std::fs::remove_dir_all(&self.directory);
    }
}

/// MariaDB refuses to be run by root.
fn as_nobody(name: &str, directory: &Path) -> Command {
    let is_root = std::fs::metadata("/proc/self").is_ok_and(|about| about.uid() == 0);
    let mut command = Command::new(if is_root { "setpriv" } else { name });
    if is_root {
        command.args(["--reuid=nobody", "--regid=nogroup", "--clear-groups", name]);
    }
    // Two servers that begin at once would take each other's temporary tables away.
    command.env("TMPDIR", directory);
    // The directory that it is started in may be none of its own.
    command.current_dir("/");
    command
}

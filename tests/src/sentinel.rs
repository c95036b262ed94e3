//! Sentinels, with a master and a replica that they watch.

use std::net::{Ipv4Addr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::redis::{Server, ask, free_port, pause};

const MASTER: &str = "main";
/// Looks whether they know one another, with a pause between them.
const ATTEMPTS: usize = 3_000;

/// Sentinels and what they watch; dropped, all are ended.
#[derive(Debug)]
pub struct Sentinels {
    /// The master as it is at the beginning, and its replica.
    pub servers: [Server; 2],
    sentinels: Vec<Sentinel>,
}

#[derive(Debug)]
struct Sentinel {
    child: Child,
    port: u16,
    file: PathBuf,
}

impl Sentinels {
    /// Starts so many, with more lines for the file of each; a server that is away for half a second is given up.
    ///
    /// # Panics
    ///
    /// There is no `redis-server`, or they do not find one another.
    #[must_use]
    pub fn start(count: usize, lines: &str) -> Self {
        Self::start_before(count, lines, |port| port)
    }

    /// As [`start`](Self::start), where the sentinels find the master at the port that is made of its own.
    ///
    /// # Panics
    ///
    /// As there.
    #[must_use]
    pub fn start_before(count: usize, lines: &str, at: impl FnOnce(u16) -> u16) -> Self {
        let servers = servers();
        let file = file(at(servers[0].port()), count / 2 + 1, lines);
        let sentinels = (0..count).map(|_| Sentinel::start(&file)).collect();
        let all = Self { servers, sentinels };
        all.wait_for(&format!("num-other-sentinels {}", count - 1));
        all.wait_for("num-slaves 1");
        all
    }

    /// Starts one that takes the replica for the master: it can't do anything about it, as it is told to ask another one that is not there.
    ///
    /// # Panics
    ///
    /// There is no `redis-server`, or it does not start.
    #[must_use]
    pub fn start_mistaken() -> Self {
        let servers = servers();
        let sentinels = vec![Sentinel::start(&file(servers[1].port(), 2, ""))];
        let all = Self { servers, sentinels };
        all.wait_for(&format!("port {} ", all.servers[1].port()));
        all
    }

    /// Returns what follows `redis+sentinel://` and a user.
    #[must_use]
    pub fn hosts(&self) -> String {
        let hosts: Vec<_> = self.sentinels.iter().map(|sentinel| format!("127.0.0.1:{}", sentinel.port)).collect();
        format!("{}/{MASTER}", hosts.join(","))
    }

    /// Returns the port of a sentinel.
    ///
    /// # Panics
    ///
    /// There are not so many.
    #[must_use]
    pub fn port(&self, number: usize) -> u16 {
        self.sentinels[number].port
    }

    /// Waits until all sentinels name another server than this one as the master.
    ///
    /// # Panics
    ///
    /// That is not so within half a minute.
    pub fn wait_for_another_master(&self, server: &Server) {
        let port = format!("port {} ", server.port());
        self.wait(|sentinel| !sentinel.about_master().contains(&port));
    }

    fn wait_for(&self, part: &str) {
        // Where a password is demanded, nothing is told: then they are few enough to be ready.
        self.wait(|sentinel| {
            let about = sentinel.about_master();
            about.contains(part) || about.contains("NOAUTH")
        });
    }

    fn wait(&self, is_so: impl Fn(&Sentinel) -> bool) {
        for _ in 0..ATTEMPTS {
            if self.sentinels.iter().all(&is_so) {
                return;
            }
            pause();
        }
        panic!(
            "the sentinels do not agree: {:?}",
            self.sentinels.iter().map(Sentinel::about_master).collect::<Vec<_>>()
        );
    }
}

/// Starts a master and its replica.
fn servers() -> [Server; 2] {
    let master = Server::start();
    let replica = Server::start_with(&["--replicaof", "127.0.0.1", &master.port().to_string()]);
    [master, replica]
}

/// Returns the file of a sentinel that watches the server at a port.
fn file(port: u16, quorum: usize, lines: &str) -> String {
    format!(
        "bind 127.0.0.1\nprotected-mode no\nsentinel monitor {MASTER} 127.0.0.1 {port} {quorum}\n\
         sentinel down-after-milliseconds {MASTER} 500\nsentinel failover-timeout {MASTER} 3000\n{lines}\n"
    )
}

impl Sentinel {
    fn start(text: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        // It writes what it finds out into its file.
        let file = std::env::temp_dir().join(format!("cachex-sentinel-{}-{number}.conf", std::process::id()));
        let port = free_port();
        std::fs::write(&file, format!("port {port}\n{text}"))
            .expect("the directory for temporary files can be written to");
        let mut command = Command::new(crate::redis::program());
        command.arg(&file).arg("--sentinel").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().expect("redis-server is installed: `apt-get install redis-server`");
        Self { child, port, file }
    }

    /// Returns what it knows of the master, on one line.
    fn about_master(&self) -> String {
        let answer = || {
            let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
            stream.set_read_timeout(Some(Duration::from_secs(5)))?;
            ask(&mut stream, &["SENTINEL", "MASTER", MASTER])
        };
        let answer = answer().unwrap_or_default();
        answer.lines().filter(|line| !line.starts_with('$')).collect::<Vec<_>>().join(" ")
    }
}

impl Drop for Sentinel {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _gone = self.child.wait();
        let _gone = std::fs::remove_file(&self.file);
    }
}

//! A `redis-server` of a test: on a free port of the loopback, ended with its guard.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

/// A server; dropped, it is ended, and so it is when a test panics.
#[derive(Debug)]
pub struct Server {
    child: Option<Child>,
    port: u16,
    directory: PathBuf,
    options: Vec<String>,
    /// Connections that were made by this guard since the server was started.
    asked: AtomicU64,
}

/// Attempts to reach a server that was started, and between two of them.
const ATTEMPTS: usize = 500;
const PAUSE: Duration = Duration::from_millis(10);

/// Returns the program that is started: `redis-server`, or the one that `CACHEX_TESTS_REDIS_SERVER` names, as `valkey-server`.
#[must_use]
pub fn program() -> String {
    std::env::var("CACHEX_TESTS_REDIS_SERVER").unwrap_or_else(|_| "redis-server".to_owned())
}

impl Server {
    /// Starts a server that keeps nothing on disk.
    ///
    /// # Panics
    ///
    /// There is no `redis-server`, or it does not start.
    #[must_use]
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// As [`start`](Self::start), with more options, as in `["--requirepass", "secret"]`.
    ///
    /// # Panics
    ///
    /// There is no `redis-server`, or it does not start.
    #[must_use]
    pub fn start_with(options: &[&str]) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let directory = std::env::temp_dir().join(format!("cachex-redis-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&directory).expect("the directory for temporary files can be written to");
        let options = options.iter().map(|option| (*option).to_owned()).collect();
        let mut server = Self { child: None, port: free_port(), directory, options, asked: AtomicU64::new(0) };
        server.run();
        server
    }

    /// Starts it again, where it was.
    ///
    /// # Panics
    ///
    /// It does not start.
    pub fn run(&mut self) {
        self.asked.store(0, Ordering::Relaxed);
        let mut command = Command::new(program());
        command
            .args(["--port", &self.port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
            .args(["--daemonize", "no", "--loglevel", "warning"])
            .arg("--dir")
            .arg(&self.directory)
            .args(&self.options)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let child = command.spawn().expect("it is installed: `apt-get install redis-server`");
        self.child = Some(child);
        for _ in 0..ATTEMPTS {
            if self.answers() {
                return;
            }
            pause();
        }
        panic!("redis-server does not answer on port {}", self.port);
    }

    /// Returns the URL of the server.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Returns the port of the server.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Ends the server at once.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _gone = child.kill();
            let _gone = child.wait();
        }
    }

    /// Stops the server, as if the machine hung.
    pub fn freeze(&self) {
        self.signal("STOP");
    }

    /// Lets the server go on.
    pub fn thaw(&self) {
        self.signal("CONT");
    }

    fn signal(&self, name: &str) {
        let Some(child) = &self.child else { return };
        let status = Command::new("kill").args([&format!("-{name}"), &child.id().to_string()]).status();
        assert!(status.is_ok_and(|status| status.success()), "the server is there to be told {name}");
    }

    /// Sends a command of plain words, and returns the answer as it is, up to 64 KiB of it.
    ///
    /// # Errors
    ///
    /// The server can't be reached.
    pub fn command(&self, words: &[&str]) -> std::io::Result<String> {
        ask(&mut self.stream()?, words)
    }

    /// As [`command`](Self::command), after a password.
    ///
    /// # Errors
    ///
    /// The server can't be reached.
    pub fn authenticated(&self, password: &str, words: &[&str]) -> std::io::Result<String> {
        let mut stream = self.stream()?;
        ask(&mut stream, &["AUTH", password])?;
        ask(&mut stream, words)
    }

    /// Returns how often the server was connected with since it was started, by others than this guard.
    ///
    /// # Panics
    ///
    /// The server does not answer.
    #[must_use]
    pub fn connections(&self) -> u64 {
        let stats = self.command(&["INFO", "stats"]).expect("the server is there");
        let received = stats.lines().find_map(|line| line.strip_prefix("total_connections_received:"));
        let received: u64 =
            received.and_then(|number| number.trim().parse().ok()).expect("the server counts connections");
        received.saturating_sub(self.asked.load(Ordering::Relaxed))
    }

    fn stream(&self) -> std::io::Result<TcpStream> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
        self.asked.fetch_add(1, Ordering::Relaxed);
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        Ok(stream)
    }

    fn answers(&self) -> bool {
        self.command(&["PING"]).is_ok_and(|answer| answer.starts_with("+PONG") || answer.starts_with("-NOAUTH"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
        let _gone = std::fs::remove_dir_all(&self.directory);
    }
}

pub(crate) fn ask(stream: &mut TcpStream, words: &[&str]) -> std::io::Result<String> {
    let mut line = format!("*{}\r\n", words.len());
    words.iter().for_each(|word| line.push_str(&format!("${}\r\n{word}\r\n", word.len())));
    stream.write_all(line.as_bytes())?;
    let mut answer = vec![0; 1 << 16];
    let read = stream.read(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer[..read]).into_owned())
}

pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("the loopback has free ports");
    listener.local_addr().expect("a bound socket has an address").port()
}

#[expect(clippy::disallowed_methods, reason = "another process starts in real time")]
pub(crate) fn pause() {
    std::thread::sleep(PAUSE);
}

//! A `memcached` of a test: on a free port of the loopback, ended with its guard.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::port;

/// A server; dropped, it is ended, and so it is when a test panics.
#[derive(Debug)]
pub struct Server {
    child: Option<Child>,
    port: u16,
    options: Vec<String>,
}

const ATTEMPTS: usize = 500;

impl Server {
    /// Starts a server.
    ///
    /// # Panics
    ///
    /// There is no `memcached`, or it does not start.
    #[must_use]
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// As [`start`](Self::start), with more options, as in `["-m", "1"]`.
    ///
    /// # Panics
    ///
    /// There is no `memcached`, or it does not start.
    #[must_use]
    pub fn start_with(options: &[&str]) -> Self {
        let options = options.iter().map(|option| (*option).to_owned()).collect();
        let mut server = Self { child: None, port: port::free(), options };
        server.run();
        server
    }

    /// Starts it again, where it was.
    ///
    /// # Panics
    ///
    /// It does not start.
    pub fn run(&mut self) {
        let mut command = Command::new("memcached");
        command
            .args(["-l", "127.0.0.1", "-p", &self.port.to_string(), "-U", "0", "-u", "nobody"])
            .args(&self.options)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        self.child = Some(command.spawn().expect("memcached is installed: `apt-get install memcached`"));
        for _ in 0..ATTEMPTS {
            if self.ask("mn\r\n").is_ok_and(|answer| answer == "MN\r\n") {
                return;
            }
            port::pause();
        }
        panic!("memcached does not answer on port {}", self.port);
    }

    /// Returns the URL of the server.
    #[must_use]
    pub fn url(&self) -> String {
        format!("memcached://127.0.0.1:{}", self.port)
    }

    /// Returns its port.
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

    /// Sends a line, and returns what is answered at once, up to 64 KiB of it.
    ///
    /// # Errors
    ///
    /// The server can't be reached.
    pub fn ask(&self, line: &str) -> std::io::Result<String> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.write_all(line.as_bytes())?;
        let mut answer = vec![0; 1 << 16];
        let read = stream.read(&mut answer)?;
        Ok(String::from_utf8_lossy(&answer[..read]).into_owned())
    }

    /// Returns the names of all items.
    ///
    /// # Panics
    ///
    /// The server can't be reached.
    #[must_use]
    pub fn items(&self) -> Vec<String> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).expect("the server is there");
        let mut all = String::new();
        stream.write_all(b"lru_crawler metadump all\r\n").expect("the server is there");
        let mut buffer = vec![0; 1 << 16];
        while !all.ends_with("END\r\n") && !all.starts_with("BUSY") {
            let read = stream.read(&mut buffer).expect("the server is there");
            assert!(read > 0, "the server goes on until the end");
            all.push_str(&String::from_utf8_lossy(&buffer[..read]));
        }
        let name = |line: &str| line.strip_prefix("key=")?.split(' ').next().map(decoded);
        all.lines().filter_map(name).collect()
    }

    /// Removes an item, as the server does when it needs the room.
    ///
    /// # Errors
    ///
    /// The server can't be reached.
    pub fn evict(&self, item: &str) -> std::io::Result<()> {
        self.ask(&format!("md {item}\r\n")).map(drop)
    }
}

/// Reads a name in which bytes are written as `%3A`.
fn decoded(name: &str) -> String {
    let mut parts = name.split('%');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (code, rest) = part.split_at_checked(2).unwrap_or((part, ""));
        out.extend(u8::from_str_radix(code, 16).ok().map(char::from));
        out.push_str(rest);
    }
    out
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

//! A connection, and the part of memcached's text protocol that is used: the meta commands, of server 1.6 and later.
//!
//! One at a time has a connection, which is closed with whoever drops it before its answers are read. Commands are numbered, and the server tells the number with the
//! answer: so nobody is given the answer of another.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpStream, ToSocketAddrs};

use crate::store::Reading;

/// The longest line there is an answer of.
const LONGEST_LINE: u64 = 2048;
/// No server keeps larger items.
const LARGEST: usize = 1 << 30;
/// From so many seconds on the server takes a time for one of day.
const LONGEST_SPAN: u64 = 30 * 24 * 3600;

/// A connection to a server, as it was since it started.
#[derive(Debug)]
pub(super) struct Connection {
    stream: BufReader<TcpStream>,
    identity: Identity,
    /// Commands so far.
    count: u64,
}

/// Which server it is, as far as that can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    /// Where it is.
    pub(super) peer: SocketAddr,
    /// The number of its process.
    process: u64,
    /// When it started, in ns since 1970.
    start: u64,
}

/// What the server is told.
#[derive(Clone, Copy, Debug)]
pub(super) enum Command<'a> {
    Get(&'a str),
    /// Stores an item, for so many seconds.
    Store {
        name: &'a str,
        value: &'a [u8],
        over: Over,
        seconds: Option<u64>,
    },
    /// Removes an item, if it is the one of this number.
    Delete(&'a str, Option<u64>),
    /// Does nothing.
    Ping,
}

/// What an item may be stored over.
#[derive(Clone, Copy, Debug)]
pub(super) enum Over {
    Anything,
    Nothing,
    /// The item of this number.
    This(u64),
}

/// What the server answers.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Found {
        value: Vec<u8>,
        number: u64,
    },
    Done {
        number: u64,
    },
    NotFound,
    /// There is another item, or one where there was to be none.
    Other,
    /// The server does not take items of this size.
    TooLarge,
    /// It refused otherwise, in these words.
    Refused(String),
}

/// Why something was not done.
#[derive(Debug)]
pub(super) enum Failure {
    /// The connection is of no use any more.
    Broken(io::Error),
    /// The server refused, in these words, and nothing is wrong with the connection.
    Refused(String),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Broken(error)
    }
}

impl Connection {
    /// Connects, and asks which server it is.
    pub(super) async fn open(address: impl ToSocketAddrs) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let identity = Identity { peer: stream.peer_addr()?, process: 0, start: 0 };
        let mut connection = Self { stream: BufReader::new(stream), identity, count: 0 };
        connection.stream.write_all(b"stats\r\n").await?;
        let (mut time, mut uptime, mut process) = (None, None, 0);
        loop {
            let line = connection.line().await?;
            let mut words = line.split(' ');
            match (words.next(), words.next(), words.next()) {
                (Some("STAT"), Some("time"), Some(seconds)) => time = seconds.parse::<u64>().ok(),
                (Some("STAT"), Some("uptime"), Some(seconds)) => uptime = seconds.parse::<u64>().ok(),
                (Some("STAT"), Some("pid"), Some(number)) => process = number.parse().unwrap_or(0),
                (Some("STAT"), ..) => {}
                (Some("END"), ..) => break,
                _ => return Err(unexpected()),
            }
        }
        let start = time.zip(uptime).and_then(|(time, uptime)| time.checked_sub(uptime)).ok_or_else(unexpected)?;
        connection.identity = Identity { process, start: start.saturating_mul(1_000_000_000), ..identity };
        Ok(connection)
    }

    pub(super) fn identity(&self) -> Identity {
        self.identity
    }

    /// Returns the reading that an item's number is. Nobody stores more than one item in a nanosecond, so that of a server which starts later is later.
    pub(super) fn reading(&self, number: u64) -> Reading {
        Reading(self.identity.start.saturating_add(number))
    }

    /// Sends commands at once, and reads their answers, in their order.
    pub(super) async fn ask(&mut self, commands: &[Command<'_>]) -> io::Result<Vec<Answer>> {
        let first = self.count;
        self.count += commands.len() as u64;
        let mut out = Vec::new();
        for (command, number) in commands.iter().zip(first..) {
            command.write(number, &mut out);
        }
        self.stream.write_all(&out).await?;
        let mut answers = Vec::with_capacity(commands.len());
        for (command, number) in commands.iter().zip(first..) {
            answers.push(self.answer(command, number).await?);
        }
        Ok(answers)
    }

    async fn answer(&mut self, command: &Command<'_>, number: u64) -> io::Result<Answer> {
        let line = self.line().await?;
        let mut words = line.split(' ');
        let first = words.next().unwrap_or_default();
        if matches!(first, "SERVER_ERROR" | "CLIENT_ERROR" | "ERROR") {
            let is_too_large = line.contains("too large") || line.contains("too big");
            if !is_too_large && first != "SERVER_ERROR" {
                // It does not know the command, so it may take what follows for others.
                return Err(io::Error::new(ErrorKind::Unsupported, "it does not know the command"));
            }
            return Ok(if is_too_large { Answer::TooLarge } else { Answer::Refused(line) });
        }
        if matches!(command, Command::Ping) {
            return if first == "MN" { Ok(Answer::Done { number: 0 }) } else { Err(unexpected()) };
        }
        let len = if first == "VA" { words.next().and_then(|len| len.parse::<usize>().ok()) } else { None };
        let (mut cas, mut told) = (None, None);
        for flag in words {
            match flag.split_at_checked(1) {
                Some(("c", number)) => cas = number.parse::<u64>().ok(),
                Some(("O", number)) => told = number.parse::<u64>().ok(),
                _ => {}
            }
        }
        // A miss of a get tells nothing but itself.
        if told != Some(number) && !(first == "EN" && told.is_none()) {
            return Err(unexpected());
        }
        match (first, cas, len) {
            ("VA", Some(number), Some(len)) if number > 0 && len <= LARGEST => {
                // Room is made as it comes: the length is what is said, and may be anything.
                let mut value = Vec::new();
                (&mut self.stream).take(len as u64 + 2).read_to_end(&mut value).await?;
                if value.len() != len + 2 || !value.ends_with(b"\r\n") {
                    return Err(unexpected());
                }
                value.truncate(len);
                Ok(Answer::Found { value, number })
            }
            // A server that does not number items gives all of them this one.
            ("VA", Some(0), _) => Err(io::Error::new(ErrorKind::Unsupported, "it does not number items (`-C`)")),
            ("HD", number, None) => Ok(Answer::Done { number: number.unwrap_or(0) }),
            ("EN" | "NF", ..) => Ok(Answer::NotFound),
            ("EX" | "NS", ..) => Ok(Answer::Other),
            _ => Err(unexpected()),
        }
    }

    async fn line(&mut self) -> io::Result<String> {
        let mut line = Vec::new();
        (&mut self.stream).take(LONGEST_LINE).read_until(b'\n', &mut line).await?;
        match line.strip_suffix(b"\r\n").map(<[u8]>::to_vec).map(String::from_utf8) {
            Some(Ok(line)) => Ok(line),
            _ if line.is_empty() => Err(ErrorKind::UnexpectedEof.into()),
            _ => Err(unexpected()),
        }
    }
}

impl Command<'_> {
    fn write(&self, number: u64, out: &mut Vec<u8>) {
        match *self {
            Command::Get(name) => out.extend(format!("mg {name} v c O{number}\r\n").as_bytes()),
            Command::Store { name, value, over, seconds } => {
                let over = match over {
                    Over::Anything => String::new(),
                    Over::Nothing => " ME".to_owned(),
                    Over::This(number) => format!(" C{number}"),
                };
                let (len, seconds) = (value.len(), span(seconds));
                out.extend(format!("ms {name} {len} c T{seconds}{over} O{number}\r\n").as_bytes());
                out.extend(value);
                out.extend(b"\r\n");
            }
            Command::Delete(name, None) => out.extend(format!("md {name} O{number}\r\n").as_bytes()),
            Command::Delete(name, Some(cas)) => out.extend(format!("md {name} C{cas} O{number}\r\n").as_bytes()),
            Command::Ping => out.extend(b"mn\r\n"),
        }
    }
}

/// Writes how long an item is kept. Longer spans than the server knows are for good: what has ended is seen by what is in the item.
fn span(seconds: Option<u64>) -> u64 {
    seconds.filter(|seconds| *seconds <= LONGEST_SPAN).unwrap_or(0)
}

fn unexpected() -> io::Error {
    io::Error::new(ErrorKind::InvalidData, "an answer of another kind")
}

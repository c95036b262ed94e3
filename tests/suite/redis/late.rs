//! A command that arrives after it was given up, and what took its place: the server is told it once more, word by word.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

use cachex::{Cache, EntryOptions, Key};
use cachex_tests::redis::Server;

use super::{node, until};

/// Hears what the server is told.
struct Monitor(BufReader<TcpStream>);

impl Monitor {
    fn begin(server: &Server) -> Self {
        let mut monitor = Self(connection(server));
        tell(&mut monitor.0, &[b"MONITOR".to_vec()]);
        monitor
    }

    /// Returns the next script that is about all that there is of a key.
    fn write(&mut self) -> Vec<Vec<u8>> {
        loop {
            let mut line = String::new();
            assert!(self.0.read_line(&mut line).unwrap() > 0, "the server goes on to tell");
            if line.contains("\"EVALSHA\"") && line.contains(":u:{") {
                return words(&line);
            }
        }
    }
}

fn connection(server: &Server) -> BufReader<TcpStream> {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, server.port())).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    BufReader::new(stream)
}

/// Tells the server something, and returns the first line of its answer.
fn tell(connection: &mut BufReader<TcpStream>, words: &[Vec<u8>]) -> String {
    let mut command = format!("*{}\r\n", words.len()).into_bytes();
    for word in words {
        command.extend(format!("${}\r\n", word.len()).into_bytes());
        command.extend(word);
        command.extend(b"\r\n");
    }
    connection.get_mut().write_all(&command).unwrap();
    let mut answer = String::new();
    connection.read_line(&mut answer).unwrap();
    answer
}

/// Reads the words that are within quotes.
fn words(line: &str) -> Vec<Vec<u8>> {
    let mut bytes = line.bytes();
    let mut words = Vec::new();
    while bytes.by_ref().any(|byte| byte == b'"') {
        let mut word = Vec::new();
        while let Some(byte) = bytes.next().filter(|byte| *byte != b'"') {
            word.push(if byte == b'\\' { escaped(&mut bytes) } else { byte });
        }
        words.push(word);
    }
    words
}

fn escaped(bytes: &mut impl Iterator<Item = u8>) -> u8 {
    match bytes.next().unwrap() {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'a' => 7,
        b'b' => 8,
        b'x' => {
            let digits = [bytes.next().unwrap(), bytes.next().unwrap()];
            u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap()
        }
        other => other,
    }
}

async fn set(cache: &Cache, key: &Key, value: u64) {
    let kept = cache.set(key, value, &EntryOptions::new().ttl(Duration::from_secs(3600))).await;
    assert!(kept.is_ok(), "{kept:?}");
}

/// Two nodes, of which one has written a key, and what the server was told of that.
struct Late {
    server: Server,
    a: Cache,
    b: Cache,
    /// Over which it can be told again.
    late: BufReader<TcpStream>,
    monitor: Monitor,
    key: Key,
    first: Vec<Vec<u8>>,
}

impl Late {
    async fn begin() -> Self {
        let server = Server::start();
        let (a, b) = (node(&server).await, node(&server).await);
        let (late, mut monitor, key) = (connection(&server), Monitor::begin(&server), Key::new("late"));
        set(&a, &key, 1).await;
        let first = monitor.write();
        Self { server, a, b, late, monitor, key, first }
    }
}

/// Waits until all has come that was sent up to now: what is told after it.
async fn heard(teller: &Cache, cache: &Cache) {
    let before = notices(cache);
    teller.invalidate_tags(["last"]).await;
    until("the notice is heard", async || notices(cache) > before).await;
}

fn notices(cache: &Cache) -> u64 {
    cache.remote_stats().unwrap().notices
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_comes_late_takes_nothing_back() {
    let Late { server: _server, a, b, mut late, key, first, .. } = Late::begin().await;
    assert_eq!(b.get::<u64>(&key).await.unwrap(), Some(1));

    // After a removal …
    a.remove(&key).await;
    tell(&mut late, &first);
    heard(&a, &b).await;
    assert_eq!((a.get::<u64>(&key).await.unwrap(), b.get::<u64>(&key).await.unwrap()), (None, None));

    // … and after another write: what is there then is that one, or nothing.
    set(&a, &key, 2).await;
    heard(&a, &b).await;
    assert_eq!(b.get::<u64>(&key).await.unwrap(), Some(2));
    tell(&mut late, &first);
    heard(&a, &b).await;
    assert_ne!(b.get::<u64>(&key).await.unwrap(), Some(1));
    assert_ne!(a.get::<u64>(&key).await.unwrap(), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_comes_late_does_not_keep_a_later_one_from_coming() {
    let Late { server, a: _a, b, mut late, key, first, mut monitor } = Late::begin().await;
    set(&b, &key, 2).await;
    let second = monitor.write();
    // Between the note of a later write and that write itself.
    let note = second[6].clone();
    let token = second.last().unwrap().clone();
    tell(&mut late, &[b"SET".to_vec(), note, token]);
    assert_eq!(tell(&mut late, &first), ":0\r\n");
    assert_eq!(tell(&mut late, &second), ":1\r\n");
    let c = node(&server).await;
    assert_eq!(c.get::<u64>(&key).await.unwrap(), Some(2));
}

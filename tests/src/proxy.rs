//! A proxy between a cache and its server, which can fail as networks do.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU16, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use socket2::SockRef;

/// How a message to a subscriber begins, after its length in parts.
const MESSAGE: &[u8] = b"$7\r\nmessage\r\n";

/// A proxy on a port of its own; dropped, it ends with all its connections.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    /// The port of the server.
    server: AtomicU16,
    mode: AtomicU8,
    /// How long what comes is kept before it is passed on, in ms.
    delay: AtomicU64,
    /// How many bytes of each connection it passes on in a second, in each direction; 0 for as many as come.
    pace: AtomicU32,
    is_over: AtomicBool,
    /// Connections that were accepted.
    accepted: AtomicU64,
    /// How many were there when it was told what to do.
    known: AtomicU64,
    /// How often messages were lost.
    lost: AtomicU64,
    streams: Mutex<Vec<TcpStream>>,
}

/// What it does with what comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Mode {
    /// It is passed on.
    Pass,
    /// It is lost, and connections stay open: as behind a firewall that has forgotten them.
    Swallow,
    /// Of the next answer one byte is passed on, then the connection is closed.
    Truncate,
    /// The same, and the connection is reset.
    Reset,
    /// Messages to subscribers are kept until it does something else; all else is passed on.
    HoldMessages,
    /// Messages to subscribers are lost, with what comes at once with them; all else is passed on.
    LoseMessages,
    /// Of each connection that is there by then, the next thing a client says is kept until it does something else, and whatever follows is lost;
    /// new connections are as good as ever.
    HoldRequests,
}

/// In which direction something is passed on; of a connection with a number.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Towards {
    Server(u64),
    Client,
}

impl Proxy {
    /// Starts one before a port of the loopback.
    ///
    /// # Panics
    ///
    /// There is no free port.
    #[must_use]
    pub fn before(server: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("the loopback has free ports");
        let port = listener.local_addr().expect("a bound socket has an address").port();
        let shared = Arc::new(Shared {
            server: AtomicU16::new(server),
            mode: AtomicU8::new(Mode::Pass as u8),
            delay: AtomicU64::new(0),
            pace: AtomicU32::new(0),
            is_over: AtomicBool::new(false),
            accepted: AtomicU64::new(0),
            known: AtomicU64::new(0),
            lost: AtomicU64::new(0),
            streams: Mutex::default(),
        });
        let accepting = shared.clone();
        thread::spawn(move || {
            for client in listener.incoming() {
                if accepting.is_over.load(Ordering::Relaxed) {
                    return;
                }
                if let Ok(client) = client {
                    let number = accepting.accepted.fetch_add(1, Ordering::SeqCst);
                    accepting.connect(client, number);
                }
            }
        });
        Self { port, shared }
    }

    /// Returns the URL by which a cache goes through it.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Returns its port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Leads to another server from now on; what is connected stays where it is, as when a name comes to mean another address.
    pub fn redirect(&self, server: u16) {
        self.shared.server.store(server, Ordering::SeqCst);
    }

    /// Says what it is to do from now on.
    pub fn set(&self, mode: Mode) {
        self.shared.known.store(self.connections(), Ordering::SeqCst);
        self.shared.mode.store(mode as u8, Ordering::SeqCst);
    }

    /// Says how long it takes in each direction from now on, as if the server were far away.
    pub fn delay(&self, span: Duration) {
        self.shared.delay.store(u64::try_from(span.as_millis()).unwrap_or(u64::MAX), Ordering::SeqCst);
    }

    /// Says how many bytes it passes on in a second from now on, of each connection and in each direction, as a slow link does.
    pub fn pace(&self, bytes: u32) {
        self.shared.pace.store(bytes, Ordering::SeqCst);
    }

    /// Returns how often it was connected with, whether the server was there or not.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.shared.accepted.load(Ordering::SeqCst)
    }

    /// Returns how often it has lost messages to subscribers.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.shared.lost.load(Ordering::SeqCst)
    }

    /// Closes all connections.
    pub fn cut(&self) {
        let mut streams = self.shared.streams.lock().unwrap_or_else(PoisonError::into_inner);
        for stream in streams.drain(..) {
            let _gone = stream.shutdown(Shutdown::Both);
        }
    }
}

impl Shared {
    fn connect(self: &Arc<Self>, client: TcpStream, number: u64) {
        let server = self.server.load(Ordering::SeqCst);
        let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, server)) else { return };
        let copies = (client.try_clone(), server.try_clone(), client.try_clone(), server.try_clone());
        let (Ok(client_too), Ok(server_too), Ok(client_kept), Ok(server_kept)) = copies else { return };
        self.streams.lock().unwrap_or_else(PoisonError::into_inner).extend([client_kept, server_kept]);
        let (to, from) = (self.clone(), self.clone());
        thread::spawn(move || to.pass(client, server, Towards::Server(number)));
        thread::spawn(move || from.pass(server_too, client_too, Towards::Client));
    }

    fn pass(&self, mut from: TcpStream, mut to: TcpStream, towards: Towards) {
        let is_answer = towards == Towards::Client;
        let _ = from.set_read_timeout(Some(Duration::from_secs(60)));
        let mut buffer = vec![0; 1 << 16];
        while let Ok(read @ 1..) = from.read(&mut buffer) {
            match self.delay.load(Ordering::SeqCst) {
                0 => {}
                delay => keep_for(Duration::from_millis(delay)),
            }
            match self.pace.load(Ordering::SeqCst) {
                0 => {}
                pace => keep_for(Duration::from_secs_f64(read as f64 / f64::from(pace))),
            }
            if is_answer && buffer[..read].windows(MESSAGE.len()).any(|part| part == MESSAGE) {
                self.hold(Mode::HoldMessages);
                if self.mode.load(Ordering::SeqCst) == Mode::LoseMessages as u8 {
                    self.lost.fetch_add(1, Ordering::SeqCst);
                    continue;
                }
            }
            if self.is_held(towards) {
                self.hold(Mode::HoldRequests);
                let _gone = to.write_all(&buffer[..read]);
                break;
            }
            let mode = self.mode.load(Ordering::SeqCst);
            if mode == Mode::Swallow as u8 {
                continue;
            }
            if is_answer && (mode == Mode::Truncate as u8 || mode == Mode::Reset as u8) {
                let _gone = to.write_all(&buffer[..1]);
                if mode == Mode::Reset as u8 {
                    self.begin_reset(&to);
                }
                break;
            }
            if to.write_all(&buffer[..read]).is_err() {
                break;
            }
        }
        for stream in [&from, &to] {
            // What is closed without that is reset.
            if SockRef::from(stream).linger().is_ok_and(|linger| linger.is_none()) {
                let _gone = stream.shutdown(Shutdown::Both);
            }
        }
    }

    /// Has a connection reset when all who pass on what comes have let go of it.
    fn begin_reset(&self, client: &TcpStream) {
        let Ok(address) = client.peer_addr() else { return };
        let is_other = |stream: &TcpStream| stream.peer_addr().ok() != Some(address);
        let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        let _gone = SockRef::from(client).set_linger(Some(Duration::ZERO));
        // Who reads from it looks up.
        let _gone = client.shutdown(Shutdown::Read);
        streams.retain(is_other);
    }

    fn is_held(&self, towards: Towards) -> bool {
        let Towards::Server(number) = towards else { return false };
        self.mode.load(Ordering::SeqCst) == Mode::HoldRequests as u8 && number < self.known.load(Ordering::SeqCst)
    }

    /// Waits until it does something else.
    fn hold(&self, mode: Mode) {
        let is_held = || self.mode.load(Ordering::SeqCst) == mode as u8;
        while is_held() && !self.is_over.load(Ordering::Relaxed) {
            keep_for(Duration::from_millis(1));
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::Relaxed);
        self.cut();
        // The listener looks up.
        let _gone = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
    }
}

#[expect(clippy::disallowed_methods, reason = "connections live in real time")]
fn keep_for(span: Duration) {
    thread::sleep(span);
}

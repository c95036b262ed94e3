//! Ports of the loopback, and waiting for who is to listen there.

use std::net::{Ipv4Addr, TcpListener};
use std::time::Duration;

/// Returns a port that nobody has.
///
/// # Panics
///
/// There is none.
pub(crate) fn free() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("the loopback has free ports");
    listener.local_addr().expect("a bound socket has an address").port()
}

/// Lets another process go on.
#[expect(clippy::disallowed_methods, reason = "another process starts in real time")]
pub(crate) fn pause() {
    std::thread::sleep(Duration::from_millis(10));
}

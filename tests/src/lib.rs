//! What the integration tests share: servers and folders of their own, and what may come between them and a cache.

pub mod cable;
pub mod cluster;
pub mod folder;
pub mod mariadb;
pub mod memcached;
mod port;
pub mod postgres;
pub mod proxy;
pub mod redis;
pub mod sentinel;
pub mod tls;

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::Duration;

use cachex::{Cache, Error};

/// Waits until a cache is connected with all that it is set to use.
///
/// # Errors
///
/// That is not so within ten seconds.
pub fn connected(cache: &Cache) -> Result<(), Error> {
    struct Caller(Thread);
    impl Wake for Caller {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Caller(std::thread::current())));
    let mut connected = pin!(cache.connected(Duration::from_secs(10)));
    loop {
        if let Poll::Ready(result) = connected.as_mut().poll(&mut Context::from_waker(&waker)) {
            return result;
        }
        std::thread::park();
    }
}

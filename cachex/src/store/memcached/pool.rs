//! Connections at hand, and whether the server is there.

use std::future::Future;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, Semaphore, SemaphorePermit};
use tokio::time::timeout;

use super::Options;
use super::wire::{Command, Connection, Failure};
use crate::runtime;
use crate::store::{Listener, StoreError, StoreErrorKind};

/// Between two attempts to reach a server that is not there: twice as long each time.
const SHORTEST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// So much of what a server says when it refuses is passed on, in letters.
const LONGEST_REFUSAL: usize = 100;

/// Connections to one server.
#[derive(Debug)]
pub(super) struct Pool {
    address: String,
    idle: Mutex<Vec<Connection>>,
    /// So many more may be in use.
    free: Semaphore,
    is_up: AtomicBool,
    /// Something has failed: it is to be seen whether the server is still there.
    suspected: Notify,
    connect_timeout: Duration,
    timeout: Duration,
    ping_interval: Duration,
}

impl Pool {
    pub(super) fn new(address: String, options: &Options<'_>) -> Self {
        let Options { connections, connect_timeout, timeout, ping_interval, .. } = *options;
        Self {
            address,
            idle: Mutex::default(),
            free: Semaphore::new(connections),
            is_up: AtomicBool::new(false),
            suspected: Notify::new(),
            connect_timeout,
            timeout,
            ping_interval,
        }
    }

    pub(super) fn is_up(&self) -> bool {
        self.is_up.load(Ordering::Acquire)
    }

    /// Does something within the timeout, and not at all while the server is known to be gone.
    pub(super) async fn within<T>(
        &self,
        work: impl Future<Output = Result<T, Failure>> + Send,
    ) -> Result<T, StoreError> {
        if !self.is_up() {
            return Err(StoreError::new(StoreErrorKind::Down, "memcached can't be reached"));
        }
        match runtime::within(self.timeout, runtime::with_own_timers(work)).await {
            Some(Ok(done)) => Ok(done),
            Some(Err(Failure::Broken(error))) => Err(self.failed(&error)),
            Some(Err(Failure::Refused(line))) => Err(refused(&line)),
            None => Err(self.failed(&io::ErrorKind::TimedOut.into())),
        }
    }

    /// Takes a connection, for nobody else. Dropped before it is given back, it is closed: its answers may not have been read.
    pub(super) async fn take(&self) -> io::Result<Taken<'_>> {
        let permit = self.free.acquire().await;
        let idle = self.idle().pop();
        let connection = match idle {
            Some(connection) => connection,
            None => Connection::open(&self.address).await?,
        };
        Ok(Taken { connection, pool: self, _permit: permit.ok() })
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn failed(&self, error: &io::Error) -> StoreError {
        // Those at hand may be to a server that is no more.
        self.idle().clear();
        self.suspected.notify_one();
        self.says(error)
    }

    fn says(&self, error: &io::Error) -> StoreError {
        let text = match error.kind() {
            io::ErrorKind::TimedOut => format!("memcached did not answer within {:?}", self.timeout),
            io::ErrorKind::Unsupported => {
                "memcached can't be used as it is: it has to be of version 1.6 or later, and started without `-C`"
                    .to_owned()
            }
            kind => format!("memcached failed: {kind}"),
        };
        StoreError::new(StoreErrorKind::Unknown, text)
    }

    async fn ping(&self, connection: &mut Connection) -> bool {
        matches!(timeout(self.timeout, connection.ask(&[Command::Ping])).await, Ok(Ok(_)))
    }
}

/// A connection in use.
#[derive(Debug)]
pub(super) struct Taken<'a> {
    pub(super) connection: Connection,
    pool: &'a Pool,
    _permit: Option<SemaphorePermit<'a>>,
}

impl Taken<'_> {
    /// Gives it back, unless it is of no use any more: all of its answers were read.
    pub(super) fn ended<T>(self, done: Result<T, Failure>) -> Result<T, Failure> {
        if !matches!(done, Err(Failure::Broken(_))) {
            self.pool.idle().push(self.connection);
        }
        done
    }
}

/// Says in which words the server refused: there is neither key nor value in them.
fn refused(line: &str) -> StoreError {
    let is_plain = |letter: &char| letter.is_ascii_graphic() || *letter == ' ';
    let words: String = line.chars().filter(is_plain).take(LONGEST_REFUSAL).collect();
    StoreError::new(StoreErrorKind::Refused, format!("memcached refused: {words}"))
}

/// Sees again and again whether the server is there, and says so.
pub(super) async fn keep_watching(pool: Arc<Pool>, listener: Arc<dyn Listener>) {
    let mut pause = SHORTEST_PAUSE;
    loop {
        match timeout(pool.connect_timeout, Connection::open(&pool.address)).await {
            Ok(Ok(mut connection)) => {
                pool.is_up.store(true, Ordering::Release);
                listener.up();
                pause = SHORTEST_PAUSE;
                while pool.ping(&mut connection).await {
                    let _why = timeout(pool.ping_interval, pool.suspected.notified()).await;
                }
                pool.is_up.store(false, Ordering::Release);
                pool.idle().clear();
                listener.down();
            }
            Ok(Err(error)) => listener.troubled(&pool.says(&error).to_string()),
            Err(_elapsed) => listener.troubled(&pool.says(&io::ErrorKind::TimedOut.into()).to_string()),
        }
        runtime::pause(pause).await;
        pause = (2 * pause).min(LONGEST_PAUSE);
    }
}

//! Connections at hand, and whether the server is there.

use std::future::Future;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, Semaphore, SemaphorePermit, oneshot};
use tokio::time::timeout;

use super::Options;
use super::commands::step;
use super::wire::{Command, Connection, Failure, Identity};
use crate::runtime;
use crate::store::{Listener, StoreError, StoreErrorKind};

/// Between two attempts to reach a server that is not there: twice as long each time.
const SHORTEST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// So much of what a server says when it refuses is passed on, in letters.
const LONGEST_REFUSAL: usize = 100;

/// Connections to one server.
///
/// A name may lead to several servers, or to another one than before. What is invalidated at one of them is not at the other, so all connections are to one: the one that is watched. What leads elsewhere is refused.
#[derive(Debug)]
pub(super) struct Pool {
    address: String,
    /// What all of it is named by which is invalidated when another server is in the place of the one that was used.
    everything: String,
    at_hand: Mutex<AtHand>,
    /// So many more may be in use.
    free: Semaphore,
    most_idle: usize,
    is_up: AtomicBool,
    /// Something has failed: it is to be seen whether the server is still there.
    suspected: Notify,
    connect_timeout: Duration,
    timeout: Duration,
    ping_interval: Duration,
}

#[derive(Debug, Default)]
struct AtHand {
    /// The server that is watched, or was last.
    server: Option<Identity>,
    idle: Vec<Connection>,
}

impl Pool {
    /// Makes one that is not connected; `everything` is the item of the group of all values.
    pub(super) fn new(address: String, everything: String, options: &Options<'_>) -> Self {
        let Options { connections, connect_timeout, timeout, ping_interval, .. } = *options;
        Self {
            address,
            everything,
            at_hand: Mutex::default(),
            free: Semaphore::new(connections),
            most_idle: connections,
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
    pub(super) async fn take(self: &Arc<Self>) -> io::Result<Taken<'_>> {
        let permit = self.free.acquire().await;
        let (idle, server) = {
            let mut at_hand = self.at_hand();
            (at_hand.idle.pop(), at_hand.server)
        };
        let connection = match (idle, server) {
            (Some(connection), _) => connection,
            (None, Some(server)) => self.open(server).await?,
            (None, None) => return Err(io::ErrorKind::NotConnected.into()),
        };
        Ok(Taken { connection, pool: self, _permit: permit.ok() })
    }

    /// Connects with the server that is watched. Who gives up waiting, as it takes longer than a call may, leaves the connection to the next one.
    // Break this (connect in the call) and where it takes longer than a call may, none ever gets a connection.
    async fn open(self: &Arc<Self>, server: Identity) -> io::Result<Connection> {
        let (opened, opening) = oneshot::channel();
        let pool = self.clone();
        runtime::spawn_own(async move {
            let connected = timeout(pool.connect_timeout, Connection::open(server.peer)).await;
            let connection = connected.unwrap_or_else(|_elapsed| Err(io::ErrorKind::TimedOut.into()));
            if let Err(Ok(left)) = opened.send(connection) {
                pool.give_back(left);
            }
        });
        let connection = opening.await.map_err(|_gone| io::ErrorKind::NotConnected)??;
        // Break this (use it all the same) and what is invalidated over it is still valid over the others.
        if connection.identity() != server {
            return Err(io::ErrorKind::AddrNotAvailable.into());
        }
        Ok(connection)
    }

    fn at_hand(&self) -> MutexGuard<'_, AtHand> {
        self.at_hand.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn give_back(&self, connection: Connection) {
        let mut at_hand = self.at_hand();
        // It may have been taken before another server was in the place.
        // Break this (keep it) and what could not be connected in time for a call, again and again, is kept for all of these.
        if at_hand.server == Some(connection.identity()) && at_hand.idle.len() < self.most_idle {
            at_hand.idle.push(connection);
        }
    }

    /// Keeps a connection for the next call, if there is none.
    fn keep_spare(&self, connection: Connection) {
        if self.at_hand().idle.is_empty() {
            self.give_back(connection);
        }
    }

    /// Takes a server for the one that is used from now on. If it is not the one that was used before, all that it may have from a time when it was not told of invalidations is wrong.
    async fn adopt(&self, connection: &mut Connection, listener: &dyn Listener) -> Result<(), Failure> {
        let (identity, before) = (connection.identity(), self.at_hand().server);
        if before.is_some_and(|before| before != identity) {
            step(connection, std::slice::from_ref(&self.everything)).await?;
            listener.replaced();
        }
        *self.at_hand() = AtHand { server: Some(identity), idle: Vec::new() };
        Ok(())
    }

    fn failed(&self, error: &io::Error) -> StoreError {
        // Those at hand may be to a server that is no more, or were forgotten on the way. Who watches leaves another one.
        self.at_hand().idle.clear();
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
            io::ErrorKind::AddrNotAvailable => {
                "memcached's address leads to another server than the one in use: nothing of it is taken until that one is given up".to_owned()
            }
            kind => format!("memcached failed: {kind}"),
        };
        StoreError::new(StoreErrorKind::Unknown, text)
    }

    /// Looks whether the server that is watched is there, and its name still leads to it.
    async fn look(&self, connection: &mut Connection) -> Seen {
        if !matches!(timeout(self.timeout, connection.ask(&[Command::Ping])).await, Ok(Ok(_))) {
            return Seen::Gone;
        }
        // One that can't be reached is not another one.
        match timeout(self.connect_timeout, Connection::open(&self.address)).await {
            Ok(Ok(led_to)) if led_to.identity() != connection.identity() => Seen::Another,
            Ok(Ok(another)) => {
                // Break this (drop it) and where to connect and to ask takes longer than a call may, no call ever has a connection.
                self.keep_spare(another);
                Seen::Same
            }
            _ => Seen::Same,
        }
    }

    /// Connects, and makes sure that the server may be used.
    async fn connected(&self, listener: &dyn Listener) -> Result<Connection, StoreError> {
        let connected = async {
            let mut connection = Connection::open(&self.address).await?;
            self.adopt(&mut connection, listener).await?;
            Ok(connection)
        };
        match timeout(self.connect_timeout, connected).await {
            Ok(Ok(connection)) => Ok(connection),
            Ok(Err(Failure::Broken(error))) => Err(self.says(&error)),
            Ok(Err(Failure::Refused(line))) => Err(refused(&line)),
            Err(_elapsed) => Err(self.says(&io::ErrorKind::TimedOut.into())),
        }
    }
}

/// What is seen of the server that is watched.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Seen {
    /// It is as it was.
    Same,
    Gone,
    /// Its name leads to another one, while it is still there.
    Another,
}

/// What is to be seen once the name has led to another server.
const LED_ELSEWHERE: &str = "memcached's address led to another server while the one before was still there; \
                             if there are several behind it, name each of them in `memcached.urls`";

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
            self.pool.give_back(self.connection);
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
        match pool.connected(&*listener).await {
            Ok(mut connection) => {
                pool.is_up.store(true, Ordering::Release);
                listener.up();
                let seen = loop {
                    match pool.look(&mut connection).await {
                        Seen::Same => {
                            // Break this (begin anew once it is connected) and a name of several servers that take turns is followed as fast as they answer.
                            if timeout(pool.ping_interval, pool.suspected.notified()).await.is_err() {
                                pause = SHORTEST_PAUSE;
                            }
                        }
                        seen => break seen,
                    }
                };
                if seen == Seen::Another {
                    listener.troubled(LED_ELSEWHERE);
                }
                pool.is_up.store(false, Ordering::Release);
                pool.at_hand().idle.clear();
                listener.down();
            }
            Err(error) => listener.troubled(&error.to_string()),
        }
        runtime::pause(pause).await;
        pause = (2 * pause).min(LONGEST_PAUSE);
    }
}

//! A connection that is watched: made again whenever it breaks, and known to be there or not.
//!
//! The client's own `ConnectionManager` is not used: an error of authentication met while it reconnects stops it for ever, commands
//! wait for a connection that is gone for longer than they may, and it goes on with the address it began with.

use std::future::{Future, poll_fn};
use std::hash::BuildHasher;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, Cmd, ErrorKind, RedisError, Value};
use tokio::sync::{Notify, watch};
use tokio::task::AbortHandle;
use tokio::time::timeout;

use super::greeting::Greeting;
use crate::runtime;
use crate::store::{Listener, StoreError, StoreErrorKind};
use crate::time::stopwatch::Stopwatch;

/// Commands that wait for the connection; from 1024 on throughput does not grow.
const BUFFER: usize = 1024;
/// A timeout is so many ticks.
const TICKS: u32 = 4;
const SHORTEST_BACKOFF: Duration = Duration::from_millis(20);
const LONGEST_BACKOFF: Duration = Duration::from_secs(2);

/// How long things may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timing {
    /// To connect, and to say who we are.
    pub(crate) connect: Duration,
    /// For an answer.
    pub(crate) command: Duration,
    /// Between two looks whether the connection is still alive.
    pub(crate) ping_interval: Duration,
}

/// A watched connection; dropped, it is closed.
pub(super) struct Link {
    alive: watch::Receiver<Option<MultiplexedConnection>>,
    suspect: Arc<Notify>,
    timing: Timing,
    ticks: Arc<Ticks>,
    tasks: [AbortHandle; 2],
}

impl Link {
    /// Begins to connect, and to go on doing so. `listener` is told how it stands.
    pub(super) fn begin(client: Client, timing: Timing, greeting: Greeting, listener: Arc<dyn Listener>) -> Self {
        let (status, alive) = watch::channel(None);
        let suspect = Arc::new(Notify::new());
        let ticks = Arc::new(Ticks::default());
        let tasks = [
            runtime::spawn_own(keep_up((client, timing, greeting), listener, status, suspect.clone())),
            runtime::spawn_own(keep_ticking(ticks.clone(), timing.command / TICKS)),
        ];
        Self { alive, suspect, timing, ticks, tasks }
    }

    pub(super) fn is_up(&self) -> bool {
        self.alive.borrow().is_some()
    }

    /// Sends a command and waits for its answer, no longer than the timeout, and not at all while there is no connection.
    pub(super) async fn send(&self, command: &Cmd) -> Result<Value, LinkError> {
        let alive = self.alive.borrow().clone();
        let Some(mut connection) = alive else {
            return Err(LinkError::Down);
        };
        let answer = self.ticks.bounded(self.timing.command, connection.send_packed_command(command)).await;
        match answer.map(|answer| answer.and_then(Value::extract_error)) {
            Some(Ok(value)) => Ok(value),
            Some(Err(error)) => {
                if is_of_connection(&error) {
                    self.suspect();
                }
                Err(LinkError::Redis(error))
            }
            None => {
                self.suspect();
                Err(LinkError::Silent(self.timing.command))
            }
        }
    }

    /// Has the connection looked at now.
    fn suspect(&self) {
        self.suspect.notify_one();
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.tasks.iter().for_each(AbortHandle::abort);
    }
}

/// What tells those who wait for an answer that time passes: a timer for each would have to be set in the runtime of another thread, which
/// takes longer than all else.
#[derive(Default)]
struct Ticks {
    /// Those who wait.
    waiting: AtomicUsize,
    begun: Notify,
    ticked: Notify,
}

/// Counts one who waits.
struct Counted<'a>(&'a Ticks);

impl Ticks {
    /// Waits for a future, no longer than `limit` and a tick.
    async fn bounded<F: Future>(&self, limit: Duration, future: F) -> Option<F::Output> {
        let mut future = pin!(future);
        // Most of it is done by the first look: what is sent.
        let _counted = Counted::new(self);
        let started_at = Stopwatch::start();
        loop {
            let mut ticked = pin!(self.ticked.notified());
            let either = poll_fn(|cx| {
                if let Poll::Ready(output) = future.as_mut().poll(cx) {
                    return Poll::Ready(Some(output));
                }
                ticked.as_mut().poll(cx).map(|()| None)
            });
            match either.await {
                Some(output) => return Some(output),
                None if started_at.elapsed() >= limit => return None,
                None => {}
            }
        }
    }
}

impl<'a> Counted<'a> {
    fn new(ticks: &'a Ticks) -> Self {
        if ticks.waiting.fetch_add(1, Ordering::AcqRel) == 0 {
            ticks.begun.notify_one();
        }
        Self(ticks)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Ticks as long as somebody waits.
async fn keep_ticking(ticks: Arc<Ticks>, span: Duration) {
    loop {
        ticks.begun.notified().await;
        // Until nobody has waited for a while: else each command would wake this task.
        let mut idle = 0;
        while idle < TICKS * 4 {
            runtime::pause(span).await;
            idle = if ticks.waiting.load(Ordering::Acquire) == 0 { idle + 1 } else { 0 };
            ticks.ticked.notify_waiters();
        }
    }
}

/// Connects, watches, and begins anew.
async fn keep_up(
    (client, timing, greeting): (Client, Timing, Greeting),
    listener: Arc<dyn Listener>,
    status: watch::Sender<Option<MultiplexedConnection>>,
    suspect: Arc<Notify>,
) {
    let mut backoff = Backoff::new();
    loop {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(None)
            .set_response_timeout(None)
            .set_pipeline_buffer_size(BUFFER);
        let connecting = async {
            let mut connection = client.get_multiplexed_async_connection_with_config(&config).await?;
            greeting.exchange(&mut connection).await?;
            Ok(connection)
        };
        let connected = match timeout(timing.connect, connecting).await {
            Ok(connected) => connected.map_err(LinkError::Redis),
            Err(_elapsed) => Err(LinkError::Silent(timing.connect)),
        };
        match connected {
            Ok(connection) => {
                status.send_replace(Some(connection.clone()));
                listener.up();
                backoff.succeeded();
                watch_over(&connection, timing, &suspect).await;
                status.send_replace(None);
                listener.down();
            }
            Err(error) => {
                listener.troubled(&StoreError::from(error).to_string());
            }
        }
        runtime::pause(backoff.next()).await;
    }
}

/// Returns once the connection is broken.
async fn watch_over(connection: &MultiplexedConnection, timing: Timing, said: &Notify) {
    loop {
        let _why = timeout(timing.ping_interval, said.notified()).await;
        // What was said may be of a former one: so it is asked.
        if !ping(connection.clone(), timing).await {
            return;
        }
    }
}

/// Whether the connection answers.
pub(super) async fn ping(mut connection: MultiplexedConnection, timing: Timing) -> bool {
    let answer = timeout(timing.command, connection.send_packed_command(&redis::cmd("PING"))).await;
    // An error of the server is an answer: it is loading, or out of memory, and says so for each command.
    match answer.map(|answer| answer.and_then(Value::extract_error)) {
        Ok(Ok(_)) => true,
        Ok(Err(error)) => !is_of_connection(&error) && !is_of_identity(&error),
        Err(_elapsed) => false,
    }
}

/// Whether the server refused for want of a right: what a script may not do has no code of its own.
fn is_forbidden(error: &RedisError) -> bool {
    error.code() == Some("NOPERM") || error.detail().is_some_and(|detail| detail.contains("executing the script can't"))
}

/// Whether an error tells that the connection is of no use any more.
fn is_of_connection(error: &RedisError) -> bool {
    error.is_unrecoverable_error() || error.is_io_error() || error.is_connection_dropped() || is_of_identity(error)
}

/// Whether the server does not know us, or we may not do anything.
fn is_of_identity(error: &RedisError) -> bool {
    error.kind() == ErrorKind::AuthenticationFailed || matches!(error.code(), Some("NOAUTH" | "WRONGPASS"))
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum LinkError {
    /// There is no connection.
    Down,
    /// None came within this time.
    Silent(Duration),
    /// There is one, and it is an error; or the connection broke.
    Redis(RedisError),
}

impl LinkError {
    pub(super) fn is_unknown_script(&self) -> bool {
        matches!(self, Self::Redis(error) if error.code() == Some("NOSCRIPT"))
    }
}

impl From<LinkError> for StoreError {
    fn from(error: LinkError) -> Self {
        match error {
            LinkError::Down => Self::new(StoreErrorKind::Down, "redis can't be reached"),
            LinkError::Silent(span) => {
                Self::new(StoreErrorKind::Unknown, format!("redis did not answer within {span:?}"))
            }
            LinkError::Redis(error) => match if is_forbidden(&error) { Some("NOPERM") } else { error.code() } {
                Some("NOPERM") => Self::new(
                    StoreErrorKind::Refused,
                    "redis refused: this user has no right to the keys or the channel of the cache; \
                     grant both, as in `ACL SETUSER app ~cx:* ~{cx:* &cx:* +@all` where the prefix is `cx`",
                ),
                Some("WRONGTYPE") => Self::new(StoreErrorKind::OtherKind, "redis has something of another kind there"),
                Some(code @ ("NOAUTH" | "WRONGPASS")) => Self::new(
                    StoreErrorKind::Refused,
                    format!("redis refused: {code}; write user and password into `redis.url`"),
                ),
                Some(code) => Self::new(StoreErrorKind::Refused, format!("redis refused: {code}")),
                None => Self::new(StoreErrorKind::Unknown, format!("redis failed: {}", error.category())),
            },
        }
    }
}

/// How long to wait before the next attempt: twice as long each time, and not at the same time as all others.
pub(super) struct Backoff {
    attempts: u32,
    seed: u64,
}

impl Backoff {
    pub(super) fn new() -> Self {
        Self { attempts: 0, seed: foldhash::quality::RandomState::default().hash_one(0_u8) }
    }

    pub(super) fn succeeded(&mut self) {
        self.attempts = 0;
    }

    pub(super) fn next(&mut self) -> Duration {
        let span = SHORTEST_BACKOFF.saturating_mul(1 << self.attempts.min(10)).min(LONGEST_BACKOFF);
        self.attempts += 1;
        self.seed = foldhash::quality::FixedState::with_seed(self.seed).hash_one(self.attempts);
        // Half of it, and up to the other half.
        span / 2 + (span / 2).mul_f64((self.seed >> 11) as f64 / (1_u64 << 53) as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_come_at_longer_intervals_up_to_a_limit_and_soon_again_after_one_that_succeeded() {
        let mut backoff = Backoff::new();
        let spans: Vec<_> = (0..20).map(|_| backoff.next()).collect();
        assert!(spans[0] <= SHORTEST_BACKOFF && spans[0] >= SHORTEST_BACKOFF / 2);
        assert!(spans.iter().all(|span| *span <= LONGEST_BACKOFF));
        assert!(spans[19] >= LONGEST_BACKOFF / 2);
        backoff.succeeded();
        assert!(backoff.next() <= SHORTEST_BACKOFF);
    }
}

//! A connection that is watched: made again whenever it breaks, and known to be there or not.
//!
//! The client's own `ConnectionManager` is not used: an error of authentication met while it reconnects stops it for ever, commands
//! wait for a connection that is gone for longer than they may, and it goes on with the address it began with.

use std::future::{Future, pending, poll_fn};
use std::hash::BuildHasher;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use futures_util::FutureExt;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Cmd, RedisResult, Value};
use tokio::sync::{Notify, watch};
use tokio::task::AbortHandle;
use tokio::time::timeout;

use super::greeting::Greeting;
use super::target::{Connected, Purpose, Target};
use super::ticks::{Ticks, keep_ticking};
use super::trouble::{LinkError, is_of_connection, is_of_identity, is_of_replica};
use crate::runtime::{self, Callers};
use crate::store::{Listener, StoreError};
use crate::time::stopwatch::{Deadline, Stopwatch};

/// Commands that wait for the connection; from 1024 on throughput does not grow.
const BUFFER: usize = 1024;
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

/// What is connected with, and from where.
pub(super) struct Ends {
    pub(super) target: Target,
    /// The runtime that drives the connection, if it is not ours.
    pub(super) callers: Option<Callers>,
}

/// A watched connection; dropped, it is closed.
pub(super) struct Link {
    alive: watch::Receiver<Option<Alive>>,
    suspect: Arc<Notify>,
    leave: Arc<Notify>,
    ticks: Arc<Ticks>,
    tasks: [AbortHandle; 2],
}

/// A connection that was greeted.
#[derive(Clone)]
struct Alive {
    connection: MultiplexedConnection,
    /// The number that the server drew when it started.
    run: Arc<str>,
}

/// The server that commands go to.
#[derive(Clone)]
pub(super) struct Leading(watch::Receiver<Option<Alive>>);

impl Leading {
    /// Ends when commands go to another server than the one that drew that number. Never, where that is not known.
    pub(super) async fn elsewhere(&self, run: Option<&str>) {
        let Some(run) = run else { return pending().await };
        let is_another = |alive: &Option<Alive>| alive.as_ref().is_some_and(|alive| &*alive.run != run);
        if self.0.clone().wait_for(is_another).await.is_err() {
            // Nobody sends commands any more.
            pending::<()>().await;
        }
    }
}

impl Link {
    /// Begins to connect, and to go on doing so. `listener` is told how it stands.
    pub(super) fn begin(ends: Ends, timing: Timing, greeting: Greeting, listener: Arc<dyn Listener>) -> Self {
        let (status, alive) = watch::channel(None);
        let (suspect, leave) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let ticks = Arc::new(Ticks::new(timing.command));
        let tasks = [
            runtime::spawn_own(keep_up((ends, timing, greeting), listener, status, (suspect.clone(), leave.clone()))),
            runtime::spawn_own(keep_ticking(ticks.clone())),
        ];
        Self { alive, suspect, leave, ticks, tasks }
    }

    pub(super) fn is_up(&self) -> bool {
        self.alive.borrow().is_some()
    }

    /// Whether this one and another are connected, and with the same server.
    pub(super) fn is_with(&self, other: &Self) -> bool {
        let (one, other) = (self.alive.borrow(), other.alive.borrow());
        matches!((&*one, &*other), (Some(one), Some(other)) if one.run == other.run)
    }

    /// Returns the server that this one is connected with, as one that others are to follow.
    pub(super) fn leading(&self) -> Leading {
        Leading(self.alive.clone())
    }

    /// Has the connection made anew: it is with another server than it should be.
    pub(super) fn leave(&self) {
        self.leave.notify_one();
    }

    /// Sends a command and waits for its answer, no longer than until the deadline, and not at all while there is no connection.
    pub(super) async fn send(&self, command: &Cmd, deadline: Deadline) -> Result<Value, LinkError> {
        self.exchange(deadline, |mut connection| async move { connection.send_packed_command(command).await }).await
    }

    /// As [`send`](Self::send), to the node of a cluster that a slot is just being moved to.
    pub(super) async fn send_asking(&self, command: &Cmd, deadline: Deadline) -> Result<Value, LinkError> {
        let mut both = redis::pipe();
        both.cmd("ASKING").add_command(command.clone());
        let both = &both;
        self.exchange(deadline, |mut connection| async move {
            let answers = connection.send_packed_commands(both, 1, 1).await?;
            Ok(answers.into_iter().next().unwrap_or(Value::Nil))
        })
        .await
    }

    async fn exchange<F: Future<Output = RedisResult<Value>>>(
        &self,
        deadline: Deadline,
        send: impl FnOnce(MultiplexedConnection) -> F,
    ) -> Result<Value, LinkError> {
        let alive = self.alive.borrow().clone();
        let Some(Alive { connection, .. }) = alive else {
            return Err(LinkError::Down);
        };
        let sending = pin!(send(connection));
        let answer = self.ticks.bounded(deadline, sending).await;
        match answer.map(|answer| answer.and_then(Value::extract_error)) {
            Some(Ok(value)) => Ok(value),
            Some(Err(error)) => {
                if is_of_connection(&error) || is_of_replica(&error) {
                    self.suspect();
                }
                Err(LinkError::Redis(error))
            }
            None => {
                self.suspect();
                Err(LinkError::Silent(deadline.span))
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

/// Connects, watches, and begins anew.
async fn keep_up(
    (ends, timing, greeting): (Ends, Timing, Greeting),
    listener: Arc<dyn Listener>,
    status: watch::Sender<Option<Alive>>,
    (suspect, leave): (Arc<Notify>, Arc<Notify>),
) {
    let mut backoff = Backoff::new();
    let mut last = None;
    loop {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(None)
            .set_response_timeout(None)
            .set_pipeline_buffer_size(BUFFER);
        match greeted(&ends, &config, timing, &greeting).await {
            Ok((connected, identity)) => {
                // After the old connection was given up, and before the new one is used.
                if last.replace(identity.clone()).is_some_and(|last| last != identity) {
                    listener.replaced();
                }
                let run = identity.split(':').next().unwrap_or_default().into();
                // What was said of the one before.
                let _said = leave.notified().now_or_never();
                status.send_replace(Some(Alive { connection: connected.connection.clone(), run }));
                listener.up();
                let (mut lost, mut left) =
                    (pin!(ends.target.lost(&connected, timing, &suspect)), pin!(leave.notified()));
                let is_left = poll_fn(|cx| match lost.as_mut().poll(cx) {
                    Poll::Pending => left.as_mut().poll(cx).map(|()| true),
                    Poll::Ready(()) => Poll::Ready(false),
                });
                let up = Stopwatch::start();
                // Where it leads elsewhere again and again, that is not to be often.
                if !is_left.await {
                    backoff.lasted(up.elapsed(), timing);
                }
                status.send_replace(None);
                listener.down();
            }
            Err(error) => {
                let is_last = matches!(error, LinkError::Elsewhere(_));
                listener.troubled(&StoreError::from(error).to_string());
                if is_last {
                    return;
                }
            }
        }
        runtime::pause(backoff.next()).await;
    }
}

/// Connects with a server, and makes sure that it may be used.
async fn greeted(
    ends: &Ends,
    config: &AsyncConnectionConfig,
    timing: Timing,
    greeting: &Greeting,
) -> Result<(Connected, String), LinkError> {
    let purpose = ends.callers.as_ref().map_or(Purpose::Commands, Purpose::CommandsOf);
    let mut connected = ends.target.connect(purpose, config, timing).await?;
    match timeout(timing.connect, greeting.exchange(&mut connected.connection)).await {
        Ok(greeted) => greeted.map(|identity| (connected, identity)),
        Err(_elapsed) => Err(LinkError::Silent(timing.connect)),
    }
}

/// Whether the connection answers.
pub(super) async fn ping(connection: MultiplexedConnection, timing: Timing) -> bool {
    // An error of the server is an answer: it is loading, or out of memory, and says so for each command.
    match answer(connection, &redis::cmd("PING"), timing).await {
        Some(Ok(_)) => true,
        Some(Err(error)) => !is_of_connection(&error) && !is_of_identity(&error),
        None => false,
    }
}

/// Returns what a server answers, if it does so in time.
pub(super) async fn answer(
    mut connection: MultiplexedConnection,
    command: &Cmd,
    timing: Timing,
) -> Option<RedisResult<Value>> {
    let answer = timeout(timing.command, connection.send_packed_command(command)).await.ok()?;
    Some(answer.and_then(Value::extract_error))
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

    /// Notes how long a connection was there. One that is closed as soon as it is greeted is as good as none.
    // Break this (drop the condition) and a server that does so is connected with a hundred times in a second.
    pub(super) fn lasted(&mut self, span: Duration, timing: Timing) {
        if span >= timing.ping_interval {
            self.succeeded();
        }
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
        let second = Duration::from_secs(1);
        let timing = Timing { connect: second, command: second, ping_interval: second };
        backoff.lasted(second / 2, timing);
        assert!(backoff.next() >= LONGEST_BACKOFF / 2);
        backoff.lasted(second, timing);
        assert!(backoff.next() <= SHORTEST_BACKOFF);
    }
}

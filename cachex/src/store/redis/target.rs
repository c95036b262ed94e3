//! Which server a connection is made to: it is found out anew each time, as after a failover it is another one.

use std::future::{pending, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo, ProtocolVersion, RedisError,
    RedisResult, Value,
};
use tokio::sync::Notify;
use tokio::time::timeout;

use super::address::{Manner, Place};
use super::beside;
use super::link::{Timing, answer, ping};
use super::sentinel::Sentinels;
use super::trouble::{LinkError, is_of_connection};
use crate::runtime::{self, Callers};

/// The server that is connected to.
#[derive(Clone)]
pub(super) enum Target {
    /// Always this one.
    One(Box<Client>),
    /// A node of a cluster.
    Node { manner: Box<Manner>, at: Place },
    /// Whichever is the master at the time.
    Master(Arc<Sentinels>),
}

/// What the connection is for.
#[derive(Clone, Copy)]
pub(super) enum Purpose<'a> {
    Commands,
    /// Commands as well; it is driven on the runtime of these.
    CommandsOf(&'a Callers),
    /// Messages in between answers: RESP3, of Redis 6 and later.
    Pushes,
}

/// A connection, and the place that was found for it, where one was sought.
#[derive(Clone)]
pub(super) struct Connected {
    pub(super) connection: MultiplexedConnection,
    pub(super) at: Option<Place>,
}

impl Target {
    /// Connects, and says who we are.
    pub(super) async fn connect(
        &self,
        purpose: Purpose<'_>,
        config: &AsyncConnectionConfig,
        timing: Timing,
    ) -> Result<Connected, LinkError> {
        match self {
            Self::One(client) => {
                let connection = connect_to(client, purpose, config, timing).await?;
                // Break this (drop the condition) and a server that became a replica is gone on with, which takes no write.
                match role(&connection, timing).await {
                    Role::Replica => Err(LinkError::Unfit(
                        "the server is a replica, where nothing can be written; write the address of its master into `redis.url`".to_owned(),
                    )),
                    Role::Sentinel => Err(LinkError::Unfit(
                        "this is a sentinel; write \"redis+sentinel://…\" with the name of its master at the end into `redis.url`".to_owned(),
                    )),
                    Role::None(error) if is_of_connection(&error) => Err(LinkError::Redis(error)),
                    Role::Silent => Err(LinkError::Silent(timing.command)),
                    // Also where it may not be asked.
                    Role::Master | Role::None(_) => Ok(Connected { connection, at: None }),
                }
            }
            Self::Node { manner, at } => {
                let client = manner.client(at).map_err(LinkError::Redis)?;
                let connection = connect_to(&client, purpose, config, timing).await?;
                Ok(Connected { connection, at: None })
            }
            Self::Master(sentinels) => sentinels.connect(purpose, config, timing).await,
        }
    }

    /// Ends when a connection is of no use any more: nobody answers, or it is not to the server that it should be to. That is looked at every
    /// `ping_interval`, and at once when `said` tells that something is wrong.
    pub(super) async fn lost(&self, connected: &Connected, timing: Timing, said: &Notify) {
        let mut is_dead = pin!(self.dead(&connected.connection, timing, said));
        // Beside it: sentinels that are out of reach take their time, and the server may be gone meanwhile.
        // Break this (one after the other) and a connection that is cut off is believed in for longer than is promised.
        let mut is_renamed = pin!(self.renamed(connected, timing));
        poll_fn(|cx| match is_dead.as_mut().poll(cx) {
            Poll::Pending => is_renamed.as_mut().poll(cx),
            ended @ Poll::Ready(()) => ended,
        })
        .await;
    }

    /// Ends when a server does not answer, or says that it is not a master.
    async fn dead(&self, connection: &MultiplexedConnection, timing: Timing, said: &Notify) {
        loop {
            // What was said may be of a former one: so it is asked.
            let _why = timeout(timing.ping_interval, said.notified()).await;
            let is_fit = match self {
                Self::One(_) | Self::Master(_) => role(connection, timing).await.is_of_use(),
                // A node that is no master any more is left by the topology.
                Self::Node { .. } => ping(connection.clone(), timing).await,
            };
            if !is_fit {
                return;
            }
        }
    }

    /// Ends when another server is the master; never, where none is sought.
    async fn renamed(&self, connected: &Connected, timing: Timing) {
        let Self::Master(sentinels) = self else { return pending().await };
        loop {
            runtime::pause(timing.ping_interval).await;
            if sentinels.is_another(connected, timing).await {
                return;
            }
        }
    }
}

/// Connects to a server.
pub(super) async fn connect_to(
    client: &Client,
    purpose: Purpose<'_>,
    config: &AsyncConnectionConfig,
    timing: Timing,
) -> Result<MultiplexedConnection, LinkError> {
    let client = if matches!(purpose, Purpose::Pushes) { with_pushes(client) } else { Ok(client.clone()) };
    let client = client.map_err(LinkError::Redis)?;
    let span = timing.connect;
    match (timeout(span, connect_at(&client, purpose, config)).await, purpose) {
        (Ok(connected), _) => connected,
        (Err(_elapsed), Purpose::CommandsOf(_)) => Err(LinkError::Unfit(format!(
            "redis did not answer within {span:?} over the runtime that the cache was given, or that does not go on; calls go on over the cache's own thread"
        ))),
        // A server without TLS waits for the end of a line, and never sees one.
        (Err(_elapsed), _) if matches!(client.get_connection_info().addr(), ConnectionAddr::TcpTls { .. }) => {
            Err(LinkError::Unfit(format!("redis did not answer over TLS within {span:?}; is there TLS at this port?")))
        }
        (Err(_elapsed), _) => Err(LinkError::Silent(span)),
    }
}

/// Connects from where the connection is to be driven.
async fn connect_at(
    client: &Client,
    purpose: Purpose<'_>,
    config: &AsyncConnectionConfig,
) -> Result<MultiplexedConnection, LinkError> {
    let connected = match purpose {
        Purpose::CommandsOf(callers) => beside::connect(client, config, callers).await.map_err(LinkError::Elsewhere)?,
        Purpose::Commands | Purpose::Pushes => client.get_multiplexed_async_connection_with_config(config).await,
    };
    connected.map_err(LinkError::Redis)
}

fn with_pushes(client: &Client) -> RedisResult<Client> {
    let info: ConnectionInfo = client.get_connection_info().clone();
    let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
    Client::open(info.set_redis_settings(settings).into_connection_info()?)
}

/// What a server says that it is.
pub(super) enum Role {
    Master,
    Replica,
    Sentinel,
    /// It may not be asked, or the connection is broken.
    None(RedisError),
    Silent,
}

impl Role {
    /// Whether the server may be gone on with.
    fn is_of_use(&self) -> bool {
        match self {
            Self::Master => true,
            Self::Replica | Self::Sentinel | Self::Silent => false,
            Self::None(error) => !is_of_connection(error),
        }
    }
}

/// Asks a server what it is.
pub(super) async fn role(connection: &MultiplexedConnection, timing: Timing) -> Role {
    match answer(connection.clone(), &redis::cmd("ROLE"), timing).await {
        Some(Ok(Value::Array(parts))) => match parts.first() {
            Some(Value::BulkString(name)) if name == b"master" => Role::Master,
            Some(Value::BulkString(name)) if name == b"sentinel" => Role::Sentinel,
            _ => Role::Replica,
        },
        Some(Ok(_)) => Role::Replica,
        Some(Err(error)) => Role::None(error),
        None => Role::Silent,
    }
}

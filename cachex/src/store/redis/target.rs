//! Which server a connection is made to: it is found out anew each time, as after a failover it is another one.

use std::sync::Arc;

use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo, ProtocolVersion, RedisResult,
    Value,
};
use tokio::time::timeout;

use super::address::{Manner, Place};
use super::link::{Timing, ping};
use super::sentinel::Sentinels;
use super::trouble::LinkError;

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
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Commands,
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
        purpose: Purpose,
        config: &AsyncConnectionConfig,
        timing: Timing,
    ) -> Result<Connected, LinkError> {
        match self {
            Self::One(client) => {
                let connection = connect_to(client, purpose, config, timing).await?;
                Ok(Connected { connection, at: None })
            }
            Self::Node { manner, at } => {
                let client = manner.client(at).map_err(LinkError::Redis)?;
                let connection = connect_to(&client, purpose, config, timing).await?;
                Ok(Connected { connection, at: None })
            }
            Self::Master(sentinels) => sentinels.connect(purpose, config, timing).await,
        }
    }

    /// Whether a connection is alive, and still to the server that it should be to.
    pub(super) async fn is_met_by(&self, connected: &Connected, timing: Timing) -> bool {
        match self {
            Self::One(_) | Self::Node { .. } => ping(connected.connection.clone(), timing).await,
            Self::Master(sentinels) => sentinels.is_still_master(connected, timing).await,
        }
    }
}

/// Connects to a server.
pub(super) async fn connect_to(
    client: &Client,
    purpose: Purpose,
    config: &AsyncConnectionConfig,
    timing: Timing,
) -> Result<MultiplexedConnection, LinkError> {
    let client = if purpose == Purpose::Pushes { with_pushes(client) } else { Ok(client.clone()) };
    let client = client.map_err(LinkError::Redis)?;
    match timeout(timing.connect, client.get_multiplexed_async_connection_with_config(config)).await {
        Ok(connected) => connected.map_err(LinkError::Redis),
        // A server without TLS waits for the end of a line, and never sees one.
        Err(_elapsed) if matches!(client.get_connection_info().addr(), ConnectionAddr::TcpTls { .. }) => {
            let span = timing.connect;
            Err(LinkError::Unfit(format!("redis did not answer over TLS within {span:?}; is there TLS at this port?")))
        }
        Err(_elapsed) => Err(LinkError::Silent(timing.connect)),
    }
}

fn with_pushes(client: &Client) -> RedisResult<Client> {
    let info: ConnectionInfo = client.get_connection_info().clone();
    let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
    Client::open(info.set_redis_settings(settings).into_connection_info()?)
}

/// Whether the answer to `ROLE` is that of a master.
pub(super) fn is_of_master(role: &Value) -> bool {
    let Value::Array(parts) = role else { return false };
    matches!(parts.first(), Some(Value::BulkString(name)) if name == b"master")
}

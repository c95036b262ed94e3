//! The channel of notices: listened to on a connection of its own, which is watched.

use std::sync::Arc;

use redis::{AsyncConnectionConfig, Client, ProtocolVersion, PushInfo, PushKind, RedisConnectionInfo, Value};
use redis::{ConnectionInfo, IntoConnectionInfo};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio::time::timeout;

use super::link::{Backoff, LinkError, Timing, ping};
use crate::runtime;
use crate::store::{Listener, StoreError};

/// A subscription; dropped, it ends.
pub(super) struct Subscription(AbortHandle);

impl Subscription {
    /// Begins to listen, and to go on doing so.
    pub(super) fn begin(client: Client, timing: Timing, channel: String, listener: Arc<dyn Listener>) -> Self {
        Self(runtime::spawn_own(keep_listening(client, timing, channel, listener)))
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn keep_listening(client: Client, timing: Timing, channel: String, listener: Arc<dyn Listener>) {
    let mut backoff = Backoff::new();
    let Some(client) = with_pushes(&client) else { return };
    loop {
        if listen(&client, timing, &channel, &*listener).await {
            backoff.succeeded();
            listener.missed();
        }
        runtime::pause(backoff.next()).await;
    }
}

/// Returns a client whose connections are told of messages in between answers: RESP3, of Redis 6 and later.
fn with_pushes(client: &Client) -> Option<Client> {
    let info: ConnectionInfo = client.get_connection_info().clone();
    let settings: RedisConnectionInfo = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
    Client::open(info.set_redis_settings(settings).into_connection_info().ok()?).ok()
}

/// Listens until the connection breaks. Returns whether it was listened at all.
async fn listen(client: &Client, timing: Timing, channel: &str, listener: &dyn Listener) -> bool {
    let (sender, mut pushes) = mpsc::unbounded_channel::<PushInfo>();
    let config =
        AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None).set_push_sender(sender);
    let subscribe = async {
        let mut connection = client.get_multiplexed_async_connection_with_config(&config).await?;
        connection.subscribe(channel).await?;
        // Confirmed by the server: from here on nothing is lost as long as the connection holds.
        while let Some(push) = pushes.recv().await {
            match push.kind {
                PushKind::Subscribe => return Ok(Some(connection)),
                PushKind::Disconnection => break,
                _ => {}
            }
        }
        Ok(None)
    };
    let connection = match timeout(timing.connect, subscribe).await {
        Ok(Ok(Some(connection))) => connection,
        Ok(Ok(None)) | Err(_) => return false,
        Ok(Err(error)) => {
            listener.troubled(&StoreError::from(LinkError::Redis(error)).to_string());
            return false;
        }
    };
    listener.listening();
    loop {
        match timeout(timing.ping_interval, pushes.recv()).await {
            Ok(Some(PushInfo { kind: PushKind::Message, data })) => {
                if let Some(Value::BulkString(notice)) = data.last() {
                    listener.noticed(notice);
                }
            }
            Ok(Some(PushInfo { kind: PushKind::Disconnection | PushKind::Unsubscribe, .. }) | None) => return true,
            Ok(Some(_)) => {}
            // Nothing for a while: is it quiet, or is nobody there?
            Err(_elapsed) => {
                if !ping(connection.clone(), timing).await {
                    return true;
                }
            }
        }
    }
}

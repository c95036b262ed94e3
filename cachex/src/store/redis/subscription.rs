//! The channel of notices: listened to on a connection of its own, which is watched.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use redis::{AsyncConnectionConfig, PushInfo, PushKind, Value};
use tokio::sync::{Notify, mpsc};
use tokio::task::AbortHandle;
use tokio::time::timeout;

use super::greeting::run_of;
use super::link::{Backoff, Leading, Timing};
use super::target::{Purpose, Target};
use super::trouble::LinkError;
use crate::runtime;
use crate::store::{Listener, StoreError};
use crate::time::stopwatch::Stopwatch;

/// A subscription; dropped, it ends.
pub(super) struct Subscription(AbortHandle);

impl Subscription {
    /// Begins to listen, and to go on doing so.
    pub(super) fn begin(ends: (Target, Leading), timing: Timing, channel: String, listener: Arc<dyn Listener>) -> Self {
        Self(runtime::spawn_own(keep_listening(ends, timing, channel, listener)))
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn keep_listening(ends: (Target, Leading), timing: Timing, channel: String, listener: Arc<dyn Listener>) {
    let mut backoff = Backoff::new();
    loop {
        if let Some(listening) = listen(&ends, timing, &channel, &*listener).await {
            backoff.lasted(listening.elapsed(), timing);
            listener.missed();
        }
        runtime::pause(backoff.next()).await;
    }
}

/// Listens until the connection breaks. Returns since when, if it was listened at all.
async fn listen(
    (target, leading): &(Target, Leading),
    timing: Timing,
    channel: &str,
    listener: &dyn Listener,
) -> Option<Stopwatch> {
    let (sender, mut pushes) = mpsc::unbounded_channel::<PushInfo>();
    let config =
        AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None).set_push_sender(sender);
    let connected = match target.connect(Purpose::Pushes, &config, timing).await {
        Ok(connected) => connected,
        Err(error) => {
            listener.troubled(&StoreError::from(error).to_string());
            return None;
        }
    };
    let mut connection = connected.connection.clone();
    let run = run_of(&connection, timing).await;
    let subscribe = async {
        connection.subscribe(channel).await?;
        // Confirmed by the server: from here on nothing is lost as long as the connection holds.
        while let Some(push) = pushes.recv().await {
            match push.kind {
                PushKind::Subscribe => return Ok(true),
                PushKind::Disconnection => break,
                _ => {}
            }
        }
        Ok(false)
    };
    match timeout(timing.connect, subscribe).await {
        Ok(Ok(true)) => {}
        Ok(Ok(false)) | Err(_) => return None,
        Ok(Err(error)) => {
            listener.troubled(&StoreError::from(LinkError::Redis(error)).to_string());
            return None;
        }
    }
    listener.listening();
    let listening = Stopwatch::start();
    // Also while it is not quiet: it may be the wrong server that speaks.
    let never = Notify::new();
    let mut lost = pin!(target.lost(&connected, timing, &never));
    // Break this (leave it out) and where a name comes to lead to another server, commands go there, and notices are listened for where they went before.
    let mut elsewhere = pin!(leading.elsewhere(run.as_deref()));
    loop {
        let push = poll_fn(|cx| match (lost.as_mut().poll(cx), elsewhere.as_mut().poll(cx)) {
            (Poll::Pending, Poll::Pending) => pushes.poll_recv(cx),
            _ => Poll::Ready(None),
        });
        match push.await {
            Some(PushInfo { kind: PushKind::Message, data }) => {
                if let Some(Value::BulkString(notice)) = data.last() {
                    listener.noticed(notice);
                }
            }
            Some(PushInfo { kind: PushKind::Disconnection | PushKind::Unsubscribe, .. }) | None => {
                return Some(listening);
            }
            Some(_) => {}
        }
    }
}

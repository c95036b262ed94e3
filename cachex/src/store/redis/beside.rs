//! A connection that is driven where its callers are: it gathers what they send.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, ConnectionAddr, RedisResult};
use tokio::net::TcpStream;

use crate::runtime::{Callers, Unfinished};

/// Connects, and has the connection driven beside callers until nobody has it any more.
pub(super) async fn connect(
    client: &Client,
    config: &AsyncConnectionConfig,
    callers: &Callers,
) -> Result<RedisResult<MultiplexedConnection>, Unfinished> {
    let (client, config, drivers) = (client.clone(), config.clone(), callers.clone());
    let connecting = async move {
        let info = client.get_connection_info();
        let ConnectionAddr::Tcp(host, port) = info.addr() else {
            // Encrypted, or within the machine: driven by a task of the client.
            return client.get_multiplexed_async_connection_with_config(&config).await;
        };
        let stream = TcpStream::connect((&**host, *port)).await?;
        stream.set_nodelay(info.tcp_settings().nodelay())?;
        let connected = MultiplexedConnection::new_with_config(info.redis_settings(), stream, config);
        let (connection, driver) = connected.await?;
        drivers.spawn(gathering(driver));
        Ok(connection)
    };
    callers.run(connecting).await
}

/// Lets all who are ready have their turn before a driver that was woken has its own: so what they send goes together. A runtime runs who was woken last first, and so
/// would send each command by itself, which costs several times as much.
async fn gathering(driver: impl Future<Output = ()>) {
    let mut driver = pin!(driver);
    let mut is_put_off = false;
    poll_fn(|cx| {
        is_put_off = !is_put_off;
        if is_put_off {
            // To the end of the queue.
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        driver.as_mut().poll(cx)
    })
    .await;
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[test]
    fn a_driver_has_its_turn_after_those_who_were_ready_when_it_was_woken() {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
        let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
        let turns = Arc::new(Mutex::new(Vec::new()));
        let noted = turns.clone();
        let driver = async move {
            let mut received = Vec::new();
            while receiver.recv_many(&mut received, 100).await > 0 {
                noted.lock().unwrap().push(std::mem::take(&mut received));
            }
        };
        runtime.block_on(async move {
            // By one task of the only worker: whoever is woken by it waits.
            tokio::spawn(async move {
                let driver = tokio::spawn(gathering(driver));
                tokio::task::yield_now().await;
                for number in 0..8 {
                    let sender = sender.clone();
                    tokio::spawn(async move { sender.send(number).unwrap() });
                }
                drop(sender);
                driver.await.unwrap();
            })
            .await
            .unwrap();
        });
        let turns = turns.lock().unwrap();
        assert_eq!(turns.len(), 1, "{turns:?}");
        assert_eq!(turns[0].len(), 8);
    }
}

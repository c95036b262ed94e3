//! The master of a name: the sentinels are asked who it is, and it is asked whether it is.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Cmd, FromRedisValue, RedisConnectionInfo, Value};

use super::address::{Manner, Place};
use super::link::{Timing, answer};
use super::target::{Connected, Purpose, Role, connect_to, role};
use super::trouble::{LinkError, is_of_identity};

/// The sentinels of a master, shared by all connections.
pub(super) struct Sentinels {
    places: Vec<Place>,
    master: String,
    /// How servers are spoken to, and as whom sentinels are.
    manner: Manner,
    user: RedisConnectionInfo,
    /// The one that has answered last.
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    number: usize,
    connection: Option<MultiplexedConnection>,
}

impl Sentinels {
    pub(super) fn new(places: Vec<Place>, master: String, manner: Manner, user: RedisConnectionInfo) -> Self {
        Self { places, master, manner, user, known: Mutex::default() }
    }

    /// Asks one after the other, until one leads to a master.
    pub(super) async fn connect(
        &self,
        purpose: Purpose<'_>,
        config: &AsyncConnectionConfig,
        timing: Timing,
    ) -> Result<Connected, LinkError> {
        let first = self.known().number;
        let mut tried = Vec::new();
        let mut failed = LinkError::Down;
        for number in (0..self.places.len()).map(|step| (first + step) % self.places.len()) {
            let master = match self.ask(number, timing).await {
                Ok(master) => master,
                Err(error) => {
                    failed = self.why(number, &error);
                    continue;
                }
            };
            // A sentinel may not know yet what another one does.
            if tried.contains(&master) {
                continue;
            }
            match self.connect_to(&master, purpose, config, timing).await {
                Ok(connection) => return Ok(Connected { connection, at: Some(master) }),
                Err(error) => failed = error,
            }
            tried.push(master);
        }
        Err(failed)
    }

    async fn connect_to(
        &self,
        master: &Place,
        purpose: Purpose<'_>,
        config: &AsyncConnectionConfig,
        timing: Timing,
    ) -> Result<MultiplexedConnection, LinkError> {
        let client = self.manner.client(master).map_err(LinkError::Redis)?;
        let connection = connect_to(&client, purpose, config, timing).await?;
        // Break this (drop the condition) and a master that came back as a replica is written to.
        match role(&connection, timing).await {
            Role::Master => Ok(connection),
            Role::Replica | Role::Sentinel => Err(LinkError::Unfit(format!(
                "the sentinels name a server as the master of `{}` that is a replica; a failover is under way",
                self.master
            ))),
            Role::None(error) => Err(LinkError::Redis(error)),
            Role::Silent => Err(LinkError::Silent(timing.command)),
        }
    }

    /// Whether the sentinels say that another server is the master than the one of a connection. Not if none can be asked.
    pub(super) async fn is_another(&self, connected: &Connected, timing: Timing) -> bool {
        let first = self.known().number;
        for number in (0..self.places.len()).map(|step| (first + step) % self.places.len()) {
            if let Ok(master) = self.ask(number, timing).await {
                // A master that was given up while it hung does not know that yet.
                return connected.at.as_ref() != Some(&master);
            }
        }
        false
    }

    /// Asks a sentinel where the master is.
    async fn ask(&self, number: usize, timing: Timing) -> Result<Place, LinkError> {
        let connection = match self.connection_of(number) {
            Some(connection) => connection,
            None => self.sentinel(number, timing).await?,
        };
        let mut command = Cmd::new();
        command.arg("SENTINEL").arg("GET-MASTER-ADDR-BY-NAME").arg(&self.master);
        let master = match answer(connection.clone(), &command, timing).await {
            None => Err(LinkError::Silent(timing.command)),
            Some(Err(error)) => Err(LinkError::Redis(error)),
            Some(Ok(answer)) => self.place(answer),
        };
        *self.known() = Known { number, connection: master.is_ok().then_some(connection) };
        master
    }

    fn connection_of(&self, number: usize) -> Option<MultiplexedConnection> {
        let known = self.known();
        known.connection.clone().filter(|_| known.number == number)
    }

    async fn sentinel(&self, number: usize, timing: Timing) -> Result<MultiplexedConnection, LinkError> {
        let client = self.manner.client_as(&self.places[number], &self.user).map_err(LinkError::Redis)?;
        let config = AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
        connect_to(&client, Purpose::Commands, &config, timing).await
    }

    fn place(&self, answer: Value) -> Result<Place, LinkError> {
        match <Option<(String, u16)>>::from_redis_value(answer) {
            Ok(Some((host, port))) => Ok(Place { host, port }),
            Ok(None) => Err(LinkError::Unfit(format!(
                "the sentinels know no master `{}`; write the name they were set up with at the end of `redis.url`",
                self.master
            ))),
            Err(error) => Err(LinkError::Redis(error.into())),
        }
    }

    /// Says that it was a sentinel that failed.
    fn why(&self, number: usize, error: &LinkError) -> LinkError {
        let Place { host, port } = &self.places[number];
        match error {
            LinkError::Unfit(why) => LinkError::Unfit(why.clone()),
            LinkError::Redis(error) if is_of_identity(error) => LinkError::Unfit(format!(
                "the sentinel at {host}:{port} refused us; write `redis.sentinel_username` and `redis.sentinel_password`"
            )),
            LinkError::Redis(_) | LinkError::Silent(_) | LinkError::Elsewhere(_) | LinkError::Down => {
                LinkError::Unfit(format!("the sentinel at {host}:{port} can't be reached"))
            }
        }
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Sentinels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sentinels").field("master", &self.master).finish_non_exhaustive()
    }
}

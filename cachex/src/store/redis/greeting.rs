//! What is asked of a server before it is used: whether it is still the one that it was, and whether we may do there what we do.
//!
//! A server that was started again may have what it had some time ago: values, and with them the clocks of groups. Invalidations from in
//! between are forgotten, and not by being a miss. So a server is known by the number it draws when it starts, and by that of its history, which is
//! another one from when on a replica takes the place of its master; where others are noted, everything is invalidated before anybody uses it.

use std::sync::Weak;

use redis::aio::MultiplexedConnection;
use redis::{Cmd, ErrorKind, RedisError, Value};

use super::cluster::{Cluster, slot};
use super::lanes::{Lane, Side};
use super::link::{Timing, answer};
use super::names::Names;
use super::scripts;
use super::trouble::LinkError;
use crate::store::{Group, Notice, Reading};

/// What is sent to a server that we have just connected to.
#[derive(Debug)]
pub(super) struct Greeting {
    keys: [String; 3],
    channel: String,
    /// A notice that says nothing, to see whether one may be sent.
    probe: Vec<u8>,
    /// The cluster that the server is a node of.
    cluster: Option<Weak<Cluster>>,
}

impl Greeting {
    pub(super) fn new(names: &Names) -> Self {
        Self {
            keys: [names.clock(), names.group(&Group::all()), names.servers()],
            channel: names.channel(),
            probe: Notice::silent().at(Reading(0)),
            cluster: None,
        }
    }

    /// For a node of a cluster; what is noted of it may be at another node.
    pub(super) fn of_node(names: &Names, cluster: Weak<Cluster>) -> Self {
        Self { cluster: Some(cluster), ..Self::new(names) }
    }

    /// Asks a server which one it is; an error is a reason not to use it.
    pub(super) async fn exchange(&self, connection: &mut MultiplexedConnection) -> Result<String, LinkError> {
        let mut questions = redis::pipe();
        questions.cmd("INFO").arg("server").cmd("INFO").arg("replication");
        let (server, replication): (String, String) =
            questions.query_async(connection).await.map_err(LinkError::Redis)?;
        let unknown =
            || LinkError::Redis(RedisError::from((ErrorKind::UnexpectedReturnType, "a server without a run_id")));
        let run = line(&server, "run_id:").ok_or_else(unknown)?;
        let history = line(&replication, "master_replid:").unwrap_or_default();
        let mut name = String::new();
        if self.cluster.is_some() {
            let question = redis::cmd("CLUSTER").arg("MYID").take();
            name = question.query_async(connection).await.map_err(LinkError::Redis)?;
        }
        let mut command = redis::cmd("EVAL");
        command.arg(&scripts::GREET_SCRIPT.code).arg(self.keys.len()).arg(&self.keys);
        let identity = format!("{run}:{history}");
        command.arg(&identity).arg(name).arg(&self.channel).arg(&self.probe);
        match command.query_async::<Value>(connection).await {
            Ok(_) => {}
            Err(error) if error.is_cluster_error() => self.note_elsewhere(&command).await?,
            Err(error) => return Err(LinkError::Redis(error)),
        }
        Ok(identity)
    }

    /// Notes it at the node that has the clock.
    async fn note_elsewhere(&self, command: &Cmd) -> Result<(), LinkError> {
        let cluster = self.cluster.as_ref().and_then(Weak::upgrade).ok_or(LinkError::Down)?;
        let lane = Lane { number: 0, side: Side::Own };
        cluster.send(slot(&self.keys[0]), lane, command, cluster.deadline()).await.map(drop)
    }
}

/// Returns the number that a server drew when it started, if it says so.
pub(super) async fn run_of(connection: &MultiplexedConnection, timing: Timing) -> Option<String> {
    let info = answer(connection.clone(), redis::cmd("INFO").arg("server"), timing).await?.ok()?;
    let info: String = redis::from_redis_value(info).ok()?;
    line(&info, "run_id:").map(str::to_owned)
}

/// Returns what a line of `INFO` says.
fn line<'a>(info: &'a str, name: &str) -> Option<&'a str> {
    info.lines().find_map(|line| line.strip_prefix(name)).map(str::trim)
}

//! Updates of the source, whose value goes to L2 as well.
//!
//! Of two updates of one key, in whatever processes, only the source knows which came last. So an update is announced in L2 before the source is
//! written, and its value is written there only if the announcement is still there: any other write, removal or announcement of the key takes it
//! away. What others have invalidated since, of the groups that the value has, is seen in the step that invalidates what the update itself does.
//! Whatever is in the way, the key is removed: the next call loads what the source really holds.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;

use super::Remote;
use super::outbox::Batch;
use super::values::Portion;
use crate::engine::Engine;
use crate::engine::delivery::Delivery;
use crate::key::{Key, KeyRef};
use crate::runtime;
use crate::store::{Group, Notice, Reading, Settling, StoreError};
use crate::tag::Tags;
use crate::tier::remote::name;

/// How long an update may take: of one that takes longer the value is not kept.
const LONGEST_UPDATE: Duration = Duration::from_secs(600);

/// An update that L2 knows of.
#[derive(Debug)]
pub(crate) struct Announced {
    remote: Arc<Remote>,
    name: Box<str>,
    token: u64,
    /// The clock there, from before the source is written.
    since: Reading,
}

/// What is to be written there, once it is known that it may be kept here.
#[derive(Debug)]
pub(crate) struct Settled {
    announced: Announced,
    key: Key,
    portion: Portion,
    invalidated: Vec<Group>,
}

impl Engine {
    /// Tells L2 that the source is about to be written. Nothing if it does not take it: then the value is not kept there.
    pub(in crate::engine) async fn announce(&self, at: KeyRef<'_>) -> Option<Announced> {
        let name = name::name(at);
        let takes_it = |remote: &&Arc<Remote>| remote.store.reaches(&name) && remote.store.takes_updates(&name);
        let remote = self.remote.as_ref().filter(takes_it)?;
        let token = remote.token();
        let announced = async {
            remote.store.announce(&name, token, LONGEST_UPDATE).await?;
            // After that: what is invalidated before is seen by who writes the source, and no reason against it.
            remote.store.begin(&name, &[], None).await
        };
        match announced.await {
            Ok(since) => Some(Announced { remote: remote.clone(), name: name.into(), token, since }),
            Err(failed) => {
                remote.note_trouble(&failed);
                None
            }
        }
    }
}

impl Announced {
    /// Puts what the update invalidates on its way, before it is raised here.
    pub(in crate::engine) fn begin_settling(self, key: Key, portion: Portion, tags: &Tags) -> Settled {
        let invalidated: Vec<_> = tags.iter().map(|tag| Group::tag(tag.as_str())).collect();
        let keys = [(self.name.clone(), key.clone())].into();
        self.remote.outbox.begin_settling(
            self.token,
            Batch { groups: invalidated.iter().cloned().collect(), keys, ..Batch::default() },
        );
        Settled { announced: self, key, portion, invalidated }
    }
}

impl Drop for Settled {
    /// Whatever has ended it, what the update invalidates is sent, if that was not done.
    // Break this (leave it out) and if something panics, whoever asks for the key waits each time for what never comes.
    fn drop(&mut self) {
        drop(self.announced.remote.send_unsettled(self.announced.token, &self.announced.name));
    }
}

impl Settled {
    /// Gives up: the key is removed there, and what the update invalidates is sent.
    pub(in crate::engine) fn give_up(self) -> Delivery {
        Delivery::of(self.announced.remote.send_unsettled(self.announced.token, &self.announced.name))
    }

    /// Writes the value there, in the background.
    pub(in crate::engine) fn write(self, engine: &Arc<Engine>) -> Delivery {
        let (told, delivered) = oneshot::channel();
        let engine = engine.clone();
        runtime::spawn_own(async move {
            self.write_now(&engine).await;
            let _gone = told.send(());
        });
        Delivery::of([delivered])
    }

    async fn write_now(self, engine: &Engine) {
        let remote = &self.announced.remote;
        let is_written = match self.settle().await {
            Ok(is_written) => is_written,
            Err(failed) => {
                remote.note_trouble(&failed);
                false
            }
        };
        if is_written {
            remote.note_stored(&self.announced.name, &self.key, &self.portion.groups, self.portion.life);
            remote.outbox.settled(self.announced.token);
            return remote.counters.writes.one();
        }
        remote.counters.write_errors.one();
        // Before it goes here: nobody is to take from there what is about to be removed.
        let delivered = remote.send_unsettled(self.announced.token, &self.announced.name);
        let _was_there = engine.remove_here(self.key.at());
        if let Some(delivered) = delivered {
            let _told = delivered.await;
        }
    }

    async fn settle(&self) -> Result<bool, StoreError> {
        let Self { announced: Announced { remote, name, token, since }, portion, invalidated, key } = self;
        let telling = remote.telling().await;
        let notice = if invalidated.is_empty() { Notice::default() } else { telling.of_groups(invalidated) };
        let (groups, life) = (portion.groups.clone(), portion.life);
        let update = Settling { since: *since, groups, life, invalidated: invalidated.clone(), notice };
        let settled = remote.store.settle(name, &update).await;
        let stamp = if invalidated.is_empty() { settled } else { telling.ended(settled, update.notice).await }?;
        remote.note_invalidated(invalidated);
        let Some(value) = stamp.and_then(|stamp| portion.sealed(stamp)) else { return Ok(false) };
        let telling = remote.telling().await;
        let notice = telling.of_key(key.at());
        let written = remote.store.write_announced(name, *token, value, life, notice.clone()).await;
        telling.ended(written, notice).await
    }
}

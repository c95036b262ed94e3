//! The removal of all keys that fit a pattern.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::Remote;
use crate::backplane::notice::Subject;
use crate::engine::Engine;
use crate::engine::delivery::Delivery;
use crate::runtime;
use crate::store::{Group, StoreError};
use crate::tier::remote::name::may_match;

impl Engine {
    /// Removes all keys that fit a pattern in L2, and then tells the others. What they are called there does not show all of their text, so more may go
    /// than fits, and never less.
    pub(in crate::engine) fn send_matching(self: &Arc<Self>, pattern: &str) -> Delivery {
        let Some(remote) = self.remote.clone() else { return Delivery::done() };
        let (told, delivered) = oneshot::channel();
        let (number, pattern) = (remote.token(), Box::<str>::from(pattern));
        let written = remote.outbox.begin_matching(number, &pattern);
        let engine = self.clone();
        runtime::spawn_own(async move {
            // A write from before may arrive behind the walk.
            remote.outbox.nothing_written_of(written).await;
            let is_removed = remote.remove_matching(&pattern).await.unwrap_or_else(|failed| {
                remote.note_trouble(&failed);
                remote.counters.invalidation_errors.one();
                false
            });
            if is_removed {
                // Again, as of everything: what was read from L2 meanwhile is not kept.
                let _count = engine.remove_matching_here(&pattern);
                remote.counters.invalidations.one();
                remote.outbox.end_matching(number);
            } else {
                let delivered = remote.send_group(Group::all());
                remote.outbox.end_matching(number);
                engine.clear_here();
                let _told = delivered.await;
            }
            let _gone = told.send(());
        });
        Delivery::of([delivered])
    }
}

impl Remote {
    async fn remove_matching(&self, pattern: &str) -> Result<bool, StoreError> {
        let is_meant = |name: &str| may_match(name, pattern);
        if !self.store.remove_all(&is_meant).await? {
            return Ok(false);
        }
        let telling = self.telling().await;
        self.store.publish(telling.notice(Subject::Matching(pattern.into()))).await?;
        Ok(true)
    }
}

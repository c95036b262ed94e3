//! Sending what is in the outbox, and writes.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::oneshot;

use super::Remote;
use super::outbox::Batch;
use crate::backplane::notice::Subject;
use crate::engine::Engine;
use crate::engine::methods::Method;
use crate::key::Key;
use crate::runtime;
use crate::store::{Group, Invalidation};
use crate::tag::Tags;
use crate::tier::remote::name;

/// Before what could not be delivered is tried again.
const PAUSE: Duration = Duration::from_millis(100);

impl Remote {
    /// Puts the invalidation of tags and keys into the outbox.
    pub(in crate::engine) fn send(&self, tags: &Tags, keys: &[&Key]) -> Option<oneshot::Receiver<()>> {
        let groups = tags.iter().map(|tag| Group::tag(tag.as_str())).collect();
        let keys = keys.iter().map(|key| (name::name(key.at()).into(), (*key).clone())).collect();
        let batch = Batch { groups, keys };
        (!batch.is_empty()).then(|| self.outbox.add(batch))
    }

    /// Puts the invalidation of a group into the outbox.
    pub(in crate::engine) fn send_group(&self, group: Group) -> oneshot::Receiver<()> {
        self.outbox.add(Batch { groups: [group].into(), ..Batch::default() })
    }
}

impl Engine {
    /// Makes wrong here what was invalidated.
    pub(super) fn raise_here<'a>(&self, groups: impl Iterator<Item = &'a str>, keys: &[Key]) {
        let groups: Vec<_> = groups.filter_map(Group::read).collect();
        if groups.contains(&Group::all()) {
            self.clear_here();
            return;
        }
        let tags: Tags = groups.iter().filter_map(Group::as_tag).map(str::to_owned).collect();
        let methods: Vec<_> = groups.iter().filter_map(Group::as_method).collect();
        let keys: Vec<_> = keys.iter().collect();
        self.invalidate_here(&tags, &keys);
        let is_named = |method: &&Arc<Method>| methods.contains(&method.region.remote_name());
        self.methods.iter().filter(is_named).for_each(|method| self.invalidate_method_here(method));
    }
}

impl Remote {
    fn invalidation(&self, batch: &Batch) -> Invalidation {
        let groups: Vec<_> = batch.groups.iter().cloned().collect();
        let mut notices = Vec::new();
        if !groups.is_empty() {
            notices.push(self.notice(Subject::Groups(groups.iter().map(|group| group.as_str().into()).collect())));
        }
        let mut keys = Vec::new();
        for (name, key) in &batch.keys {
            keys.push(name.clone());
            let method = key.region().remote_name().into();
            notices.push(self.notice(Subject::Key { method, bytes: key.bytes().to_vec() }));
        }
        Invalidation { groups, keys, notices }
    }
}

/// Sends what is in the outbox, as long as there is an engine.
pub(super) async fn keep_delivering(remote: Weak<Remote>) {
    let mut is_failed = false;
    while let Some(known) = remote.upgrade() {
        if is_failed {
            known.store_is_back(PAUSE).await;
        } else {
            let _elapsed = tokio::time::timeout(Duration::from_secs(1), known.outbox.filled.notified()).await;
        }
        is_failed = false;
        while let Some(batch) = known.outbox.take() {
            let what = known.invalidation(&batch);
            if known.store.invalidate(&what).await.is_err() {
                known.counters.invalidation_errors.one();
                known.outbox.failed();
                is_failed = true;
                break;
            }
            known.counters.invalidations.add((batch.groups.len() + batch.keys.len()) as u64);
            known.outbox.delivered();
        }
    }
}

/// Tells the others how many notices there were, as long as there is an engine.
pub(super) async fn keep_beating(remote: Weak<Remote>, interval: Duration) {
    while let Some(known) = remote.upgrade() {
        runtime::pause(interval).await;
        let number = known.notices.load(std::sync::atomic::Ordering::Relaxed);
        // Of notices on their way others would think that they are lost.
        if number > 0 && known.outbox.len() == 0 && known.store.is_up() {
            let _ignored = known.store.publish(known.numbered(Subject::Heartbeat, number)).await;
        }
    }
}

impl Remote {
    /// Waits until the store is back, or for a while.
    async fn store_is_back(&self, pause: Duration) {
        runtime::pause(pause).await;
        while !self.store.is_up() {
            let changed = self.changed.notified();
            let _elapsed = tokio::time::timeout(Duration::from_secs(1), changed).await;
            if self.engine().is_none() {
                return;
            }
        }
    }
}

//! L2 for calls by hand.

use std::sync::Arc;
use std::time::Duration;

use super::Remote;
use super::lookup::Asking;
use crate::engine::Engine;
use crate::key::Key;
use crate::method::keep::{CacheValue, Keep, Portable};
use crate::policy::Policy;
use crate::runtime::together;
use crate::tag::Tags;
use crate::time::Timestamp;

impl Engine {
    /// Looks for a value in L2, and keeps it here.
    pub(in crate::engine) async fn get_remote<T: CacheValue>(&self, key: &Key) -> Option<T> {
        let (at, method) = (key.at(), self.method(key.region()));
        let (policy, tags) = (method.policy(), Tags::new());
        let remote = self.remote_of(&policy)?;
        // A place among the loads: so a removal of the key meanwhile is noticed.
        let ticket = self.alone(at);
        let (stamp, wants_fresh, may_wait) = (ticket.stamp(), false, false);
        let asking = Asking { at, method, tags: &tags, policy: &policy, stamp, wants_fresh, may_wait };
        let entry = remote.peek::<T, Portable>(self, asking, Portable).await?;
        // As for annotated methods: what was invalidated meanwhile answers all the same, and is not kept.
        let value = Portable.value(&entry).filter(|_| !self.is_fenced(method, &entry))?;
        let now = self.now();
        self.store_loaded(method, &entry, &ticket, now);
        Some(value)
    }

    /// Looks for the values of keys that are not here, and keeps them here: all are asked for at once.
    // Break this (await each in turn) and a hundred keys take a hundred times as long.
    pub(in crate::engine) async fn get_many_remote<T: CacheValue>(
        &self,
        keys: &[Key],
        mut values: Vec<Option<T>>,
    ) -> Vec<Option<T>> {
        if self.remote.is_some() {
            let missing = keys.iter().zip(&mut values).filter(|(_, value)| value.is_none());
            together(missing.map(async |(key, value)| *value = self.get_remote(key).await)).await;
        }
        values
    }

    /// Returns when the value of a key in L2 ends, if there is one.
    pub(in crate::engine) async fn end_in_remote(&self, key: &Key) -> Option<Timestamp> {
        let (policy, tags) = (self.method(key.region()).policy(), Tags::new());
        let remote = self.remote_of(&policy)?;
        remote.peek_end(self, self.asking(key, &policy, &tags)).await
    }

    /// Gives the value of a key in L2 another end. Returns whether there was one.
    pub(in crate::engine) async fn expire_in_remote(&self, key: &Key, ttl: Duration) -> bool {
        let (policy, tags) = (self.method(key.region()).policy(), Tags::new());
        let Some(remote) = self.remote_of(&policy) else { return false };
        remote.expire(self, self.asking(key, &policy, &tags), ttl).await
    }

    /// Returns L2, if it is used under these rules.
    fn remote_of(&self, policy: &Policy) -> Option<&Arc<Remote>> {
        self.remote.as_ref().filter(|_| policy.keeps_remotely())
    }

    fn asking<'a>(&'a self, key: &'a Key, policy: &'a Policy, tags: &'a Tags) -> Asking<'a> {
        let (at, method, stamp) = (key.at(), self.method(key.region()), self.sequence.now());
        Asking { at, method, tags, policy, stamp, wants_fresh: false, may_wait: false }
    }
}

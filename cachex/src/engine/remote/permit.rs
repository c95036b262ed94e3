//! The right to store a value in L2: the lease of its key, kept alive while the load runs.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use super::Remote;
use super::values::Portion;
use crate::backplane::notice::Subject;
use crate::config::Guard;
use crate::key::{Key, KeyRef};
use crate::runtime;
use crate::store::{Group, Reading};

/// The leases that are kept alive: their tokens, and the names of their keys.
#[derive(Debug, Default)]
pub(super) struct Renewals(Mutex<HashMap<u64, Box<str>>>);

impl Renewals {
    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Box<str>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to store the value of a load. Dropped, the lease is given back, and another may load.
#[derive(Debug)]
pub(crate) struct Permit {
    /// Nothing once it was used.
    remote: Option<Arc<Remote>>,
    key: Key,
    name: Box<str>,
    token: u64,
    stamp: Reading,
    /// Those whose clocks are known to be there since `stamp`, for so long at least.
    groups: Vec<Group>,
    life: Option<Duration>,
}

impl Permit {
    /// Asks for a lease; it is renewed from now on.
    pub(super) fn new(remote: &Arc<Remote>, at: KeyRef<'_>, name: &str) -> Self {
        let token = remote.token();
        remote.renewals.lock().insert(token, name.into());
        let (stamp, groups, life) = (Reading::default(), Vec::new(), None);
        Self { remote: Some(remote.clone()), key: at.key(), name: name.into(), token, stamp, groups, life }
    }

    pub(super) fn token(&self) -> u64 {
        self.token
    }

    /// Says when the load begins, and which groups have clocks.
    pub(super) fn begins_at(&mut self, stamp: Reading, groups: &[Group], life: Option<Duration>) {
        self.stamp = stamp;
        self.life = life;
        self.groups = groups.to_vec();
    }

    /// Ends one that was not granted.
    pub(super) fn forget(mut self) {
        self.take();
    }

    /// Stores what was loaded, in the background: nobody who waits for it here waits for that.
    pub(super) fn store(mut self, portion: Portion) {
        let Some(remote) = self.take() else { return };
        let (key, name, token, stamp) = (self.key.clone(), self.name.clone(), self.token, self.stamp);
        let expected = self.life;
        let is_known = portion.groups.iter().all(|group| self.groups.contains(group));
        runtime::spawn_own(async move {
            let stored = async {
                let Portion { life, .. } = portion;
                // Groups that were found out by the load: one of them may have been invalidated since it began.
                let stamp = if remote.is_without(Guard::EarlyClock) || !is_known && remote.is_without(Guard::Mint) {
                    Some(remote.store.begin(&name, &portion.groups, life).await?)
                } else if is_known {
                    Some(stamp)
                } else {
                    remote.store.mint(&name, &portion.groups, stamp, life).await?
                };
                if is_known && life != expected {
                    // It lives otherwise than was thought: so do the clocks.
                    remote.store.begin(&name, &portion.groups, life).await?;
                }
                let Some(value) = stamp.and_then(|stamp| portion.sealed(stamp)) else { return Ok(false) };
                let at = key.at();
                let subject = Subject::Stored { method: at.region.remote_name().into(), bytes: at.bytes.to_vec() };
                if remote.is_without(Guard::Lease) {
                    return remote.store.write(&name, value, life, remote.numbered(subject, 0)).await.map(|()| true);
                }
                let is_stored = remote.store.put(&name, token, value, life, remote.numbered(subject, 0)).await?;
                if is_stored {
                    remote.note_stored(&name, &key, &portion.groups, life);
                }
                Ok(is_stored)
            };
            match stored.await {
                Ok(true) => remote.counters.stores.one(),
                Ok(false) => {
                    remote.counters.rejected_stores.one();
                    let _ignored = remote.store.release(&name, token).await;
                }
                Err::<_, crate::store::StoreError>(failed) => {
                    remote.note_trouble(&failed);
                    remote.counters.store_errors.one();
                    let _ignored = remote.store.release(&name, token).await;
                }
            }
        });
    }

    fn take(&mut self) -> Option<Arc<Remote>> {
        let remote = self.remote.take()?;
        remote.renewals.lock().remove(&self.token);
        Some(remote)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let Some(remote) = self.take() else { return };
        let (name, token) = (self.name.clone(), self.token);
        runtime::spawn_own(async move {
            let _ignored = remote.store.release(&name, token).await;
        });
    }
}

/// Renews all leases three times in their span, as long as there is an engine.
pub(super) async fn keep_renewing(remote: Weak<Remote>, span: Duration) {
    while remote.strong_count() > 0 {
        runtime::pause(span / 3).await;
        let Some(known) = remote.upgrade() else { return };
        let leases: Vec<_> = known.renewals.lock().iter().map(|(token, name)| (*token, name.clone())).collect();
        for (token, name) in leases {
            let renewing = known.clone();
            runtime::spawn_own(async move {
                let _ignored = renewing.store.renew(&name, token, span).await;
            });
        }
    }
}

//! The removal of values whose tag was invalidated, so that they do not take room until they expire.

use std::sync::{Arc, Weak};

use tokio::sync::Notify;
use tokio::time::timeout;

use super::{Indexing, LONGEST_PAUSE, MOST, lock};
use crate::engine::remote::Remote;
use crate::store::{Group, Index, Reading, StoreError};
use crate::tier::remote::envelope;

/// Bytes of a value that are read first: most have no more before their payload; …
const HEAD: usize = 512;
/// … and none has.
const LONGEST_HEAD: usize = 1 << 17;

impl Indexing {
    /// Puts in a tag. Returns whether there is room.
    fn add_invalidated(&self, tag: &str) -> bool {
        let mut invalidated = lock(&self.invalidated);
        if invalidated.all.contains(tag) {
            return true;
        }
        if invalidated.all.len() >= MOST {
            return false;
        }
        invalidated.all.insert(tag.into());
        invalidated.order.push_back(tag.into());
        drop(invalidated);
        self.to_reclaim.notify_one();
        true
    }

    fn take_invalidated(&self) -> Option<Box<str>> {
        let mut invalidated = lock(&self.invalidated);
        let tag = invalidated.order.pop_front()?;
        invalidated.all.remove(&tag);
        Some(tag)
    }
}

impl Remote {
    /// Says that groups were invalidated, and that the store knows.
    pub(in crate::engine::remote) fn note_invalidated<'a>(&self, groups: impl IntoIterator<Item = &'a Group>) {
        let Some(index) = self.index.as_ref().filter(|index| index.rules.reclaims) else { return };
        for tag in groups.into_iter().filter_map(Group::as_tag) {
            if !index.add_invalidated(tag) {
                self.counters.unreclaimed.one();
            }
        }
    }

    /// Removes what a tag has that is older than its last invalidation.
    async fn reclaim(&self, tag: &str, index: &Indexing, store: &dyn Index) -> Result<(), StoreError> {
        let group = [Group::tag(tag)];
        // First the clock, then that of the tag: if it has none, whatever gives it one later reads the clock later.
        let now = self.store.begin("", &[], None).await?;
        let invalidated_at = self.store.clocks("", &group).await?.first().copied().flatten().unwrap_or(now);
        let mut from = 0;
        loop {
            let page = store.keys(tag, from, index.rules.batch).await?;
            let keys: Vec<_> = page.names.into_iter().map(|(key, _)| key).collect();
            for part in keys.chunks(index.rules.batch) {
                self.reclaim_some(tag, part, invalidated_at, store).await?;
            }
            from = page.next;
            if from == 0 || self.engine().is_none() {
                return Ok(());
            }
        }
    }

    async fn reclaim_some(
        &self,
        tag: &str,
        keys: &[Box<str>],
        invalidated_at: Reading,
        store: &dyn Index,
    ) -> Result<(), StoreError> {
        let (mut gone, mut dead, mut longer) = (Vec::new(), Vec::new(), Vec::new());
        for (key, head) in keys.iter().zip(store.heads(keys, HEAD).await?) {
            match judged(&head, tag, invalidated_at) {
                _ if head.is_empty() => gone.push(key.clone()),
                Judged::Dead(len) => dead.push((key.clone(), head[..len].to_vec())),
                Judged::TooShort => longer.push(key.clone()),
                Judged::Other => {}
            }
        }
        // One by one: they may be large.
        for key in &longer {
            let head = store.heads(std::slice::from_ref(key), LONGEST_HEAD).await?.pop().unwrap_or_default();
            if let Judged::Dead(len) = judged(&head, tag, invalidated_at) {
                dead.push((key.clone(), head[..len].to_vec()));
            }
        }
        if !dead.is_empty() {
            // Break this (remove by key) and what was stored meanwhile goes.
            self.counters.reclaimed.add(store.remove_like(&dead).await?);
        }
        gone.extend(dead.into_iter().map(|(key, _)| key));
        if gone.is_empty() { Ok(()) } else { store.forget(&gone, Some(tag)).await }
    }
}

/// What the beginning of a value says.
#[derive(Debug, PartialEq, Eq)]
enum Judged {
    /// It has the tag, and is older than its invalidation, as is any other value with so many bytes the same.
    Dead(usize),
    /// More of it is to be read.
    TooShort,
    /// It stays.
    Other,
}

fn judged(head: &[u8], tag: &str, invalidated_at: Reading) -> Judged {
    match envelope::head(head) {
        envelope::Head::Whole { stamp, groups, len } => {
            // Break this (either half) and a value goes that is right.
            let is_dead = stamp < invalidated_at && groups.iter().any(|group| group.as_tag() == Some(tag));
            if is_dead { Judged::Dead(len) } else { Judged::Other }
        }
        envelope::Head::TooShort if head.len() < LONGEST_HEAD && head.len() >= HEAD => Judged::TooShort,
        envelope::Head::TooShort | envelope::Head::Foreign => Judged::Other,
    }
}

/// Removes what was invalidated, one tag after the other, as long as there is an engine.
pub(super) async fn keep_reclaiming(remote: Weak<Remote>, to_reclaim: Arc<Notify>) {
    loop {
        let Some(known) = remote.upgrade() else { return };
        let tag = known.index.as_ref().and_then(Indexing::take_invalidated);
        if let (Some(tag), Some(index), Some(store)) = (&tag, &known.index, known.store.index())
            && let Err(failed) = known.reclaim(tag, index, store).await
        {
            // The rest expires.
            known.note_trouble(&failed);
            known.counters.unreclaimed.one();
        }
        drop(known);
        if tag.is_none() {
            let _elapsed = timeout(LONGEST_PAUSE, to_reclaim.notified()).await;
        }
    }
}

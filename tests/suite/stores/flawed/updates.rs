//! What it does wrong of updates.

use std::sync::atomic::Ordering;
use std::time::Duration;

use cachex::store::{Ask, Invalidation, Lease, Notice, Reading, Settling, StoreError};

use super::Flaw;
use super::store::Flawed;
use crate::redis::pause;

/// For what must not end while it is looked at.
const LONG: Duration = Duration::from_secs(600);

impl Flawed {
    /// Announces the last update of a key once more, as if nothing had taken its note away.
    pub(super) async fn note_again(&self, key: &str) -> Result<(), StoreError> {
        match self.noted(key) {
            Some(token) => self.store.announce(key, token, LONG).await,
            None => Ok(()),
        }
    }

    fn noted(&self, key: &str) -> Option<u64> {
        self.shared.notes.lock().unwrap().get(key).copied()
    }

    pub(super) async fn announce_wrongly(&self, key: &str, token: u64, span: Duration) -> Result<(), StoreError> {
        let noted = self.shared.notes.lock().unwrap().insert(key.to_owned(), token);
        match noted {
            Some(noted) if self.has(Flaw::AnnouncementsLeaveTheNote) => {
                self.shared.notes.lock().unwrap().insert(key.to_owned(), noted);
                Ok(())
            }
            _ => self.store.announce(key, token, if self.has(Flaw::NotesAreForever) { LONG } else { span }).await,
        }
    }

    pub(super) async fn settle_wrongly(&self, key: &str, update: &Settling) -> Result<Option<Reading>, StoreError> {
        let mut update = update.clone();
        let Settling { since, groups, life, invalidated, notice } = update.clone();
        let own = Invalidation { groups: invalidated.clone(), keys: Vec::new(), notices: vec![notice] };
        match self.flaw {
            Flaw::GroupsDoNotDisturb => {
                self.store.invalidate(&own).await?;
                return self.store.begin(key, &groups, life).await.map(Some);
            }
            Flaw::OwnInvalidationsHideOthers => {
                self.store.invalidate(&own).await?;
                let others: Vec<_> = groups.into_iter().filter(|group| !invalidated.contains(group)).collect();
                return self.store.mint(key, &others, since, life).await;
            }
            Flaw::OwnInvalidationsDisturb => {
                self.store.invalidate(&own).await?;
                return self.store.mint(key, &groups, since, life).await;
            }
            Flaw::RefusedSettlingInvalidatesNothing => {
                let Some(_) = self.store.mint(key, &groups, since, life).await? else { return Ok(None) };
            }
            Flaw::SettlingInvalidatesNothing => update.invalidated.clear(),
            Flaw::SettlingIsNotTold => update.notice = Notice::default(),
            Flaw::SettlingIsToldTooEarly => self.tell_too_early(&update.notice).await?,
            _ => {}
        }
        let settled = self.store.settle(key, &update).await?;
        let late = if self.has(Flaw::SettlingGivesLateStamps) { 10_000_000 } else { 0 };
        Ok(settled.map(|at| Reading(at.0 + late)))
    }

    pub(super) async fn write_announced_wrongly(
        &self,
        key: &str,
        token: u64,
        value: Vec<u8>,
        life: Option<Duration>,
        mut written: Notice,
    ) -> Result<bool, StoreError> {
        match self.flaw {
            Flaw::UpdatesNeedNoNote => return self.store.write(key, value, life, written).await.map(|()| true),
            Flaw::NotesAreLookedAtBefore if self.noted(key) == Some(token) => {
                if self.calls.fetch_add(1, Ordering::Relaxed) % 2 == 1 {
                    pause(Duration::from_millis(50)).await;
                }
                return self.store.write(key, value, life, written).await.map(|()| true);
            }
            Flaw::UpdatesAreNotTold => written = Notice::default(),
            Flaw::UpdatesAreToldTooEarly => self.tell_too_early(&written).await?,
            _ => {}
        }
        let before = self.store.read(key, &[]).await?.value;
        if self.has(Flaw::RefusedUpdatesAreNotTold) && self.noted(key) != Some(token) {
            written = Notice::default();
        }
        let is_written = self.store.write_announced(key, token, value.clone(), life, written.clone()).await?;
        match self.flaw {
            Flaw::NotesAreForMore if is_written => self.store.announce(key, token, LONG).await?,
            Flaw::RefusedUpdatesLeaveTheNote if !is_written && self.noted(key) != Some(token) => {
                self.note_again(key).await?;
            }
            Flaw::RefusedUpdatesLeaveTheValue if !is_written => {
                if let Some(before) = before {
                    self.store.write(key, before, life, written).await?;
                }
            }
            Flaw::UpdatesLeaveTheLease => self.lease_again(key, &value).await?,
            Flaw::UpdatesAreLost => self.store.remove_same(key, &value).await?,
            _ => {}
        }
        Ok(is_written)
    }

    async fn lease_again(&self, key: &str, value: &[u8]) -> Result<(), StoreError> {
        let token = self.shared.leases.lock().unwrap().get(key).copied();
        if let Some(token) = token {
            let ask = Ask { key, token, span: LONG, seen: cachex::store::mark(value) };
            let _lease: Lease = self.store.lease(ask).await?;
        }
        Ok(())
    }

    async fn tell_too_early(&self, notice: &Notice) -> Result<(), StoreError> {
        self.store.publish(notice.clone()).await?;
        pause(Duration::from_millis(50)).await;
        Ok(())
    }
}

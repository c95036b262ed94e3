//! What the store tells: whether it is there, and the notices of other processes.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};

use super::Remote;
use crate::backplane::gaps::{Gaps, Hearing};
use crate::backplane::notice::{Notice, Subject};
use crate::config::Guard;
use crate::engine::Engine;
use crate::key::Key;
use crate::store::Listener;
use crate::tier::remote::name;

/// Listens for an engine.
pub(super) struct Inbox(Weak<Remote>);

impl Inbox {
    pub(super) fn new(remote: &Arc<Remote>) -> Self {
        Self(Arc::downgrade(remote))
    }
}

impl Listener for Inbox {
    fn up(&self) {
        if let Some(remote) = self.0.upgrade() {
            remote.counters.connects.one();
            remote.changed.notify_waiters();
            // What could not be delivered goes at once.
            // Break this (drop the line) and it goes up to a second later.
            remote.outbox.renew();
        }
    }

    fn down(&self) {
        if let Some(remote) = self.0.upgrade() {
            remote.counters.disconnects.one();
            remote.changed.notify_waiters();
        }
    }

    fn replaced(&self) {
        let Some(remote) = self.0.upgrade() else { return };
        // Break this (drop the line) and what was read from a master that had been given up stays, if notices came from the next one already.
        remote.flush_l1();
    }

    fn troubled(&self, why: &str) {
        if let Some(remote) = self.0.upgrade() {
            *remote.trouble() = Some(why.to_owned());
        }
    }

    fn listening(&self) {
        let Some(remote) = self.0.upgrade() else { return };
        remote.gaps().forget(remote.engine().map(|engine| engine.now()));
        // In this order: what is stored between the two stays for a short time only, as before.
        // Break this (drop the line) and what was stored while nobody listened stays.
        remote.flush_l1();
        remote.is_listening.store(true, Ordering::Release);
        remote.changed.notify_waiters();
    }

    fn missed(&self) {
        let Some(remote) = self.0.upgrade() else { return };
        remote.is_listening.store(false, Ordering::Release);
        remote.flush_l1();
        remote.changed.notify_waiters();
    }

    fn noticed(&self, notice: &[u8]) {
        let Some(remote) = self.0.upgrade() else { return };
        let clock = Notice::clock(notice);
        let Some(notice) = Notice::read(notice) else {
            // Of another version, or of somebody else: whatever it says, it may be about what is here.
            remote.counters.unreadable.one();
            remote.flush_l1();
            return;
        };
        let notice = Arc::new(notice);
        let is_own = notice.origin == remote.origin;
        let is_new = remote.note_notice(&notice, is_own);
        if !is_own {
            remote.act_upon(&notice);
        } else if let Subject::Stored { method, bytes } = &notice.subject {
            // Of another load in this process: it may be waited for here.
            remote.wake(method, bytes);
        }
        // Afterwards: who is told finds it done. Each master of a cluster tells of it.
        // Break this (tell all the same) and callbacks are called three times over a cluster of three.
        if is_new {
            remote.counters.unheard.add(remote.messages.tell(&notice, clock, is_own));
        }
    }
}

impl Remote {
    /// Counts a notice, and finds out whether one before it was lost. Returns whether it was not heard before.
    fn note_notice(&self, notice: &Notice, is_own: bool) -> bool {
        // By now whoever has told something before has said how much.
        let is_settled = |gaps: &Gaps| {
            let now = self.engine().map(|engine| engine.now());
            gaps.since().zip(now).is_some_and(|(since, now)| now >= since.after(3 * self.rules.heartbeat))
        };
        let hearing = {
            let mut gaps = self.gaps();
            let is_settled = is_settled(&gaps);
            match &notice.subject {
                Subject::Heartbeat => gaps.told(notice.origin, notice.number, is_settled),
                // Not numbered: who misses it looks by itself.
                Subject::Stored { .. } => Hearing::New,
                Subject::Groups(_) | Subject::Key { .. } | Subject::Matching(_) => {
                    gaps.heard(notice.origin, notice.number, is_settled)
                }
            }
        };
        let is_of_something = !matches!(notice.subject, Subject::Heartbeat | Subject::Stored { .. });
        if is_of_something && !is_own && hearing != Hearing::Known && !self.is_without(Guard::Notices) {
            self.counters.notices.one();
        }
        if hearing == Hearing::Lost && !is_own && !self.is_without(Guard::Notices) {
            self.counters.gaps.one();
            self.flush_l1();
        }
        hearing != Hearing::Known
    }

    fn act_upon(&self, notice: &Notice) {
        let Some(engine) = self.engine().filter(|_| !self.is_without(Guard::Notices)) else { return };
        match &notice.subject {
            Subject::Groups(groups) => engine.raise_here(groups.iter().map(|group| &**group), &[]),
            Subject::Key { method, bytes } => {
                engine.raise_here(std::iter::empty(), &engine.keys_of(method, bytes));
                self.wake(method, bytes);
            }
            Subject::Stored { method, bytes } => self.wake(method, bytes),
            Subject::Matching(pattern) => {
                let _removed = engine.remove_matching_here(pattern);
            }
            Subject::Heartbeat => {}
        }
    }

    /// Makes all that is in L1 wrong, and every load that has begun.
    fn flush_l1(&self) {
        if self.is_without(Guard::Flush) {
            return;
        }
        self.counters.flushes.one();
        if let Some(engine) = self.engine() {
            engine.clear_here();
        }
    }

    /// Wakes those who wait for the load of a key.
    fn wake(&self, method: &str, bytes: &[u8]) {
        let Some(engine) = self.engine() else { return };
        for key in engine.keys_of(method, bytes) {
            self.waiting_for(&name::name(key.at())).notify_waiters();
        }
    }
}

impl Engine {
    /// Returns the keys that another process means: one for each method here that has the name.
    pub(super) fn keys_of(&self, method: &str, bytes: &[u8]) -> Vec<Key> {
        let named = self.methods.iter().filter(|known| known.region.remote_name() == method);
        named.map(|known| Key::from_parts(known.region, bytes)).collect()
    }
}

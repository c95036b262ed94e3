//! Sending what is in the outbox, and writes.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{Ordering, fence};
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::{Notify, oneshot};
use tokio::time::timeout;

use super::Remote;
use super::outbox::{Batch, Gone, Missed, Reach};
use super::telling::{Sent, Telling};
use crate::backplane::notice::{LONGEST, Subject};
use crate::engine::Engine;
use crate::engine::methods::Method;
use crate::key::{Key, KeyRef};
use crate::runtime;
use crate::store::{Group, Invalidation, Notice, StoreError, StoreErrorKind};
use crate::tag::Tags;
use crate::tier::remote::name;
use crate::time::stopwatch::Deadline;

/// Before what could not be delivered is tried again: twice as long each time.
const SHORTEST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

impl Remote {
    /// Puts the invalidation of tags and keys into the outbox.
    pub(in crate::engine) fn send(&self, tags: &Tags, keys: &[&Key]) -> Option<oneshot::Receiver<()>> {
        let groups = tags.iter().map(|tag| Group::tag(tag.as_str())).collect();
        let keys = keys.iter().map(|key| (name::name(key.at()).into(), (*key).clone())).collect();
        let batch = Batch { groups, keys, ..Batch::default() };
        (!batch.is_empty()).then(|| {
            let reach = self.reach(batch.keys.keys().map(|name| &**name));
            self.outbox.add(batch, reach)
        })
    }

    /// Puts the invalidation of a group into the outbox.
    pub(in crate::engine) fn send_group(&self, group: Group) -> oneshot::Receiver<()> {
        self.outbox.add(Batch { groups: [group].into(), ..Batch::default() }, self.reach([]))
    }

    /// Puts what an update invalidates into the outbox: it was not settled.
    pub(super) fn send_unsettled(&self, number: u64, name: &str) -> Option<oneshot::Receiver<()>> {
        // Break this (ask for no key) and while one of several stores is gone, others read from its own store what is old.
        self.outbox.unsettled(number, self.reach([name]))
    }

    /// Returns what of the store can be reached, as far as is known: of it as a whole, and for some of these keys.
    fn reach<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> Reach {
        let is_whole = self.store.takes_invalidations();
        Reach { is_whole, takes_some: is_whole || names.into_iter().any(|name| self.store.reaches(name)) }
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

impl Telling<'_> {
    /// Returns what others are told of an invalidation of groups.
    pub(super) fn of_groups(&self, groups: &[Group]) -> Notice {
        // A name that is too long for a notice stands for everything.
        let name = |group: &Group| if group.as_str().len() > LONGEST { "*".into() } else { group.as_str().into() };
        self.notice(Subject::Groups(groups.iter().map(name).collect()))
    }

    /// Returns what others are told of a key.
    pub(super) fn of_key(&self, key: KeyRef<'_>) -> Notice {
        self.notice(Subject::of_key(key.region.remote_name(), key.bytes))
    }
}

type Keyed = HashMap<Box<str>, Key>;

/// So many groups, or keys, are invalidated in one step, which has a timeout of its own: what takes longer would never arrive, and hold up the store for others. Nor are
/// more notices on their way at once: others would take those that are overtaken for lost.
pub(super) const AT_ONCE: usize = 512;

/// When what was tried in vain is tried again.
struct Retry {
    pause: Duration,
    due: Deadline,
    /// However much fails before that.
    latest: Deadline,
}

impl Retry {
    fn now() -> Self {
        let now = Deadline::after(Duration::ZERO);
        Self { pause: SHORTEST_PAUSE, due: now, latest: now }
    }

    fn is_due(&self) -> bool {
        self.due.left().is_zero()
    }

    /// It is being tried.
    fn begin(&mut self) {
        self.latest = Deadline::after(LONGEST_PAUSE);
        self.put_off();
    }

    /// Something else has failed meanwhile.
    // Break this (drop the bound) and while one thing after the other fails, what has failed before is never tried again.
    fn put_off(&mut self) {
        self.due = Deadline::after(self.pause.min(self.latest.left()));
        self.pause = (2 * self.pause).min(LONGEST_PAUSE);
    }
}

/// How much of what there was has arrived.
enum Delivered {
    All,
    /// All but what is for a part of the store that is out of reach.
    Part,
    Nothing,
}

/// Sends what is in the outbox, as long as there is an engine, and until nothing is in it.
// Break this (hold only a `Weak`) and what was invalidated just before the cache was dropped is lost.
pub(super) async fn keep_delivering(remote: Arc<Remote>) {
    let filled = remote.outbox.filled.clone();
    let mut retry = Retry::now();
    loop {
        // Before it is looked whether there is something: what is put in meanwhile is not left behind.
        let is_left = remote.is_left();
        match remote.deliver(&mut retry).await {
            Delivered::All if is_left => break,
            Delivered::All => {
                retry = Retry::now();
                let _elapsed = timeout(LONGEST_PAUSE, filled.notified()).await;
            }
            // What is added goes at once, for it may be for a part that can be reached.
            Delivered::Part => {
                let _elapsed = timeout(retry.due.left(), filled.notified()).await;
            }
            // What is added waits for an attempt, which goes at once; so it does when the store comes into reach.
            // Break this (only pause) and who has invalidated waits for up to a second, or is told too early.
            Delivered::Nothing => {
                let _elapsed = timeout(retry.due.left(), remote.worth_trying(&filled)).await;
            }
        }
    }
    // Nobody would find out that the last notice was lost.
    remote.beat().await;
}

impl Drop for Engine {
    fn drop(&mut self) {
        // Then, so that who delivers sees that it is left.
        if let Some(remote) = self.remote.take() {
            let filled = remote.outbox.filled.clone();
            drop(remote);
            filled.notify_one();
        }
    }
}

/// Tells the others how many notices there were, as long as there is an engine.
pub(super) async fn keep_beating(remote: Weak<Remote>, interval: Duration) {
    loop {
        runtime::pause(interval).await;
        let Some(known) = remote.upgrade() else { return };
        known.beat().await;
    }
}

impl Remote {
    /// Tells the others how many notices there were.
    async fn beat(&self) {
        // First: what is said to nobody is not said.
        let count = if self.store.takes_invalidations() { self.numbers.told() } else { 0 };
        if count > 0 {
            let _ignored = self.store.publish(self.numbered(Subject::Heartbeat, count)).await;
        }
    }

    /// Whether nobody is there any more who could have something to send, besides the one who asks.
    fn is_left(self: &Arc<Self>) -> bool {
        let is_left = self.engine().is_none() && Arc::strong_count(self) == 1;
        // What the others did before they were gone is seen.
        fence(Ordering::Acquire);
        is_left
    }

    /// Waits until there is something to do, and what that is for is not known to be out of reach.
    async fn worth_trying(&self, filled: &Notify) {
        loop {
            filled.notified().await;
            // Break this (drop the condition) and in an outage all that is on its way is looked through for each invalidation.
            // Break this (drop the second one) and while one of several stores is gone, nothing is removed from the others but when that is due.
            if self.store.takes_invalidations() || self.outbox.may_arrive() {
                return;
            }
            self.outbox.give_up();
        }
    }

    /// Sends what there is to send; when it is due, also what was tried in vain.
    async fn deliver(&self, retry: &mut Retry) -> Delivered {
        loop {
            // After a part of it, what is left is due when it was.
            // Break this (look once) and what was tried in vain is not tried again as long as more is added without a pause.
            let is_due = retry.is_due();
            let batch = self.outbox.take(is_due);
            // Break this (only if there is something) and a removal that waits for a write is looked at again and again meanwhile.
            if is_due {
                retry.begin();
            }
            let Some(batch) = batch else { break };
            let missed = self.send_batch(batch).await;
            let is_failure = missed.is_failure;
            if is_failure || !missed.keys.is_empty() {
                self.counters.invalidation_errors.one();
            }
            let gone = self.outbox.tried(missed, self.store.takes_invalidations());
            if let Some(engine) = self.engine() {
                match gone {
                    Gone::Keys(keys) => {
                        for key in &keys {
                            let _was_there = engine.remove_here(key.at());
                        }
                    }
                    Gone::All => engine.clear_here(),
                }
            }
            if is_failure {
                if !is_due {
                    retry.put_off();
                }
                return Delivered::Nothing;
            }
        }
        if self.outbox.has_more() { Delivered::Part } else { Delivered::All }
    }

    /// Takes out the keys that are for what is known to be out of reach.
    // Break this (leave them in) and each attempt draws numbers of notices that nobody hears of: what others have in memory goes for that, again and again.
    fn out_of_reach(&self, keys: &mut Keyed) -> Vec<Box<str>> {
        keys.extract_if(|name, _| !self.store.reaches(name)).map(|(name, _)| name).collect()
    }

    /// Sends it in parts. Returns what has not arrived.
    async fn send_batch(&self, batch: Batch) -> Missed {
        let heard = self.outbox.heard_of(&batch);
        let Batch { groups, mut keys, .. } = batch;
        let mut missed = Missed { keys: self.out_of_reach(&mut keys).into_iter().collect(), ..Missed::default() };
        let is_gone = !missed.keys.is_empty() && !self.store.takes_invalidations();
        let (known, new): (Vec<_>, Vec<_>) = groups.into_iter().partition(|group| heard.groups.contains(group));
        let parts = new.chunks(AT_ONCE).map(|part| (part, false)).chain(known.chunks(AT_ONCE).map(|part| (part, true)));
        for (part, are_known) in parts {
            if missed.is_failure || self.send_groups(part, are_known).await.is_err() {
                missed.groups.extend_from_slice(part);
                missed.is_failure = true;
            }
        }
        // Break this (return) and as long as groups are refused no key is removed, of however many nodes, and stores of a ring.
        let mut keys: Vec<_> = keys.iter().map(|(name, key)| (&**name, key)).collect();
        // Those first that nobody has heard of.
        keys.sort_by_key(|(name, _)| heard.keys.contains(*name));
        // What takes as long as it may would take so again.
        let mut is_slow = false;
        for part in keys.chunks(AT_ONCE) {
            let sent = if is_slow { None } else { Some(self.send_keys(part, &heard.keys).await) };
            is_slow |=
                matches!(&sent, Some(Err(failed)) if failed.kind() == StoreErrorKind::Unknown && !failed.is_in_part());
            let left = sent.and_then(Result::ok);
            missed.is_failure |= left.is_none();
            missed.keys.extend(left.unwrap_or_else(|| part.iter().map(|(name, _)| (*name).into()).collect()));
        }
        missed.is_failure |= is_gone;
        missed
    }

    /// Sends groups. Where others have heard of them already, they are told once it is done.
    // Break this (tell with the step) and as long as it is refused, others hear of it again and again, and empty their memory if it is everything.
    async fn send_groups(&self, groups: &[Group], are_known: bool) -> Result<(), StoreError> {
        let telling = self.telling().await;
        let notice = if are_known { Notice::silent() } else { telling.of_groups(groups) };
        let what = Invalidation { groups: groups.to_vec(), notices: vec![notice.clone()], ..Invalidation::default() };
        let done = self.store.invalidate(&what).await;
        match &done {
            Ok(_) if are_known => drop(telling.tell(vec![telling.of_groups(groups)], Sent::Maybe).await),
            Ok(_) => {}
            Err(failed) => {
                self.note_trouble(failed);
                if !are_known && telling.tell(vec![notice], self.sent_with(failed)).await {
                    self.outbox.hear(groups, std::iter::empty());
                }
            }
        }
        done?;
        self.counters.invalidations.add(groups.len() as u64);
        self.note_invalidated(groups);
        Ok(())
    }

    /// Sends keys. Returns those that are for what is out of reach. Of a key of which others have heard already, they are told once it is done.
    // Break this (tell with the step) and a node that takes no writes makes others hear of each key each second.
    pub(super) async fn send_keys(
        &self,
        keys: &[(&str, &Key)],
        known: &HashSet<Box<str>>,
    ) -> Result<HashSet<Box<str>>, StoreError> {
        let telling = self.telling().await;
        let notice = |(name, key): &(&str, &Key)| match known.contains(*name) {
            true => Notice::silent(),
            false => telling.of_key(key.at()),
        };
        let what = Invalidation {
            keys: keys.iter().map(|(name, _)| (*name).into()).collect(),
            notices: keys.iter().map(notice).collect(),
            ..Invalidation::default()
        };
        let done = self.store.invalidate(&what).await.map(|left| left.into_iter().collect::<HashSet<_>>());
        if let Err(failed) = &done {
            self.note_trouble(failed);
        }
        let is_left = |name: &str| done.as_ref().map_or(true, |left| left.contains(name));
        let new = what.told().1.filter(|(name, _)| is_left(name) && !known.contains(*name));
        let untold: Vec<_> = new.filter_map(|(_, notice)| notice.cloned()).collect();
        // Break this (leave them out) and others keep what they loaded from there meanwhile.
        let again = keys.iter().filter(|(name, _)| known.contains(*name) && !is_left(name));
        // It is done: that they don't hear of it must be found out.
        let _told = telling.tell(again.map(|(_, key)| telling.of_key(key.at())).collect(), Sent::Maybe).await;
        // Of several keys some may have been told of, also with those that are left.
        if telling.tell(untold, Sent::Maybe).await {
            self.outbox.hear(&[], keys.iter().map(|(name, _)| *name).filter(|name| is_left(name)).map(Box::from));
        }
        let left = done?;
        self.counters.invalidations.add(keys.len().saturating_sub(left.len()) as u64);
        keys.iter().filter(|(name, _)| !left.contains(*name)).for_each(|(name, _)| self.note_removed(name));
        Ok(left)
    }
}

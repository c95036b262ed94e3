//! Sending what is in the outbox, and writes.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{Ordering, fence};
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::{Notify, oneshot};
use tokio::time::timeout;

use super::Remote;
use super::outbox::{Batch, Gone};
use super::telling::{self, Telling};
use crate::backplane::notice::{LONGEST, Subject};
use crate::engine::Engine;
use crate::engine::methods::Method;
use crate::key::{Key, KeyRef};
use crate::runtime;
use crate::store::{Group, Invalidation, Notice, StoreError};
use crate::tag::Tags;
use crate::tier::remote::name;

/// Before what could not be delivered is tried again: twice as long each time.
const SHORTEST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

impl Remote {
    /// Puts the invalidation of tags and keys into the outbox.
    pub(in crate::engine) fn send(&self, tags: &Tags, keys: &[&Key]) -> Option<oneshot::Receiver<()>> {
        let groups = tags.iter().map(|tag| Group::tag(tag.as_str())).collect();
        let keys = keys.iter().map(|key| (name::name(key.at()).into(), (*key).clone())).collect();
        let batch = Batch { groups, keys, ..Batch::default() };
        (!batch.is_empty()).then(|| self.outbox.add(batch, self.store.takes_invalidations()))
    }

    /// Puts the invalidation of a group into the outbox.
    pub(in crate::engine) fn send_group(&self, group: Group) -> oneshot::Receiver<()> {
        self.outbox.add(Batch { groups: [group].into(), ..Batch::default() }, self.store.takes_invalidations())
    }

    /// Puts what an update invalidates into the outbox: it was not settled.
    pub(super) fn send_unsettled(&self, number: u64) -> Option<oneshot::Receiver<()>> {
        self.outbox.unsettled(number, self.store.takes_invalidations())
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

    /// Returns what the store is to do. Of keys of `again` it tells nobody.
    fn invalidation(&self, groups: &[Group], keyed: &Keyed, again: &HashSet<Box<str>>) -> Invalidation {
        let of_groups = (!groups.is_empty()).then(|| self.of_groups(groups));
        let of_key = |(name, key): (&Box<str>, &Key)| match again.contains(name) {
            true => Notice::silent(),
            false => self.of_key(key.at()),
        };
        let notices = of_groups.into_iter().chain(keyed.iter().map(of_key)).collect();
        Invalidation { groups: groups.to_vec(), keys: keyed.keys().cloned().collect(), notices }
    }
}

type Keyed = HashMap<Box<str>, Key>;

/// So many groups are invalidated in one step, which has a timeout of its own: what takes longer would never arrive, and hold up the store for others.
const GROUPS_AT_ONCE: usize = 512;

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
    let mut pause = SHORTEST_PAUSE;
    loop {
        // Before it is looked whether there is something: what is put in meanwhile is not left behind.
        let is_left = remote.is_left();
        match remote.deliver().await {
            Delivered::All if is_left => break,
            Delivered::All => {
                pause = SHORTEST_PAUSE;
                let _elapsed = timeout(LONGEST_PAUSE, filled.notified()).await;
            }
            // What is added goes at once, for it may be for a part that can be reached.
            Delivered::Part => {
                let _elapsed = timeout(pause, filled.notified()).await;
                pause = (2 * pause).min(LONGEST_PAUSE);
            }
            // What is added waits for an attempt, which goes at once; so it does when the store comes into reach.
            // Break this (only pause) and who has invalidated waits for up to a second, or is told too early.
            Delivered::Nothing => {
                let _elapsed = timeout(pause, remote.worth_trying(&filled)).await;
                pause = (2 * pause).min(LONGEST_PAUSE);
            }
        }
    }
    // With it goes the store, which may be anybody's: its end may take long, or have a runtime of its own end.
    runtime::on_thread(move || drop(remote)).await;
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
        // Of notices on their way others would think that they are lost.
        let count = known.numbers.all_told().filter(|count| *count > 0 && known.store.takes_invalidations());
        if let Some(count) = count {
            let _ignored = known.store.publish(known.numbered(Subject::Heartbeat, count)).await;
        }
    }
}

impl Remote {
    /// Whether nobody is there any more who could have something to send, besides the one who asks.
    fn is_left(self: &Arc<Self>) -> bool {
        let is_left = self.engine().is_none() && Arc::strong_count(self) == 1;
        // What the others did before they were gone is seen.
        fence(Ordering::Acquire);
        is_left
    }

    /// Waits until there is something to do, and the store is not known to be out of reach.
    async fn worth_trying(&self, filled: &Notify) {
        loop {
            filled.notified().await;
            // Break this (drop the condition) and in an outage all that is on its way is looked through for each invalidation.
            if self.store.takes_invalidations() {
                return;
            }
            self.outbox.give_up();
        }
    }

    /// Sends what there is to send.
    async fn deliver(&self) -> Delivered {
        while let Some(Batch { groups, mut keys, .. }) = self.outbox.take() {
            let out_of_reach = self.out_of_reach(&mut keys);
            let mut groups = groups.into_iter().collect();
            let mut left: HashSet<_> = match self.send_batch(&mut groups, &keys).await {
                Ok(left) => left,
                Err(failed) => {
                    self.note_failure(&failed);
                    self.counters.invalidation_errors.one();
                    self.outbox.failed(groups, self.store.takes_invalidations());
                    return Delivered::Nothing;
                }
            };
            self.counters.invalidations.add(keys.len().saturating_sub(left.len()) as u64);
            keys.keys().filter(|name| !left.contains(*name)).for_each(|name| self.note_removed(name));
            left.extend(out_of_reach);
            let gone = self.outbox.delivered(&left);
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
            if !left.is_empty() {
                self.counters.invalidation_errors.one();
                return Delivered::Part;
            }
        }
        Delivered::All
    }

    /// Takes out the keys that are for a part of the store which is known to be out of reach, while the rest is not.
    // Break this (leave them in) and each attempt draws numbers of notices that nobody hears of: what others have in memory goes for that, again and again.
    fn out_of_reach(&self, keys: &mut Keyed) -> Vec<Box<str>> {
        if !self.store.takes_invalidations() {
            return Vec::new();
        }
        keys.extract_if(|name, _| !self.store.reaches(name)).map(|(name, _)| name).collect()
    }

    /// Sends it in parts, the keys with the last. Returns the keys that are for what is out of reach. Of `groups` those are left that have not arrived.
    async fn send_batch(&self, groups: &mut Vec<Group>, keys: &Keyed) -> Result<HashSet<Box<str>>, StoreError> {
        if groups.is_empty() && keys.is_empty() {
            return Ok(HashSet::new());
        }
        let none = HashMap::new();
        loop {
            let rest = groups.len().saturating_sub(GROUPS_AT_ONCE);
            let keys = if rest == 0 { keys } else { &none };
            let left = self.send_part(&groups[rest..], keys).await?;
            let arrived = groups.split_off(rest);
            self.counters.invalidations.add(arrived.len() as u64);
            self.note_invalidated(&arrived);
            if rest == 0 {
                return Ok(left);
            }
        }
    }

    /// Sends what fits into one step. Of a key that is tried again the others are told once it is done: they were told when it was tried first, and a number is not to be
    /// drawn each time.
    // Break this (tell with the step) and a node that takes no writes makes others hear of each key each second.
    async fn send_part(&self, groups: &[Group], keys: &Keyed) -> Result<HashSet<Box<str>>, StoreError> {
        let (again, telling) = (self.outbox.tried(keys.keys()), self.telling());
        let what = telling.invalidation(groups, keys, &again);
        let left: HashSet<_> = match self.store.invalidate(&what).await {
            Ok(left) => left.into_iter().collect(),
            Err(failed) => {
                if telling::is_refusal(&failed) {
                    let of_groups = what.told().0.cloned();
                    telling
                        .tell(of_groups.into_iter().chain(of_keys(&what, |name| !again.contains(name))).collect())
                        .await;
                }
                return Err(failed);
            }
        };
        let mut untold: Vec<_> = of_keys(&what, |name| left.contains(name) && !again.contains(name)).collect();
        // Break this (leave them out of it) and others keep what they loaded from there meanwhile.
        let done = keys.iter().filter(|(name, _)| again.contains(*name) && !left.contains(*name));
        untold.extend(done.map(|(_, key)| telling.of_key(key.at())));
        telling.tell(untold).await;
        Ok(left)
    }
}

/// Returns what others were to be told of these keys.
fn of_keys(what: &Invalidation, is_meant: impl Fn(&str) -> bool) -> impl Iterator<Item = Notice> {
    what.told().1.filter_map(move |(name, notice)| notice.filter(|_| is_meant(name)).cloned())
}

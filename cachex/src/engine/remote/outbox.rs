//! What is on its way to the store: invalidations that it does not know of yet, and writes.
//!
//! Whoever reads from the store asks here first: what it holds is not to be trusted as long as something about it is on its way.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, oneshot};

use crate::key::Key;
use crate::store::Group;
use crate::tier::remote::name::may_match;

/// Things on their way; if there are more, everything is invalidated in their place.
const MOST: usize = 10_000;

#[derive(Debug, Default)]
pub(super) struct Outbox {
    state: Mutex<State>,
    /// How many things are on their way: most who ask need not look.
    len: AtomicUsize,
    /// There is something to do. Shared with who does it, who holds nothing else while it waits.
    pub(super) filled: Arc<Notify>,
    /// Something has arrived, or could not be delivered.
    progress: Notify,
}

#[derive(Debug, Default)]
struct State {
    queued: Batch,
    sending: Batch,
    /// Told when the groups that were queued up to now have been tried …
    waiting: Waiting,
    /// … and when the keys have been as well.
    waiting_for_keys: Waiting,
    /// Told when what is being sent has been tried.
    told: Waiting,
    /// Whether the last attempt failed. While the store is known to be out of reach nobody waits for the next one then.
    is_stuck: bool,
    /// Keys whose write has failed, and whose removal is on its way: what is here of them goes when that has arrived.
    unwritten: HashSet<Box<str>>,
    /// The names of keys that are being written.
    writes: HashSet<Box<str>>,
    /// Those of them that were to be removed: whoever waits for keys waits for these as well.
    superseded: HashSet<Box<str>>,
    /// Keys that were tried, in vain.
    unreached: HashSet<Box<str>>,
    /// What updates of the source invalidate that are being settled, by their numbers.
    settling: HashMap<u64, Batch>,
    /// Patterns of which all keys are being removed, by the numbers of the removals.
    patterns: HashMap<u64, Box<str>>,
}

type Waiting = Vec<oneshot::Sender<()>>;

/// What is invalidated at once.
#[derive(Clone, Debug, Default)]
pub(super) struct Batch {
    pub(super) groups: HashSet<Group>,
    /// By their names in the store.
    pub(super) keys: HashMap<Box<str>, Key>,
    /// Whether all that is here goes with it.
    pub(super) takes_all: bool,
}

/// What is to go here, once it has arrived there.
#[derive(Debug, PartialEq)]
pub(super) enum Gone {
    Keys(Vec<Key>),
    All,
}

impl Batch {
    pub(super) fn is_empty(&self) -> bool {
        self.groups.is_empty() && self.keys.is_empty()
    }

    fn len(&self) -> usize {
        self.groups.len() + self.keys.len()
    }

    fn holds(&self, name: &str, groups: &[Group]) -> bool {
        let is_in = |group| self.groups.contains(group);
        !self.is_empty() && (self.keys.contains_key(name) || groups.iter().any(is_in))
    }

    fn add(&mut self, other: Self) {
        self.groups.extend(other.groups);
        self.keys.extend(other.keys);
        self.takes_all |= other.takes_all;
    }
}

impl State {
    /// Adds what is to be sent. If it becomes too much, everything is invalidated in its place, but keys that are being written: that may come later.
    fn queue(&mut self, batch: Batch) {
        let Self { queued, unwritten, writes, .. } = self;
        queued.add(batch);
        if queued.len() <= MOST {
            return;
        }
        queued.groups = HashSet::from([Group::all()]);
        queued.keys.retain(|name, _| writes.contains(name));
        // What is here of the keys that could not be written is to go with their removals, which are gone: all goes.
        // Break this (keep the names) and they are never given back, nor does what is here ever go.
        let before = unwritten.len();
        unwritten.retain(|name| writes.contains(name));
        queued.takes_all |= unwritten.len() < before;
    }
}

fn give_up(state: &mut State) {
    let State { waiting, waiting_for_keys, told, .. } = state;
    told.append(waiting);
    told.append(waiting_for_keys);
}

impl Outbox {
    /// Puts in what was invalidated. What is returned ends when it was delivered, or could not be at the first attempt; at once if one has failed
    /// and the store is known to be out of reach still.
    pub(super) fn add(&self, batch: Batch, is_up: bool) -> oneshot::Receiver<()> {
        let (told, delivered) = oneshot::channel();
        let not_told = self.change(|state| {
            let has_keys = !batch.keys.is_empty();
            state.queue(batch);
            // Break this (drop the second condition) and after one attempt that failed calls return before L2 has it, although it could.
            if state.is_stuck && !is_up {
                return Some(told);
            }
            if has_keys { &mut state.waiting_for_keys } else { &mut state.waiting }.push(told);
            None
        });
        if let Some(told) = not_told {
            let _gone = told.send(());
        }
        self.filled.notify_one();
        delivered
    }

    /// Says that a key is about to be written: a removal that has not been sent yet is a part of that.
    // Break this (leave the removal in) and it takes away what was written after it.
    pub(super) fn begin_write(&self, name: &str) {
        self.change(|state| {
            state.writes.insert(name.into());
            state.unwritten.remove(name);
            if state.queued.keys.remove(name).is_some() {
                state.superseded.insert(name.into());
            }
        });
    }

    /// Waits until no removal of a key is being sent.
    pub(super) async fn nothing_sent_of(&self, name: &str) {
        loop {
            let progress = self.progress.notified();
            if !self.lock().sending.keys.contains_key(name) {
                return;
            }
            progress.await;
        }
    }

    /// Says that a write has arrived, or failed.
    pub(super) fn end_write(&self, name: &str) {
        let told = self.change(|state| {
            state.writes.remove(name);
            state.superseded.remove(name);
            if !state.queued.keys.is_empty() || !state.superseded.is_empty() {
                return Vec::new();
            }
            let mut waiting = std::mem::take(&mut state.waiting_for_keys);
            if state.sending.is_empty() {
                return waiting;
            }
            // The rest of what they wait for is being sent.
            state.told.append(&mut waiting);
            Vec::new()
        });
        self.progress.notify_waiters();
        // The removal of the key may have waited for it.
        self.filled.notify_one();
        tell(told);
    }

    /// Says that an update is about to be settled: what it invalidates is sent with it.
    pub(super) fn begin_settling(&self, number: u64, batch: Batch) {
        self.change(|state| state.settling.insert(number, batch));
    }

    /// Says that an update has been settled.
    pub(super) fn settled(&self, number: u64) {
        self.change(|state| state.settling.remove(&number));
        self.progress.notify_waiters();
    }

    /// Says that an update was not settled: what it invalidates is sent like all else. What is returned ends as that of [`add`](Self::add).
    pub(super) fn unsettled(&self, number: u64, is_up: bool) -> Option<oneshot::Receiver<()>> {
        let batch = self.lock().settling.get(&number).cloned()?;
        let delivered = self.add(batch, is_up);
        self.settled(number);
        Some(delivered)
    }

    /// Says that all keys of a pattern are about to be removed. Returns the names of those that are being written.
    pub(super) fn begin_matching(&self, number: u64, pattern: &str) -> Vec<Box<str>> {
        self.change(|state| {
            state.patterns.insert(number, pattern.into());
            state.writes.iter().filter(|name| may_match(name, pattern)).cloned().collect()
        })
    }

    /// Says that they are removed, or that everything is invalidated in their place.
    pub(super) fn end_matching(&self, number: u64) {
        self.change(|state| state.patterns.remove(&number));
        self.progress.notify_waiters();
    }

    /// Waits until none of these keys is being written any more.
    pub(super) async fn nothing_written_of(&self, names: &[Box<str>]) {
        loop {
            let progress = self.progress.notified();
            if names.iter().all(|name| !self.lock().writes.contains(name)) {
                return;
            }
            progress.await;
        }
    }

    /// Takes out what is to be sent. Keys that are being written stay until that is done: else the write could arrive later.
    pub(super) fn take(&self) -> Option<Batch> {
        self.change(|state| {
            let State { queued, sending, waiting, waiting_for_keys, told, writes, superseded, is_stuck, .. } = state;
            debug_assert!(sending.is_empty(), "one batch is sent at a time");
            sending.groups = std::mem::take(&mut queued.groups);
            sending.takes_all = std::mem::take(&mut queued.takes_all);
            sending.keys = queued.keys.extract_if(|name, _| !writes.contains(name)).collect();
            told.append(waiting);
            // Break this (drop the second condition) and who has removed a key is told before L2 has what was written in its place.
            if queued.keys.is_empty() && superseded.is_empty() {
                told.append(waiting_for_keys);
            }
            // What could not be sent was written anew: nothing is left that could be tried.
            // Break this (drop the line) and who invalidates next is told before L2 has it.
            *is_stuck &= !sending.is_empty();
            (!sending.is_empty()).then(|| sending.clone())
        })
    }

    /// Says that a write has failed; the removal of the key is to follow.
    pub(super) fn failed_to_write(&self, name: &str) {
        self.change(|state| state.unwritten.insert(name.into()));
    }

    /// Notes that what was taken out has arrived, but these keys: they are put back, and hold up nobody else. Returns what is to go here
    /// as well.
    pub(super) fn delivered(&self, left: &HashSet<Box<str>>) -> Gone {
        let mut gone = Gone::All;
        self.end(|state| {
            let mut sent = std::mem::take(&mut state.sending);
            state.unreached = left.clone();
            let left = left.iter().filter_map(|name| sent.keys.remove_entry(name));
            // What was written since is later than the removal.
            let keys = left.filter(|(name, _)| !state.writes.contains(name)).collect();
            state.queue(Batch { keys, ..Batch::default() });
            let unwritten = sent.keys.into_iter().filter(|(name, _)| state.unwritten.remove(name));
            let unwritten = unwritten.map(|(_, key)| key).collect();
            if !sent.takes_all {
                gone = Gone::Keys(unwritten);
            }
            state.is_stuck = false;
        });
        gone
    }

    /// Puts back what was taken out, and of its groups those that have not arrived. Who came meanwhile is told if the store is known to be out of reach, and else with the next attempt, which is the first
    /// of his own.
    // Break this (tell all) and who invalidates in the last moment of an attempt that fails is told before his was tried.
    pub(super) fn failed(&self, groups: Vec<Group>, is_up: bool) {
        self.end(|state| {
            let mut sending = std::mem::take(&mut state.sending);
            sending.groups = groups.into_iter().collect();
            // What was written since is later than the removal.
            sending.keys.retain(|name, _| !state.writes.contains(name));
            state.unreached.extend(sending.keys.keys().cloned());
            state.queue(sending);
            state.is_stuck = true;
            if !is_up {
                give_up(state);
            }
        });
    }

    /// Tells all who wait: the store is known to be out of reach.
    // Break this (leave it out) and who came just before that waits for the next attempt, up to a second.
    pub(super) fn give_up(&self) {
        self.end(give_up);
    }

    /// Whether something about a value is on its way.
    pub(super) fn holds(&self, name: &str, groups: &[Group]) -> bool {
        if self.len() == 0 {
            return false;
        }
        let state = self.lock();
        let is_all = |batch: &Batch| batch.groups.contains(&Group::all());
        let is_settling = |batch: &Batch| is_all(batch) || batch.holds(name, groups);
        state.settling.values().any(is_settling)
            || state.patterns.values().any(|pattern| may_match(name, pattern))
            || is_all(&state.queued)
            || is_all(&state.sending)
            || state.writes.contains(name)
            || state.queued.holds(name, groups)
            || state.sending.holds(name, groups)
    }

    /// Waits until nothing about a value is on its way. Returns whether it came to that: not if the store does not take it, nor if all keys of a pattern are
    /// being removed that it may have, which may take long.
    pub(super) async fn emptied_of(&self, name: &str, groups: &[Group]) -> bool {
        loop {
            // From here on it is told, also before it is polled.
            let progress = self.progress.notified();
            if !self.holds(name, groups) {
                return true;
            }
            {
                let state = self.lock();
                // Break this (drop the second condition) and who asks for a key whose node is gone waits as long as for the load of another.
                // Break this (drop the third) and it waits as long if a walk over all keys takes that.
                let may_be_removed = || state.patterns.values().any(|pattern| may_match(name, pattern));
                if state.is_stuck || state.unreached.contains(name) || may_be_removed() {
                    return false;
                }
            }
            progress.await;
        }
    }

    /// Returns how many things are on their way.
    pub(super) fn len(&self) -> usize {
        // Acquire: who sees that there is nothing sees what was done about it.
        self.len.load(Ordering::Acquire)
    }

    /// Returns those of these keys that were tried before, in vain.
    pub(super) fn tried<'a>(&self, names: impl Iterator<Item = &'a Box<str>>) -> HashSet<Box<str>> {
        let state = self.lock();
        names.filter(|name| state.unreached.contains(*name)).cloned().collect()
    }

    fn end(&self, change: impl FnOnce(&mut State)) {
        let told = self.change(|state| {
            change(state);
            std::mem::take(&mut state.told)
        });
        self.progress.notify_waiters();
        tell(told);
    }

    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.lock();
        let result = change(&mut state);
        let len =
            state.queued.len() + state.sending.len() + state.writes.len() + state.settling.len() + state.patterns.len();
        self.len.store(len, Ordering::Release);
        result
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn tell(waiting: Waiting) {
    waiting.into_iter().for_each(|told| {
        let _gone = told.send(());
    });
}

#[cfg(test)]
mod tests;

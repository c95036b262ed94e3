//! What is on its way to the store: invalidations that it does not know of yet, and writes.
//!
//! Whoever reads from the store asks here first: what it holds is not to be trusted as long as something about it is on its way. Who waits for
//! that waits for what was on its way when it began, and for nothing later: that has a later stamp here than what it is about to read.
//!
//! Reading order: [`pending`] (what may be on its way), [`state`] (all that is, and who waits for it), this file (how it comes and goes).

mod pending;
mod state;

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, oneshot};

use crate::store::Group;
use crate::tier::remote::name::may_match;
pub(super) use pending::{Batch, Gone, Heard, Missed};
pub(super) use state::Turn;
use state::{State, give_up};

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

/// What of the store can be reached.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reach {
    /// Whether all invalidations are taken.
    pub(super) is_whole: bool,
    /// Whether some of what is put in is.
    pub(super) takes_some: bool,
}

/// What was on its way when somebody began to wait.
struct Before {
    count: u64,
    settling: HashSet<u64>,
}

/// Who waits for several things has one with each of them, and is told when the last is dropped.
pub(super) type Token = Arc<oneshot::Sender<()>>;

impl Outbox {
    /// Puts in what was invalidated. What is returned ends when it was delivered, or could not be at the first attempt; at once if one has failed
    /// and the store is known to be out of reach still.
    pub(super) fn add(&self, batch: Batch, reach: Reach) -> oneshot::Receiver<()> {
        self.add_since(batch, None, reach)
    }

    /// As [`add`](Self::add), of what was on its way before in another manner.
    fn add_since(&self, batch: Batch, since: Option<u64>, reach: Reach) -> oneshot::Receiver<()> {
        let (told, delivered) = oneshot::channel();
        let token = Arc::new(told);
        let Reach { is_whole, takes_some: is_up } = reach;
        self.change(|state| {
            state.may_arrive |= is_up;
            state.count += 1;
            let since = since.unwrap_or(state.count);
            let (has_groups, names) = (!batch.groups.is_empty(), batch.keys.keys().cloned().collect::<Vec<_>>());
            // Others may have what they loaded since they heard of it.
            state.heard.forget(&batch);
            state.queue(batch, since, is_whole);
            // Break this (drop the second condition) and after one attempt that failed calls return before L2 has it, although it could.
            if state.is_stuck && !is_up {
                return;
            }
            let is_more = has_groups || names.iter().any(|name| !state.queued.keys.contains_key(name));
            for name in names.into_iter().filter(|name| state.queued.keys.contains_key(name)) {
                state.waiting_for.entry(name).or_default().push(token.clone());
            }
            if is_more {
                state.waiting.push(token);
            }
        });
        self.filled.notify_one();
        delivered
    }

    /// Says that a key is about to be written: a removal that has not been sent yet is a part of that. Returns who waits for it.
    // Break this (leave the removal in) and it takes away what was written after it.
    pub(super) fn begin_write(&self, name: &str) -> Vec<Token> {
        self.change(|state| {
            let State { writes, write_count, .. } = state;
            writes.entry(name.into()).or_insert_with(|| {
                *write_count += 1;
                Turn { write: *write_count, number: 0 }
            });
            state.unwritten.remove(name);
            let taken = [state.queued.keys.remove(name), state.parked.keys.remove(name)];
            state.count += 1;
            // Break this (forget what was taken) and who waits for the removal reads what was there before the write.
            let since = taken.into_iter().flatten().map(|(_, since)| since).min().unwrap_or(state.count);
            state.note_writing(name, since);
            state.heard.keys.remove(name);
            state.waiting_for.remove(name).unwrap_or_default()
        })
    }

    /// Has all be tried that was tried in vain: the store has come into reach.
    pub(super) fn renew(&self) {
        self.change(|state| {
            state.queued.add(std::mem::take(&mut state.parked));
            // Also if it is one of several stores.
            state.may_arrive |= !state.queued.is_empty();
        });
        self.filled.notify_one();
    }

    /// Says that another turn of the writes of a key begins.
    pub(super) fn begin_turn(&self, name: &str) {
        self.change(|state| {
            if let Some(turn) = state.writes.get_mut(name) {
                turn.number += 1;
            }
        });
        self.progress.notify_waiters();
    }

    /// Says that the write of this turn has arrived, or has failed while another one is to follow.
    pub(super) fn ended_turn(&self, name: &str, has_arrived: bool) {
        self.change(|state| {
            if has_arrived {
                state.failing.remove(name);
                return;
            }
            // What it was to bring comes with the next one, if at all.
            // Break this (let it count as done) and who waits for it reads what was there before, while the next one is under way.
            if let Some(since) = state.written_since(name) {
                state.note_writing(name, since);
            }
            state.failing.insert(name.into());
        });
        self.progress.notify_waiters();
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

    /// Says that a key is not written any more.
    pub(super) fn end_write(&self, name: &str) {
        self.change(|state| {
            state.writes.remove(name);
            state.writing.remove(name);
            state.failing.remove(name);
            // What was heard of it between two writes is of none that is on its way.
            if !state.queued.keys.contains_key(name) && !state.parked.keys.contains_key(name) {
                state.heard.keys.remove(name);
            }
        });
        self.progress.notify_waiters();
        // The removal of the key may have waited for it.
        self.filled.notify_one();
    }

    /// Says that an update is about to be settled: what it invalidates is sent with it.
    pub(super) fn begin_settling(&self, number: u64, batch: Batch) {
        self.change(|state| {
            state.count += 1;
            state.settling.insert(number, (batch, state.count))
        });
    }

    /// Says that an update has been settled.
    pub(super) fn settled(&self, number: u64) {
        self.change(|state| state.settling.remove(&number));
        self.progress.notify_waiters();
    }

    /// Says that an update was not settled: what it invalidates is sent like all else. What is returned ends as that of [`add`](Self::add).
    pub(super) fn unsettled(&self, number: u64, reach: Reach) -> Option<oneshot::Receiver<()>> {
        let (batch, since) = self.lock().settling.get(&number).cloned()?;
        // Break this (as of now) and who waits for it to be settled reads what it has invalidated, once it was not.
        let delivered = self.add_since(batch, Some(since), reach);
        self.settled(number);
        Some(delivered)
    }

    /// Says that all keys of a pattern are about to be removed. Returns the names of those that are being written, and in which turn.
    pub(super) fn begin_matching(&self, number: u64, pattern: &str) -> Vec<(Box<str>, Turn)> {
        self.change(|state| {
            state.patterns.insert(number, pattern.into());
            let written = state.writes.iter().filter(|(name, _)| may_match(name, pattern));
            written.map(|(name, turn)| (name.clone(), *turn)).collect()
        })
    }

    /// Says that they are removed, or that everything is invalidated in their place.
    pub(super) fn end_matching(&self, number: u64) {
        self.change(|state| state.patterns.remove(&number));
        self.progress.notify_waiters();
    }

    /// Waits until what was to be written of these keys in these turns has been.
    // Break this (wait until none of them is being written) and while others write them all the time, it never ends.
    pub(super) async fn nothing_written_of(&self, mut names: Vec<(Box<str>, Turn)>) {
        loop {
            let progress = self.progress.notified();
            {
                let state = self.lock();
                names.retain(|(name, then)| state.writes.get(name).is_some_and(|now| then.is_under_way(*now)));
            }
            if names.is_empty() {
                return;
            }
            progress.await;
        }
    }

    /// Takes out what is to be sent; with `again` also what was tried in vain. Keys that are being written stay until that is done: else the write could arrive later.
    // Break this (take those always) and each invalidation sends all again that one node refuses.
    pub(super) fn take(&self, again: bool) -> Option<Batch> {
        self.change(|state| {
            if again {
                state.queued.add(std::mem::take(&mut state.parked));
            }
            let State { queued, sending, parked, waiting, waiting_for, told, writes, is_stuck, may_arrive, .. } = state;
            debug_assert!(sending.is_empty(), "one batch is sent at a time");
            sending.groups = std::mem::take(&mut queued.groups);
            sending.takes_all = std::mem::take(&mut queued.takes_all);
            sending.keys = queued.keys.extract_if(|name, _| !writes.contains_key(name)).collect();
            *may_arrive &= !queued.keys.is_empty();
            told.append(waiting);
            // Break this (tell who waits for a key with the rest) and who has removed one is told before L2 has what was written in its place.
            told.extend(sending.keys.keys().filter_map(|name| waiting_for.remove(name)).flatten());
            // What could not be sent was written anew: nothing is left that could be tried.
            // Break this (drop the line) and who invalidates next is told before L2 has it.
            *is_stuck &= !(sending.is_empty() && parked.is_empty());
            (!sending.is_empty()).then(|| sending.batch())
        })
    }

    /// Whether something was put in for a part of the store that could be reached then, and not taken out since.
    pub(super) fn may_arrive(&self) -> bool {
        self.lock().may_arrive
    }

    /// Whether something is left to be sent.
    pub(super) fn has_more(&self) -> bool {
        let state = self.lock();
        !(state.queued.is_empty() && state.parked.is_empty())
    }

    /// Says that a write has failed; the removal of the key is to follow.
    pub(super) fn failed_to_write(&self, name: &str) {
        self.change(|state| {
            let since = state.written_since(name).unwrap_or(state.count);
            state.unwritten.insert(name.into(), since)
        });
    }

    /// Has somebody wait for the removal of a key that is queued, as who has put it in. Returns who is to be told at once: it is known not to arrive.
    pub(super) fn wait_for(&self, name: &str, waiting: Vec<Token>, is_up: bool) -> Vec<Token> {
        self.change(|state| {
            if !state.queued.keys.contains_key(name) || (state.is_stuck && !is_up && !state.may_arrive) {
                return waiting;
            }
            state.waiting_for.entry(name.into()).or_default().extend(waiting);
            Vec::new()
        })
    }

    /// Notes that what was taken out has arrived, but these groups and keys: they wait to be tried again. Returns what is to go here as well. Where a whole step failed, who came meanwhile is told if the
    /// store is known to be out of reach, and else with the next attempt, which is the first of his own.
    // Break this (tell all) and who invalidates in the last moment of an attempt that fails is told before his was tried.
    pub(super) fn tried(&self, missed: Missed, is_up: bool) -> Gone {
        let mut gone = Gone::All;
        self.end(|state| {
            let Missed { groups, keys, is_failure } = missed;
            let mut sent = std::mem::take(&mut state.sending);
            let took_groups = groups.is_empty();
            let State { queued, parked, .. } = state;
            for group in groups {
                if let Some(since) = sent.groups.remove(&group) {
                    // Who has put it in meanwhile has not seen it tried.
                    let to = if queued.groups.contains_key(&group) { &mut *queued } else { &mut *parked };
                    to.add_group(group, since);
                }
            }
            for name in keys {
                let Some((key, since)) = sent.keys.remove(&name) else { continue };
                if state.writes.contains_key(&name) {
                    // What was written since is later than the removal.
                    state.note_writing(&name, since);
                    state.heard.keys.remove(&name);
                    continue;
                }
                let is_queued = state.queued.keys.contains_key(&name);
                let to = if is_queued { &mut state.queued } else { &mut state.parked };
                to.add_key(name, key, since);
            }
            let State { queued, parked, heard, unwritten, .. } = state;
            parked.takes_all |= sent.takes_all && !took_groups;
            heard.forget(&sent.batch());
            let left = sent.keys.into_iter().filter(|(name, _)| unwritten.remove(name).is_some());
            let left = left.map(|(_, (key, _))| key).collect();
            if !(sent.takes_all && took_groups) {
                gone = Gone::Keys(left);
            }
            if took_groups && !sent.groups.is_empty() {
                // Groups are taken now, and so may be those from before.
                queued.takes_all |= std::mem::take(&mut parked.takes_all);
                parked.groups.drain().for_each(|(group, since)| queued.add_group(group, since));
            }
            state.is_stuck = is_failure;
            state.bound(is_up);
            if is_failure && !is_up && !state.may_arrive {
                give_up(state);
            }
        });
        gone
    }

    /// Tells all who wait: the store is known to be out of reach.
    // Break this (leave it out) and who came just before that waits for the next attempt, up to a second.
    pub(super) fn give_up(&self) {
        self.end(|state| {
            // Break this (drop the condition) and who came in the last moment, for what can be reached, is told before it was tried.
            if !state.may_arrive {
                give_up(state);
            }
        });
    }

    /// Whether something about a value is on its way.
    pub(super) fn holds(&self, name: &str, groups: &[Group]) -> bool {
        if self.len() == 0 {
            return false;
        }
        let state = self.lock();
        state.writes.contains_key(name)
            || state.may_be_removed(name)
            || state.settling_of(name, groups).next().is_some()
            || state.holds(name, groups, u64::MAX)
    }

    /// Waits until nothing about a value is on its way that is by now. Returns whether it came to that: not if the store does not take it, nor if all keys of a
    /// pattern are being removed that it may have, which may take long.
    pub(super) async fn emptied_of(&self, name: &str, groups: &[Group]) -> bool {
        let before = {
            let state = self.lock();
            let settling = state.settling_of(name, groups).collect();
            Before { count: state.count, settling }
        };
        loop {
            // From here on it is told, also before it is polled.
            let progress = self.progress.notified();
            {
                let state = self.lock();
                let is_written = state.written_since(name).is_some_and(|since| since <= before.count);
                let is_settling = before.settling.iter().any(|number| state.settling.contains_key(number));
                // Break this (wait for what comes later as well) and while others invalidate without a pause, who reads waits in vain.
                let is_held = is_written || is_settling || state.holds(name, groups, before.count);
                if !is_held && !state.may_be_removed(name) {
                    return true;
                }
                // Break this (drop the second condition) and who asks for a key whose node is gone waits as long as for the load of another.
                // Break this (drop the third) and it waits as long if a walk over all keys takes that.
                let is_in_vain = state.parked.holds(name, groups, u64::MAX) || state.failing.contains(name);
                if state.is_stuck || is_in_vain || state.may_be_removed(name) {
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

    /// Returns of which of these others have heard already.
    pub(super) fn heard_of(&self, batch: &Batch) -> Heard {
        let Heard { groups, keys } = &self.lock().heard;
        Heard {
            groups: batch.groups.iter().filter(|group| groups.contains(*group)).cloned().collect(),
            keys: batch.keys.keys().filter(|name| keys.contains(*name)).cloned().collect(),
        }
    }

    /// Says that others have heard of something that did not arrive.
    pub(super) fn hear(&self, groups: &[Group], keys: impl Iterator<Item = Box<str>>) {
        self.change(|state| {
            // What was put in meanwhile is later than what they have heard of.
            let (queued, heard) = (&state.queued, &mut state.heard);
            heard.groups.extend(groups.iter().filter(|group| !queued.groups.contains_key(*group)).cloned());
            heard.keys.extend(keys.filter(|name| !queued.keys.contains_key(name)));
        });
    }

    fn end(&self, change: impl FnOnce(&mut State)) {
        let told = self.change(|state| {
            change(state);
            std::mem::take(&mut state.told)
        });
        self.progress.notify_waiters();
        // Then: who is told finds nothing of it on its way.
        drop(told);
    }

    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.lock();
        let result = change(&mut state);
        let pending = state.queued.len() + state.sending.len() + state.parked.len();
        let len = pending + state.writes.len() + state.settling.len() + state.patterns.len();
        self.len.store(len, Ordering::Release);
        result
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;

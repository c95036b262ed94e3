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
    /// Keys that the store could not reach, while it took the rest.
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
    pub(super) fn delivered(&self, left: &[Box<str>]) -> Gone {
        let mut gone = Gone::All;
        self.end(|state| {
            let mut sent = std::mem::take(&mut state.sending);
            state.unreached = left.iter().cloned().collect();
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
            state.queue(sending);
            state.is_stuck = true;
            state.unreached.clear();
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

    /// Returns the names of the keys that wait to be removed, if nothing is on its way besides.
    pub(super) fn only_waiting(&self) -> Option<Vec<Box<str>>> {
        if self.len() == 0 {
            return Some(Vec::new());
        }
        let state = self.lock();
        let is_at_rest = state.sending.is_empty()
            && state.queued.groups.is_empty()
            && state.writes.is_empty()
            && state.settling.is_empty()
            && state.patterns.is_empty();
        is_at_rest.then(|| state.queued.keys.keys().cloned().collect())
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
mod tests {
    use super::*;

    fn groups(names: &[&str]) -> Batch {
        Batch { groups: names.iter().map(|name| Group::tag(name)).collect(), ..Batch::default() }
    }

    fn key(name: &str) -> Batch {
        Batch { keys: HashMap::from([(name.into(), Key::new(name))]), ..Batch::default() }
    }

    #[test]
    fn who_comes_during_an_attempt_that_fails_is_told_after_one_of_his_own() {
        let outbox = Outbox::default();
        let mut early = outbox.add(groups(&["a"]), true);
        outbox.take().expect("there is something");
        let mut late = outbox.add(groups(&["b"]), true);
        outbox.failed(vec![Group::tag("a")], true);
        assert!(late.try_recv().is_err(), "his was never tried");
        outbox.take().expect("there is something");
        outbox.delivered(&[]);
        assert!(early.try_recv().is_ok() && late.try_recv().is_ok());
        // Where the store is known to be out of reach, nobody waits.
        let mut told = outbox.add(groups(&["c"]), true);
        outbox.take().expect("there is something");
        outbox.failed(vec![Group::tag("c")], false);
        assert!(told.try_recv().is_ok());
        let mut told = outbox.add(groups(&["d"]), true);
        outbox.give_up();
        assert!(told.try_recv().is_ok());
    }

    #[test]
    fn what_is_on_its_way_is_held_until_it_is_delivered() {
        let outbox = Outbox::default();
        let tags = [Group::tag("a")];
        let mut delivered = outbox.add(groups(&["a"]), true);
        assert!(outbox.holds("k", &tags) && !outbox.holds("k", &[Group::tag("b")]));
        assert!(outbox.take().is_some() && outbox.holds("k", &tags));
        outbox.failed(tags.to_vec(), false);
        assert!(outbox.holds("k", &tags) && delivered.try_recv().is_ok());
        assert!(outbox.take().is_some());
        outbox.delivered(&[]);
        assert!(!outbox.holds("k", &tags) && outbox.take().is_none());
    }

    #[test]
    fn the_removal_of_a_key_waits_for_its_write() {
        let outbox = Outbox::default();
        outbox.begin_write("k");
        let _delivered = outbox.add(key("k"), true);
        assert!(outbox.take().is_none() && outbox.holds("k", &[]));
        outbox.end_write("k");
        assert!(outbox.take().is_some_and(|batch| batch.keys.contains_key("k")));
    }

    #[test]
    fn a_write_takes_the_place_of_a_removal_from_before() {
        let outbox = Outbox::default();
        let mut removed = outbox.add(key("queued"), true);
        outbox.begin_write("queued");
        assert!(outbox.take().is_none() && removed.try_recv().is_err());
        outbox.end_write("queued");
        assert!(removed.try_recv().is_ok());
        let _delivered = outbox.add(key("sent"), true);
        assert!(outbox.take().is_some());
        outbox.begin_write("sent");
        outbox.failed(Vec::new(), false);
        outbox.end_write("sent");
        assert!(outbox.take().is_none());
        // Who comes then waits until it is delivered.
        assert!(outbox.add(groups(&["a"]), false).try_recv().is_err());
    }

    #[test]
    fn nobody_is_told_too_early_once_what_could_not_be_sent_was_written() {
        let outbox = Outbox::default();
        let _delivered = outbox.add(key("k"), true);
        assert!(outbox.take().is_some());
        outbox.failed(Vec::new(), false);
        outbox.begin_write("k");
        outbox.end_write("k");
        assert!(outbox.take().is_none());
        assert!(outbox.add(groups(&["a"]), false).try_recv().is_err());
    }

    #[test]
    fn who_waits_for_a_key_is_not_told_because_another_one_was_written() {
        let outbox = Outbox::default();
        let (mut other, mut written) = (outbox.add(key("other"), true), outbox.add(key("written"), true));
        outbox.begin_write("written");
        outbox.end_write("written");
        assert!(other.try_recv().is_err() && written.try_recv().is_err());
        outbox.begin_write("third");
        assert!(outbox.take().is_some());
        outbox.end_write("third");
        assert!(other.try_recv().is_err());
        outbox.delivered(&[]);
        assert!(other.try_recv().is_ok() && written.try_recv().is_ok());
    }

    #[test]
    fn a_key_that_could_not_be_reached_holds_up_nothing_else() {
        let outbox = Outbox::default();
        let mut told = outbox.add(key("far"), true);
        assert!(outbox.take().is_some());
        assert_eq!(outbox.delivered(&["far".into()]), Gone::Keys(Vec::new()));
        assert!(outbox.holds("far", &[]) && told.try_recv().is_ok());
        // Who comes later waits until that has been tried.
        let mut told = outbox.add(groups(&["a"]), true);
        assert!(told.try_recv().is_err());
        assert!(outbox.take().is_some_and(|batch| batch.keys.contains_key("far") && batch.groups.len() == 1));
        outbox.delivered(&["far".into()]);
        assert!(told.try_recv().is_ok() && !outbox.holds("k", &[Group::tag("a")]));
    }

    #[test]
    fn who_waits_for_a_group_does_not_wait_for_a_write() {
        let outbox = Outbox::default();
        outbox.begin_write("k");
        let (mut key, mut group) = (outbox.add(key("k"), true), outbox.add(groups(&["a"]), true));
        assert!(outbox.take().is_some());
        outbox.delivered(&[]);
        assert!(group.try_recv().is_ok() && key.try_recv().is_err());
    }

    #[test]
    fn what_an_update_invalidates_is_held_until_it_is_settled_or_delivered() {
        let outbox = Outbox::default();
        let tags = [Group::tag("a")];
        outbox.begin_settling(1, groups(&["a"]));
        outbox.begin_settling(2, key("k"));
        assert!(outbox.take().is_none() && outbox.holds("other", &tags) && outbox.holds("k", &[]));
        outbox.settled(2);
        assert!(!outbox.holds("k", &[]));
        assert!(outbox.unsettled(1, true).is_some() && outbox.holds("other", &tags));
        assert!(outbox.take().is_some_and(|batch| batch.groups.contains(&tags[0])));
        outbox.delivered(&[]);
        assert!(!outbox.holds("other", &tags) && outbox.len() == 0);
    }

    #[test]
    fn after_an_attempt_that_failed_only_who_is_out_of_reach_is_not_waited_for() {
        let outbox = Outbox::default();
        drop(outbox.add(groups(&["a"]), false));
        assert!(outbox.take().is_some());
        outbox.failed(vec![Group::tag("a")], false);
        assert!(outbox.add(groups(&["b"]), false).try_recv().is_ok());
        let mut delivered = outbox.add(groups(&["c"]), true);
        assert!(delivered.try_recv().is_err());
        assert!(outbox.take().is_some_and(|batch| batch.groups.len() == 3) && delivered.try_recv().is_err());
        outbox.delivered(&[]);
        assert!(delivered.try_recv().is_ok());
    }

    #[test]
    fn while_anything_but_keys_that_wait_is_on_its_way_something_may_be_told() {
        let outbox = Outbox::default();
        let waiting = |names: &[&str]| Some(names.iter().map(|name| (*name).into()).collect::<Vec<Box<str>>>());
        assert_eq!(outbox.only_waiting(), waiting(&[]));
        drop(outbox.add(key("k"), true));
        assert_eq!(outbox.only_waiting(), waiting(&["k"]));
        assert!(outbox.take().is_some());
        assert_eq!(outbox.only_waiting(), None, "it is being sent");
        outbox.delivered(&["k".into()]);
        assert_eq!(outbox.only_waiting(), waiting(&["k"]));
        outbox.begin_write("other");
        assert_eq!(outbox.only_waiting(), None, "it is being written");
        outbox.end_write("other");
        outbox.begin_settling(1, key("other"));
        assert_eq!(outbox.only_waiting(), None, "it is being settled");
        outbox.settled(1);
        assert!(outbox.begin_matching(2, "o*").is_empty());
        assert_eq!(outbox.only_waiting(), None, "it is being looked for");
        outbox.end_matching(2);
        drop(outbox.add(groups(&["a"]), true));
        assert_eq!(outbox.only_waiting(), None, "it is about to be sent");
    }

    #[test]
    fn too_much_becomes_everything() {
        let outbox = Outbox::default();
        for number in 0..=MOST {
            drop(outbox.add(groups(&[&number.to_string()]), true));
        }
        assert!(outbox.holds("k", &[]));
        assert!(outbox.take().is_some_and(|batch| batch.groups.contains(&Group::all())));
    }
    /// As a write by hand that fails.
    fn fails_to_be_written(outbox: &Outbox, name: &str) {
        outbox.begin_write(name);
        outbox.failed_to_write(name);
        drop(outbox.add(key(name), false));
        outbox.end_write(name);
    }

    #[test]
    fn what_could_not_be_written_goes_here_when_its_removal_has_arrived() {
        let outbox = Outbox::default();
        fails_to_be_written(&outbox, "k");
        drop(outbox.add(key("other"), true));
        assert!(outbox.take().is_some());
        outbox.failed(Vec::new(), false);
        assert!(outbox.take().is_some());
        assert_eq!(outbox.delivered(&[]), Gone::Keys(vec![Key::new("k")]));
    }

    #[test]
    fn of_too_much_that_could_not_be_written_no_names_are_kept_and_all_goes_here() {
        let outbox = Outbox::default();
        (0..=MOST).for_each(|number| fails_to_be_written(&outbox, &number.to_string()));
        outbox.begin_write("later");
        outbox.failed_to_write("later");
        drop(outbox.add(groups(&["a"]), false));
        assert!(outbox.lock().unwritten.len() <= 2, "{}", outbox.lock().unwritten.len());
        // Also if it does not arrive at once.
        assert!(outbox.take().is_some());
        outbox.failed(vec![Group::all()], false);
        assert!(outbox.take().is_some());
        assert_eq!(outbox.delivered(&[]), Gone::All);
        // What is later goes with its own removal.
        drop(outbox.add(key("later"), true));
        outbox.end_write("later");
        assert!(outbox.take().is_some());
        assert_eq!(outbox.delivered(&[]), Gone::Keys(vec![Key::new("later")]));
        assert!(outbox.lock().unwritten.is_empty());
    }
}

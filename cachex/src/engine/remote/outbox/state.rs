//! All that is on its way, and who waits for it.

use std::collections::{HashMap, HashSet};

use super::Token;
use super::pending::{Batch, Heard, Pending};
use crate::store::Group;
use crate::tier::remote::name::may_match;

/// Things that were tried in vain, or wait for a store that is out of reach; if there are more, everything is invalidated in their place.
pub(super) const MOST: usize = 10_000;
/// The same of what is about to be sent to a store that can be reached.
pub(super) const MOST_AT_ONCE: usize = 100_000;

#[derive(Debug, Default)]
pub(super) struct State {
    /// Counts what was put in.
    pub(super) count: u64,
    pub(super) queued: Pending,
    pub(super) sending: Pending,
    /// What was tried in vain, until it is to be tried again.
    pub(super) parked: Pending,
    /// Who waits until all that is queued now, but keys, has been tried …
    pub(super) waiting: Vec<Token>,
    /// … and until these keys have been, each of which may wait for its own write.
    pub(super) waiting_for: HashMap<Box<str>, Vec<Token>>,
    /// Who waits for what is being sent.
    pub(super) told: Vec<Token>,
    /// Whether the last attempt failed. While the store is known to be out of reach nobody waits for the next one then.
    pub(super) is_stuck: bool,
    /// Whether something was put in for a part of the store that could be reached then, and not taken out since.
    pub(super) may_arrive: bool,
    /// Keys whose write has failed, and whose removal is on its way, and since when the write was: what is here of them goes when that has arrived.
    pub(super) unwritten: HashMap<Box<str>, u64>,
    /// The names of keys that are being written.
    pub(super) writes: HashMap<Box<str>, Turn>,
    /// How often one began to be.
    pub(super) write_count: u64,
    /// What is still on its way, and of which others were told all the same since it was put in last.
    pub(super) heard: Heard,
    /// What updates of the source invalidate that are being settled, by their numbers, and since when.
    pub(super) settling: HashMap<u64, (Batch, u64)>,
    /// Of keys that are being written: since when writes are on their way, and removals in whose place they have come, and in which turn that was.
    pub(super) writing: HashMap<Box<str>, Vec<(u64, Turn)>>,
    /// Those of them whose last write has failed, while others follow.
    pub(super) failing: HashSet<Box<str>>,
    /// Patterns of which all keys are being removed, by the numbers of the removals.
    pub(super) patterns: HashMap<u64, Box<str>>,
}

/// Where the writing of a key is.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine::remote) struct Turn {
    /// From when on it is written without a break.
    pub(super) write: u64,
    /// Each turn may be of several writes, the last of which counts.
    pub(super) number: u64,
}

impl Turn {
    /// Whether what was to be written in this turn may still be under way in that one.
    pub(super) fn is_under_way(self, now: Self) -> bool {
        // One more may have waited for its turn.
        now.write == self.write && now.number < self.number + 2
    }
}

impl State {
    /// Adds what is to be sent. If it becomes too much, everything is invalidated in its place, but keys that are being written: that may come later.
    pub(super) fn queue(&mut self, batch: Batch, since: u64, is_up: bool) {
        for group in batch.groups {
            // What was tried in vain is tried again, by who asks for it.
            let since = self.parked.groups.remove(&group).map_or(since, |parked| parked.min(since));
            self.queued.add_group(group, since);
        }
        for (name, key) in batch.keys {
            // Break this (leave it out) and who waits for a write reads what was there before, once it has failed and before that is removed.
            let since = self.unwritten.get(&name).map_or(since, |written| since.min(*written));
            let since = self.parked.keys.remove(&name).map_or(since, |(_, parked)| parked.min(since));
            self.queued.add_key(name, key, since);
        }
        self.queued.takes_all |= batch.takes_all;
        self.bound(is_up);
    }

    pub(super) fn bound(&mut self, is_up: bool) {
        let (queued, parked) = (self.queued.len(), self.parked.len());
        let is_sent = is_up && !self.is_stuck;
        let fits = if is_sent { queued <= MOST_AT_ONCE && parked <= MOST } else { queued + parked <= MOST };
        if fits {
            return;
        }
        let Self { queued, parked, unwritten, writes, waiting, waiting_for, heard, .. } = self;
        let since = queued.since().into_iter().chain(parked.since()).min().unwrap_or_default();
        queued.groups = HashMap::from([(Group::all(), since)]);
        queued.takes_all |= parked.takes_all;
        *parked = Pending::default();
        // There is more in it than others have heard of.
        *heard = Heard::default();
        queued.keys.retain(|name, _| writes.contains_key(name));
        waiting.extend(waiting_for.extract_if(|name, _| !writes.contains_key(name)).flat_map(|(_, tokens)| tokens));
        // What is here of the keys that could not be written is to go with their removals, which are gone: all goes.
        // Break this (keep the names) and they are never given back, nor does what is here ever go.
        let before = unwritten.len();
        unwritten.retain(|name, _| writes.contains_key(name));
        queued.takes_all |= unwritten.len() < before;
    }

    /// Whether something of what is on its way is about a value; of what was put in, only up to a count.
    pub(super) fn holds(&self, name: &str, groups: &[Group], until: u64) -> bool {
        [&self.queued, &self.sending, &self.parked].iter().any(|pending| pending.holds(name, groups, until))
    }

    pub(super) fn may_be_removed(&self, name: &str) -> bool {
        self.patterns.values().any(|pattern| may_match(name, pattern))
    }

    /// Returns the updates that are being settled and may be about a value.
    pub(super) fn settling_of(&self, name: &str, groups: &[Group]) -> impl Iterator<Item = u64> {
        self.settling.iter().filter(move |(_, (batch, _))| batch.holds(name, groups)).map(|(number, _)| *number)
    }

    /// Notes that a key is being written, in the place of what was on its way since then.
    pub(super) fn note_writing(&mut self, name: &str, since: u64) {
        let Some(turn) = self.writes.get(name).copied() else { return };
        let writing = self.writing.entry(name.into()).or_default();
        writing.retain(|(_, then)| then.is_under_way(turn));
        match writing.iter_mut().find(|(_, then)| then.number == turn.number) {
            Some((known, _)) => *known = since.min(*known),
            None => writing.push((since, turn)),
        }
    }

    /// Returns since when what a key is being written in the place of is on its way.
    pub(super) fn written_since(&self, name: &str) -> Option<u64> {
        let (writing, now) = (self.writing.get(name)?, self.writes.get(name)?);
        writing.iter().filter(|(_, then)| then.is_under_way(*now)).map(|(since, _)| *since).min()
    }
}

/// Tells all who wait.
pub(super) fn give_up(state: &mut State) {
    let State { waiting, waiting_for, told, .. } = state;
    told.append(waiting);
    told.extend(waiting_for.drain().flat_map(|(_, tokens)| tokens));
}

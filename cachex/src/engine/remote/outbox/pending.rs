//! What is on its way: groups and keys, and since when.

use std::collections::{HashMap, HashSet};

use crate::key::Key;
use crate::store::Group;

/// What is invalidated at once.
#[derive(Clone, Debug, Default)]
pub(in crate::engine::remote) struct Batch {
    pub(in crate::engine::remote) groups: HashSet<Group>,
    /// By their names in the store.
    pub(in crate::engine::remote) keys: HashMap<Box<str>, Key>,
    /// Whether all that is here goes with it.
    pub(in crate::engine::remote) takes_all: bool,
}

/// Groups and keys of which others have heard.
#[derive(Clone, Debug, Default)]
pub(in crate::engine::remote) struct Heard {
    pub(in crate::engine::remote) groups: HashSet<Group>,
    pub(in crate::engine::remote) keys: HashSet<Box<str>>,
}

/// What of a batch has not arrived.
#[derive(Debug, Default)]
pub(in crate::engine::remote) struct Missed {
    pub(in crate::engine::remote) groups: Vec<Group>,
    pub(in crate::engine::remote) keys: HashSet<Box<str>>,
    /// Whether a whole step failed, and not only some keys of a part of the store.
    pub(in crate::engine::remote) is_failure: bool,
}

/// What is to go here, once it has arrived there.
#[derive(Debug, PartialEq)]
pub(in crate::engine::remote) enum Gone {
    Keys(Vec<Key>),
    All,
}

/// What is on its way, each with the count of what had been put in when it was.
#[derive(Debug, Default)]
pub(super) struct Pending {
    pub(super) groups: HashMap<Group, u64>,
    /// By their names in the store.
    pub(super) keys: HashMap<Box<str>, (Key, u64)>,
    /// Whether all that is here goes with it.
    pub(super) takes_all: bool,
}

impl Batch {
    pub(in crate::engine::remote) fn is_empty(&self) -> bool {
        self.groups.is_empty() && self.keys.is_empty()
    }

    /// Whether it is about a value.
    pub(super) fn holds(&self, name: &str, groups: &[Group]) -> bool {
        let (is_in, all) = (|group| self.groups.contains(group), Group::all());
        !self.is_empty() && (is_in(&all) || self.keys.contains_key(name) || groups.iter().any(is_in))
    }
}

impl Heard {
    pub(super) fn forget(&mut self, batch: &Batch) {
        batch.groups.iter().for_each(|group| _ = self.groups.remove(group));
        batch.keys.keys().for_each(|name| _ = self.keys.remove(name));
    }
}

impl Pending {
    pub(super) fn is_empty(&self) -> bool {
        self.groups.is_empty() && self.keys.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.groups.len() + self.keys.len()
    }

    /// Adds a group; if it is there, the earlier one counts.
    pub(super) fn add_group(&mut self, group: Group, since: u64) {
        let known = self.groups.entry(group).or_insert(since);
        *known = since.min(*known);
    }

    /// Adds a key; if it is there, the earlier one counts.
    pub(super) fn add_key(&mut self, name: Box<str>, key: Key, since: u64) {
        let (_, known) = self.keys.entry(name).or_insert((key, since));
        *known = since.min(*known);
    }

    pub(super) fn add(&mut self, other: Self) {
        other.groups.into_iter().for_each(|(group, since)| self.add_group(group, since));
        other.keys.into_iter().for_each(|(name, (key, since))| self.add_key(name, key, since));
        self.takes_all |= other.takes_all;
    }

    /// Returns since when the first of it is on its way.
    pub(super) fn since(&self) -> Option<u64> {
        self.groups.values().copied().chain(self.keys.values().map(|(_, since)| *since)).min()
    }

    /// Whether it has something about a value that was put in up to that count.
    pub(super) fn holds(&self, name: &str, groups: &[Group], until: u64) -> bool {
        if self.is_empty() {
            return false;
        }
        let (is_in, all) = (|group| self.groups.get(group).is_some_and(|since| *since <= until), Group::all());
        let has_key = self.keys.get(name).is_some_and(|(_, since)| *since <= until);
        has_key || is_in(&all) || groups.iter().any(is_in)
    }

    pub(super) fn batch(&self) -> Batch {
        Batch {
            groups: self.groups.keys().cloned().collect(),
            keys: self.keys.iter().map(|(name, (key, _))| (name.clone(), key.clone())).collect(),
            takes_all: self.takes_all,
        }
    }
}

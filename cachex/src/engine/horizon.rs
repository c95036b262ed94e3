//! The horizon: how far back somebody may still ask what was invalidated.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Engine, nesting};
use crate::entry::stamp::{Sequence, Stamp};
use crate::sync::{Mutex, lock};

impl Engine {
    /// Returns a stamp before which nothing began that is under way and asks later what was invalidated since: no load, no update of
    /// the source, no write to L2 and no entry that may yet answer for a load that fails; nor does anything that begins later. What was invalidated up
    /// to then is raised. To be called while the order is held.
    pub(super) fn horizon(&self) -> Stamp {
        let horizon = self.flights.horizon(&self.sequence);
        // Read before: what is held later is not older.
        self.stamps.oldest().map_or(horizon, |oldest| oldest.min(horizon))
    }

    /// Reads the logical clock for who will ask what was invalidated since, and has no place among the loads.
    #[cfg(feature = "remote")]
    pub(super) fn hold_stamp(&self) -> HeldStamp {
        self.stamps.hold(|| self.sequence.now(), &self.sequence)
    }

    /// Holds the stamp of an entry that somebody will ask for once more. To be called within the pin under which it was found.
    pub(super) fn hold_stamp_of(&self, stamp: Stamp) -> HeldStamp {
        self.stamps.hold(|| stamp, &self.sequence)
    }

    /// Has nobody wait any more for what began before `stamp` and is still under way: loads are not kept, and what is held answers nobody.
    pub(super) fn give_up_older(&self, stamp: Stamp) {
        self.flights.give_up_older(stamp);
        self.stamps.give_up_older(stamp);
    }
}

/// Stamps are held in so many parts, each by some threads: what is stale may be asked for by all at once.
const PARTS: usize = 16;

/// The stamps that are held.
#[derive(Clone, Debug, Default)]
pub(super) struct Stamps(Arc<[Mutex<State>; PARTS]>);

#[derive(Debug, Default)]
struct State {
    last_id: u64,
    /// By number: the stamp, and when it was taken.
    held: HashMap<u64, (Stamp, Stamp)>,
}

/// A stamp by which somebody will ask: what was invalidated since is not forgotten.
#[derive(Debug)]
pub(crate) struct HeldStamp {
    stamps: Stamps,
    part: usize,
    id: u64,
    #[cfg(feature = "remote")]
    stamp: Stamp,
}

impl Stamps {
    fn hold(&self, stamp: impl FnOnce() -> Stamp, sequence: &Sequence) -> HeldStamp {
        let part = nesting::thread() as usize % PARTS;
        let mut state = lock(&self.0[part]);
        state.last_id += 1;
        // Read here: see `Engine::horizon`.
        let (id, stamp) = (state.last_id, stamp());
        state.held.insert(id, (stamp, sequence.now()));
        HeldStamp {
            stamps: self.clone(),
            part,
            id,
            #[cfg(feature = "remote")]
            stamp,
        }
    }

    fn oldest(&self) -> Option<Stamp> {
        self.0.iter().filter_map(|part| lock(part).held.values().map(|(stamp, _)| *stamp).min()).min()
    }

    fn give_up_older(&self, taken_at: Stamp) {
        self.0.iter().for_each(|part| lock(part).held.retain(|_, (_, at)| *at >= taken_at));
    }
}

impl HeldStamp {
    #[cfg(feature = "remote")]
    pub(super) fn get(&self) -> Stamp {
        self.stamp
    }

    /// Whether what was invalidated since is still remembered.
    pub(super) fn is_good(&self) -> bool {
        lock(&self.stamps.0[self.part]).held.contains_key(&self.id)
    }
}

impl Drop for HeldStamp {
    fn drop(&mut self) {
        lock(&self.stamps.0[self.part]).held.remove(&self.id);
    }
}

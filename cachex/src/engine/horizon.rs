//! The horizon: how far back somebody may still ask what was invalidated.

#[cfg(feature = "remote")]
use std::collections::BTreeMap;
#[cfg(feature = "remote")]
use std::sync::Arc;

use super::Engine;
use crate::entry::stamp::Stamp;
#[cfg(feature = "remote")]
use crate::sync::{Mutex, lock};

impl Engine {
    /// Returns a stamp before which nothing began that is under way and asks later what was invalidated since: no load, no update of
    /// the source and no write to L2; nor does anything that begins later. What was invalidated up to then is raised. To be called while the
    /// order is held.
    pub(super) fn horizon(&self) -> Stamp {
        let horizon = self.flights.horizon(&self.sequence);
        #[cfg(feature = "remote")]
        // Read before: what is held later is not older.
        let horizon = self.stamps.oldest().map_or(horizon, |oldest| oldest.min(horizon));
        horizon
    }

    /// Reads the logical clock for who will ask what was invalidated since, and has no place among the loads.
    #[cfg(feature = "remote")]
    pub(super) fn hold_stamp(&self) -> HeldStamp {
        let mut held = lock(&self.stamps.0);
        let stamp = self.sequence.now();
        *held.entry(stamp).or_insert(0) += 1;
        HeldStamp { stamps: self.stamps.clone(), stamp }
    }
}

/// The stamps that are held, and how many times each.
#[cfg(feature = "remote")]
#[derive(Clone, Debug, Default)]
pub(super) struct Stamps(Arc<Mutex<BTreeMap<Stamp, usize>>>);

/// A stamp by which somebody will ask: what was invalidated since is not forgotten.
#[cfg(feature = "remote")]
#[derive(Debug)]
pub(super) struct HeldStamp {
    stamps: Stamps,
    stamp: Stamp,
}

#[cfg(feature = "remote")]
impl Stamps {
    fn oldest(&self) -> Option<Stamp> {
        lock(&self.0).keys().next().copied()
    }
}

#[cfg(feature = "remote")]
impl HeldStamp {
    pub(super) fn get(&self) -> Stamp {
        self.stamp
    }
}

#[cfg(feature = "remote")]
impl Drop for HeldStamp {
    fn drop(&mut self) {
        let mut held = lock(&self.stamps.0);
        let Some(count) = held.get_mut(&self.stamp) else { return };
        *count -= 1;
        if *count == 0 {
            held.remove(&self.stamp);
        }
    }
}

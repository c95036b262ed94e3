//! The path of a hit.

use std::sync::Arc;

use super::Engine;
use super::methods::Method;
use crate::entry::{Entry, Freshness};
use crate::key::KeyRef;
use crate::method::keep::Keep;
use crate::observe::event::Event;

/// A current entry and a clone of its value.
pub(crate) struct Found<V> {
    pub(crate) value: V,
    pub(crate) entry: Arc<Entry>,
    pub(crate) freshness: Freshness,
}

impl Engine {
    /// Finds a current entry that is of any use, and clones its value outside of any lock.
    #[inline]
    pub(crate) fn lookup<V, K: Keep<V>>(&self, method: &Method, at: KeyRef<'_>, keep: K) -> Option<Found<V>> {
        let entry = self.tier.get(at)?;
        let freshness = self.freshness(method, &entry);
        if freshness == Freshness::Dead {
            return None;
        }
        let Some(value) = keep.value(&entry) else {
            self.tell(|| Event::TypeMismatch(at.to_key()));
            return None;
        };
        Some(Found { value, entry, freshness })
    }

    /// Returns how old a current entry is, and notes the access; an entry that is not current is dead.
    #[inline]
    pub(crate) fn freshness(&self, method: &Method, entry: &Entry) -> Freshness {
        if !self.is_current(method, entry) {
            return Freshness::Dead;
        }
        let life = &entry.meta.life;
        if !life.is_timed() {
            return Freshness::Fresh;
        }
        let now = self.now();
        let freshness = life.freshness(now);
        if matches!(freshness, Freshness::Fresh | Freshness::Stale) {
            life.note_access(now);
        }
        freshness
    }
}

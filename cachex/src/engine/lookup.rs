//! The path of a hit.

use super::Engine;
use super::methods::Method;
use crate::entry::{Entry, Freshness};
use crate::key::KeyRef;
use crate::method::keep::Keep;
use crate::observe::event::Event;

/// A clone of the value of a current entry.
pub(crate) struct Found<V> {
    pub(crate) value: V,
    /// The entry itself, unless it is fresh: it then may have to answer again.
    pub(crate) not_fresh: Option<Entry>,
    pub(crate) freshness: Freshness,
}

impl Engine {
    /// Finds a current entry that is of any use, and clones its value, under no lock.
    #[inline]
    pub(crate) fn lookup<V, K: Keep<V>>(&self, method: &Method, at: KeyRef<'_>, keep: K) -> Option<Found<V>> {
        let found = self.tier.read(at, |entry| {
            let freshness = self.freshness(method, entry);
            if freshness == Freshness::Dead {
                return Ok(None);
            }
            let value = keep.value(entry).ok_or(WrongType)?;
            let not_fresh = if freshness == Freshness::Fresh { None } else { Some(entry.clone()) };
            Ok(Some(Found { value, not_fresh, freshness }))
        });
        match found {
            None => None,
            Some(Ok(found)) => found,
            Some(Err(WrongType)) => {
                self.tell(|| Event::TypeMismatch(at.to_key()));
                None
            }
        }
    }

    /// Returns how old a current entry is, and notes the access; an entry that is not current is dead.
    #[inline]
    pub(crate) fn freshness(&self, method: &Method, entry: &Entry) -> Freshness {
        if self.is_current(method, entry) { entry.access(|| self.now()) } else { Freshness::Dead }
    }
}

/// The entry holds a value of another type.
struct WrongType;

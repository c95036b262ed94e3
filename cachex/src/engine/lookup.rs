//! The path of a hit.

use super::Engine;
use super::begin::NoHit;
use super::horizon::HeldStamp;
use super::methods::Method;
use std::marker::PhantomData;

use crate::entry::{Entry, EntryParts, Freshness};
use crate::key::KeyRef;
use crate::method::keep::Keep;
use crate::raw::grace::{Pin, Read, pinned, try_pinned};
use crate::raw::table::Sought;
use crate::time::Timestamp;

/// What a look-up brings.
pub(crate) enum Looked<V> {
    /// A clone of the value of a fresh entry.
    Fresh(V),
    NotFresh(Found<V>),
    /// The entry holds a value of another type.
    OtherType,
    Nothing,
}

/// A current entry that is not fresh, but of use.
pub(crate) struct Found<V> {
    /// A clone of its value.
    pub(crate) value: V,
    pub(crate) entry: Entry,
    pub(crate) freshness: Freshness,
    /// As long as it may answer.
    pub(crate) held: HeldStamp,
}

/// What a hit takes from an entry while the thread is pinned.
enum Taken<V> {
    Copy(V),
    Hold(Entry),
}

/// Bytes that are copied while the thread is pinned.
const MOST_COPIED: usize = 4096;

/// Takes what can be taken quickly.
#[inline(always)]
fn take<V, K: Keep<V>>(entry: &Entry, value: &V, keep: K) -> Taken<V> {
    if keep.is_short(value) { Taken::Copy(keep.copy(value)) } else { Taken::Hold(entry.clone()) }
}

/// Whether a clone of any value of a type is known to be a copy of a few bytes or a step of a counter.
///
/// An `Arc` is known by its name, and that no more than bytes are copied by what owns nothing, which may have a `Clone` of its own all the
/// same: to be wrong about it costs a little time or holds a pin for longer, and changes nothing else.
#[inline(always)]
fn clones_quickly<V>() -> bool {
    let name = std::any::type_name::<V>();
    !std::mem::needs_drop::<V>() && size_of::<V>() <= MOST_COPIED
        || name.starts_with("alloc::sync::Arc<")
        || name.starts_with("core::option::Option<alloc::sync::Arc<")
}

/// A look for a fresh entry about which nothing is rare.
struct Hit<'a, A, K, V, T> {
    engine: &'a Engine,
    method: &'a Method,
    sought: A,
    keep: K,
    /// Takes from the entry and its value what outlives the pin.
    take: T,
    _value: PhantomData<V>,
}

impl<A: Sought<EntryParts>, V, K: Keep<V>, R, T: FnOnce(&Entry, &V) -> R> Read for Hit<'_, A, K, V, T> {
    /// And when the entry expires: that is looked at once the thread is not pinned any more.
    type Found = Result<(R, Timestamp), NoHit>;

    #[inline(always)]
    fn read(self, pin: &Pin) -> Result<(R, Timestamp), NoHit> {
        let Self { engine, method, sought, keep, take, .. } = self;
        let Some(entry) = engine.tier.find(pin, sought) else { return Err(NoHit::Nothing) };
        let Some(plain) = keep.plain(&entry) else { return Err(NoHit::NotPlain) };
        let stamp = entry.stamp();
        let lets_pass = |tag| engine.tags.lets_pass(tag, stamp);
        let is_current = method.floor.allows(stamp)
            && method.constants().iter().copied().all(lets_pass)
            && plain.all_items(lets_pass);
        if !is_current {
            return Err(NoHit::NotPlain);
        }
        Ok((take(&entry, plain.value()), entry.expires_at()))
    }
}

impl Engine {
    /// Finds a fresh entry about which nothing is rare, and clones its value, under no lock: what most hits are.
    #[inline(always)]
    pub(crate) fn hit<V, K: Keep<V>>(
        &self,
        method: &Method,
        sought: impl Sought<EntryParts>,
        keep: K,
    ) -> Result<V, NoHit> {
        if clones_quickly::<V>() {
            let (value, expires_at) = try_pinned(Hit {
                engine: self,
                method,
                sought,
                keep,
                take: |_: &Entry, value: &V| keep.copy(value),
                _value: PhantomData,
            })
            .unwrap_or(Err(NoHit::NotPlain))?;
            return if self.is_yet_to_come(expires_at) { Ok(value) } else { Err(NoHit::NotPlain) };
        }
        // Another clone may take long, and a pin holds up what all tiers of the process give up.
        let (taken, expires_at) = try_pinned(Hit {
            engine: self,
            method,
            sought,
            keep,
            take: |entry: &Entry, value: &V| take(entry, value, keep),
            _value: PhantomData,
        })
        .unwrap_or(Err(NoHit::NotPlain))?;
        match taken {
            _ if !self.is_yet_to_come(expires_at) => Err(NoHit::NotPlain),
            Taken::Copy(value) => Ok(value),
            Taken::Hold(held) => keep.plain(&held).map(|plain| keep.copy(plain.value())).ok_or(NoHit::NotPlain),
        }
    }

    /// Whether a time lies ahead. The clock is read only if there is any doubt.
    #[inline(always)]
    fn is_yet_to_come(&self, at: Timestamp) -> bool {
        at == Timestamp::NEVER || self.now() < at
    }

    /// Finds any current entry that is of use, and clones its value. The use was noted before, where that could be done.
    #[inline(never)]
    pub(crate) fn look_closely<V, K: Keep<V>>(&self, method: &Method, at: KeyRef<'_>, keep: K) -> Looked<V> {
        // Whether it is right is asked within the pin: what was invalidated is not forgotten as long as somebody reads who found it before.
        let found = pinned(|pin| {
            let entry = self.tier.peek_pinned(pin, at)?;
            let freshness = self.freshness(method, &entry);
            let held = match freshness {
                Freshness::Dead => return None,
                Freshness::Fresh => None,
                // It is asked for once more when a load has failed.
                // Break this (don't hold it) and an entry whose tag was invalidated meanwhile answers for such a load.
                Freshness::Stale | Freshness::Expired => Some(self.hold_stamp_of(entry.stamp())),
            };
            Some((Entry::clone(&entry), freshness, held))
        });
        let Some((entry, freshness, held)) = found else { return Looked::Nothing };
        match (keep.value(&entry), held) {
            (None, _) => Looked::OtherType,
            (Some(value), None) => Looked::Fresh(value),
            (Some(value), Some(held)) => Looked::NotFresh(Found { value, entry, freshness, held }),
        }
    }

    /// Finds any current entry that is of use, and clones its value.
    pub(crate) fn look<V, K: Keep<V>>(&self, method: &Method, at: KeyRef<'_>, keep: K) -> Looked<V> {
        match self.hit(method, at, keep) {
            Ok(value) => Looked::Fresh(value),
            Err(_) => self.look_closely(method, at, keep),
        }
    }

    /// Returns how old a current entry is, and notes the access; an entry that is not current is dead.
    pub(crate) fn freshness(&self, method: &Method, entry: &Entry) -> Freshness {
        if self.is_current(method, entry) { entry.access(|| self.now()) } else { Freshness::Dead }
    }
}

#[cfg(all(test, not(cachex_loom)))]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::entry::{Life, Meta, NO_TAGS, Stamp};
    use crate::method::Region;
    use crate::method::keep::Local;

    /// Whether a hit on the value takes a hold of its entry.
    fn is_held<V: Clone + Send + Sync + 'static>(value: &V) -> bool {
        let life = Life {
            created_at: Timestamp::default(),
            accessed_at: Timestamp::default(),
            stale_at: Timestamp::NEVER,
            expires_at: Timestamp::NEVER,
            grace: Duration::ZERO,
            tti: None,
        };
        let meta = Meta {
            key: (Region::manual().id(), b"key"),
            stamp: Stamp::default(),
            tags: NO_TAGS,
            life,
            weight: 1,
            is_negative: false,
            load_time: None,
        };
        let entry = Entry::of(&meta, value.clone());
        !clones_quickly::<V>() && matches!(take(&entry, value, Local), Taken::Hold(_))
    }

    #[test]
    fn a_hit_holds_an_entry_only_if_the_clone_may_take_long() {
        assert!(!is_held(&7_u64) && !is_held(&[7_u8; MOST_COPIED]) && is_held(&[7_u8; MOST_COPIED + 1]));
        assert!(
            !is_held(&std::sync::Arc::new(vec![7_u8; 10_000])) && !is_held(&Some(std::sync::Arc::<str>::from("text")))
        );
        assert!(!is_held(&"text".to_owned()) && !is_held(&Some("text".to_owned())) && !is_held(&vec![7_u8; 9]));
        assert!(is_held(&"text".repeat(10_000)) && is_held(&vec!["text".to_owned()]));
    }
}

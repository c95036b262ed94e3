//! What a tier keeps: a value, when it was loaded, how long it is good, and what would make it wrong.
//!
//! Reading order: [`stamp`] (the logical clock), [`tags`] (the clocks of tags), this file (the entry), [`life`] (its age),
//! [`brief`] (how numbers are kept short), [`names`] (how names of tags are kept).

mod brief;
mod life;
mod names;
pub(crate) mod stamp;
pub(crate) mod tags;

use std::any::Any;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

pub(crate) use life::{Freshness, Life};
pub use stamp::Stamp;

use crate::raw::node::{Node, Parts, Plain};
use crate::tag::Tags;
use crate::time::Timestamp;
use tags::{TagClocks, TagId};

/// Any value, shared.
pub type AnyValue = dyn Any + Send + Sync;

/// A value with its metadata and its key, in one allocation: a holder of it, which is cheap to clone.
///
/// There may be a million of them, and a hit reads the head of one: everything is kept as short as it can be.
pub type Entry = Node<EntryParts>;

/// An entry with a value of type `V` about which nothing is rare.
pub type PlainEntry<'a, V> = Plain<'a, EntryParts, V>;

/// What entries are made of.
#[derive(Debug)]
pub struct EntryParts;

impl Parts for EntryParts {
    type Head = Head;
    type Rare = life::Rare;
    type Item = TagId;
}

/// What every entry has. What a hit reads comes last.
#[derive(Debug)]
#[repr(C)]
pub struct Head {
    /// What the entry counts against the capacity in bytes, as far as [`WEIGHT`] goes; [`NEGATIVE`] as well.
    weight: u32,
    created_at: brief::Moment,
    /// The logical clock, read before the load began.
    stamp: Stamp,
    expires_at: AtomicU64,
}

/// Whether the value is a kept "none" or a kept error.
const NEGATIVE: u32 = 1 << 31;
/// A weight of so much or more is in the rare part.
const WEIGHT: u32 = NEGATIVE - 1;

/// All that is known of a value apart from the value.
#[derive(Debug)]
pub struct Meta<'a> {
    /// The number of the region of the key, and its bytes.
    pub(crate) key: (u32, &'a [u8]),
    /// The logical clock, read before the load began.
    pub(crate) stamp: Stamp,
    /// The tags that it has beside those of its method, and their numbers.
    pub(crate) tags: (&'a Tags, &'a [TagId]),
    pub(crate) life: Life,
    /// What the entry counts against the capacity in bytes.
    pub(crate) weight: u64,
    /// Whether the value is a kept "none" or a kept error.
    pub(crate) is_negative: bool,
    /// How long the load took, if it was timed.
    pub(crate) load_time: Option<Duration>,
}

/// For entries without tags beside those of their method.
#[cfg(any(test, feature = "flood"))]
pub(crate) const NO_TAGS: (&Tags, &[TagId]) = (&Tags::new(), &[]);

impl Entry {
    pub(crate) fn of<V: Any + Send + Sync>(meta: &Meta<'_>, value: V) -> Self {
        let Meta { life, weight, .. } = meta;
        let short_weight = u32::try_from(*weight).map_or(WEIGHT, |weight| weight.min(WEIGHT));
        let head = Head {
            weight: short_weight | if meta.is_negative { NEGATIVE } else { 0 },
            created_at: brief::Moment::of(life.created_at),
            stamp: meta.stamp,
            expires_at: AtomicU64::new(life.expires_at.as_nanos()),
        };
        let rare = (life.is_rare() || short_weight == WEIGHT).then(|| life::Rare::new(life, *weight));
        let (region, bytes) = meta.key;
        let short = (region, meta.load_time.map_or(brief::NO_SPAN, brief::short_span));
        let (tags, ids) = meta.tags;
        Self::new(head, short, rare, value, (ids, &names::written(tags)), bytes)
            .expect("a key is shorter than 4 GiB, and so are names")
    }

    /// Whether this is the entry of a key.
    #[inline]
    pub(crate) fn is_at(&self, label: u64, bytes: &[u8]) -> bool {
        self.label() == label && self.bytes() == bytes
    }

    /// Returns the number of the region of the key.
    pub(crate) fn region_id(&self) -> u32 {
        self.name()
    }

    #[inline(always)]
    pub(crate) fn stamp(&self) -> Stamp {
        self.head().stamp
    }

    /// Gives the entry another stamp, if nobody else holds it.
    pub(crate) fn set_stamp(&mut self, stamp: Stamp) {
        if let Some(head) = self.get_mut() {
            head.stamp = stamp;
        }
    }

    /// Whether no tag of the entry was invalidated since its load began, and none is fenced.
    pub(crate) fn is_current(&self, clocks: &TagClocks) -> bool {
        clocks.allow(self.items(), self.stamp())
    }

    /// As [`is_current`](Self::is_current), fences aside.
    pub(crate) fn was_current(&self, clocks: &TagClocks) -> bool {
        clocks.were_current(self.items(), self.stamp())
    }

    /// Returns the numbers of the entry's tags.
    pub(crate) fn tags(&self) -> &[TagId] {
        self.items()
    }

    /// Returns the names of the entry's tags, in the order of their numbers.
    pub(crate) fn tag_names(&self) -> impl Iterator<Item = &str> {
        names::read(self.note())
    }

    pub(crate) fn weight(&self) -> u64 {
        match self.head().weight & WEIGHT {
            WEIGHT => self.rare().map_or(u64::from(WEIGHT), |rare| rare.weight),
            weight => u64::from(weight),
        }
    }

    pub(crate) fn is_negative(&self) -> bool {
        self.head().weight & NEGATIVE != 0
    }

    /// Returns how long the load took, to within 0.2 %, if it was timed.
    pub(crate) fn load_time(&self) -> Option<Duration> {
        (self.detail() != brief::NO_SPAN).then(|| brief::long_span(self.detail()))
    }

    /// Returns how old the entry is, to within 8 ms; after 397 days it begins anew.
    pub(crate) fn age(&self, now: Timestamp) -> Duration {
        self.head().created_at.age(now)
    }

    /// Counts a use, for the eviction policy. Written only while it changes something: a hot entry is then only read.
    #[inline(always)]
    pub(crate) fn count_use(&self, most: u8) {
        let uses = self.trace();
        if uses < u32::from(most) {
            self.set_trace(uses + 1);
        }
    }
}

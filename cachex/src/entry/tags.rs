//! The clocks of tags, V(T): which tag was invalidated when.
//!
//! Nothing is kept of a tag that nobody has invalidated. Whoever depends on tags has their numbers ([`TagId`]). An invalidation
//! leaves a *mark*, the number of the tag and the reading of the logical clock, and closes the *gate* of the tag to all that is older: one of
//! some thousand words, each shared by the tags whose numbers lead to it. Who asks whether a tag was invalidated since a stamp reads the
//! gate, and that is mostly all. Only where it was closed by another tag that can't be told from the own one, or by several, the marks
//! behind it are looked at under a lock. So a tag costs an entry no more than its number, a hit one load, and an invalidation the
//! same whether one entry has the tag or a million.
//!
//! Invariants:
//! 1. A gate is closed to whatever the marks behind it, or the floor of its shard, would refuse: what passes is right.
//! 2. A mark is forgotten once nobody asks for it any more ([`TagClocks::forget`]; `engine/reclaim.rs` sees to that), or if there are
//!    too many. Then it raises the floor, and a tag without a mark counts as invalidated at the floor: misses, and never stale hits.
//!
//! Two tags may have one number; of a million, two do once in 30 million runs. An invalidation of one is then one of the other as well.

use std::hash::BuildHasher;
use std::ops::RangeInclusive;

// A model has to go the same way each time.
#[cfg(cachex_loom)]
use foldhash::quality::FixedState as RandomState;
#[cfg(not(cachex_loom))]
use foldhash::quality::RandomState;
use hashbrown::HashTable;
use smallvec::SmallVec;

use super::stamp::Stamp;
use crate::sync::{AtomicU64, Mutex, MutexGuard, Ordering, lock};
use crate::tag::Tag;

#[cfg(not(cachex_loom))]
const SHARDS: usize = 16;
#[cfg(cachex_loom)]
const SHARDS: usize = 1;
/// Gates at least, and at most 512 KiB of them; as many as there is room for entries in between.
#[cfg(not(cachex_loom))]
const GATES: RangeInclusive<u64> = 1 << 12..=1 << 16;
#[cfg(cachex_loom)]
const GATES: RangeInclusive<u64> = 1..=1;
/// Marks a shard holds at least, and at most, before it forgets the older half; in all one for each entry in between.
#[cfg(not(cachex_loom))]
const MOST: RangeInclusive<u64> = 1 << 12..=1 << 14;
#[cfg(cachex_loom)]
const MOST: RangeInclusive<u64> = 2..=2;

/// A tag in one cache: a keyed hash of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TagId(u64);

impl TagId {
    /// Returns by what most tags of a gate are told apart.
    #[inline(always)]
    fn short(self) -> u64 {
        (self.0 >> 32) & SEVERAL
    }
}

/// The numbers of some tags.
pub(crate) type TagIds = SmallVec<[TagId; 2]>;

// What a gate holds: the reading up to which it is closed, above the bits that tell by whom: by one tag, or by several. All readings are
// below 2^48: with a million invalidations a second for nine years.
const WHO: u32 = 16;
const SEVERAL: u64 = (1 << WHO) - 1;
const OPEN: u64 = 0;
/// Closed to everybody who does not look at the marks.
const CLOSED: u64 = u64::MAX;

/// Returns the word of a gate that is closed up to a reading by one tag, or by several.
fn word(until: Stamp, by: Option<TagId>) -> u64 {
    (until.number() << WHO) | by.map_or(SEVERAL, TagId::short)
}

/// Whether the word of its gate says that a tag was not invalidated since `stamp`.
#[inline(always)]
fn lets_pass(word: u64, id: TagId, stamp: Stamp) -> bool {
    word >> WHO <= stamp.number() || (word & SEVERAL != SEVERAL && word & SEVERAL != id.short())
}

/// A tag and its gate.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Known {
    id: TagId,
    gate: usize,
}

/// An invalidation, or writes under way.
#[derive(Debug)]
struct Mark {
    known: Known,
    at: Stamp,
    fences: u32,
}

/// The clocks of all tags of a cache.
#[derive(Debug)]
pub(crate) struct TagClocks {
    hasher: RandomState,
    gates: Box<[AtomicU64]>,
    shards: [Mutex<Shard>; SHARDS],
    /// How many marks a shard holds before it forgets the older half.
    most: usize,
}

/// The marks behind some of the gates.
#[derive(Debug)]
struct Shard {
    /// By gate.
    marks: HashTable<Mark>,
    /// How many there may be before the older half is forgotten.
    most: usize,
    floor: Stamp,
}

impl TagClocks {
    /// Makes the clocks of a cache with room for so many entries.
    pub(crate) fn new(entries: u64) -> Self {
        let within = |count: u64, bounds: RangeInclusive<u64>| count.clamp(*bounds.start(), *bounds.end()) as usize;
        let most = within(entries / SHARDS as u64, MOST);
        let gates = within(entries, GATES).next_power_of_two();
        let shard = |_| Mutex::new(Shard { marks: HashTable::new(), most, floor: Stamp::default() });
        Self {
            hasher: RandomState::default(),
            gates: (0..gates).map(|_| AtomicU64::new(OPEN)).collect(),
            shards: std::array::from_fn(shard),
            most,
        }
    }

    /// Returns the number of a tag.
    pub(crate) fn id(&self, tag: &Tag) -> TagId {
        TagId(self.hasher.hash_one(tag))
    }

    /// Returns the numbers of tags.
    pub(crate) fn ids<'a>(&self, tags: impl IntoIterator<Item = &'a Tag>) -> TagIds {
        tags.into_iter().map(|tag| self.id(tag)).collect()
    }

    /// Whether it is seen at once that a value whose load began at `stamp` saw every invalidation of the tag, and that it is not fenced. If not,
    /// [`allow`](Self::allow) knows.
    #[inline(always)]
    pub(crate) fn lets_pass(&self, id: TagId, stamp: Stamp) -> bool {
        // Acquire: who passes sees what was written before the last invalidation that it has seen.
        lets_pass(self.gates[self.gate(id)].load(Ordering::Acquire), id, stamp)
    }

    /// Returns the gate of a tag. There is a power of two of them.
    #[inline(always)]
    fn gate(&self, id: TagId) -> usize {
        id.0 as usize & (self.gates.len() - 1)
    }

    /// Whether a value whose load began at `stamp` saw every invalidation of these tags, and none is fenced.
    pub(crate) fn allow(&self, ids: &[TagId], stamp: Stamp) -> bool {
        ids.iter().all(|id| self.lets_pass(*id, stamp) || self.shard(*id).allows(self.known(*id), stamp))
    }

    /// As [`allow`](Self::allow), fences aside.
    pub(crate) fn were_current(&self, ids: &[TagId], stamp: Stamp) -> bool {
        ids.iter().all(|id| self.lets_pass(*id, stamp) || self.shard(*id).invalidated_at(self.known(*id)) <= stamp)
    }

    /// Returns when a tag was last invalidated, as far as it counts: that may be by something else as well, where too much was to be
    /// remembered.
    pub(crate) fn invalidated_at(&self, id: TagId) -> Stamp {
        self.shard(id).invalidated_at(self.known(id))
    }

    /// Whether a write of the tag is under way.
    #[cfg(feature = "remote")]
    pub(crate) fn is_fenced(&self, id: TagId) -> bool {
        self.shard(id).mark(self.known(id)).is_some_and(|mark| mark.fences != 0)
    }

    /// Notes an invalidation; an older one never takes back a newer one.
    pub(crate) fn invalidate(&self, id: TagId, at: Stamp) {
        self.change(id, |mark| mark.at = mark.at.max(at));
    }

    /// Notes that a write of the tag begins.
    pub(crate) fn fence(&self, id: TagId) {
        self.change(id, |mark| mark.fences += 1);
    }

    /// Notes that a write of the tag has ended.
    pub(crate) fn release(&self, id: TagId) {
        self.change(id, |mark| mark.fences -= 1);
    }

    /// Forgets what was invalidated at `until` or before. To be called only by who knows that nothing is left from before then
    /// that would have to be refused for it, nor comes later.
    pub(crate) fn forget(&self, until: Stamp) {
        for (number, shard) in self.shards.iter().enumerate() {
            let mut shard = lock(shard);
            let mut gates = Vec::new();
            shard.retain(|mark| mark.at > until, |forgotten| gates.push(forgotten.gate));
            if shard.floor != Stamp::default() && shard.floor <= until {
                shard.floor = Stamp::default();
                gates = self.gates_of(number).collect();
            }
            gates.into_iter().for_each(|gate| self.set_gate(&shard, gate));
            // Fences may have made it more.
            let fenced = shard.marks.iter().filter(|mark| mark.fences != 0).count();
            shard.most = self.most.max(2 * fenced);
        }
    }

    /// Returns how many tags there are whose last invalidation is remembered, or that are fenced.
    pub(crate) fn len(&self) -> usize {
        self.shards.iter().map(|shard| lock(shard).marks.len()).sum()
    }

    /// Whether there are so many marks that some may soon have to be forgotten before their time.
    pub(crate) fn are_many(&self) -> bool {
        self.shards.iter().any(|shard| lock(shard).marks.len() > self.most / 4)
    }

    fn shard(&self, id: TagId) -> MutexGuard<'_, Shard> {
        lock(&self.shards[self.gate(id) % SHARDS])
    }

    fn known(&self, id: TagId) -> Known {
        Known { id, gate: self.gate(id) }
    }

    fn change(&self, id: TagId, change: impl FnOnce(&mut Mark)) {
        let (mut shard, known) = (self.shard(id), self.known(id));
        if shard.marks.len() >= shard.most && shard.mark(known).is_none() {
            self.forget_half(&mut shard, known.gate % SHARDS);
        }
        shard.change(known, change);
        self.set_gate(&shard, known.gate);
    }

    /// Returns the gates whose marks are in a shard.
    fn gates_of(&self, shard: usize) -> impl Iterator<Item = usize> + use<> {
        (shard..self.gates.len()).step_by(SHARDS)
    }

    /// Forgets the older half of the marks of a shard, also of what somebody may ask for.
    fn forget_half(&self, shard: &mut Shard, number: usize) {
        let mut readings: Vec<_> = shard.marks.iter().map(|mark| mark.at).collect();
        let half = readings.len() / 2;
        let (_, median, _) = readings.select_nth_unstable(half);
        // Break this (leave the floor where it is) and a load that began before an invalidation is allowed once the tag is forgotten.
        shard.floor = shard.floor.max(*median);
        shard.retain(|mark| mark.at > *median, |_| ());
        // Those of fences stay, however many they are.
        shard.most = self.most.max(2 * shard.marks.len());
        self.gates_of(number).for_each(|gate| self.set_gate(shard, gate));
    }

    /// Closes a gate to all that the marks behind it or the floor would refuse, and opens it to all others.
    fn set_gate(&self, shard: &Shard, gate: usize) {
        let (mut until, mut by) = (shard.floor, None);
        let mut count = usize::from(shard.floor != Stamp::default());
        let mut is_fenced = false;
        for mark in shard.behind(gate) {
            (until, by, count) = (until.max(mark.at), Some(mark.known.id), count + 1);
            is_fenced |= mark.fences != 0;
        }
        let word = match count {
            _ if is_fenced => CLOSED,
            0 => OPEN,
            1 => word(until, by),
            _ => word(until, None),
        };
        // Release: who is stopped by it finds what was written before the invalidation.
        self.gates[gate].store(word, Ordering::Release);
    }
}

/// Returns the hash by which the marks behind a gate are found.
fn hash(gate: usize) -> u64 {
    // The table takes the lowest bits, and the highest; the lowest of a gate are those of its shard.
    let spread = (gate as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    spread ^ (spread >> 32)
}

impl Shard {
    fn behind(&self, gate: usize) -> impl Iterator<Item = &Mark> {
        self.marks.iter_hash(hash(gate)).filter(move |mark| mark.known.gate == gate)
    }

    fn mark(&self, known: Known) -> Option<&Mark> {
        self.marks.find(hash(known.gate), |mark| mark.known == known)
    }

    /// Changes the mark of a tag, made where there is none, and drops it if nothing is left to say.
    fn change(&mut self, known: Known, change: impl FnOnce(&mut Mark)) {
        let entry = self.marks.entry(hash(known.gate), |mark| mark.known == known, |mark| hash(mark.known.gate));
        let mut entry = entry.or_insert(Mark { known, at: Stamp::default(), fences: 0 });
        let mark = entry.get_mut();
        change(mark);
        if mark.fences == 0 && mark.at == Stamp::default() {
            entry.remove();
        }
    }

    /// Drops the marks that are not to be kept, but those of writes under way.
    fn retain(&mut self, is_kept: impl Fn(&Mark) -> bool, mut dropped: impl FnMut(Known)) {
        self.marks.retain(|mark| {
            let is_kept = mark.fences != 0 || is_kept(mark);
            if !is_kept {
                dropped(mark.known);
            }
            is_kept
        });
    }

    fn invalidated_at(&self, known: Known) -> Stamp {
        self.mark(known).map_or(self.floor, |mark| mark.at.max(self.floor))
    }

    fn allows(&self, known: Known, stamp: Stamp) -> bool {
        self.mark(known).is_none_or(|mark| mark.fences == 0) && self.invalidated_at(known) <= stamp
    }
}

#[cfg(all(test, not(cachex_loom)))]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;
    use crate::entry::stamp::Sequence;

    /// Behind one gate, or not; and of those behind one gate, alike in short or not.
    fn ids() -> Vec<TagId> {
        let alike = |gate: u64| [0, 1, 2].map(|short: u64| TagId(short << 32 | gate));
        let same = [TagId(5 | 1 << 60), TagId(5 | 2 << 60), TagId(5 | SEVERAL << 32)];
        [&alike(5)[..], &alike(6), &same].concat()
    }

    #[derive(Clone, Debug)]
    enum Step {
        Invalidate(usize),
        Fence(usize),
        Release(usize),
        Forget(u64),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            (0..9_usize).prop_map(Step::Invalidate),
            (0..9_usize).prop_map(Step::Fence),
            (0..9_usize).prop_map(Step::Release),
            (0..30_u64).prop_map(Step::Forget),
        ]
    }

    proptest! {
        #[test]
        fn clocks_agree_with_a_map_of_all_that_ever_happened(steps in prop::collection::vec(step(), 1..60)) {
            let (clocks, sequence, ids) = (TagClocks::new(1), Sequence::new(), ids());
            let (mut invalidated, mut fences) = (HashMap::new(), HashMap::<_, u32>::new());
            // Nobody asks for what is older than that.
            let mut forgotten = 0;
            let mut stamps = vec![sequence.now()];
            for step in steps {
                match step {
                    Step::Invalidate(tag) => {
                        let at = sequence.step();
                        invalidated.insert(tag, at);
                        clocks.invalidate(ids[tag], at);
                        stamps.push(at);
                    }
                    Step::Fence(tag) => {
                        *fences.entry(tag).or_default() += 1;
                        clocks.fence(ids[tag]);
                    }
                    Step::Release(tag) if fences.get(&tag).is_some_and(|count| *count > 0) => {
                        *fences.entry(tag).or_default() -= 1;
                        clocks.release(ids[tag]);
                    }
                    Step::Release(_) => {}
                    Step::Forget(until) => {
                        let until = *stamps.get(until as usize).unwrap_or(&sequence.now());
                        forgotten = forgotten.max(until.number());
                        clocks.forget(until);
                    }
                }
                for (tag, id) in ids.iter().enumerate() {
                    let at = invalidated.get(&tag).copied().unwrap_or_default();
                    let is_fenced = fences.get(&tag).is_some_and(|count| *count > 0);
                    for stamp in stamps.iter().filter(|stamp| stamp.number() >= forgotten) {
                        prop_assert_eq!(clocks.were_current(&[*id], *stamp), at <= *stamp);
                        prop_assert_eq!(clocks.allow(&[*id], *stamp), at <= *stamp && !is_fenced);
                        prop_assert!(!clocks.lets_pass(*id, *stamp) || at <= *stamp && !is_fenced);
                    }
                }
            }
            ids.iter().enumerate().for_each(|(tag, id)| {
                (0..fences.get(&tag).copied().unwrap_or_default()).for_each(|_| clocks.release(*id));
            });
            clocks.forget(sequence.now());
            prop_assert_eq!(clocks.len(), 0);
            prop_assert!(clocks.gates.iter().all(|gate| gate.load(Ordering::Relaxed) == OPEN));
        }
    }

    #[test]
    fn what_is_too_much_to_remember_counts_as_invalidated() {
        let (clocks, sequence) = (TagClocks::new(u64::MAX), Sequence::new());
        let tag = |number: u64| TagId(number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let first = sequence.now();
        let most = SHARDS as u64 * MOST.end();
        let many = 3 * most;
        for number in 0..many {
            clocks.invalidate(tag(number), sequence.step());
        }
        assert!(clocks.are_many() && clocks.len() as u64 <= most, "{} are remembered", clocks.len());
        assert!((0..many).all(|number| !clocks.allow(&[tag(number)], first)));
        // Others as well, in the shards that have forgotten something; but none that has begun later than what was forgotten.
        assert!((many..2 * many).all(|number| !clocks.allow(&[tag(number)], first)));
        assert!((many..2 * many).all(|number| clocks.allow(&[tag(number)], sequence.now())));
        clocks.forget(sequence.now());
        assert!((0..2 * many).all(|number| clocks.lets_pass(tag(number), first)));
    }

    #[test]
    fn most_tags_pass_although_others_behind_their_gate_were_invalidated() {
        let (clocks, sequence) = (TagClocks::new(1_000), Sequence::new());
        let id = |name: String| clocks.id(&Tag::from(name));
        let stamp = sequence.now();
        (0..1_000).for_each(|number| clocks.invalidate(id(format!("user:{number}")), sequence.step()));
        let stopped = (0..100_000).filter(|number| !clocks.lets_pass(id(format!("order:{number}")), stamp)).count();
        // Behind 22 % of the gates there is one, behind 2.5 % there are several.
        assert!(stopped < 5_000, "{stopped} of 100000 have to look at the marks");
    }
}

//! A table from keys to nodes, in shards: changed under a lock for each shard, read under none.
//!
//! A shard's index is an array of buckets of one cache line each: seven pointers, and a word with a byte of each one's hash. A
//! node lies in its *home*, which its hash names, or in one of the next buckets; how many a look-up has to see is noted at the
//! home. That *reach* is bounded: keys of one hash, made to harm, cost a look-up no more than so many lines, and one that finds
//! no place any more is refused ([`Crowded`]). At the load up to which the index is filled, others practically never are.
//!
//! Nodes are never moved within an index. A larger index is filled before readers see it, and is seen at once.

#![expect(unsafe_code, reason = "readers follow pointers that they do not hold")]

use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::bucket_word::{REACH_SHIFT, TAGS, matches, tag};
use super::grace::Pin;
use super::limbo::{Fresh, Limbo};
use super::node::{Lent, Node, Parts, Start};

/// Pointers in a bucket.
const WIDTH: usize = 7;
/// Buckets that a look-up may have to see.
const MOST_REACH: usize = 16;
/// Buckets of an index that is new, as a power of two; never 0.
const FIRST_EXPONENT: u32 = 1;
/// An index grows when more than so many in `WIDTH` places would be taken …
const FULL: usize = 5;
/// … and if somebody finds no place, also before, but not when fewer than one place in so many is taken.
const SPARSE: usize = 16;

/// The shards, and what each owner keeps beside the index.
pub(crate) struct Table<P: Parts, S> {
    /// See [`Index`]; one for each shard, side by side, as they are read often and hardly ever written.
    indexes: Box<[AtomicPtr<Bucket<P>>]>,
    /// One less than their number, which is a power of two.
    mask: usize,
    shards: Box<[Mutex<Owned<P, S>>]>,
    limbo: Limbo<Unlinked<P>>,
}

#[repr(align(64))]
struct Owned<P: Parts, S> {
    len: usize,
    /// What was unlinked here of late.
    fresh: Fresh<Unlinked<P>>,
    /// Which of the nodes in its way a refused one is told.
    turn: usize,
    state: S,
}

/// What a look-up asks for.
pub(crate) trait Sought<P: Parts> {
    /// Returns its hash.
    fn hash(&self) -> u64;
    /// Whether it is this node.
    fn is(&self, node: &Node<P>) -> bool;
}

/// A pointer to a number of buckets that is a power of two, and not 1. How far a hash is shifted to get the number of its home is in
/// the low bits of the pointer, which are 0 as buckets are aligned: a reader has both with one load.
struct Index<P: Parts>(*mut Bucket<P>);

impl<P: Parts> Clone for Index<P> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<P: Parts> Copy for Index<P> {}

#[repr(align(64))]
struct Bucket<P: Parts> {
    /// Seven bits of its hash for each pointer, 0 where there is none, and the reach of this home in the highest byte.
    word: AtomicU64,
    nodes: [AtomicPtr<Start<P>>; WIDTH],
}

/// What the table held and holds no more.
enum Unlinked<P: Parts> {
    Node { _node: Node<P> },
    Index { _index: Retired<P> },
}

/// An index that was unlinked. Not a box: some may still read it, and a box is nobody else's.
struct Retired<P: Parts>(Index<P>);

// SAFETY: the index is shared by readers on all threads, and dropped by whichever thread is last.
unsafe impl<P: Parts> Send for Retired<P> {}

impl<P: Parts> Drop for Retired<P> {
    fn drop(&mut self) {
        // SAFETY: it was unlinked, and after its period of grace nobody reads it.
        unsafe { self.0.free() }
    }
}

/// There is no place for a node: too many keys of its hash.
pub(crate) struct Crowded<P: Parts> {
    pub(crate) node: Node<P>,
    /// One of those in its way.
    pub(crate) other: Node<P>,
}

impl<P: Parts> Bucket<P> {
    fn new() -> Self {
        Self { word: AtomicU64::new(0), nodes: [const { AtomicPtr::new(ptr::null_mut()) }; WIDTH] }
    }
}

const SHIFT: usize = align_of::<Bucket<Nothing>>() - 1;

/// Stands for any parts where only the layout counts.
struct Nothing;

impl Parts for Nothing {
    type Head = ();
    type Rare = ();
    type Item = ();
}

impl<P: Parts> Index<P> {
    fn new(exponent: u32) -> Self {
        let buckets: Box<[Bucket<P>]> = (0..1_usize << exponent).map(|_| Bucket::new()).collect();
        let first = Box::into_raw(buckets).cast::<Bucket<P>>();
        let shift = (u64::BITS - exponent) as usize;
        assert!((1..=SHIFT).contains(&shift), "an index has two buckets or more");
        Self(first.map_addr(|address| address | shift))
    }

    #[inline(always)]
    fn shift(self) -> u32 {
        (self.0.addr() & SHIFT) as u32
    }

    fn exponent(self) -> u32 {
        u64::BITS - self.shift()
    }

    /// Returns the number of the bucket where a hash is looked for first.
    #[inline(always)]
    fn home(self, hash: u64) -> usize {
        (hash >> self.shift()) as usize
    }

    #[inline(always)]
    fn first(self) -> *mut Bucket<P> {
        self.0.map_addr(|address| address & !SHIFT)
    }

    fn len(self) -> usize {
        1 << self.exponent()
    }

    fn places(self) -> usize {
        self.len() * WIDTH
    }

    /// # Safety
    ///
    /// The index is not freed for all of `'a`.
    #[inline(always)]
    unsafe fn home_bucket<'a>(self, hash: u64) -> &'a Bucket<P> {
        // SAFETY: a hash has as many bits behind the shift as the number of the last bucket; the buckets live for `'a`.
        unsafe { &*self.first().add(self.home(hash)) }
    }

    /// # Safety
    ///
    /// As for [`home_bucket`](Self::home_bucket).
    unsafe fn bucket<'a>(self, hash: u64, distance: usize) -> &'a Bucket<P> {
        let at = (self.home(hash) + distance) & (self.len() - 1);
        // SAFETY: there are `len` buckets from the first one on, and they live for `'a`.
        unsafe { &*self.first().add(at) }
    }

    /// # Safety
    ///
    /// As for [`home_bucket`](Self::home_bucket).
    unsafe fn buckets<'a>(self) -> &'a [Bucket<P>] {
        // SAFETY: as above.
        unsafe { std::slice::from_raw_parts(self.first(), self.len()) }
    }

    /// # Safety
    ///
    /// Nobody uses the index any more, and this is called once.
    unsafe fn free(self) {
        // SAFETY: `new` has made it of a box of this very slice.
        drop(unsafe { Box::from_raw(ptr::slice_from_raw_parts_mut(self.first(), self.len())) });
    }

    /// Puts a pointer in the first free place of its reach; returns whether there was one.
    ///
    /// # Safety
    ///
    /// The caller owns the shard, or nobody else knows the index.
    unsafe fn put(self, hash: u64, raw: *mut Start<P>) -> bool {
        for distance in 0..MOST_REACH.min(self.len()) {
            // SAFETY: an owner's index is not freed while it is owned.
            let (first, bucket) = unsafe { (self.home_bucket(hash), self.bucket(hash, distance)) };
            let is_free = |node: &AtomicPtr<Start<P>>| node.load(Ordering::Relaxed).is_null();
            let Some(place) = bucket.nodes.iter().position(is_free) else { continue };
            let word = bucket.word.load(Ordering::Relaxed);
            // Release: who finds the pointer finds the node written.
            bucket.nodes[place].store(raw, Ordering::Release);
            bucket.word.store(word | u64::from(tag(hash)) << (8 * place), Ordering::Release);
            let known = first.word.load(Ordering::Relaxed);
            if known >> REACH_SHIFT < distance as u64 {
                first.word.store(known & TAGS | (distance as u64) << REACH_SHIFT, Ordering::Release);
            }
            return true;
        }
        false
    }

    /// Returns where a node is.
    ///
    /// # Safety
    ///
    /// The caller owns the shard for all of `'a`.
    unsafe fn place_of<'a>(self, hash: u64, raw: *mut Start<P>) -> Option<(&'a Bucket<P>, usize)> {
        let reach = 0..MOST_REACH.min(self.len());
        // SAFETY: an owner's index is not freed while it is owned.
        let buckets = reach.map(|distance| unsafe { self.bucket(hash, distance) });
        let mut places = buckets.flat_map(|bucket| (0..WIDTH).map(move |place| (bucket, place)));
        places.find(|(bucket, place)| bucket.nodes[*place].load(Ordering::Relaxed) == raw)
    }

    /// # Safety
    ///
    /// As for [`home_bucket`](Self::home_bucket).
    unsafe fn pointers<'a>(self) -> impl Iterator<Item = NonNull<Start<P>>> + use<'a, P> {
        // SAFETY: the caller's promise.
        let all = unsafe { self.buckets::<'a>() }.iter().flat_map(|bucket| &bucket.nodes);
        all.filter_map(|node| NonNull::new(node.load(Ordering::Relaxed)))
    }
}

impl<P: Parts, S> Table<P, S> {
    /// Makes an empty table. `shards` is a power of two; `most_dead` is the weight of what may wait to be dropped before
    /// its period of grace is begun early.
    pub(crate) fn new(shards: usize, most_dead: u64, state: impl Fn(usize) -> S) -> Self {
        assert!(shards.is_power_of_two(), "the number of shards is a power of two");
        let shard = |number| Mutex::new(Owned { len: 0, fresh: Fresh::new(), turn: 0, state: state(number) });
        Self {
            indexes: (0..shards).map(|_| AtomicPtr::new(Index::new(FIRST_EXPONENT).0)).collect(),
            mask: shards - 1,
            shards: (0..shards).map(shard).collect(),
            limbo: Limbo::new(most_dead, shards),
        }
    }

    pub(crate) fn shards(&self) -> usize {
        self.shards.len()
    }

    /// Returns the number of the shard that a hash belongs to.
    #[inline(always)]
    pub(crate) fn shard_of(&self, hash: u64) -> usize {
        // Neither the lowest bits nor the highest: those are for the tag and the bucket.
        (hash >> 8) as usize & self.mask
    }

    /// Finds a node, under no lock.
    #[inline(always)]
    pub(crate) fn find<'a>(&'a self, _pin: &'a Pin, sought: impl Sought<P>) -> Option<Lent<'a, P>> {
        // SAFETY: `shard_of` is not more than the mask, which is one less than the number of indexes.
        let index = unsafe { self.indexes.get_unchecked(self.shard_of(sought.hash())) };
        // Acquire: the index was written whole.
        let index = Index(index.load(Ordering::Acquire));
        // SAFETY: indexes and what they hold are dropped by `drop`, which excludes `self`, or by the limbo: after a period of grace that
        // began after they were unlinked, and so not before `_pin` is gone.
        unsafe { find(index, sought) }
    }

    /// Locks a shard for changing, also after a panic in another owner: no code of others runs while an index is half changed.
    pub(crate) fn own(&self, shard: usize) -> Owner<'_, P, S> {
        let owned = self.shards[shard].lock().unwrap_or_else(PoisonError::into_inner);
        Owner { index: &self.indexes[shard], owned, limbo: &self.limbo }
    }

    /// Drops what was unlinked and is read by nobody any more, if a batch of it has gathered. To be called under no lock,
    /// neither of ours nor of the caller: values are code of users.
    #[inline]
    pub(crate) fn tend(&self) {
        self.limbo.tend();
    }

    /// Drops what was unlinked and is read by nobody any more; looks up to `looks` times for what somebody still reads.
    /// Returns how much is left. To be called under no lock.
    pub(crate) fn flush(&self, looks: usize) -> usize {
        (0..self.shards()).for_each(|shard| self.limbo.take_over(&mut self.own(shard).owned.fresh));
        self.limbo.flush(looks)
    }

    #[cfg(test)]
    pub(crate) fn is_poisoned(&self) -> bool {
        self.shards.iter().any(Mutex::is_poisoned)
    }
}

/// Finds a node in an index.
///
/// # Safety
///
/// Neither the index nor any node that is in it is dropped for all of `'a`.
#[inline(always)]
unsafe fn find<'a, P: Parts>(index: Index<P>, sought: impl Sought<P>) -> Option<Lent<'a, P>> {
    let hash = sought.hash();
    // SAFETY: the caller's promise.
    let bucket = unsafe { index.home_bucket(hash) };
    let word = bucket.word.load(Ordering::Acquire);
    // SAFETY: the caller's promise.
    let found = unsafe { find_in(bucket, word, &sought) };
    let reach = (word >> REACH_SHIFT) as usize;
    if found.is_some() || reach == 0 {
        return found;
    }
    for distance in 1..=reach {
        // SAFETY: the caller's promise.
        let found = unsafe {
            let bucket = index.bucket(hash, distance);
            find_in(bucket, bucket.word.load(Ordering::Acquire), &sought)
        };
        if found.is_some() {
            return found;
        }
    }
    None
}

/// Finds a node in a bucket with this word.
///
/// # Safety
///
/// No node that is in it is dropped for all of `'a`.
#[inline(always)]
unsafe fn find_in<'a, P: Parts>(bucket: &Bucket<P>, word: u64, sought: &impl Sought<P>) -> Option<Lent<'a, P>> {
    let mut matches = matches(word, tag(sought.hash()));
    while matches != 0 {
        let place = matches.trailing_zeros() as usize / 8;
        // SAFETY: there is a match in the seven lowest bytes only, one for each place.
        let found = unsafe { bucket.nodes.get_unchecked(place) };
        // Acquire: the node was written whole.
        if let Some(raw) = NonNull::new(found.load(Ordering::Acquire)) {
            // SAFETY: the index holds each node it points to, and by the caller's promise that hold is not dropped.
            let lent = unsafe { Node::lend(raw) };
            if sought.is(&lent) {
                return Some(lent);
            }
        }
        matches &= matches - 1;
    }
    None
}

impl<P: Parts, S> Drop for Table<P, S> {
    fn drop(&mut self) {
        let mut left = Vec::new();
        for index in &mut self.indexes {
            let index = Index(*index.get_mut());
            // SAFETY: each pointer is a hold that was given to this index and not taken. The last index of a shard was not unlinked, and
            // nobody reads it: look-ups borrow the table.
            unsafe {
                left.extend(index.pointers().map(|raw| Node::from_raw(raw)));
                index.free();
            }
        }
        // Dropped when all indexes are: a value that panics must not keep the others.
        drop(left);
    }
}

/// The one that may change a shard.
pub(crate) struct Owner<'a, P: Parts, S> {
    index: &'a AtomicPtr<Bucket<P>>,
    owned: MutexGuard<'a, Owned<P, S>>,
    limbo: &'a Limbo<Unlinked<P>>,
}

impl<P: Parts, S> Owner<'_, P, S> {
    pub(crate) fn state(&self) -> &S {
        &self.owned.state
    }

    pub(crate) fn state_mut(&mut self) -> &mut S {
        &mut self.owned.state
    }

    fn index(&self) -> Index<P> {
        Index(self.index.load(Ordering::Relaxed))
    }

    #[inline(always)]
    pub(crate) fn find(&self, sought: impl Sought<P>) -> Option<Lent<'_, P>> {
        // SAFETY: only an owner unlinks an index or a node, and needs `&mut self` for it.
        unsafe { find(self.index(), sought) }
    }

    /// Whether a node with this hash is there.
    pub(crate) fn has(&self, hash: u64, node: &Node<P>) -> bool {
        // SAFETY: this is the owner, and stays it.
        unsafe { self.index().place_of(hash, node.as_raw()).is_some() }
    }

    /// Puts in a node whose key is not there. `hash_of` tells the hash of those that are.
    pub(crate) fn insert(
        &mut self,
        hash: u64,
        node: Node<P>,
        hash_of: impl Fn(&S, &Node<P>) -> u64,
    ) -> Result<(), Crowded<P>> {
        if (self.owned.len + 1) * WIDTH > self.index().places() * FULL {
            self.grow(&hash_of);
        }
        // From here on the hold is the index's, if it takes it.
        let raw = node.as_raw();
        // SAFETY: this is the owner.
        while !unsafe { self.index().put(hash, raw) } {
            let is_sparse = (self.owned.len + 1) * SPARSE < self.index().places();
            if is_sparse || !self.grow(&hash_of) {
                return Err(Crowded { other: self.one_in_the_way(hash), node });
            }
        }
        let _held_by_the_index = node.into_raw();
        self.owned.len += 1;
        Ok(())
    }

    /// Puts `node` in the place of `old`, which has the same key and is there.
    pub(crate) fn replace(&mut self, hash: u64, old: &Node<P>, node: Node<P>, weight: u64) {
        // SAFETY: this is the owner, and stays it.
        let found = unsafe { self.index().place_of(hash, old.as_raw()) };
        let (bucket, place) = found.expect("the node is in its shard");
        // AcqRel: who finds the pointer finds the node written.
        let unlinked = bucket.nodes[place].swap(node.into_raw(), Ordering::AcqRel);
        self.bury_node(unlinked, weight);
    }

    /// Takes out a node that is there.
    pub(crate) fn remove(&mut self, hash: u64, node: &Node<P>, weight: u64) {
        // SAFETY: this is the owner, and stays it.
        let found = unsafe { self.index().place_of(hash, node.as_raw()) };
        let (bucket, place) = found.expect("the node is in its shard");
        let word = bucket.word.load(Ordering::Relaxed);
        bucket.word.store(word & !(0xff << (8 * place)), Ordering::Release);
        let unlinked = bucket.nodes[place].load(Ordering::Relaxed);
        bucket.nodes[place].store(ptr::null_mut(), Ordering::Release);
        self.owned.len -= 1;
        self.bury_node(unlinked, weight);
    }

    /// Takes out all nodes.
    pub(crate) fn clear(&mut self, weight_of: impl Fn(&Node<P>) -> u64) {
        let emptied = self.publish(Index::new(FIRST_EXPONENT));
        self.owned.len = 0;
        // SAFETY: it is dropped below.
        for raw in unsafe { emptied.0.pointers() } {
            // SAFETY: each pointer is a hold that was given to this index and not taken; it can't be found in it any more but by
            // those who have it already, for whom the limbo waits.
            let node = unsafe { Node::from_raw(raw) };
            let weight = weight_of(&node);
            self.limbo.bury(&mut self.owned.fresh, Unlinked::Node { _node: node }, weight);
        }
        self.bury_index(emptied);
    }

    /// Makes room for twice as many. Returns whether all found a place there.
    fn grow(&mut self, hash_of: impl Fn(&S, &Node<P>) -> u64) -> bool {
        let old = self.index();
        let larger = Index::new(old.exponent() + 1);
        // SAFETY: this is the owner.
        for raw in unsafe { old.pointers() } {
            // SAFETY: the old index holds it, and nobody but an owner takes it out; nobody else knows the new one.
            let has_place = unsafe {
                let lent = Node::lend(raw);
                larger.put(hash_of(&self.owned.state, &lent), raw.as_ptr())
            };
            if !has_place {
                // SAFETY: nobody knows it.
                unsafe { larger.free() };
                return false;
            }
        }
        let old = self.publish(larger);
        self.bury_index(old);
        true
    }

    /// Makes another index the one that readers find, and returns the former, which some may still read.
    fn publish(&mut self, index: Index<P>) -> Retired<P> {
        // Release: who finds the index finds it written.
        Retired(Index(self.index.swap(index.0, Ordering::AcqRel)))
    }

    fn bury_index(&mut self, index: Retired<P>) {
        let weight = (index.0.len() * size_of::<Bucket<P>>()) as u64;
        self.limbo.bury(&mut self.owned.fresh, Unlinked::Index { _index: index }, weight);
    }

    fn bury_node(&mut self, unlinked: *mut Start<P>, weight: u64) {
        let raw = NonNull::new(unlinked).expect("a place that was found is taken");
        // SAFETY: it was a hold of the index, which has just given it up.
        let node = unsafe { Node::from_raw(raw) };
        self.limbo.bury(&mut self.owned.fresh, Unlinked::Node { _node: node }, weight);
    }

    /// Returns one of the nodes that a key with this hash finds in its way, another one each time.
    fn one_in_the_way(&mut self, hash: u64) -> Node<P> {
        self.owned.turn = self.owned.turn.wrapping_add(1);
        let turn = self.owned.turn;
        let index = self.index();
        // SAFETY: this is the owner.
        let bucket = unsafe { index.bucket(hash, turn % MOST_REACH.min(index.len())) };
        let raw = NonNull::new(bucket.nodes[turn / MOST_REACH % WIDTH].load(Ordering::Relaxed));
        // SAFETY: the index holds it, and nobody but an owner takes it out.
        unsafe { Node::clone(&Node::lend(raw.expect("each place within reach is taken"))) }
    }

    /// Returns what can be found, for checks.
    #[cfg(test)]
    pub(crate) fn all(&self) -> Vec<Node<P>> {
        // SAFETY: the index holds it, and nobody but an owner takes it out.
        let all: Vec<_> = unsafe { self.index().pointers().map(|raw| Node::clone(&Node::lend(raw))).collect() };
        assert_eq!(all.len(), self.owned.len);
        all
    }
}

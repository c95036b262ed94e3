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
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::grace::Pin;
use super::index::{Bucket, Index, MOST_REACH, Retired, WIDTH, find};
use super::limbo::{Fresh, Limbo};
use super::node::{Lent, Node, Parts, Start};

pub(crate) use super::sought::Sought;

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

/// What the table held and holds no more.
enum Unlinked<P: Parts> {
    Node { _node: Node<P> },
    Index { _index: Retired<P> },
}

/// There is no place for a node: too many keys of its hash.
pub(crate) struct Crowded<P: Parts> {
    pub(crate) node: Node<P>,
    /// One of those in its way.
    pub(crate) other: Node<P>,
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

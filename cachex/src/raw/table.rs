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
use super::index::{Bucket, Index, MOST_REACH, Place, Retired, WIDTH, find};
use super::limbo::{Fresh, Limbo};
use super::node::{Lent, Node, Parts, Start};
use super::room::make_room;

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
    /// Of each number the place of its node.
    places: Vec<Place>,
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
        let shard = |number| {
            Mutex::new(Owned { len: 0, fresh: Fresh::new(), turn: 0, places: Vec::new(), state: state(number) })
        };
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

    /// Drops what was unlinked and is read by nobody any more, if a batch of it has gathered; its size depends on how many are `held`. To
    /// be called under no lock, neither of ours nor of the caller: values are code of users.
    #[inline]
    pub(crate) fn tend(&self, held: impl FnOnce() -> usize) {
        self.limbo.tend(held);
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

/// The nodes of a shard by their numbers, for its owner.
pub(crate) struct Nodes<'a, P: Parts> {
    index: Index<P>,
    places: &'a [Place],
}

impl<'a, P: Parts> Nodes<'a, P> {
    /// Returns how many numbers there are, of nodes and of none.
    pub(crate) fn numbers(&self) -> usize {
        self.places.len()
    }

    #[inline]
    pub(crate) fn get(&self, number: u32) -> Option<Lent<'a, P>> {
        let place = *self.places.get(number as usize)?;
        if place == Place::NONE {
            return None;
        }
        // SAFETY: only an owner unlinks an index, and not while `places` is borrowed from it.
        let (bucket, pointer) = unsafe { self.index.at(place) };
        let raw = NonNull::new(bucket.nodes[pointer].load(Ordering::Relaxed))?;
        // SAFETY: the index holds it, and nobody but an owner takes it out, who lets go of `places` before.
        Some(unsafe { Node::lend(raw) })
    }

    /// Returns a node that is known to be there.
    #[inline]
    pub(crate) fn node(&self, number: u32) -> Lent<'a, P> {
        self.get(number).expect("numbers are those of nodes that are there")
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

    /// Returns how many nodes there are.
    pub(crate) fn len(&self) -> usize {
        self.owned.len
    }

    /// Returns the nodes by their numbers.
    pub(crate) fn nodes(&self) -> Nodes<'_, P> {
        Nodes { index: self.index(), places: &self.owned.places }
    }

    /// Returns the state for changing, and the nodes beside it.
    pub(crate) fn split(&mut self) -> (&mut S, Nodes<'_, P>) {
        let index = self.index();
        let Owned { places, state, .. } = &mut *self.owned;
        (state, Nodes { index, places })
    }

    /// Whether this very node is there.
    pub(crate) fn has(&self, node: &Node<P>) -> bool {
        self.nodes().get(node.number()).is_some_and(|present| present.is_same(node))
    }

    /// Puts in a node whose key is not there, by a number that no other one has. `hash_of` tells the hash of those that are there.
    pub(crate) fn insert(
        &mut self,
        hash: u64,
        number: u32,
        node: Node<P>,
        hash_of: impl Fn(&S, &Node<P>) -> u64,
    ) -> Result<(), Crowded<P>> {
        if (self.owned.len + 1) * WIDTH > self.index().places() * FULL {
            self.grow(&hash_of);
        }
        node.set_number(number);
        // From here on the hold is the index's, if it takes it.
        let raw = node.as_raw();
        let place = loop {
            // SAFETY: this is the owner.
            if let Some(place) = unsafe { self.index().put(hash, raw) } {
                break place;
            }
            let is_sparse = (self.owned.len + 1) * SPARSE < self.index().places();
            if is_sparse || !self.grow(&hash_of) {
                return Err(Crowded { other: self.one_in_the_way(hash), node });
            }
        };
        let _held_by_the_index = node.into_raw();
        let places = &mut self.owned.places;
        if number as usize >= places.len() {
            make_room(places, number as usize);
            places.resize(number as usize + 1, Place::NONE);
        }
        places[number as usize] = place;
        self.owned.len += 1;
        Ok(())
    }

    /// Puts `node` in the place of the one with a number, which has the same key, and returns that.
    pub(crate) fn replace(&mut self, number: u32, node: Node<P>, weight: u64) -> Node<P> {
        node.set_number(number);
        let old = Node::clone(&self.nodes().node(number));
        // SAFETY: this is the owner, and stays it.
        let (bucket, pointer) = unsafe { self.index().at(self.owned.places[number as usize]) };
        // AcqRel: who finds the pointer finds the node written.
        let unlinked = bucket.nodes[pointer].swap(node.into_raw(), Ordering::AcqRel);
        self.bury_node(unlinked, weight);
        old
    }

    /// Takes out the node with a number and returns it.
    pub(crate) fn remove(&mut self, number: u32, weight_of: impl Fn(&Node<P>) -> u64) -> Node<P> {
        self.take_out(number, |node| (node.clone(), weight_of(node)))
    }

    /// Takes out the node with a number, which `see` sees before, and says what it weighs.
    pub(crate) fn take_out<T>(&mut self, number: u32, see: impl FnOnce(&Node<P>) -> (T, u64)) -> T {
        let (seen, weight) = see(&self.nodes().node(number));
        let place = std::mem::replace(&mut self.owned.places[number as usize], Place::NONE);
        // SAFETY: this is the owner, and stays it.
        let (bucket, pointer) = unsafe { self.index().at(place) };
        let word = bucket.word.load(Ordering::Relaxed);
        bucket.word.store(word & !(0xff << (8 * pointer)), Ordering::Release);
        let unlinked = bucket.nodes[pointer].load(Ordering::Relaxed);
        bucket.nodes[pointer].store(ptr::null_mut(), Ordering::Release);
        self.owned.len -= 1;
        self.bury_node(unlinked, weight);
        seen
    }

    /// Takes out all nodes and returns them.
    pub(crate) fn clear(&mut self, weight_of: impl Fn(&Node<P>) -> u64) -> Vec<Node<P>> {
        let emptied = self.publish(Index::new(FIRST_EXPONENT));
        let mut nodes = Vec::with_capacity(self.owned.len);
        self.owned.len = 0;
        self.owned.places = Vec::new();
        // SAFETY: it is dropped below.
        for raw in unsafe { emptied.0.pointers() } {
            // SAFETY: each pointer is a hold that was given to this index and not taken; it can't be found in it any more but by
            // those who have it already, for whom the limbo waits.
            let node = unsafe { Node::from_raw(raw) };
            let weight = weight_of(&node);
            nodes.push(node.clone());
            self.limbo.bury(&mut self.owned.fresh, Unlinked::Node { _node: node }, weight);
        }
        self.bury_index(emptied);
        nodes
    }

    /// Makes room for twice as many. Returns whether all found a place there.
    fn grow(&mut self, hash_of: impl Fn(&S, &Node<P>) -> u64) -> bool {
        let old = self.index();
        let larger = Index::new(old.exponent() + 1);
        let mut places = vec![Place::NONE; self.owned.places.len()];
        // SAFETY: this is the owner.
        for raw in unsafe { old.pointers() } {
            // SAFETY: the old index holds it, and nobody but an owner takes it out; nobody else knows the new one.
            let (number, place) = unsafe {
                let lent = Node::lend(raw);
                (lent.number(), larger.put(hash_of(&self.owned.state, &lent), raw.as_ptr()))
            };
            let Some(place) = place else {
                // SAFETY: nobody knows it.
                unsafe { larger.free() };
                return false;
            };
            places[number as usize] = place;
        }
        self.owned.places.copy_from_slice(&places);
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
